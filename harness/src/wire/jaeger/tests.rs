//! The vectors of Jaeger, by the ids of the requirements catalogue.

use super::{baggage, baggage_field};
use crate::wire::propagation::tests::{ids, refuses};
use crate::wire::{Carrier, ContextPart, Decision, Format, PartDefect};

const NAME: &str = "uber-trace-id";

/// JG-01, JG-02, JG-03.
#[test]
fn ids_may_be_short_and_the_parent_is_not_looked_at() {
    let (one, two) = (format!("{:032x}", 1), format!("{:016x}", 2));
    for (value, decision) in [
        ("1:2:0:1", Decision::Sampled),
        ("1:2:0:01", Decision::Sampled),
        ("01:0002:3:1", Decision::Sampled),
        ("1:2::1", Decision::Sampled),
        ("1:2:not-hex:1", Decision::Sampled),
        ("1:2:0:3", Decision::Debug),
        ("1:2:0:0", Decision::NotSampled),
        ("1:2:0:2", Decision::NotSampled),
        ("1:2:0:9", Decision::Sampled),
        ("1:2:0:f", Decision::Debug),
        ("1:2:0:F", Decision::Debug),
        ("1%3A2%3a0%3A1", Decision::Sampled),
    ] {
        assert_eq!(ids(Format::Jaeger, &[(NAME, value)]), (one.clone(), two.clone(), decision), "{value}");
    }
    let upper = ids(Format::Jaeger, &[(NAME, "4BF92F3577B34DA6A3CE929D0E0E4736:00F067AA0BA902B7:0:1")]);
    assert_eq!(upper.0, "4bf92f3577b34da6a3ce929d0e0e4736");
}

/// JG-01, JG-06.
#[test]
fn what_is_malformed_is_refused_with_its_reason() {
    use ContextPart::{Flags, SpanId, TraceId, Value};
    use PartDefect::{Empty, Length, NotHex, PartCount, Zero};
    for (value, part, defect) in [
        ("", Value, Empty),
        ("1:2:0", Value, PartCount(3)),
        ("1:2:0:1:1", Value, PartCount(5)),
        ("1-2-0-1", Value, PartCount(1)),
        ("0:2:0:1", TraceId, Zero),
        ("00000000000000000000000000000000:2:0:1", TraceId, Zero),
        ("1:0:0:1", SpanId, Zero),
        ("4bf92f3577b34da6a3ce929d0e0e47361:2:0:1", TraceId, Length(33)),
        ("1:00f067aa0ba902b71:0:1", SpanId, Length(17)),
        (":2:0:1", TraceId, Empty),
        ("1::0:1", SpanId, Empty),
        ("1:2:0:", Flags, Empty),
        ("1:2:0:001", Flags, Length(3)),
        ("x:2:0:1", TraceId, NotHex),
        ("1:-2:0:1", SpanId, NotHex),
        ("1:2:0:g", Flags, NotHex),
        ("1%3A2%3A0", Value, PartCount(3)),
    ] {
        refuses(Format::Jaeger, &[(NAME, value)], (part, defect));
    }
}

/// JG-05.
#[test]
fn baggage_travels_percent_encoded_in_fields_of_its_own() {
    let field = baggage_field("user", b"value 1 / blah");
    assert_eq!(field, ("uberctx-user".to_owned(), b"value%201%20%2F%20blah".to_vec()));
    let carrier = Carrier::new([(&b"Uberctx-User"[..], &field.1[..]), (b"uber-trace-id", b"1:2:0:1")]);
    assert_eq!(baggage(&carrier), [(b"user".to_vec(), b"value 1 / blah".to_vec())]);
}
