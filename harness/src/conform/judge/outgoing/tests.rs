use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn fields(lines: &[(&str, &str)]) -> RawFields {
    lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn refused(format: Format, lines: &[(&str, &str)]) -> Mismatch {
    OutgoingContext::read(format, &fields(lines)).unwrap_err()
}

#[test]
fn what_a_correct_sender_writes_is_read_in_every_format() {
    let context = RemoteContext::new(
        TraceId::from_hex(TRACE.as_bytes()).unwrap(),
        crate::wire::SpanId::from_hex(SPAN.as_bytes()).unwrap(),
        crate::wire::Decision::Sampled,
    );
    for format in Format::ALL {
        let sent: RawFields =
            format.inject(&context).into_iter().map(|(name, value)| (name.into(), value)).collect();
        let read =
            OutgoingContext::read(*format, &sent).unwrap_or_else(|wrong| panic!("{format:?}: {wrong}"));
        assert_eq!(read.context.trace_id, context.trace_id, "{format:?}");
        assert_eq!((read.context.span_id, read.context.decision), (context.span_id, context.decision));
        assert_eq!(contexts_of(Format::ALL, &sent), [read.context], "{format:?}");
    }
}

#[test]
fn a_context_that_no_correct_sender_writes_is_refused_with_a_caret_at_the_wrong_part() {
    for (format, name, value, wrong, caret) in [
        (Format::B3Single, "b3", "0-00f067aa0ba902b7-1", "trace id", "0"),
        (Format::B3Single, "b3", "4bf92f3577b34da6-00f067aa0ba902b7-2", "sampling decision", "2"),
        (Format::B3Single, "b3", "1", "stands alone", "1"),
        (Format::Jaeger, "uber-trace-id", "1:2:0:1", "1 digits", "1"),
        (Format::Jaeger, "uber-trace-id", "1:2:0", "3 parts", "1:2:0"),
        (Format::XRay, "x-amzn-trace-id", "Root=2-4bf92f35-77b34da6a3ce929d0e0e4736", "root", "2"),
        (
            Format::XRay,
            "x-amzn-trace-id",
            "Parent=00f067aa0ba902b7",
            "root is missing",
            "Parent=00f067aa0ba902b7",
        ),
        (
            Format::XRay,
            "x-amzn-trace-id",
            "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=2",
            "sampling decision",
            "2",
        ),
        (Format::Datadog, "x-datadog-trace-id", "+7", "decimal", "+"),
        (Format::GoogleCloud, "x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736/x", "decimal", "x"),
    ] {
        let mismatch = refused(format, &[(name, value)]);
        assert!(mismatch.to_string().contains(wrong), "{value}: {mismatch}");
        let difference = mismatch.difference.unwrap();
        assert_eq!(&value[difference.caret], caret, "{value}");
    }
}

#[test]
fn a_field_that_is_missing_or_repeated_is_named() {
    let missing = refused(Format::B3Multi, &[("x-b3-traceid", TRACE), ("x-b3-sampled", "1")]);
    assert_eq!(missing.kind, MismatchKind::Missing("x-b3-spanid"));
    assert_eq!(refused(Format::Jaeger, &[]).kind, MismatchKind::Missing("uber-trace-id"));
    let twice = refused(Format::GrpcTraceBin, &[("grpc-trace-bin", "AA"), ("Grpc-Trace-Bin", "AA")]);
    assert_eq!(twice.kind, MismatchKind::Repeated("grpc-trace-bin", 2));
    let legacy =
        refused(Format::B3Multi, &[("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-sampled", "true")]);
    assert_eq!(legacy.difference.unwrap().field, "x-b3-sampled");
}

#[test]
fn the_expected_field_differs_in_the_part_that_is_wrong() {
    let fields = fields(&[("x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736/7;o=0")]);
    let read = OutgoingContext::read(Format::GoogleCloud, &fields).unwrap();
    let due = RemoteContext { decision: crate::wire::Decision::Sampled, ..read.context };
    let mismatch = read.mismatch(MismatchKind::TraceIdKept, ContextPart::Decision, Some(due));
    let difference = mismatch.difference.unwrap();
    assert_eq!(difference.expected.unwrap(), b"4bf92f3577b34da6a3ce929d0e0e4736/7;o=1");
    assert_eq!(&difference.actual[difference.caret], b"o=0");
}

#[test]
fn the_high_half_of_a_trace_id_of_datadog_is_looked_up_in_its_tag() {
    let fields = fields(&[("x-datadog-trace-id", "11803532876627986230"), ("x-datadog-parent-id", "7")]);
    let read = OutgoingContext::read(Format::Datadog, &fields).unwrap();
    let due = read.with_trace_id(TRACE);
    let difference =
        read.mismatch(MismatchKind::TraceIdChanged, ContextPart::TraceId, due).difference.unwrap();
    assert_eq!(difference.field, "x-datadog-tags");
    assert_eq!(difference.expected.unwrap(), b"_dd.p.tid=4bf92f3577b34da6");
}
