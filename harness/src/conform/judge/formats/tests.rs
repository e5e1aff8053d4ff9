use super::*;
use crate::evidence::RawFields;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn fields(lines: &[(&str, &str)]) -> RawFields {
    lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

#[test]
fn each_format_is_read_with_its_ids_and_its_decision() {
    let contexts: [(Format, Vec<(&str, &str)>); 6] = [
        (Format::B3Single, vec![("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")]),
        (Format::B3Multi, vec![("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN), ("x-b3-sampled", "1")]),
        (Format::Jaeger, vec![("uber-trace-id", "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1")]),
        (
            Format::XRay,
            vec![(
                "X-Amzn-Trace-Id",
                "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1",
            )],
        ),
        (
            Format::Datadog,
            vec![
                ("x-datadog-trace-id", "11803532876627986230"),
                ("x-datadog-parent-id", "67667974448284343"),
                ("x-datadog-sampling-priority", "2"),
                ("x-datadog-tags", "_dd.p.dm=-4,_dd.p.tid=4bf92f3577b34da6"),
            ],
        ),
        (
            Format::GoogleCloud,
            vec![("X-Cloud-Trace-Context", "4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1")],
        ),
    ];
    for (format, lines) in contexts {
        let context = read(format, &fields(&lines)).unwrap_or_else(|wrong| panic!("{format:?}: {wrong}"));
        assert_eq!((context.trace_id.as_str(), context.parent_id.as_str()), (TRACE, SPAN), "{format:?}");
        assert_eq!((context.sampled, context.debug), (Some(true), false), "{format:?}");
    }
}

#[test]
fn a_context_that_no_correct_sender_writes_is_refused_with_its_reason() {
    for (format, name, value, reason) in [
        (Format::B3Single, "b3", "0-00f067aa0ba902b7-1", "trace id"),
        (Format::B3Single, "b3", "4bf92f3577b34da6-00f067aa0ba902b7-2", "sampling state"),
        (Format::B3Single, "b3", "1", "parts"),
        (Format::Jaeger, "uber-trace-id", "1:2:0:1", "trace id"),
        (Format::Jaeger, "uber-trace-id", "1:2:0", "four parts"),
        (Format::XRay, "x-amzn-trace-id", "Root=2-4bf92f35-77b34da6a3ce929d0e0e4736", "Root"),
        (Format::XRay, "x-amzn-trace-id", "Parent=00f067aa0ba902b7", "`Root` is missing"),
        (Format::Datadog, "x-datadog-trace-id", "+7", "decimal"),
        (Format::GoogleCloud, "x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736", "`/`"),
    ] {
        let wrong = read(format, &fields(&[(name, value)])).unwrap_err().to_string();
        assert!(wrong.contains(reason), "{value}: {wrong}");
    }
    let missing = read(Format::B3Multi, &fields(&[("x-b3-sampled", "1")])).unwrap_err();
    assert_eq!(missing.kind, MismatchKind::Missing("x-b3-traceid"));
}

#[test]
fn debug_implies_sampled_and_an_absent_decision_is_deferred() {
    let debug = read(
        Format::B3Multi,
        &fields(&[("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-flags", "1")]),
    );
    assert!(debug.is_ok_and(|context| context.debug && context.sampled == Some(true)));
    let deferred = read(Format::B3Single, &fields(&[("b3", "a3ce929d0e0e4736-00f067aa0ba902b7")])).unwrap();
    assert_eq!((deferred.sampled, deferred.trace_id.as_str()), (None, "0000000000000000a3ce929d0e0e4736"));
}
