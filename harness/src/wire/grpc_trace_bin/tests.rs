//! The vectors of the binary encoding, by the ids of the requirements catalogue.

use proptest::prelude::*;

use super::{parse, print};
use crate::wire::propagation::tests::{extract, ids};
use crate::wire::{Carrier, ContextPart, ContextReason, Decision, Format, PartDefect, Reason, base64};

const TRACE: &str = "404142434445464748494a4b4c4d4e4f";
const SPAN: &str = "6162636465666768";

/// Returns the 29 bytes of the specification's example.
fn example() -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(0x40..=0x4f);
    bytes.push(1);
    bytes.extend(0x61..=0x68);
    bytes.extend([2, 1]);
    bytes
}

/// OC-01.
#[test]
fn the_example_of_the_specification_is_parsed_and_printed() {
    let context = parse(&example()).unwrap();
    assert_eq!((context.trace_id.to_string(), context.span_id.to_string()), (TRACE.into(), SPAN.into()));
    assert_eq!(context.decision, Decision::Sampled);
    assert_eq!(print(&context), example());
}

/// OC-02.
#[test]
fn metadata_is_raw_or_base64_with_or_without_padding() {
    let bare = base64::encode(&example());
    let padded = format!("{bare}=");
    for text in [&bare, &padded] {
        let found = ids(Format::GrpcTraceBin, &[("grpc-trace-bin", text)]);
        assert_eq!(found, (TRACE.to_owned(), SPAN.to_owned(), Decision::Sampled), "{text}");
    }
    let raw = example();
    let carrier = Carrier::new([(&b"grpc-trace-bin"[..], &raw[..])]);
    assert_eq!(Format::GrpcTraceBin.extract(&carrier), Ok(Some(parse(&raw).unwrap())));
}

/// OC-01.
#[test]
fn an_unknown_field_ends_the_parsing_and_is_no_error() {
    let further = [&example()[..], &[3, 1, 2, 3]].concat();
    assert_eq!(parse(&further), parse(&example()));
    let without_options = parse(&example()[..27]).unwrap();
    assert_eq!(without_options.decision, Decision::NotSampled);
}

/// OC-01.
#[test]
fn what_is_malformed_is_refused_with_its_reason() {
    use ContextPart::{Decision as Options, SpanId, TraceId, Value, Version};
    use PartDefect::{Empty, Missing, NotAllowed, Truncated, Zero};
    let zero_trace = [&[0, 0][..], &[0; 16], &[1], &[1; 8], &[2, 1]].concat();
    let zero_span = [&[0, 0][..], &[1; 16], &[1], &[0; 8], &[2, 1]].concat();
    for (bytes, part, defect) in [
        (&[][..], Value, Empty),
        (&[1, 0][..], Version, NotAllowed),
        (&[0][..], TraceId, Missing),
        (&example()[..17], TraceId, Truncated),
        (&example()[..18], SpanId, Missing),
        (&example()[..26], SpanId, Truncated),
        (&example()[..28], Options, Truncated),
        (&zero_trace, TraceId, Zero),
        (&zero_span, SpanId, Zero),
        (&[0, 3, 1][..], TraceId, Missing),
    ] {
        let refusal = parse(bytes).unwrap_err();
        let reason = ContextReason { format: Format::GrpcTraceBin, part, defect };
        assert_eq!(refusal.reason, Reason::Context(reason), "{bytes:?}");
    }
    let refusal = extract(Format::GrpcTraceBin, &[("grpc-trace-bin", "not base64!")]).unwrap_err();
    assert_eq!(refusal.to_string(), "the value is neither base64 nor raw bytes");
}

proptest! {
    #[test]
    fn parsing_never_panics_and_points_into_the_value(value: Vec<u8>) {
        if let Err(refusal) = parse(&value) {
            prop_assert!(refusal.at.start <= refusal.at.end && refusal.at.end <= value.len());
        }
    }
}
