//! Links and events of a span.

use super::attributes::{Attributes, text};
use super::id::{SpanId, TraceId};
use crate::protobuf::{RECURSION_LIMIT, Reader};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// As exported, of any length.
    pub trace_id: Vec<u8>,
    /// As exported, of any length.
    pub span_id: Vec<u8>,
    /// Bits 0 to 7 W3C trace flags, bit 8 "has is-remote", bit 9 "is remote".
    pub flags: u32,
    pub trace_state: String,
    pub attributes: Attributes,
    pub dropped_attributes_count: u32,
}

impl Link {
    pub fn trace(&self) -> Option<TraceId> {
        TraceId::valid(&self.trace_id)
    }

    pub fn span(&self) -> Option<SpanId> {
        SpanId::valid(&self.span_id)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let mut link = Self { attributes: Attributes::decode(bytes, 4), ..Self::default() };
        let mut reader = Reader::new(bytes);
        while let Ok(key) = reader.key() {
            let read = match key.number {
                1 => reader.length_delimited().map(|id| link.trace_id = id.to_vec()),
                2 => reader.length_delimited().map(|id| link.span_id = id.to_vec()),
                3 => reader.length_delimited().map(|state| link.trace_state = text(state)),
                5 => reader.varint().map(|count| link.dropped_attributes_count = count as u32),
                6 => reader.fixed32().map(|flags| link.flags = flags),
                _ => reader.skip(key, RECURSION_LIMIT),
            };
            if read.is_err() {
                break;
            }
        }
        link
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    pub name: String,
    pub time_nanos: u64,
    pub attributes: Attributes,
    pub dropped_attributes_count: u32,
}

impl Event {
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let mut event = Self { attributes: Attributes::decode(bytes, 3), ..Self::default() };
        let mut reader = Reader::new(bytes);
        while let Ok(key) = reader.key() {
            let read = match key.number {
                1 => reader.fixed64().map(|nanos| event.time_nanos = nanos),
                2 => reader.length_delimited().map(|name| event.name = text(name)),
                4 => reader.varint().map(|count| event.dropped_attributes_count = count as u32),
                _ => reader.skip(key, RECURSION_LIMIT),
            };
            if read.is_err() {
                break;
            }
        }
        event
    }
}
