//! The judgement whether a condition holds for the store's content, and if not, what is missing. Pure but for the
//! store it reads.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::condition::{Condition, SpanPattern};
use super::selection::TraceQuery;
use super::timeout::Missing;
use crate::store::Store;
use crate::store::spans::ParentMark;
use crate::telemetry::{Span, SpanId};

/// The data that a condition is judged by.
#[derive(Debug)]
pub struct View<'a> {
    pub store: &'a Store,
    pub query: &'a TraceQuery,
    pub now: Instant,
    /// When the wait began: quiet is not counted from before.
    pub begun: Instant,
    pub in_flight: usize,
    indexes: Vec<u32>,
}

/// The parts that are missing; empty if the condition holds.
#[derive(Debug, Default)]
pub struct Judgement {
    pub missing: Vec<Missing>,
    /// The conditions that hold, if there are several.
    pub met: Vec<Condition>,
    /// Time alone may make it hold: when to look again.
    pub look_again: Option<Instant>,
}

impl<'a> View<'a> {
    pub fn new(
        store: &'a Store,
        query: &'a TraceQuery,
        now: Instant,
        begun: Instant,
        in_flight: usize,
    ) -> Self {
        Self { store, query, now, begun, in_flight, indexes: query.indexes(store) }
    }

    pub fn spans(&self) -> Vec<Span> {
        self.indexes.iter().map(|index| self.store.span(*index)).collect()
    }

    pub fn judge(&self, condition: &Condition) -> Judgement {
        let mut judged = Judgement::default();
        match condition {
            Condition::AtLeast(count) => self.count(*count, usize::MAX, &mut judged),
            Condition::ParentsComplete => self.parents(&mut judged),
            Condition::LinksResolved => self.links(&mut judged),
            Condition::Quiet(quiet) => self.quiet(*quiet, &mut judged),
            Condition::Exactly(count, quiet) => {
                self.count(*count, *count, &mut judged);
                self.quiet(*quiet, &mut judged);
            }
            Condition::Includes(patterns) => self.includes(patterns, &mut judged),
            Condition::All(conditions) => {
                for condition in conditions {
                    let mut one = self.judge(condition);
                    judged.missing.append(&mut one.missing);
                    judged.met.append(&mut one.met);
                    judged.look_again = judged.look_again.max(one.look_again);
                }
                return judged;
            }
        }
        if judged.missing.is_empty() {
            judged.met.push(condition.clone());
        }
        judged
    }

    fn count(&self, least: usize, most: usize, judged: &mut Judgement) {
        let have = self.indexes.len();
        if have < least {
            judged.missing.push(Missing::Spans { wanted: least, have });
        } else if have > most {
            judged.missing.push(Missing::TooMany { wanted: most, have });
        }
    }

    fn parents(&self, judged: &mut Judgement) {
        if self.indexes.is_empty() {
            judged.missing.push(Missing::Spans { wanted: 1, have: 0 });
        }
        let here: HashSet<(u32, u64)> = match self.query.trace_id() {
            Some(trace) => self.store.trace_indexes(&trace.0).map(|index| self.key(index)).collect(),
            None => (0..self.store.span_count()).map(|index| self.key(index)).collect(),
        };
        for index in &self.indexes {
            let record = self.store.record(*index);
            let parent = SpanId(record.parent_key.to_le_bytes());
            let wanted = record.marks.parent == ParentMark::Valid && !self.query.is_elsewhere(&parent.0);
            if wanted && !here.contains(&(record.trace, record.parent_key)) {
                judged
                    .missing
                    .push(Missing::Parent { of: self.store.span(*index).name().to_owned(), parent });
            }
        }
    }

    fn key(&self, index: u32) -> (u32, u64) {
        let record = self.store.record(index);
        (record.trace, record.span_key)
    }

    fn links(&self, judged: &mut Judgement) {
        for index in &self.indexes {
            if !self.store.record(*index).marks.has_links {
                continue;
            }
            let span = self.store.span(*index);
            for link in span.links() {
                let known = self.query.is_elsewhere(&link.span_id);
                if !known && !self.store.has_span(&link.trace_id, &link.span_id) {
                    judged.missing.push(Missing::LinkTarget { of: span.name().to_owned(), link });
                }
            }
        }
    }

    fn quiet(&self, quiet: Duration, judged: &mut Judgement) {
        let last = self.indexes.iter().map(|index| self.store.record(*index).arrived_nanos).max();
        let last = last.map_or(self.begun, |nanos| self.store.time_of(nanos).max(self.begun));
        let for_now = self.now.saturating_duration_since(last);
        if self.in_flight > 0 || for_now < quiet {
            judged.missing.push(Missing::Quiet { wanted: quiet, had: for_now, in_flight: self.in_flight });
            judged.look_again = Some(last + quiet);
        }
    }

    fn includes(&self, patterns: &[SpanPattern], judged: &mut Judgement) {
        let spans = self.spans();
        let owner = assign(patterns, &spans);
        for (pattern, owned) in patterns.iter().zip(owner) {
            if owned.is_none() {
                judged.missing.push(Missing::Span(pattern.clone()));
            }
        }
    }
}

/// Assigns a span of its own to each of as many patterns as possible: a maximum matching by augmenting paths.
pub fn assign(patterns: &[SpanPattern], spans: &[Span]) -> Vec<Option<usize>> {
    let fits: Vec<Vec<usize>> = patterns
        .iter()
        .map(|pattern| (0..spans.len()).filter(|span| pattern.matches(&spans[*span])).collect())
        .collect();
    let mut taken: Vec<Option<usize>> = vec![None; spans.len()];
    for pattern in 0..patterns.len() {
        let mut tried = vec![false; spans.len()];
        augment(pattern, &fits, &mut taken, &mut tried);
    }
    let mut owner = vec![None; patterns.len()];
    for (span, pattern) in taken.iter().enumerate() {
        if let Some(pattern) = pattern {
            owner[*pattern] = Some(span);
        }
    }
    owner
}

fn augment(pattern: usize, fits: &[Vec<usize>], taken: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for span in &fits[pattern] {
        if std::mem::replace(&mut tried[*span], true) {
            continue;
        }
        if taken[*span].is_none_or(|other| augment(other, fits, taken, tried)) {
            taken[*span] = Some(pattern);
            return true;
        }
    }
    false
}
