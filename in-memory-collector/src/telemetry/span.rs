//! A span as it was exported, and when and how often it arrived.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::attributes::{Attributes, fields, text};
use super::id::{SpanId, TraceId};
use super::link::{Event, Link};
use super::origin::{Origin, Resource, Scope};
use crate::json;
use crate::protobuf::{RECURSION_LIMIT, Reader};
use crate::schema::SPAN;

#[derive(Clone, PartialEq)]
pub struct Span {
    head: Head,
    bytes: Arc<[u8]>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) arrival: Arrival,
}

/// When a span arrived, and what became of later ones with its ids.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Arrival {
    pub sequence: u64,
    pub request: u64,
    pub at: Instant,
    pub duplicates: u32,
    pub conflicts: u32,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Head {
    trace_id: Vec<u8>,
    span_id: Vec<u8>,
    parent_id: Vec<u8>,
    flags: u32,
    trace_state: String,
    name: String,
    kind: i32,
    start_nanos: u64,
    end_nanos: u64,
    status: Status,
    dropped: [u32; 3],
}

impl Span {
    /// Creates a span; `bytes` is a valid encoded span.
    pub(crate) fn new(bytes: &[u8], origin: Arc<Origin>, arrival: Arrival) -> Self {
        Self { head: Head::decode(bytes), bytes: bytes.into(), origin, arrival }
    }

    /// Returns the name of the endpoint at which it arrived.
    pub fn endpoint(&self) -> &Arc<str> {
        &self.origin.endpoint
    }

    /// Returns the trace id; `None` if the exporter sent anything but 16 bytes, or zeros.
    pub fn trace_id(&self) -> Option<TraceId> {
        TraceId::valid(&self.head.trace_id)
    }

    /// Returns the span id; `None` if the exporter sent anything but 8 bytes, or zeros.
    pub fn span_id(&self) -> Option<SpanId> {
        SpanId::valid(&self.head.span_id)
    }

    /// Returns the parent id; `None` for a root, and for a parent that is not a valid id: `has_valid_ids`
    /// distinguishes them.
    pub fn parent_id(&self) -> Option<SpanId> {
        SpanId::valid(&self.head.parent_id)
    }

    /// Returns the trace id as exported, of any length.
    pub fn trace_id_bytes(&self) -> &[u8] {
        &self.head.trace_id
    }

    /// Returns the span id as exported, of any length.
    pub fn span_id_bytes(&self) -> &[u8] {
        &self.head.span_id
    }

    /// Returns the parent id as exported, of any length; empty for a root.
    pub fn parent_id_bytes(&self) -> &[u8] {
        &self.head.parent_id
    }

    /// Returns whether both ids are valid, and the parent is valid or empty.
    pub fn has_valid_ids(&self) -> bool {
        let parent = self.head.parent_id.is_empty() || self.parent_id().is_some();
        self.trace_id().is_some() && self.span_id().is_some() && parent
    }

    /// Returns whether the span has no parent.
    pub fn is_root(&self) -> bool {
        self.head.parent_id.is_empty()
    }

    /// Bits 0 to 7 W3C trace flags, bit 8 "has is-remote", bit 9 "is remote"; others may be set by newer exporters.
    pub fn flags(&self) -> u32 {
        self.head.flags
    }

    /// Returns whether the parent was remote, if the exporter says so.
    pub fn is_remote(&self) -> Option<bool> {
        (self.head.flags & 0x100 != 0).then_some(self.head.flags & 0x200 != 0)
    }

    pub fn trace_state(&self) -> &str {
        &self.head.trace_state
    }

    pub fn name(&self) -> &str {
        &self.head.name
    }

    pub fn kind(&self) -> SpanKind {
        SpanKind::from(self.head.kind)
    }

    pub fn start_nanos(&self) -> u64 {
        self.head.start_nanos
    }

    pub fn end_nanos(&self) -> u64 {
        self.head.end_nanos
    }

    pub fn status(&self) -> &Status {
        &self.head.status
    }

    pub fn attributes(&self) -> Attributes {
        Attributes::decode(&self.bytes, 9)
    }

    pub fn events(&self) -> Vec<Event> {
        fields(&self.bytes, 11).map(Event::decode).collect()
    }

    pub fn links(&self) -> Vec<Link> {
        fields(&self.bytes, 13).map(Link::decode).collect()
    }

    pub fn dropped_attributes_count(&self) -> u32 {
        self.head.dropped[0]
    }

    pub fn dropped_events_count(&self) -> u32 {
        self.head.dropped[1]
    }

    pub fn dropped_links_count(&self) -> u32 {
        self.head.dropped[2]
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

    /// Returns `service.name` of the resource.
    pub fn service_name(&self) -> Option<String> {
        self.resource().service_name().map(str::to_owned)
    }

    /// Returns how often the identical span came again (a retry of its exporter).
    pub fn duplicates(&self) -> u32 {
        self.arrival.duplicates
    }

    /// Returns the number of other spans with the same ids, but different content or a different origin.
    pub fn conflicts(&self) -> u32 {
        self.arrival.conflicts
    }

    /// Grows with each span that is kept, over all endpoints; never used twice.
    pub fn sequence(&self) -> u64 {
        self.arrival.sequence
    }

    /// Returns the sequence of the request that brought it (`RequestRecord::sequence`). Spans of one request have no
    /// order: exporters group them by resource and scope.
    pub fn request(&self) -> u64 {
        self.arrival.request
    }

    pub fn arrived(&self) -> Instant {
        self.arrival.at
    }

    /// Returns the span as OTLP protobuf, as it was sent (or as it was made from JSON).
    pub fn protobuf(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the span as OTLP/JSON.
    pub fn json(&self) -> String {
        json::print::print(&SPAN, &self.bytes)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span")
            .field("endpoint", &self.origin.endpoint)
            .field("trace_id", &super::id::hex(&self.head.trace_id))
            .field("span_id", &super::id::hex(&self.head.span_id))
            .field("parent_id", &super::id::hex(&self.head.parent_id))
            .field("name", &self.head.name)
            .field("kind", &self.kind())
            .field("flags", &self.head.flags)
            .finish_non_exhaustive()
    }
}

impl Head {
    fn decode(bytes: &[u8]) -> Self {
        let mut head = Self::default();
        let mut reader = Reader::new(bytes);
        while let Ok(key) = reader.key() {
            let read = match key.number {
                1 => reader.length_delimited().map(|id| head.trace_id = id.to_vec()),
                2 => reader.length_delimited().map(|id| head.span_id = id.to_vec()),
                3 => reader.length_delimited().map(|state| head.trace_state = text(state)),
                4 => reader.length_delimited().map(|id| head.parent_id = id.to_vec()),
                5 => reader.length_delimited().map(|name| head.name = text(name)),
                6 => reader.varint().map(|kind| head.kind = kind as i32),
                7 => reader.fixed64().map(|nanos| head.start_nanos = nanos),
                8 => reader.fixed64().map(|nanos| head.end_nanos = nanos),
                10 => reader.varint().map(|count| head.dropped[0] = count as u32),
                12 => reader.varint().map(|count| head.dropped[1] = count as u32),
                14 => reader.varint().map(|count| head.dropped[2] = count as u32),
                15 => reader.length_delimited().map(|status| head.status.merge(status)),
                16 => reader.fixed32().map(|flags| head.flags = flags),
                _ => reader.skip(key, RECURSION_LIMIT),
            };
            if read.is_err() {
                break;
            }
        }
        head
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanKind {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
    /// A number that this version of OTLP does not know.
    Unknown(i32),
}

impl From<i32> for SpanKind {
    fn from(number: i32) -> Self {
        match number {
            0 => SpanKind::Unspecified,
            1 => SpanKind::Internal,
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            other => SpanKind::Unknown(other),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub code: StatusCode,
    pub message: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusCode {
    #[default]
    Unset,
    Ok,
    Error,
    /// A number that this version of OTLP does not know.
    Unknown(i32),
}

impl Status {
    fn merge(&mut self, bytes: &[u8]) {
        let mut reader = Reader::new(bytes);
        while let Ok(key) = reader.key() {
            let read = match key.number {
                2 => reader.length_delimited().map(|message| self.message = text(message)),
                3 => reader.varint().map(|code| self.code = StatusCode::from(code as i32)),
                _ => reader.skip(key, RECURSION_LIMIT),
            };
            if read.is_err() {
                break;
            }
        }
    }
}

impl From<i32> for StatusCode {
    fn from(number: i32) -> Self {
        match number {
            0 => StatusCode::Unset,
            1 => StatusCode::Ok,
            2 => StatusCode::Error,
            other => StatusCode::Unknown(other),
        }
    }
}
