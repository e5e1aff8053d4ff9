//! Telemetry to send, built with the generated types of opentelemetry-proto.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

pub fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

pub fn span(trace: u8, id: u8, parent: u8) -> Span {
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: format!("span {id}"),
        kind: 2,
        ..Span::default()
    }
}

/// Returns a span with a value in every field.
pub fn full_span() -> Span {
    Span {
        trace_id: (1..17).collect(),
        span_id: (21..29).collect(),
        trace_state: "acme=1,b=2".to_owned(),
        parent_span_id: (31..39).collect(),
        flags: 0x301,
        name: "GET /orders".to_owned(),
        kind: 3,
        start_time_unix_nano: 1_700_000_000_000_000_001,
        end_time_unix_nano: 1_700_000_000_000_000_999,
        attributes: vec![text("http.method", "GET"), attribute("n", Value::IntValue(-5))],
        dropped_attributes_count: 1,
        events: vec![Event {
            time_unix_nano: 7,
            name: "retry".to_owned(),
            attributes: vec![attribute("d", Value::DoubleValue(1.5))],
            dropped_attributes_count: 2,
        }],
        dropped_events_count: 3,
        links: vec![Link {
            trace_id: vec![0xaa; 16],
            span_id: vec![0xbb; 8],
            trace_state: "x=y".to_owned(),
            attributes: vec![attribute("b", Value::BoolValue(true))],
            dropped_attributes_count: 4,
            flags: 0x101,
        }],
        dropped_links_count: 5,
        status: Some(Status { message: "no".to_owned(), code: 2 }),
    }
}

pub fn resource(service: &str) -> Resource {
    Resource {
        attributes: vec![text("service.name", service)],
        dropped_attributes_count: 9,
        ..Resource::default()
    }
}

pub fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "lib".to_owned(),
        version: "1.2".to_owned(),
        attributes: vec![text("k", "v")],
        dropped_attributes_count: 8,
    }
}

pub fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource("shop")),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans,
                schema_url: "https://scope".to_owned(),
            }],
            schema_url: "https://resource".to_owned(),
        }],
    }
}

pub fn traces(spans: Vec<Span>) -> Vec<u8> {
    request(spans).encode_to_vec()
}

pub fn logs(bodies: &[&str]) -> Vec<u8> {
    let record = |body: &&str| LogRecord {
        time_unix_nano: 3,
        observed_time_unix_nano: 4,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue((*body).to_owned())) }),
        attributes: vec![text("a", "b")],
        dropped_attributes_count: 1,
        flags: 1,
        trace_id: vec![7; 16],
        span_id: vec![8; 8],
        event_name: "event".to_owned(),
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource("shop")),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope()),
                log_records: bodies.iter().map(record).collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
    .encode_to_vec()
}
