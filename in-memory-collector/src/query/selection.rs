//! The spans that a wait is about.

use crate::store::Store;
use crate::telemetry::{SpanId, TraceId};

/// All spans, unless it is narrowed down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceQuery {
    trace: Option<TraceId>,
    endpoint: Option<String>,
    elsewhere: Vec<SpanId>,
}

impl TraceQuery {
    /// Selects the spans of one trace.
    pub fn trace(id: impl Into<TraceId>) -> Self {
        Self { trace: Some(id.into()), ..Self::default() }
    }

    /// Selects the spans of all traces.
    pub fn all() -> Self {
        Self::default()
    }

    /// Keeps only those that arrived at this endpoint.
    pub fn at(mut self, endpoint: &str) -> Self {
        self.endpoint = Some(endpoint.to_owned());
        self
    }

    /// Excludes a parent or link target that nobody exports, such as the span of the test itself: the wait does not
    /// need it.
    pub fn not_exported(mut self, span: impl Into<SpanId>) -> Self {
        self.elsewhere.push(span.into());
        self
    }

    pub fn trace_id(&self) -> Option<TraceId> {
        self.trace
    }

    pub(crate) fn is_elsewhere(&self, span: &[u8]) -> bool {
        self.elsewhere.iter().any(|known| known.0 == span)
    }

    /// Returns the indexes of the spans in the store.
    pub(crate) fn indexes(&self, store: &Store) -> Vec<u32> {
        let wanted =
            |index: &u32| self.endpoint.as_ref().is_none_or(|name| **name == **store.endpoint_of(*index));
        match self.trace {
            Some(trace) => store.trace_indexes(&trace.0).filter(wanted).collect(),
            None => (0..store.span_count()).filter(wanted).collect(),
        }
    }
}
