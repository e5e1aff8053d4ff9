//! Values of breaks for the samples.

use super::{SPAN, TRACE};
use crate::rules::details::{CaptureDetails, CaretDetails, Details, SpanDetails, ValueDetails};

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
