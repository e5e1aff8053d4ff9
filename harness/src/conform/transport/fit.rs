//! The vectors that a transport can carry as they are.

use std::collections::BTreeSet;

use super::{TransportKind, TransportRoute};
use crate::conform::suite::{AllowedOutcome, InstructionStep, OutcomeKind, RequestIds, Setting, Vector};
use crate::evidence::RawFields;

/// HTTP/2 servers accept heads of 16 KiB by default.
const LARGEST_HTTP2_HEAD: usize = 8 << 10;
/// One frame of RabbitMQ carries all headers, 128 KiB by default.
const LARGEST_AMQP_HEADERS: usize = 100 << 10;
/// A message of SQS has at most 1 MiB, its attributes included (256 KiB until August 2025, and in older emulators).
const LARGEST_SQS_ATTRIBUTES: usize = 200 << 10;
const SQS_ATTRIBUTES: usize = 10;
/// Statements over many requests are about ids, which no transport changes.
const MOST_REQUESTS: usize = 50;

/// Returns true when a vector can be tried over a route. `over` names the transports that its requirement is about;
/// a vector of such a requirement is written for them, odd fields included.
pub fn fit(vector: &Vector, over: &[TransportKind], route: TransportRoute) -> bool {
    let is_about = |carrier: TransportKind| over.contains(&carrier);
    if !over.is_empty() && !is_about(route.inward) && !is_about(route.outward) {
        return false;
    }
    let is_of_message = vector.steps.iter().any(InstructionStep::is_of_message);
    let consumes = [Setting::ConsumerRelation, Setting::ConsumerBatch]
        .iter()
        .any(|setting| vector.configuration.get(*setting).is_some());
    let needs_message = consumes || vector.steps.iter().any(InstructionStep::needs_message);
    if needs_message && !route.inward.is_message() {
        return false;
    }
    if is_of_message && !route.outward.is_message() {
        return false;
    }
    if route == TransportRoute::HTTP {
        return true;
    }
    if vector.propagation.is_some() {
        return false;
    }
    let minted = RequestIds { trace_id: "a1".repeat(16), parent_id: "b2".repeat(8) };
    let fields: RawFields =
        vector.send.iter().map(|(name, value)| (name.fill(&minted), value.fill(&minted))).collect();
    // A message of SQS has no room for many formats.
    let fits_out = route.outward != TransportKind::Sqs
        || vector.expect.iter().all(|outcome| written(outcome) <= SQS_ATTRIBUTES);
    let needs_answer = vector.fails || vector.expect.iter().all(|one| one.kind == OutcomeKind::Refuse);
    vector.requests <= MOST_REQUESTS
        && fits_out
        && !(route.inward.is_message() && needs_answer)
        && (route.inward == TransportKind::Http1
            || written_for(over, route.inward, &fields)
            || fields_fit(route.inward, &fields))
}

/// Returns the most fields that an outcome has on the wire.
fn written(outcome: &AllowedOutcome) -> usize {
    outcome.formats.iter().map(|format| format.fields().len()).sum()
}

/// Returns true where a single transport is named, whose own rules the author knew.
fn written_for(over: &[TransportKind], carrier: TransportKind, fields: &RawFields) -> bool {
    over == [carrier] && fields.iter().all(|(name, value)| !name.is_empty() && !has_outer_space(value))
}

fn fields_fit(carrier: TransportKind, fields: &RawFields) -> bool {
    let size: usize = fields.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
    let mut names = BTreeSet::new();
    let is_repeated = fields.iter().any(|(name, _)| !names.insert(name));
    fields.iter().all(|(name, value)| is_plain_name(name) && !has_outer_space(value))
        && match carrier {
            TransportKind::Http1 => true,
            TransportKind::Http2 => {
                size <= LARGEST_HTTP2_HEAD && fields.iter().all(|(_, value)| !value.iter().any(is_control))
            }
            TransportKind::Grpc => {
                size <= LARGEST_HTTP2_HEAD && fields.iter().all(|(_, value)| is_ascii(value))
            }
            // Which of two headers of one name is read is open.
            TransportKind::Kafka => !is_repeated && fields.iter().all(|(name, _)| !name.contains(&0)),
            TransportKind::RabbitMq => !is_repeated && size <= LARGEST_AMQP_HEADERS,
            TransportKind::Sqs => {
                let is_text = |value: &[u8]| !value.is_empty() && is_ascii(value);
                !is_repeated
                    && size <= LARGEST_SQS_ATTRIBUTES
                    && fields.len() <= SQS_ATTRIBUTES
                    && fields.iter().all(|(_, value)| is_text(value))
            }
        }
}

/// Returns true for a name that every transport carries: lower-case letters, digits, and `-`, `_`, `.` inside.
fn is_plain_name(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.first().is_some_and(is_letter)
        && name.last().is_some_and(is_letter)
        && name.iter().all(|byte| is_letter(byte) || b"-_.".contains(byte))
}

/// Returns true for a value with white space around it, which HTTP removes and which belongs to the value elsewhere.
fn has_outer_space(value: &[u8]) -> bool {
    let is_space = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    is_space(value.first()) || is_space(value.last())
}

fn is_control(byte: &u8) -> bool {
    *byte != b'\t' && (*byte < b' ' || *byte == 0x7f)
}

/// Returns true for a value that gRPC allows as ASCII metadata.
fn is_ascii(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &[u8]) -> (Vec<u8>, Vec<u8>) {
        (name.as_bytes().to_vec(), value.to_vec())
    }

    /// Returns the transports that carry these fields.
    fn carriers(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<TransportKind> {
        let fields = fields.to_vec();
        TransportKind::ALL.iter().copied().filter(|carrier| fields_fit(*carrier, &fields)).collect()
    }

    #[test]
    fn a_transport_carries_what_it_does_not_change() {
        use TransportKind::{Grpc, Http1, Http2, Kafka, RabbitMq};
        assert_eq!(carriers(&[field("traceparent", b"00-a-b-01")]), TransportKind::ALL);
        assert_eq!(carriers(&[field("TraceParent", b"x")]), []);
        assert_eq!(carriers(&[field("traceparent", b" x")]), []);
        let repeated = [field("tracestate", b"a=1"), field("tracestate", b"b=1")];
        assert_eq!(carriers(&repeated), [Http1, Http2, Grpc]);
        assert_eq!(carriers(&[field("traceparent", b"")]), [Http1, Http2, Grpc, Kafka, RabbitMq]);
        assert_eq!(carriers(&[field("traceparent", b"\xff")]), [Http1, Http2, Kafka, RabbitMq]);
        assert_eq!(carriers(&[field("traceparent", b"\x01")]), [Http1, Kafka, RabbitMq]);
        assert_eq!(
            carriers(&[field("baggage", &[b'a'; 64 << 10])]),
            [Http1, Kafka, RabbitMq, TransportKind::Sqs]
        );
    }
}
