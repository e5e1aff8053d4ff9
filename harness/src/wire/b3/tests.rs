//! The vectors of B3, by the ids of the requirements catalogue.

use crate::wire::propagation::tests::{extract, ids, refuses};
use crate::wire::{ContextPart, Decision, Format, PartDefect};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// B3-02, B3-05, B3-06.
#[test]
fn one_header_has_ids_and_optionally_a_decision_and_a_parent() {
    let wide = format!("{TRACE}-{SPAN}");
    for (value, decision) in [
        (wide.clone(), Decision::Deferred),
        (format!("{wide}-0"), Decision::NotSampled),
        (format!("{wide}-1"), Decision::Sampled),
        (format!("{wide}-d"), Decision::Debug),
        (format!("{wide}-1-05e3ac9a4f6e3b90"), Decision::Sampled),
    ] {
        let found = ids(Format::B3Single, &[("B3", &value)]);
        assert_eq!(found, (TRACE.to_owned(), SPAN.to_owned(), decision), "{value}");
    }
    let narrow = ids(Format::B3Single, &[("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-1")]);
    assert_eq!(narrow.0, "0000000000000000a3ce929d0e0e4736");
}

/// B3-07.
#[test]
fn a_decision_alone_is_legal_and_no_parent() {
    for value in ["0", "1", "d"] {
        refuses(Format::B3Single, &[("b3", value)], (ContextPart::Decision, PartDefect::Alone));
        assert!(extract(Format::B3Single, &[("b3", value)]).unwrap_err().is_legal_without_parent());
    }
    for fields in [[("X-B3-Sampled", "0")], [("x-b3-flags", "1")]] {
        refuses(Format::B3Multi, &fields, (ContextPart::Decision, PartDefect::Alone));
    }
}

/// B3-08, B3-10.
#[test]
fn one_header_that_is_malformed_is_refused_with_its_reason() {
    use ContextPart::{Decision as State, ParentSpanId, SpanId, TraceId, Value};
    use PartDefect::{Empty, Length, NotAllowed, NotHex, PartCount, UpperCase, Zero};
    for (pattern, part, defect) in [
        ("", Value, Empty),
        ("2", State, NotAllowed),
        ("true", State, NotAllowed),
        ("-", TraceId, Empty),
        ("T-", SpanId, Empty),
        ("T-S-", State, NotAllowed),
        ("T-S-2", State, NotAllowed),
        ("T-S-true", State, NotAllowed),
        ("T-S-D", State, NotAllowed),
        ("T-S-00f067aa0ba902b7", State, NotAllowed),
        ("T-S-1-", ParentSpanId, Empty),
        ("T-S-1-00f067aa0ba902b71", ParentSpanId, Length(17)),
        ("T-S-1-0000000000000000", ParentSpanId, Zero),
        ("T-S-1-S-1", Value, PartCount(5)),
        ("a3ce929d0e0e473-S-1", TraceId, Length(15)),
        ("a3ce929d0e0e47361-S-1", TraceId, Length(17)),
        ("4bf92f3577b34da6a3ce929d0e0e473-S-1", TraceId, Length(31)),
        ("T1-S-1", TraceId, Length(33)),
        ("4BF92F3577B34DA6A3CE929D0E0E4736-S-1", TraceId, UpperCase),
        ("4bf92f3577b34da6a3ce929d0e0e473g-S-1", TraceId, NotHex),
        ("00000000000000000000000000000000-S-1", TraceId, Zero),
        ("0000000000000000-S-1", TraceId, Zero),
        ("T-00f067aa0ba902b-1", SpanId, Length(15)),
        ("T-00F067AA0BA902B7-1", SpanId, UpperCase),
        ("T-0000000000000000-1", SpanId, Zero),
    ] {
        let value = pattern.replace('T', TRACE).replace('S', SPAN);
        refuses(Format::B3Single, &[("b3", &value)], (part, defect));
    }
}

/// B3-05, B3-09.
#[test]
fn several_headers_have_ids_and_a_decision_of_their_own() {
    let base = [("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN)];
    for (more, decision) in [
        (vec![], Decision::Deferred),
        (vec![("X-B3-Sampled", "1")], Decision::Sampled),
        (vec![("X-B3-Sampled", "true")], Decision::Sampled),
        (vec![("X-B3-Sampled", "0")], Decision::NotSampled),
        (vec![("x-b3-sampled", "false")], Decision::NotSampled),
        (vec![("X-B3-Flags", "1")], Decision::Debug),
        (vec![("X-B3-Flags", "1"), ("X-B3-Sampled", "0")], Decision::Debug),
        (vec![("X-B3-Flags", "2"), ("X-B3-Sampled", "1")], Decision::Sampled),
        (vec![("X-B3-Flags", "0")], Decision::Deferred),
        (vec![("X-B3-Sampled", "1"), ("X-B3-Sampled", "0")], Decision::Sampled),
        (vec![("X-B3-ParentSpanId", "05e3ac9a4f6e3b90")], Decision::Deferred),
    ] {
        let fields: Vec<_> = base.iter().copied().chain(more).collect();
        let found = ids(Format::B3Multi, &fields);
        assert_eq!(found, (TRACE.to_owned(), SPAN.to_owned(), decision), "{fields:?}");
    }
}

/// B3-09, B3-10.
#[test]
fn several_headers_that_are_malformed_are_refused_with_their_reason() {
    use ContextPart::{Decision as State, ParentSpanId, SpanId, TraceId};
    use PartDefect::{Empty, Length, Missing, NotAllowed, UpperCase, Zero};
    let (trace, span) = (("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN));
    for (fields, part, defect) in [
        (vec![trace], SpanId, Missing),
        (vec![span], TraceId, Missing),
        (vec![("x-b3-parentspanid", SPAN)], TraceId, Missing),
        (vec![trace, span, ("x-b3-parentspanid", "-")], ParentSpanId, Length(1)),
        (vec![trace, span, ("x-b3-parentspanid", "")], ParentSpanId, Empty),
        (vec![trace, span, ("x-b3-sampled", "")], State, Empty),
        (vec![trace, span, ("x-b3-sampled", "d")], State, NotAllowed),
        (vec![trace, span, ("x-b3-sampled", "2")], State, NotAllowed),
        (vec![("x-b3-traceid", ""), span], TraceId, Empty),
        (vec![("x-b3-traceid", "0000000000000000"), span], TraceId, Zero),
        (vec![trace, ("x-b3-spanid", "00F067AA0BA902B7")], SpanId, UpperCase),
    ] {
        refuses(Format::B3Multi, &fields, (part, defect));
    }
}

#[test]
fn the_caret_stands_under_the_part() {
    let value = format!("{TRACE}-{SPAN}-x");
    let refusal = extract(Format::B3Single, &[("b3", &value)]).unwrap_err();
    assert_eq!((refusal.at, refusal.field), (50..51, "b3"));
    assert_eq!(refusal.reason.to_string(), "the sampling decision is not allowed, expected `0`, `1` or `d`");
}
