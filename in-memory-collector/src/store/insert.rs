//! Takes one validated request into the store, all of it or nothing.

use std::sync::Arc;
use std::time::Instant;

use super::Store;
use super::logs::LogEntry;
use super::origins::cost;
use super::pages::Pages;
use super::spans::{Marks, NONE, ParentMark, SpanRecord};
use crate::scan::{Batch, LinkFacts, LogFacts, SpanFacts};
use crate::telemetry::{Metric, SpanId, TraceId};

/// The store has no room for the request; nothing of it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is full: {used_bytes} of {limit_bytes} bytes are used, and the request needs more")]
pub struct Full {
    pub used_bytes: usize,
    pub limit_bytes: usize,
}

/// The outcome for the spans of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insertion {
    pub kept: u32,
    pub duplicates: u32,
    /// Traces that got a span or a duplicate; only if they were requested.
    pub touched: Vec<TraceId>,
}

/// The spans of a request with the links of all of them.
#[derive(Clone, Copy, Debug)]
pub struct SpanBatch<'a, 'b> {
    pub batch: &'a Batch<'b, SpanFacts<'b>>,
    pub links: &'a [LinkFacts<'b>],
}

/// The indexes of a span's trace and origin.
#[derive(Clone, Copy, Debug)]
struct SpanPlace {
    trace: u32,
    origin: u32,
}

impl Store {
    /// Inserts spans; `watched` says whether the touched traces are of interest.
    pub fn insert_spans(
        &mut self,
        endpoint: &Arc<str>,
        spans: SpanBatch<'_, '_>,
        now: Instant,
        watched: bool,
    ) -> Result<Insertion, Full> {
        let SpanBatch { batch, links } = spans;
        let count = batch.items.len();
        let pages = Pages::<SpanRecord>::bytes_for(self.spans.len() + count) - self.spans.bytes();
        let more = pages + self.traces.growth(count, links.len()) + origins_cost(batch);
        self.admit(batch.items.iter().map(|span| span.bytes.len()), more)?;
        let origins = self.intern(endpoint, batch);
        let nanos = self.nanos(now);
        let mut stored = Insertion::default();
        let mut links = links.iter();
        let mut last: (&[u8], u32) = (&[], NONE);
        for span in &batch.items {
            if last.1 == NONE || last.0 != span.trace_id {
                last = (span.trace_id, self.traces.find_or_add(span.trace_id));
                if watched {
                    stored.touched.extend(<[u8; 16]>::try_from(span.trace_id).map(TraceId));
                }
            }
            let linked = links.by_ref().take(span.links as usize);
            match self.insert_span(
                span,
                SpanPlace { trace: last.1, origin: origins[span.scope as usize] },
                nanos,
            ) {
                Some(index) => {
                    stored.kept += 1;
                    linked.for_each(|link| self.traces.link(link.trace_id, index));
                }
                None => {
                    stored.duplicates += 1;
                    linked.for_each(drop);
                }
            }
        }
        self.duplicates += u64::from(stored.duplicates);
        Ok(stored)
    }

    /// Inserts a span and returns its index, or `None` if it is here already.
    fn insert_span(&mut self, span: &SpanFacts<'_>, place: SpanPlace, nanos: u64) -> Option<u32> {
        let SpanPlace { trace, origin } = place;
        let key = self.key(span.span_id);
        let valid_span = SpanId::valid(span.span_id).is_some();
        let mut conflicts = 0;
        if self.traces.count(trace) > 0 {
            let twins: Vec<u32> = self.traces.twins(&self.spans, trace, key).collect();
            for twin in &twins {
                let record = self.spans.get(*twin);
                if record.origin == origin && self.arena.get(record.piece) == span.bytes {
                    self.spans.get_mut(*twin).duplicates += 1;
                    return None;
                }
            }
            if valid_span && TraceId::valid(span.trace_id).is_some() {
                for twin in twins {
                    let record = self.spans.get_mut(twin);
                    if record.marks.valid_span {
                        record.conflicts = record.conflicts.saturating_add(1);
                        conflicts += 1;
                    }
                }
            }
        }
        let parent = match span.parent_id {
            [] => ParentMark::None,
            id if SpanId::valid(id).is_some() => ParentMark::Valid,
            _ => ParentMark::Invalid,
        };
        let record = SpanRecord {
            span_key: key,
            parent_key: self.key(span.parent_id),
            arrived_nanos: nanos,
            request: self.requests.next_sequence(),
            piece: self.arena.push(span.bytes),
            origin,
            trace,
            next: NONE,
            twin: NONE,
            duplicates: 0,
            conflicts,
            marks: Marks { valid_span, parent, has_links: span.links > 0 },
        };
        let index = self.spans.push(record);
        self.traces.append(&mut self.spans, index);
        Some(index)
    }

    fn key(&self, id: &[u8]) -> u64 {
        id.try_into().map_or_else(|_| self.traces.hash_of(id), u64::from_le_bytes)
    }

    pub fn insert_logs(
        &mut self,
        endpoint: &Arc<str>,
        batch: &Batch<'_, LogFacts<'_>>,
        now: Instant,
    ) -> Result<Insertion, Full> {
        let more = self.logs.growth(batch.items.len()) + origins_cost(batch);
        self.admit(batch.items.iter().map(|record| record.bytes.len()), more)?;
        let origins = self.intern(endpoint, batch);
        let arrived_nanos = self.nanos(now);
        for record in &batch.items {
            let piece = self.arena.push(record.bytes);
            self.logs.push(LogEntry { piece, origin: origins[record.scope as usize], arrived_nanos });
        }
        let touched =
            batch.items.iter().filter_map(|record| <[u8; 16]>::try_from(record.trace_id).ok().map(TraceId));
        Ok(Insertion { kept: batch.items.len() as u32, duplicates: 0, touched: touched.collect() })
    }

    pub fn insert_metrics(&mut self, metrics: Vec<Metric>) -> Result<(), Full> {
        self.admit(std::iter::empty(), self.metrics.growth(&metrics))?;
        self.metrics.add(metrics);
        Ok(())
    }

    /// Returns the origin of each scope of the request.
    fn intern<Item>(&mut self, endpoint: &Arc<str>, batch: &Batch<'_, Item>) -> Vec<u32> {
        let scopes = batch.scopes.iter();
        scopes
            .map(|scope| {
                let resource = &batch.resources[scope.resource as usize];
                self.origins.intern(endpoint, resource, &scope.part)
            })
            .collect()
    }
}

/// Returns the most that the origins of a request add.
fn origins_cost<Item>(batch: &Batch<'_, Item>) -> usize {
    let scopes = batch.scopes.iter();
    scopes.map(|scope| cost(&batch.resources[scope.resource as usize], &scope.part)).sum()
}
