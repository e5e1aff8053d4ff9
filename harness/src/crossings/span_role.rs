//! The role of a span by its kind and attributes: a call, a receipt, a poll.

use crate::evidence::{Span, SpanKind};

/// Returns whether it is CLIENT or PRODUCER: a span for a call.
pub fn is_call(span: &Span) -> bool {
    matches!(span.kind, SpanKind::Client | SpanKind::Producer)
}

/// Returns whether it is SERVER or CONSUMER: a span for what was received.
pub fn is_receipt(span: &Span) -> bool {
    matches!(span.kind, SpanKind::Server | SpanKind::Consumer)
}

/// Returns whether it is a poll or a receive, which is not what is done with the message (OpenTelemetry, messaging
/// spans).
pub fn is_receive(span: &Span) -> bool {
    const RECEIVES: [&str; 6] = ["receive", "poll", "settle", "ack", "commit", "delete"];
    operation(span).is_some_and(|operation| RECEIVES.contains(&operation))
}

/// Returns whether it is for the work with something received, not for a poll.
pub fn is_work(span: &Span) -> bool {
    is_receipt(span) && !is_receive(span)
}

/// Returns what the span does with a message, by its own attributes.
pub fn operation(span: &Span) -> Option<&str> {
    const OPERATION: [&str; 3] =
        ["messaging.operation.type", "messaging.operation", "messaging.operation.name"];
    OPERATION.iter().find_map(|name| attribute(span, &[name])).map(|(_, value)| value)
}

/// Returns the first attribute with one of these names, with its value.
pub fn attribute<'s>(span: &'s Span, names: &[&str]) -> Option<(&'s str, &'s str)> {
    let found = span.attributes.iter().find(|(name, _)| names.contains(&name.as_str()));
    found.map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Returns whether two spans did not run at the same time: of two for one record that did, one is nested
/// instrumentation.
pub fn are_apart(one: &Span, other: &Span) -> bool {
    one.start_nanos >= other.end_nanos || other.start_nanos >= one.end_nanos
}
