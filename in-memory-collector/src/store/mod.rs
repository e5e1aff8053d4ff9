//! The accepted data: encoded spans and records in an arena, an index by trace, the links backwards, the requests.
//!
//! One lock around all of it (`SharedState::store`): an insert is one short critical section, so what was acknowledged
//! is visible to every query that starts later. Nothing is evicted: a full store refuses.

pub mod arena;
pub mod hash;
pub mod insert;
pub mod logs;
pub mod metrics;
pub mod origins;
pub mod pages;
pub mod request;
pub mod spans;
pub mod traces;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::telemetry::{LogRecord, Metric, Span, TraceId};
use arena::Arena;
use insert::Full;
use logs::LogTable;
use metrics::MetricTable;
use origins::Origins;
use pages::Pages;
use request::RequestLog;
use spans::SpanRecord;
use traces::TraceTable;

pub use request::{Compression, Encoding, Outcome, RequestRecord, Signal, Transport};

#[derive(Debug)]
pub struct Store {
    arena: Arena,
    spans: Pages<SpanRecord>,
    traces: TraceTable,
    origins: Origins,
    logs: LogTable,
    metrics: MetricTable,
    pub requests: RequestLog,
    limit_bytes: usize,
    started: Instant,
    /// Spans of before the last `clear`; the sequence of a span is this and its index.
    cleared_spans: u64,
    cleared_logs: u64,
    duplicates: u64,
}

/// Figures of the store; `Collector::stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    pub spans: usize,
    pub traces: usize,
    pub logs: usize,
    /// Identical spans that came again and were counted instead of kept.
    pub duplicates: u64,
    /// Memory in use, with room that is taken and not yet filled.
    pub bytes: usize,
    pub limit_bytes: usize,
}

impl Store {
    pub fn new(limit_bytes: usize, requests: usize, started: Instant) -> Self {
        Self {
            arena: Arena::default(),
            spans: Pages::default(),
            traces: TraceTable::default(),
            origins: Origins::default(),
            logs: LogTable::default(),
            metrics: MetricTable::default(),
            requests: RequestLog::new(requests),
            limit_bytes,
            started,
            cleared_spans: 0,
            cleared_logs: 0,
            duplicates: 0,
        }
    }

    pub fn stats(&self) -> StoreStats {
        StoreStats {
            spans: self.spans.len(),
            traces: self.traces.len(),
            logs: self.logs.len(),
            duplicates: self.duplicates,
            bytes: self.bytes(),
            limit_bytes: self.limit_bytes,
        }
    }

    pub fn bytes(&self) -> usize {
        self.arena.bytes() + self.bytes_without_arena()
    }

    /// Adds the record of a request.
    pub fn note(&mut self, record: RequestRecord) {
        let room = self.limit_bytes.saturating_sub(self.bytes());
        self.requests.push(record, room);
    }

    fn bytes_without_arena(&self) -> usize {
        self.spans.bytes()
            + self.traces.bytes()
            + self.origins.bytes()
            + self.logs.bytes()
            + self.metrics.bytes()
            + self.requests.bytes()
    }

    pub fn clear(&mut self) {
        self.cleared_spans += self.spans.len() as u64;
        self.cleared_logs += self.logs.len() as u64;
        self.arena.clear();
        self.spans.clear();
        self.traces.clear();
        self.origins.clear();
        self.logs.clear();
        self.metrics.clear();
        self.requests.clear();
        self.duplicates = 0;
    }

    /// Returns the sequence that the next span will have.
    pub fn next_sequence(&self) -> u64 {
        self.cleared_spans + self.spans.len() as u64
    }

    /// Returns up to `most` spans with a sequence from `from` on and below `end`, and where to continue.
    pub fn spans_from(&self, from: u64, end: u64, most: usize) -> (Vec<Span>, u64) {
        let first = from.max(self.cleared_spans);
        let last = end.min(self.next_sequence()).min(first.saturating_add(most as u64)).max(first);
        let indexes = (first - self.cleared_spans) as u32..(last - self.cleared_spans) as u32;
        (indexes.map(|index| self.span(index)).collect(), last)
    }

    /// Returns the spans of a trace, in the order of their arrival.
    pub fn trace(&self, id: TraceId) -> Vec<Span> {
        self.trace_indexes(&id.0).map(|index| self.span(index)).collect()
    }

    pub fn trace_indexes(&self, id: &[u8]) -> impl Iterator<Item = u32> {
        let first = self.traces.find(id).map(|trace| self.traces.first(trace));
        std::iter::successors(first, |index| self.spans.get(*index).next())
    }

    /// Returns the spans that link to any span of this trace.
    pub fn linking_to(&self, id: TraceId) -> Vec<Span> {
        self.traces.linking_to(id).iter().map(|index| self.span(*index)).collect()
    }

    pub fn record(&self, index: u32) -> &SpanRecord {
        self.spans.get(index)
    }

    pub fn endpoint_of(&self, index: u32) -> &Arc<str> {
        self.origins.get(self.spans.get(index).origin).endpoint()
    }

    pub fn span(&self, index: u32) -> Span {
        let record = self.spans.get(index);
        let origin = self.origins.get(record.origin).clone();
        let sequence = self.cleared_spans + u64::from(index);
        Span::new(self.arena.get(record.piece), origin, record.arrival(sequence, self.started))
    }

    pub fn span_count(&self) -> u32 {
        self.spans.len() as u32
    }

    /// Returns whether this span is stored.
    pub fn has_span(&self, trace: &[u8], span: &[u8]) -> bool {
        self.trace_indexes(trace).any(|index| self.record(index).has_span_id(span))
    }

    pub fn logs(&self) -> Vec<LogRecord> {
        let records = self.logs.iter().enumerate();
        let records = records.map(|(index, entry)| {
            let origin = self.origins.get(entry.origin).clone();
            let at = self.started + entry.arrived();
            LogRecord::new(self.arena.get(entry.piece), origin, self.cleared_logs + index as u64, at)
        });
        records.collect()
    }

    pub fn metrics(&self) -> Vec<Metric> {
        self.metrics.all()
    }

    /// Returns the time when it was so many nanoseconds after the start.
    pub fn time_of(&self, nanos: u64) -> Instant {
        self.started + Duration::from_nanos(nanos)
    }

    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Checks that `more` bytes beside the arena and pieces of these lengths still fit.
    fn admit(&self, lengths: impl Iterator<Item = usize>, more: usize) -> Result<(), Full> {
        let after =
            self.arena.bytes_after(lengths) + self.bytes_without_arena() + self.requests.growth() + more;
        if after <= self.limit_bytes {
            return Ok(());
        }
        Err(Full { used_bytes: self.bytes(), limit_bytes: self.limit_bytes })
    }
}
