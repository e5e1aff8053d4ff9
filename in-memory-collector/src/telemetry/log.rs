//! A log record as it was exported.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::attributes::{Attributes, Value, fields, text, value};
use super::id::{SpanId, TraceId};
use super::origin::{Origin, Resource, Scope};
use crate::json;
use crate::protobuf::{RECURSION_LIMIT, Reader};
use crate::schema::LOG_RECORD;

#[derive(Clone, PartialEq)]
pub struct LogRecord {
    head: Head,
    bytes: Arc<[u8]>,
    origin: Arc<Origin>,
    sequence: u64,
    at: Instant,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Head {
    trace_id: Vec<u8>,
    span_id: Vec<u8>,
    flags: u32,
    time_nanos: u64,
    observed_nanos: u64,
    severity_number: i32,
    severity_text: String,
    event_name: String,
    dropped_attributes: u32,
}

impl LogRecord {
    /// Creates a record; `bytes` is a valid encoded record.
    pub(crate) fn new(bytes: &[u8], origin: Arc<Origin>, sequence: u64, at: Instant) -> Self {
        Self { head: Head::decode(bytes), bytes: bytes.into(), origin, sequence, at }
    }

    /// Returns the name of the endpoint at which it arrived.
    pub fn endpoint(&self) -> &Arc<str> {
        &self.origin.endpoint
    }

    pub fn trace_id(&self) -> Option<TraceId> {
        TraceId::valid(&self.head.trace_id)
    }

    pub fn span_id(&self) -> Option<SpanId> {
        SpanId::valid(&self.head.span_id)
    }

    /// Returns the trace id as exported, of any length; empty where the record belongs to no trace.
    pub fn trace_id_bytes(&self) -> &[u8] {
        &self.head.trace_id
    }

    /// Returns the span id as exported, of any length.
    pub fn span_id_bytes(&self) -> &[u8] {
        &self.head.span_id
    }

    /// Bits 0 to 7 W3C trace flags.
    pub fn flags(&self) -> u32 {
        self.head.flags
    }

    pub fn time_nanos(&self) -> u64 {
        self.head.time_nanos
    }

    pub fn observed_nanos(&self) -> u64 {
        self.head.observed_nanos
    }

    /// Returns the severity, 1 to 24, or 0 if unset.
    pub fn severity_number(&self) -> i32 {
        self.head.severity_number
    }

    pub fn severity_text(&self) -> &str {
        &self.head.severity_text
    }

    pub fn event_name(&self) -> &str {
        &self.head.event_name
    }

    pub fn body(&self) -> Value {
        let merged: Vec<u8> = fields(&self.bytes, 5).flatten().copied().collect();
        value(&merged)
    }

    pub fn attributes(&self) -> Attributes {
        Attributes::decode(&self.bytes, 6)
    }

    pub fn dropped_attributes_count(&self) -> u32 {
        self.head.dropped_attributes
    }

    pub fn resource(&self) -> Resource {
        self.origin.resource()
    }

    pub fn scope(&self) -> Scope {
        self.origin.scope()
    }

    pub fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// Grows with each record that is kept, over all endpoints; never used twice.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    pub fn arrived(&self) -> Instant {
        self.at
    }

    /// Returns the record as OTLP protobuf, as it was sent (or as it was made from JSON).
    pub fn protobuf(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the record as OTLP/JSON.
    pub fn json(&self) -> String {
        json::print::print(&LOG_RECORD, &self.bytes)
    }
}

impl fmt::Debug for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogRecord")
            .field("endpoint", &self.origin.endpoint)
            .field("trace_id", &super::id::hex(&self.head.trace_id))
            .field("span_id", &super::id::hex(&self.head.span_id))
            .field("body", &self.body())
            .finish_non_exhaustive()
    }
}

impl Head {
    fn decode(bytes: &[u8]) -> Self {
        let mut head = Self::default();
        let mut reader = Reader::new(bytes);
        while let Ok(key) = reader.key() {
            let read = match key.number {
                1 => reader.fixed64().map(|nanos| head.time_nanos = nanos),
                2 => reader.varint().map(|number| head.severity_number = number as i32),
                3 => reader.length_delimited().map(|severity| head.severity_text = text(severity)),
                7 => reader.varint().map(|count| head.dropped_attributes = count as u32),
                8 => reader.fixed32().map(|flags| head.flags = flags),
                9 => reader.length_delimited().map(|id| head.trace_id = id.to_vec()),
                10 => reader.length_delimited().map(|id| head.span_id = id.to_vec()),
                11 => reader.fixed64().map(|nanos| head.observed_nanos = nanos),
                12 => reader.length_delimited().map(|name| head.event_name = text(name)),
                _ => reader.skip(key, RECURSION_LIMIT),
            };
            if read.is_err() {
                break;
            }
        }
        head
    }
}
