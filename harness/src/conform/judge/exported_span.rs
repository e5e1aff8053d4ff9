//! The spans that the target exported, as far as statements speak of them.

use crate::evidence::SpanKind;
use crate::wire::hex;

/// One span. Ids are bytes as exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedSpan {
    pub trace_id: Vec<u8>,
    pub span_id: Vec<u8>,
    /// Empty for a root.
    pub parent_id: Vec<u8>,
    pub kind: SpanKind,
    /// OTLP `Span.flags`: bits 0 to 7 W3C flags, bit 8 has-is-remote, bit 9 is-remote.
    pub flags: u32,
    pub trace_state: String,
    pub name: String,
    pub start_nanos: u64,
    pub end_nanos: u64,
    /// Attributes whose value is a text, a number or a truth value, as text.
    pub attributes: Vec<(String, String)>,
    pub service_name: Option<String>,
    pub links: Vec<ExportedLink>,
    /// Its status is ERROR.
    pub is_failed: bool,
}

/// One link of a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportedLink {
    pub trace_id: Vec<u8>,
    pub span_id: Vec<u8>,
    /// As those of a span; the remote bits are of the context that it links to.
    pub flags: u32,
    pub trace_state: String,
}

impl ExportedLink {
    /// Returns true for a link to this context.
    pub fn is_to(&self, trace_id: &[u8], span_id: &[u8]) -> bool {
        self.trace_id == trace_id && self.span_id == span_id
    }
}

/// A metric with the contexts of its exemplars: trace id and span id as exported, empty outside of any span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportedMetric {
    pub name: String,
    pub exemplars: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The telemetry of one request.
#[derive(Clone, Debug, Default)]
pub struct ExchangeTelemetry {
    /// The spans of the traces that the request or one of its calls carries.
    pub spans: Vec<ExportedSpan>,
    /// Spans of traces that no request and no call of the run carries.
    pub other_traces: Vec<ExportedSpan>,
    /// The metrics that have the trace id of the request in their name.
    pub metrics: Vec<ExportedMetric>,
    pub gap: Option<SpanGap>,
}

/// The reason why spans may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpanGap {
    /// The target has exported nothing in the whole run, and it does not export on request.
    NothingExported,
    /// Spans may have been lost, in words.
    Lost(String),
}

impl ExportedSpan {
    /// Returns the name and the span id, for a message.
    pub fn words(&self) -> String {
        format!("`{}` ({})", self.name, hex::encode(&self.span_id))
    }

    /// Returns the value of the first of these attributes that the span has.
    pub fn attribute(&self, names: &[&str]) -> Option<&str> {
        let found = self.attributes.iter().find(|(name, _)| names.contains(&name.as_str()));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns true for a span that begins the work of a service on a request or message.
    pub fn is_entry(&self) -> bool {
        matches!(self.kind, SpanKind::Server | SpanKind::Consumer)
    }

    /// Returns true for a span of a call or a sent message.
    pub fn is_call(&self) -> bool {
        matches!(self.kind, SpanKind::Client | SpanKind::Producer)
    }
}
