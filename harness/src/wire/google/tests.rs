//! The vectors of Google Cloud Trace, by the ids of the requirements catalogue.

use crate::wire::propagation::tests::{extract, ids, refuses};
use crate::wire::{ContextPart, Decision, Format, PartDefect};

const NAME: &str = "X-Cloud-Trace-Context";
const TRACE: &str = "105445aa7843bc8bf206b12000100000";

/// GC-01, GC-02, GC-03.
#[test]
fn the_span_id_is_decimal_and_the_options_may_be_missing() {
    for (end, span, decision) in [
        ("/1;o=1", 1, Decision::Sampled),
        ("/1;o=0", 1, Decision::NotSampled),
        ("/1", 1, Decision::Deferred),
        ("/1;o=", 1, Decision::Deferred),
        ("/1;", 1, Decision::Deferred),
        ("/0000000000000000000000001;o=1", 1, Decision::Sampled),
        ("/18446744073709551615;o=1", u64::MAX, Decision::Sampled),
    ] {
        let value = format!("{TRACE}{end}");
        let due = (TRACE.to_owned(), format!("{span:016x}"), decision);
        assert_eq!(ids(Format::GoogleCloud, &[(NAME, &value)]), due, "{value}");
    }
    assert_eq!(ids(Format::GoogleCloud, &[(NAME, "105445AA7843BC8BF206B12000100000/1")]).0, TRACE);
}

#[test]
fn what_is_malformed_is_refused_with_its_reason() {
    use ContextPart::{Decision as Options, SpanId, TraceId, Value};
    use PartDefect::{Empty, Length, Missing, NotAllowed, NotDecimal, NotHex, TooLarge, Zero};
    for (value, part, defect) in [
        ("", Value, Empty),
        ("T", SpanId, Missing),
        ("T/", SpanId, Missing),
        ("T;o=1", SpanId, Missing),
        ("T/;o=1", SpanId, Missing),
        ("T/0;o=1", SpanId, Zero),
        ("T/18446744073709551616;o=1", SpanId, TooLarge),
        ("T/-1;o=1", SpanId, NotDecimal),
        ("T/a;o=1", SpanId, NotDecimal),
        ("T/1;o=2", Options, NotAllowed),
        ("T/1;x", Options, NotAllowed),
        ("/1;o=1", TraceId, Empty),
        ("105445aa7843bc8bf206b1200010000/1;o=1", TraceId, Length(31)),
        ("105445aa7843bc8bf206b1200010000x/1;o=1", TraceId, NotHex),
        ("00000000000000000000000000000000/1;o=1", TraceId, Zero),
    ] {
        refuses(Format::GoogleCloud, &[(NAME, &value.replace('T', TRACE))], (part, defect));
    }
    assert!(extract(Format::GoogleCloud, &[(NAME, TRACE)]).unwrap_err().is_legal_without_parent());
}
