//! `expect-traces:`, what must become of the traces on their way through collectors.

use super::index::NodeIx;
use crate::source::Place;

/// One expectation; of several the first that applies to a trace decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceExpectation {
    pub place: Place,
    /// `when: { fails: ... }`: a span of this node ended in an error. Without it, it applies to every trace.
    pub fails: Option<NodeIx>,
    pub fate: TraceFate,
}

/// The share of the spans of a trace that must arrive at the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TraceFate {
    /// All.
    Kept,
    /// All or none.
    KeptOrDropped,
    /// None.
    Dropped,
}

impl TraceFate {
    /// Returns the words of messages.
    pub fn words(self) -> &'static str {
        match self {
            TraceFate::Kept => "kept whole",
            TraceFate::KeptOrDropped => "kept whole or dropped whole",
            TraceFate::Dropped => "dropped whole",
        }
    }
}
