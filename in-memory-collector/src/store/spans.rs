//! The data kept of a span beside its bytes: their place, its relations, and what came again.

use std::time::{Duration, Instant};

use super::arena::Piece;
use crate::telemetry::span::Arrival;

/// No span.
pub const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
pub struct SpanRecord {
    /// The id if it has 8 bytes, otherwise a hash of what was sent.
    pub span_key: u64,
    pub parent_key: u64,
    /// Since the start of the collector.
    pub arrived_nanos: u64,
    /// The sequence of the request that brought it.
    pub request: u64,
    pub piece: Piece,
    pub origin: u32,
    pub trace: u32,
    /// The next span of the same trace, or `NONE`.
    pub next: u32,
    /// An earlier span of the same trace with the same key, where the trace is large; or `NONE`.
    pub twin: u32,
    pub duplicates: u32,
    pub conflicts: u16,
    pub marks: Marks,
}

/// The properties of the ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// The span id has 8 bytes and is not zero.
    pub valid_span: bool,
    pub parent: ParentMark,
    pub has_links: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParentMark {
    None,
    Valid,
    Invalid,
}

impl SpanRecord {
    pub fn next(&self) -> Option<u32> {
        (self.next != NONE).then_some(self.next)
    }

    pub fn has_span_id(&self, id: &[u8]) -> bool {
        self.marks.valid_span && id.try_into().is_ok_and(|id| u64::from_le_bytes(id) == self.span_key)
    }

    pub fn arrival(&self, sequence: u64, started: Instant) -> Arrival {
        Arrival {
            sequence,
            request: self.request,
            at: started + Duration::from_nanos(self.arrived_nanos),
            duplicates: self.duplicates,
            conflicts: u32::from(self.conflicts),
        }
    }
}
