//! The vectors of X-Ray, by the ids of the requirements catalogue.

use proptest::prelude::*;

use super::{LONGEST, XRayHeader};
use crate::wire::propagation::tests::{extract, ids, refuses};
use crate::wire::{ContextPart, Decision, Format, PartDefect, SpanId, TraceId};

const NAME: &str = "X-Amzn-Trace-Id";
const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
const PARENT: &str = "Parent=53995c3f42cd8ad8";

fn filled(pattern: &str) -> String {
    pattern.replace("{R}", ROOT).replace("{P}", PARENT)
}

/// XR-01, XR-02, XR-03.
#[test]
fn pairs_may_have_any_order_and_unknown_ones_are_kept() {
    for (pattern, decision) in [
        ("{R};{P};Sampled=1", Decision::Sampled),
        ("{R};{P};Sampled=0", Decision::NotSampled),
        ("{R};{P};Sampled=?", Decision::Deferred),
        ("{R};{P};Sampled=yes", Decision::Deferred),
        ("{R};{P}", Decision::Deferred),
        ("Sampled=1;{P};{R}", Decision::Sampled),
        ("{R};{P};Sampled=1;", Decision::Sampled),
        ("{R}; {P} ; Sampled=1", Decision::Sampled),
        ("Self=1-67891234-12456789abcdef012345678;{R};{P};Sampled=1", Decision::Sampled),
        ("{R};{P};Sampled=1;Lineage=25:a87bd80c:0;CalledFrom=app", Decision::Sampled),
    ] {
        let found = ids(Format::XRay, &[(NAME, &filled(pattern))]);
        let due = ("5759e988bd862e3fe1be46a994272793".to_owned(), "53995c3f42cd8ad8".to_owned(), decision);
        assert_eq!(found, due, "{pattern}");
    }
}

#[test]
fn the_system_attribute_of_sqs_counts_where_there_is_no_header() {
    let other = filled("{R};Parent=1111111111111111;Sampled=0");
    let own = filled("{R};{P};Sampled=1");
    assert_eq!(ids(Format::XRay, &[("AWSTraceHeader", &own)]).1, "53995c3f42cd8ad8");
    let both = [("AWSTraceHeader", &*other), ("x-amzn-trace-id", &*own)];
    assert_eq!(ids(Format::XRay, &both).1, "53995c3f42cd8ad8");
}

/// XR-04, XR-05.
#[test]
fn what_is_malformed_is_refused_with_its_reason() {
    use ContextPart::{Pair, Root, SpanId, TraceId, Value};
    use PartDefect::{Empty, Length, Missing, NotAllowed, PartCount, UpperCase, WithoutEquals, Zero};
    for (pattern, part, defect) in [
        ("", Value, Empty),
        ("{R}", SpanId, Missing),
        ("{P};Sampled=1", Root, Missing),
        ("Root=1-abc-123;{P}", Root, Length(3)),
        ("Root=2-5759e988-bd862e3fe1be46a994272793;{P}", Root, NotAllowed),
        ("Root=15759e988bd862e3fe1be46a994272793;{P}", Root, PartCount(1)),
        ("Root=1-5759E988-bd862e3fe1be46a994272793;{P}", Root, UpperCase),
        ("Root=1-00000000-000000000000000000000000;{P}", TraceId, Zero),
        ("{R};Parent=53995c3f42cd8ad", SpanId, Length(15)),
        ("{R};Parent=0000000000000000", SpanId, Zero),
        ("{R};{P};BrokenKeyValue", Pair, WithoutEquals),
    ] {
        refuses(Format::XRay, &[(NAME, &filled(pattern))], (part, defect));
    }
    assert!(extract(Format::XRay, &[(NAME, ROOT)]).unwrap_err().is_legal_without_parent());
}

/// XR-09.
#[test]
fn lineage_and_self_are_printed_again() {
    let value = filled("{R};{P};Sampled=1;Self=1-67891234-12456789;Lineage=25:a87bd80c:0;CalledFrom=app");
    let header = XRayHeader::parse(value.as_bytes()).unwrap();
    assert_eq!(header.lineage.as_deref(), Some(&b"25:a87bd80c:0"[..]));
    assert_eq!(header.print(), value.as_bytes());
    assert!(header.print().len() <= LONGEST);
}

#[test]
fn the_caret_stands_under_the_part() {
    let refusal = extract(Format::XRay, &[(NAME, &filled("Self=1; Parent=0;{R}"))]).unwrap_err();
    assert_eq!(refusal.at, 15..16);
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(
        trace: [u8; 16],
        parent: Option<[u8; 8]>,
        decision in proptest::sample::select(&[Decision::NotSampled, Decision::Sampled, Decision::Deferred][..]),
        lineage in proptest::option::of("[0-9a-f:]{1,18}"),
        other in proptest::option::of(("[A-Z][a-z]{6,9}", "[a-z0-9]{0,9}")),
    ) {
        prop_assume!(trace != [0; 16] && parent != Some([0; 8]));
        let header = XRayHeader {
            trace_id: TraceId::new(trace).unwrap(),
            parent: parent.and_then(SpanId::new),
            decision,
            self_id: None,
            lineage: lineage.map(String::into_bytes),
            others: other.into_iter().map(|(key, value)| (key.into_bytes(), value.into_bytes())).collect(),
        };
        prop_assume!(!header.others.iter().any(|(key, _)| key == b"Sampled" || key == b"Lineage"));
        prop_assert_eq!(XRayHeader::parse(&header.print()), Ok(header));
    }

    #[test]
    fn parsing_never_panics_and_points_into_the_value(value: Vec<u8>) {
        if let Err(refusal) = XRayHeader::parse(&value) {
            prop_assert!(refusal.at.start <= refusal.at.end && refusal.at.end <= value.len());
        }
    }
}
