//! Spans by trace, and the spans that link to a trace.
//!
//! The spans of a trace are a chain through their records. A trace with many spans gets an index by span id,
//! so that a single huge trace does not make each insert walk all of it.

use std::collections::HashMap;

use super::hash::IdHash;
use super::pages::Pages;
use super::spans::{NONE, SpanRecord};
use crate::telemetry::TraceId;

/// From how many spans on a trace has an index of its own.
const CROWDED: u32 = 48;

#[derive(Debug, Default)]
pub struct TraceTable {
    by_id: HashMap<Id, u32, IdHash>,
    /// Ids that are not 16 bytes long.
    odd: HashMap<Box<[u8]>, u32>,
    entries: Pages<TraceEntry>,
    /// The latest span with this key in a crowded trace.
    crowded: HashMap<(u32, u64), u32, IdHash>,
    links: HashMap<Id, Vec<u32>, IdHash>,
    link_count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Id(u64, u64);

#[derive(Clone, Copy, Debug)]
struct TraceEntry {
    first: u32,
    last: u32,
    count: u32,
}

impl TraceTable {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn find(&self, id: &[u8]) -> Option<u32> {
        match Id::of(id) {
            Some(id) => self.by_id.get(&id).copied(),
            None => self.odd.get(id).copied(),
        }
    }

    /// Stands for an id of an unusual length.
    pub fn hash_of(&self, id: &[u8]) -> u64 {
        self.by_id.hasher().of_bytes(id)
    }

    /// Returns the first span of a trace.
    pub fn first(&self, trace: u32) -> u32 {
        self.entries.get(trace).first
    }

    pub fn count(&self, trace: u32) -> u32 {
        self.entries.get(trace).count
    }

    /// Returns the trace with this id; a new one has no spans yet, and `append` must follow.
    pub fn find_or_add(&mut self, id: &[u8]) -> u32 {
        let next = self.entries.len() as u32;
        let found = match Id::of(id) {
            Some(id) => *self.by_id.entry(id).or_insert(next),
            None => *self.odd.entry(id.into()).or_insert(next),
        };
        if found == next {
            self.entries.push(TraceEntry { first: NONE, last: NONE, count: 0 });
        }
        found
    }

    /// Returns the spans of a trace that have this key, latest last or first.
    pub fn twins<'a>(
        &'a self,
        spans: &'a Pages<SpanRecord>,
        trace: u32,
        key: u64,
    ) -> impl Iterator<Item = u32> + 'a {
        let entry = self.entries.get(trace);
        let crowded = entry.count > CROWDED;
        let mut at =
            if crowded { self.crowded.get(&(trace, key)).copied().unwrap_or(NONE) } else { entry.first };
        std::iter::from_fn(move || {
            while at != NONE {
                let index = at;
                let record = spans.get(index);
                at = if crowded { record.twin } else { record.next };
                if record.span_key == key {
                    return Some(index);
                }
            }
            None
        })
    }

    /// Puts a span, which is already in `spans`, at the end of its trace.
    pub fn append(&mut self, spans: &mut Pages<SpanRecord>, index: u32) {
        let trace = spans.get(index).trace;
        let entry = self.entries.get_mut(trace);
        if entry.first == NONE {
            entry.first = index;
        } else {
            spans.get_mut(entry.last).next = index;
        }
        entry.last = index;
        entry.count += 1;
        let entry = *entry;
        if entry.count == CROWDED + 1 {
            let mut at = entry.first;
            while at != NONE {
                self.index(spans, at);
                at = spans.get(at).next;
            }
        } else if entry.count > CROWDED {
            self.index(spans, index);
        }
    }

    fn index(&mut self, spans: &mut Pages<SpanRecord>, index: u32) {
        let record = spans.get_mut(index);
        let before = self.crowded.insert((record.trace, record.span_key), index);
        record.twin = before.unwrap_or(NONE);
    }

    /// Notes that a span links to a trace.
    pub fn link(&mut self, to: &[u8], from: u32) {
        if let Some(id) = Id::of(to) {
            self.links.entry(id).or_default().push(from);
            self.link_count += 1;
        }
    }

    pub fn linking_to(&self, id: TraceId) -> &[u32] {
        Id::of(&id.0).and_then(|id| self.links.get(&id)).map_or(&[], Vec::as_slice)
    }

    pub fn bytes(&self) -> usize {
        let slot = |entry: usize| entry + 1;
        self.entries.bytes()
            + self.by_id.capacity() * 8 / 7 * slot(24)
            + self.crowded.capacity() * 8 / 7 * slot(24)
            + self.odd.len() * 96
            + self.links.capacity() * 8 / 7 * slot(40)
            + self.link_count * 16
    }

    /// Returns the most that this many more spans with this many links may add to `bytes`.
    pub fn growth(&self, spans: usize, links: usize) -> usize {
        let entries = Pages::<TraceEntry>::bytes_for(self.entries.len() + spans) - self.entries.bytes();
        entries
            + map_growth(self.by_id.len(), self.by_id.capacity(), spans) * 25
            + map_growth(self.crowded.len(), self.crowded.capacity(), spans + CROWDED as usize) * 25
            + map_growth(self.links.len(), self.links.capacity(), links) * 41
            + links * 16
    }

    pub fn clear(&mut self) {
        self.by_id.clear();
        self.odd.clear();
        self.entries.clear();
        self.crowded.clear();
        self.links.clear();
        self.link_count = 0;
    }
}

/// Slots by which a hash map grows for `more` entries: it doubles.
fn map_growth(length: usize, capacity: usize, more: usize) -> usize {
    if length + more <= capacity { 0 } else { ((length + more) * 8 / 7 + 4).next_power_of_two() - capacity }
}

impl Id {
    #[inline]
    fn of(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 16] = bytes.try_into().ok()?;
        let (high, low) = bytes.split_first_chunk::<8>()?;
        Some(Self(u64::from_le_bytes(*high), u64::from_le_bytes(low.try_into().ok()?)))
    }
}
