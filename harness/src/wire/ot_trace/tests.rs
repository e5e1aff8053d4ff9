//! The vectors of OpenTracing's basic tracers, by the ids of the requirements catalogue.

use super::{baggage, baggage_field};
use crate::wire::propagation::tests::{ids, refuses};
use crate::wire::{Carrier, ContextPart, Decision, Format, PartDefect};

const TRACE: (&str, &str) = ("ot-tracer-traceid", "4bf92f3577b34da6a3ce929d0e0e4736");
const SPAN: (&str, &str) = ("ot-tracer-spanid", "00f067aa0ba902b7");

/// OT-01.
#[test]
fn ids_are_hex_and_the_decision_is_a_word() {
    for (more, decision) in [
        (vec![("ot-tracer-sampled", "true")], Decision::Sampled),
        (vec![("Ot-Tracer-Sampled", "false")], Decision::NotSampled),
        (vec![], Decision::Deferred),
    ] {
        let fields: Vec<_> = [TRACE, SPAN].into_iter().chain(more).collect();
        let due = (TRACE.1.to_owned(), SPAN.1.to_owned(), decision);
        assert_eq!(ids(Format::OtTrace, &fields), due, "{fields:?}");
    }
    let narrow = ids(Format::OtTrace, &[("ot-tracer-traceid", "a3ce929d0e0e4736"), SPAN]);
    assert_eq!(narrow.0, "0000000000000000a3ce929d0e0e4736");
}

/// OT-01.
#[test]
fn what_is_malformed_is_refused_with_its_reason() {
    use ContextPart::{Decision as Sampled, SpanId, TraceId};
    use PartDefect::{Length, Missing, NotAllowed, Zero};
    for (fields, part, defect) in [
        (vec![TRACE], SpanId, Missing),
        (vec![SPAN], TraceId, Missing),
        (vec![("ot-tracer-traceid", "0000000000000000"), SPAN], TraceId, Zero),
        (vec![("ot-tracer-traceid", "4bf92f"), SPAN], TraceId, Length(6)),
        (vec![TRACE, SPAN, ("ot-tracer-sampled", "1")], Sampled, NotAllowed),
        (vec![TRACE, SPAN, ("ot-tracer-sampled", "")], Sampled, NotAllowed),
    ] {
        refuses(Format::OtTrace, &fields, (part, defect));
    }
}

#[test]
fn baggage_travels_in_fields_of_its_own_as_it_is() {
    let field = baggage_field("user", b"a b");
    assert_eq!(field, ("ot-baggage-user".to_owned(), b"a b".to_vec()));
    let carrier = Carrier::new([(field.0.as_bytes(), &field.1[..])]);
    assert_eq!(baggage(&carrier), [(b"user".to_vec(), b"a b".to_vec())]);
}
