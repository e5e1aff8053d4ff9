//! Values of breaks for the samples.

use super::{SPAN, TRACE};
use crate::rules::details::{CaptureDetails, CaretDetails, Details, SpanDetails, ValueDetails};
use crate::verdict::example::{ExampleCapture, ExampleCrossing, ExampleSpan, ExampleStimulus};
use crate::verdict::{CaseNode, NodeSoftware};

/// Returns the request of the sample's break.
pub(super) fn charge() -> CaptureDetails {
    CaptureDetails {
        from: "shop".into(),
        to: "billing".into(),
        method: Some("POST".into()),
        path: Some("/charge".into()),
        status: Some(200),
        grpc_status: None,
        destination: None,
        routing_key: None,
        partition: None,
        offset: None,
    }
}

/// Returns a break with every kind of value, which no single class has.
pub(super) fn every_value() -> Details {
    let flags = ValueDetails { flags: Some("00".into()), sampled: Some(false), ..ValueDetails::default() };
    Details {
        hop: "record".into(),
        field: Some("traceparent"),
        expected: ValueDetails {
            new_trace: true,
            random: Some(true),
            stimulus: Some(3),
            count: Some(1),
            span_id: Some(SPAN.into()),
            parent_id: Some(SPAN.into()),
            ..ValueDetails::default()
        },
        actual: ValueDetails {
            formats: vec!["Jaeger"],
            reason: Some("the trace id is all zeros".into()),
            ..flags
        },
        span: Some(SpanDetails {
            node: "billing".into(),
            kind: "CLIENT",
            name: "Record".into(),
            trace_id: TRACE.into(),
            span_id: SPAN.into(),
            parent_id: SPAN.into(),
        }),
        capture: Some(CaptureDetails {
            method: None,
            path: None,
            status: None,
            grpc_status: Some(0),
            destination: Some("orders".into()),
            routing_key: Some("new".into()),
            partition: Some(0),
            offset: Some(17),
            ..charge()
        }),
        caret: Some(CaretDetails { field: "traceparent", line: 0, bytes: 3..35 }),
    }
}

/// Returns the nodes of the samples' hops.
pub(super) fn nodes() -> Vec<CaseNode> {
    let names = ["client", "shop", "stock", "billing", "ledger"];
    names.map(node).into()
}

fn node(name: &str) -> CaseNode {
    CaseNode {
        name: name.to_owned(),
        kind: if name == "client" { "client" } else { "command" },
        is_broker: false,
        exports: name != "client",
    }
}

fn capture(at_micros: i64, fields: &[(&str, String)], contexts: &[[String; 2]]) -> ExampleCapture {
    ExampleCapture {
        at_micros,
        ended_micros: Some(at_micros + 900),
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        other_fields: vec!["host".into(), "content-length".into()],
        contexts: contexts.to_vec(),
    }
}

/// Returns stimulus 3, in which `shop` calls `billing` without a context.
pub(super) fn example() -> ExampleStimulus {
    let order = ExampleCrossing {
        hop: "order".into(),
        from: "client".into(),
        to: "shop".into(),
        request: "POST /orders".into(),
        outcome: "HTTP 200".into(),
        sent: Some(capture(
            0,
            &[("traceparent", format!("00-{TRACE}-{SPAN}-01"))],
            &[[TRACE.into(), SPAN.into()]],
        )),
        expected_trace: Some(TRACE.into()),
        receiver_span: Some(0),
        ..ExampleCrossing::default()
    };
    let charge = ExampleCrossing {
        hop: "charge".into(),
        from: "shop".into(),
        to: "billing".into(),
        request: "POST /charge".into(),
        cause: Some(0),
        sent: Some(capture(300, &[], &[])),
        lacks_call_span: true,
        lacks_receiver_span: true,
        ..order.clone()
    };
    let server = ExampleSpan {
        node: "shop".into(),
        name: "POST /orders".into(),
        kind: "SERVER",
        trace_id: TRACE.into(),
        span_id: "1111111111111111".into(),
        parent_id: SPAN.into(),
        links: vec![],
        start_micros: 120,
        took_micros: 700,
        failed: false,
    };
    ExampleStimulus {
        stimulus: 3,
        crossings: vec![order, ExampleCrossing { receiver_span: None, ..charge }],
        spans: vec![server],
        omitted_crossings: 0,
        omitted_spans: 2,
    }
}

/// Returns the software of a node.
pub(super) fn nginx() -> NodeSoftware {
    NodeSoftware {
        node: "edge".into(),
        program: "nginx".into(),
        version: Some("1.22.1".into()),
        configuration: Some("9eddcc2d18c2538e".into()),
    }
}
