//! The `break` of a finding: its example as values, where the strings beside it are for people.

use serde::Serialize;

use crate::rules::Finding;
use crate::rules::details::{CaptureDetails, CaretDetails, SpanDetails, ValueDetails};

#[derive(Serialize)]
pub(super) struct BreakReport<'a> {
    class: &'static str,
    side: &'static str,
    hop: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    expected: ValueReport<'a>,
    actual: ValueReport<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<SpanReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capture: Option<CaptureReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caret: Option<CaretReport>,
}

/// The expected or the actual value; keys that do not apply are omitted.
#[derive(Serialize)]
struct ValueReport<'a> {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    nothing: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    new_trace: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sampled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    random: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stimulus: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    values: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    concerned: &'a [String],
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    formats: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct SpanReport<'a> {
    node: &'a str,
    kind: &'static str,
    name: &'a str,
    trace_id: &'a str,
    span_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    parent_id: &'a str,
}

#[derive(Serialize)]
struct CaptureReport<'a> {
    from: &'a str,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc_status: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
}

/// Bytes of a field's value, end exclusive.
#[derive(Serialize)]
struct CaretReport {
    field: &'static str,
    line: usize,
    start: usize,
    end: usize,
}

impl<'a> BreakReport<'a> {
    pub(super) fn of(finding: &'a Finding) -> Self {
        let details = &finding.details;
        Self {
            class: finding.class.word(),
            side: finding.side.word(),
            hop: &details.hop,
            field: details.field,
            expected: ValueReport::of(&details.expected),
            actual: ValueReport::of(&details.actual),
            span: details.span.as_ref().map(SpanReport::of),
            capture: details.capture.as_ref().map(CaptureReport::of),
            caret: details.caret.as_ref().map(CaretReport::of),
        }
    }
}

impl<'a> ValueReport<'a> {
    fn of(value: &'a ValueDetails) -> Self {
        Self {
            nothing: value.nothing,
            new_trace: value.new_trace,
            trace_id: value.trace_id.as_deref(),
            span_id: value.span_id.as_deref(),
            parent_id: value.parent_id.as_deref(),
            flags: value.flags.as_deref(),
            sampled: value.sampled,
            random: value.random,
            stimulus: value.stimulus,
            count: value.count,
            values: &value.values,
            concerned: &value.concerned,
            formats: &value.formats,
            reason: value.reason.as_deref(),
        }
    }
}

impl<'a> SpanReport<'a> {
    fn of(span: &'a SpanDetails) -> Self {
        Self {
            node: &span.node,
            kind: span.kind,
            name: &span.name,
            trace_id: &span.trace_id,
            span_id: &span.span_id,
            parent_id: &span.parent_id,
        }
    }
}

impl<'a> CaptureReport<'a> {
    fn of(capture: &'a CaptureDetails) -> Self {
        Self {
            from: &capture.from,
            to: &capture.to,
            method: capture.method.as_deref(),
            path: capture.path.as_deref(),
            status: capture.status,
            grpc_status: capture.grpc_status,
            destination: capture.destination.as_deref(),
            routing_key: capture.routing_key.as_deref(),
            partition: capture.partition,
            offset: capture.offset,
        }
    }
}

impl CaretReport {
    fn of(caret: &CaretDetails) -> Self {
        Self { field: caret.field, line: caret.line, start: caret.bytes.start, end: caret.bytes.end }
    }
}
