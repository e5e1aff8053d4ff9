//! The vectors of Datadog, by the ids of the requirements catalogue.

use crate::wire::propagation::tests::{ids, refuses};
use crate::wire::{ContextPart, Decision, Format, PartDefect, RemoteContext, SpanId, TraceId};

const TRACE: (&str, &str) = ("x-datadog-trace-id", "123456789");
const PARENT: (&str, &str) = ("X-Datadog-Parent-Id", "987654321");

/// DD-01.
#[test]
fn ids_are_decimal_and_the_high_half_is_a_tag() {
    let span = format!("{:016x}", 987_654_321);
    for (more, decision) in [
        (vec![], Decision::Deferred),
        (vec![("x-datadog-sampling-priority", "-1")], Decision::NotSampled),
        (vec![("x-datadog-sampling-priority", "0")], Decision::NotSampled),
        (vec![("x-datadog-sampling-priority", "1")], Decision::Sampled),
        (vec![("x-datadog-sampling-priority", "2"), ("x-datadog-origin", "rum")], Decision::Sampled),
        (vec![("x-datadog-tags", "")], Decision::Deferred),
        (vec![("x-datadog-tags", "_dd.p.dm=-4")], Decision::Deferred),
    ] {
        let fields: Vec<_> = [TRACE, PARENT].into_iter().chain(more).collect();
        let due = (format!("{:032x}", 123_456_789), span.clone(), decision);
        assert_eq!(ids(Format::Datadog, &fields), due, "{fields:?}");
    }
    let tags = ("x-datadog-tags", "_dd.p.dm=-4, _dd.p.tid=640cfd8d00000000");
    let wide = ids(Format::Datadog, &[TRACE, PARENT, tags]);
    assert_eq!(wide.0, "640cfd8d0000000000000000075bcd15");
    let most = ids(Format::Datadog, &[("x-datadog-trace-id", "18446744073709551615"), PARENT]);
    assert_eq!(most.0, "0000000000000000ffffffffffffffff");
}

/// DD-02.
#[test]
fn what_is_malformed_is_refused_with_its_reason() {
    use ContextPart::{Decision as Priority, HighBits, Pair, SpanId, TraceId};
    use PartDefect::{
        Empty, Length, Missing, NotAllowed, NotDecimal, NotHex, TooLarge, UpperCase, WithoutEquals, Zero,
    };
    let tags = |value| vec![TRACE, PARENT, ("x-datadog-tags", value)];
    let priority = |value| vec![TRACE, PARENT, ("x-datadog-sampling-priority", value)];
    for (fields, part, defect) in [
        (vec![TRACE], SpanId, Missing),
        (vec![PARENT], TraceId, Missing),
        (vec![("x-datadog-trace-id", "0"), PARENT], TraceId, Zero),
        (vec![TRACE, ("x-datadog-parent-id", "0")], SpanId, Zero),
        (vec![("x-datadog-trace-id", ""), PARENT], TraceId, Empty),
        (vec![("x-datadog-trace-id", "+7"), PARENT], TraceId, NotDecimal),
        (vec![("x-datadog-trace-id", "-7"), PARENT], TraceId, NotDecimal),
        (vec![("x-datadog-trace-id", "4bf9"), PARENT], TraceId, NotDecimal),
        (vec![("x-datadog-trace-id", "18446744073709551616"), PARENT], TraceId, TooLarge),
        (vec![TRACE, ("x-datadog-parent-id", "99999999999999999999999")], SpanId, TooLarge),
        (priority("high"), Priority, NotAllowed),
        (priority("+1"), Priority, NotAllowed),
        (priority(""), Priority, NotAllowed),
        (tags("_dd.p.tid"), Pair, WithoutEquals),
        (tags("_dd.p.tid="), HighBits, Empty),
        (tags("_dd.p.tid=640cfd8d0000000"), HighBits, Length(15)),
        (tags("_dd.p.tid=640CFD8D00000000"), HighBits, UpperCase),
        (tags("_dd.p.dm=-4,_dd.p.tid=640cfd8d0000000x"), HighBits, NotHex),
    ] {
        refuses(Format::Datadog, &fields, (part, defect));
    }
}

#[test]
fn a_narrow_trace_id_has_no_tag() {
    let mut trace = [0; 16];
    trace[15] = 7;
    let span = SpanId::new([0, 0, 0, 0, 0, 0, 0, 9]).unwrap();
    let context = RemoteContext::new(TraceId::new(trace).unwrap(), span, Decision::Sampled);
    let fields = Format::Datadog.inject(&context);
    let due =
        [("x-datadog-trace-id", "7"), ("x-datadog-parent-id", "9"), ("x-datadog-sampling-priority", "1")];
    assert_eq!(fields, due.map(|(name, value)| (name, value.as_bytes().to_vec())));
}
