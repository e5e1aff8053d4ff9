//! Spans and log records as a node exported them; the endpoint at which they arrived identifies the node.

use compact_str::CompactString;

use super::IdBytes;
use crate::plan::Mark;
use crate::scenario::NodeIx;

/// Index into `Evidence::spans`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanIx(pub usize);

/// An exported span. Ids are bytes as exported: a wrong length is evidence too.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    pub node: NodeIx,
    pub trace_id: IdBytes,
    pub span_id: IdBytes,
    /// Empty for a root.
    pub parent_id: IdBytes,
    /// OTLP `Span.flags`: bits 0 to 7 W3C flags, bit 8 has-is-remote, bit 9 is-remote.
    pub flags: u32,
    pub trace_state: CompactString,
    pub name: CompactString,
    pub kind: SpanKind,
    pub start_nanos: u64,
    pub end_nanos: u64,
    pub links: Vec<Link>,
    /// The attributes that identify the call of a span; values as text. See `Span::KEPT_ATTRIBUTES`.
    pub attributes: Vec<(CompactString, CompactString)>,
    /// `unbroken.mark`, one or several.
    pub marks: Vec<Mark>,
    /// The span ended in an error.
    pub failed: bool,
    pub service_name: Option<CompactString>,
    /// The number of further identical copies.
    pub duplicates: u32,
    /// A span with the same ids and different content arrived.
    pub conflicting: bool,
    /// Since the start of the case.
    pub arrived_nanos: u64,
}

impl Span {
    /// Kept of the resource of a span, beside its own attributes.
    pub const SDK_LANGUAGE: &'static str = "telemetry.sdk.language";

    /// The only attributes that evidence keeps (OpenTelemetry semantic conventions, current and former names).
    pub const KEPT_ATTRIBUTES: &'static [&'static str] = &[
        "http.request.method",
        "http.method",
        "url.path",
        "url.full",
        "http.target",
        "http.url",
        "http.route",
        "http.response.status_code",
        "http.status_code",
        "http.request.resend_count",
        "server.address",
        "server.port",
        "net.peer.name",
        "net.peer.port",
        "rpc.system",
        "rpc.system.name",
        "rpc.service",
        "rpc.method",
        "messaging.system",
        "messaging.destination.name",
        "messaging.destination",
        "messaging.operation",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.message.id",
        "messaging.message_id",
        "messaging.kafka.offset",
        "messaging.kafka.message.offset",
        "messaging.destination.partition.id",
        "messaging.kafka.destination.partition",
        "messaging.kafka.source.partition",
        "messaging.kafka.partition",
        "messaging.batch.message_count",
        "messaging.consumer.group.name",
        "messaging.rabbitmq.destination.routing_key",
    ];
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub trace_id: IdBytes,
    pub span_id: IdBytes,
    pub flags: u32,
    pub trace_state: CompactString,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl SpanKind {
    const ALL: [SpanKind; 6] = [
        SpanKind::Unspecified,
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ];

    /// Returns the name that OpenTelemetry uses.
    pub fn word(self) -> &'static str {
        match self {
            SpanKind::Unspecified => "UNSPECIFIED",
            SpanKind::Internal => "INTERNAL",
            SpanKind::Server => "SERVER",
            SpanKind::Client => "CLIENT",
            SpanKind::Producer => "PRODUCER",
            SpanKind::Consumer => "CONSUMER",
        }
    }

    pub fn from_word(word: &str) -> Option<SpanKind> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    pub node: NodeIx,
    /// Empty for a record without a trace id.
    pub trace_id: IdBytes,
    pub span_id: IdBytes,
    pub flags: u32,
    /// The body, if it is a text that the harness instructed a relay to log; otherwise empty.
    pub body: String,
    pub service_name: Option<CompactString>,
    /// By the clock of its node, as the times of spans.
    pub written_nanos: Option<u64>,
}
