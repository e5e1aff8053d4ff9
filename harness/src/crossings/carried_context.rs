//! The context that a capture carries, in whatever format, as it is judged.

use crate::wire::{Decision, Flags, Format, RemoteContext, SpanId, TraceId, TraceParent};

/// One context of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CarriedContext {
    pub trace_id: TraceId,
    pub parent_id: SpanId,
    /// Of a format without trace flags only the sampled bit is set or clear.
    pub flags: Flags,
    pub decision: Decision,
    pub format: Format,
}

impl CarriedContext {
    pub fn in_format(remote: &RemoteContext, format: Format) -> Self {
        Self {
            trace_id: remote.trace_id,
            parent_id: remote.span_id,
            flags: remote.traceparent().flags,
            decision: remote.decision,
            format,
        }
    }

    /// Returns whether the context says that the trace is not sampled; one that leaves the decision to the receiver
    /// does not.
    pub fn is_unsampled(&self) -> bool {
        self.decision.is_sampled() == Some(false)
    }

    /// Returns the random flag; `None` in a format that has no place for it.
    pub fn random(&self) -> Option<bool> {
        (self.format == Format::TraceContext).then(|| self.flags.random())
    }

    /// Returns whether the decision is debug; `None` in a format that has no word for it.
    pub fn debug(&self) -> Option<bool> {
        self.format.carries(Decision::Debug).then_some(self.decision == Decision::Debug)
    }
}

impl From<&TraceParent> for CarriedContext {
    fn from(parsed: &TraceParent) -> Self {
        Self::in_format(&RemoteContext::from(parsed), Format::TraceContext)
    }
}
