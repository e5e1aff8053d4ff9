//! The context that every format carries, whatever its fields: trace id, span id and the sampling decision.

use super::{Decision, Flags, SpanId, TraceId, TraceParent};

/// A context that came with a request or a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RemoteContext {
    /// An id of 64 bits has zeros on the left.
    pub trace_id: TraceId,
    /// The span of the sender.
    pub span_id: SpanId,
    pub decision: Decision,
    /// The trace flags as received; `None` in a format that has no field for them.
    pub flags: Option<Flags>,
}

impl RemoteContext {
    /// Creates a context without W3C trace flags.
    pub fn new(trace_id: TraceId, span_id: SpanId, decision: Decision) -> Self {
        Self { trace_id, span_id, decision, flags: None }
    }

    /// Returns the low 64 bits of the trace id, which is all that some systems keep.
    pub fn low_trace_id(&self) -> u64 {
        u64::from_be_bytes(self.halves()[1])
    }

    /// Returns the high and the low 64 bits of the trace id.
    pub(super) fn halves(&self) -> [[u8; 8]; 2] {
        let (mut high, mut low) = ([0; 8], [0; 8]);
        high.copy_from_slice(&self.trace_id.as_bytes()[..8]);
        low.copy_from_slice(&self.trace_id.as_bytes()[8..]);
        [high, low]
    }

    /// Returns the traceparent that carries it; debug is sampled there, and a deferred decision is not.
    pub fn traceparent(&self) -> TraceParent {
        let sampled = self.decision.is_sampled().unwrap_or(false);
        let flags = self.flags.unwrap_or_else(|| Flags::new(sampled, false));
        TraceParent::new(self.trace_id, self.span_id, flags)
    }
}

impl From<&TraceParent> for RemoteContext {
    fn from(parsed: &TraceParent) -> Self {
        Self {
            trace_id: parsed.trace_id,
            span_id: parsed.parent_id,
            decision: Decision::of(parsed.flags.sampled()),
            flags: Some(parsed.flags),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_that_w3c_has_no_word_for_becomes_the_nearest_flag() {
        let (trace, span) = (TraceId::new([1; 16]).unwrap(), SpanId::new([2; 8]).unwrap());
        for (decision, sampled) in [
            (Decision::NotSampled, false),
            (Decision::Sampled, true),
            (Decision::Debug, true),
            (Decision::Deferred, false),
        ] {
            let context = RemoteContext::new(trace, span, decision);
            assert_eq!(context.traceparent().flags.sampled(), sampled, "{}", decision.word());
        }
        assert_eq!(RemoteContext::new(trace, span, Decision::Debug).low_trace_id(), 0x0101_0101_0101_0101);
    }
}
