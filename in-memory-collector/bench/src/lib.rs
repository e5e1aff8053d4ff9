//! The load of the benchmark: batches of spans with new ids each time, in each encoding.

pub mod load;
pub mod sinks;

use std::io::Write;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

/// Spans of one trace in a batch.
pub const SPANS_PER_TRACE: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Protobuf,
    Json,
}

/// A batch whose ids are replaced for each use.
#[derive(Debug)]
pub struct Template {
    bytes: Vec<u8>,
    /// The place of each trace id, and the trace of the batch that it belongs to.
    ids: Vec<(usize, usize)>,
    encoding: Encoding,
    next: u64,
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn number(key: &str, value: i64) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::IntValue(value)) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

const MARK: [u8; 12] = [0xee; 12];

fn span(index: usize) -> Span {
    let trace = (index / SPANS_PER_TRACE) as u32;
    Span {
        trace_id: [&MARK[..], &trace.to_be_bytes()].concat(),
        span_id: (0x0102_0304_0506_0000 + index as u64).to_be_bytes().to_vec(),
        trace_state: String::new(),
        parent_span_id: if index.is_multiple_of(SPANS_PER_TRACE) {
            Vec::new()
        } else {
            (0x0102_0304_0506_0000 + index as u64 - 1).to_be_bytes().to_vec()
        },
        flags: 0x101,
        name: "POST /api/v1/orders/{id}/items".to_owned(),
        kind: 2,
        start_time_unix_nano: 1_700_000_000_000_000_000 + index as u64,
        end_time_unix_nano: 1_700_000_000_005_000_000 + index as u64,
        attributes: vec![
            text("http.request.method", "POST"),
            text("url.path", "/api/v1/orders/7f3a9c/items"),
            text("url.scheme", "https"),
            text("server.address", "orders.shop.example"),
            number("server.port", 8443),
            number("http.response.status_code", 201),
            text("network.protocol.version", "1.1"),
            text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) bench/1.0"),
            text("client.address", "203.0.113.42"),
            text("enduser.id", "customer-0004711"),
        ],
        status: Some(Status { message: String::new(), code: 1 }),
        ..Span::default()
    }
}

pub fn request(spans: usize) -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![
            text("service.name", "orders"),
            text("service.version", "1.4.2"),
            text("host.name", "a1"),
        ],
        ..Resource::default()
    };
    let scope =
        InstrumentationScope { name: "http".to_owned(), version: "0.1".to_owned(), ..Default::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans: (0..spans).map(span).collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

impl Template {
    pub fn new(spans: usize, encoding: Encoding) -> Self {
        let request = request(spans);
        let (bytes, mark) = match encoding {
            Encoding::Protobuf => (request.encode_to_vec(), MARK.to_vec()),
            Encoding::Json => (serde_json::to_vec(&request).expect("JSON"), [b'e'; 24].to_vec()),
        };
        let mut ids = Vec::new();
        let mut at = 0;
        while let Some(found) = bytes[at..].windows(mark.len()).position(|window| window == mark) {
            ids.push((at + found, ids.len() / SPANS_PER_TRACE));
            at += found + mark.len();
        }
        assert_eq!(ids.len(), spans);
        Self { bytes, ids, encoding, next: 1 }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the batch with trace ids that were not used before.
    pub fn fresh(&mut self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let base = self.next;
        for (at, trace) in &self.ids {
            let id = [mix(base + *trace as u64), mix(!(base + *trace as u64))];
            match self.encoding {
                Encoding::Protobuf => {
                    bytes[*at..*at + 8].copy_from_slice(&id[0].to_be_bytes());
                    bytes[*at + 8..*at + 16].copy_from_slice(&id[1].to_be_bytes());
                }
                Encoding::Json => {
                    let hex = format!("{:016x}{:016x}", id[0], id[1]);
                    bytes[*at..*at + 32].copy_from_slice(hex.as_bytes());
                }
            }
        }
        self.next += self.ids.len() as u64;
        bytes
    }
}

fn mix(word: u64) -> u64 {
    let mut word = word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word ^ (word >> 29)
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Returns one gRPC message in its frame.
pub fn framed(compressed: bool, message: &[u8]) -> Vec<u8> {
    let mut framed = vec![u8::from(compressed)];
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(message);
    framed
}
