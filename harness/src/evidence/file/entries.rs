//! The entries of an evidence file, version 1. Text is borrowed from the file or from the evidence.

use serde::{Deserialize, Serialize};

use super::text::FileText;

/// A name at a broker in place of a name of the scenario file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct NameEntry<'t> {
    pub(super) broker: FileText<'t>,
    /// `topic`, `group`, `exchange` or `queue`.
    pub(super) what: FileText<'t>,
    pub(super) of: FileText<'t>,
    pub(super) own: FileText<'t>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct ExchangeEntry<'t> {
    pub(super) stimulus: usize,
    pub(super) sent_nanos: u64,
    pub(super) answered_nanos: Option<u64>,
    pub(super) answer: AnswerEntry<'t>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct PreflightEntry<'t> {
    pub(super) drive: usize,
    pub(super) answer: AnswerEntry<'t>,
    pub(super) allowed_origins: Vec<FileText<'t>>,
    pub(super) allowed_headers: Vec<FileText<'t>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum AnswerEntry<'t> {
    Http(u16),
    Grpc(u32),
    Accepted,
    Failed(FileText<'t>),
    TimedOut,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct CaptureEntry<'t> {
    pub(super) from: FileText<'t>,
    pub(super) to: FileText<'t>,
    pub(super) protocol: FileText<'t>,
    /// 1 or 2; 0 for a message.
    pub(super) http: u8,
    pub(super) connection: u32,
    pub(super) stream: u32,
    pub(super) begun_nanos: u64,
    pub(super) ended_nanos: Option<u64>,
    pub(super) method: FileText<'t>,
    pub(super) path: FileText<'t>,
    /// Name and value; a value that was not kept is `null`.
    pub(super) headers: Vec<(FileText<'t>, Option<FileText<'t>>)>,
    pub(super) trailers: Vec<(FileText<'t>, Option<FileText<'t>>)>,
    pub(super) mark: MarkEntry<'t>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) further_marks: Vec<FileText<'t>>,
    pub(super) end: EndEntry<'t>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<MessageEntry<'t>>,
    /// The type of each header of a call, where one is not text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) kinds: Vec<FileText<'t>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct MessageEntry<'t> {
    /// `published` or `delivered`.
    pub(super) way: FileText<'t>,
    pub(super) destination: FileText<'t>,
    pub(super) routing_key: Option<FileText<'t>>,
    pub(super) reader: Option<FileText<'t>>,
    pub(super) id: Option<FileText<'t>>,
    pub(super) offset: Option<(i32, i64)>,
    pub(super) deliveries: u32,
    pub(super) moved_from: Option<FileText<'t>>,
    pub(super) receive: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<FileText<'t>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) not_requested: Vec<FileText<'t>>,
    /// The type of the value of each header on the transport.
    pub(super) kinds: Vec<FileText<'t>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum MarkEntry<'t> {
    By(FileText<'t>),
    Absent,
    Unreadable(FileText<'t>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum EndEntry<'t> {
    Answered { status: u16, grpc_status: Option<u32> },
    Broken(FileText<'t>),
    Open,
    Settled(FileText<'t>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct SpanEntry<'t> {
    pub(super) node: FileText<'t>,
    pub(super) trace_id: FileText<'t>,
    pub(super) span_id: FileText<'t>,
    pub(super) parent_id: FileText<'t>,
    pub(super) flags: u32,
    pub(super) trace_state: FileText<'t>,
    pub(super) name: FileText<'t>,
    pub(super) kind: FileText<'t>,
    pub(super) start_nanos: u64,
    pub(super) end_nanos: u64,
    pub(super) links: Vec<LinkEntry<'t>>,
    pub(super) attributes: Vec<(FileText<'t>, FileText<'t>)>,
    pub(super) marks: Vec<FileText<'t>>,
    pub(super) failed: bool,
    pub(super) service_name: Option<FileText<'t>>,
    pub(super) duplicates: u32,
    pub(super) conflicting: bool,
    pub(super) arrived_nanos: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct CollectorSpanEntry<'t> {
    /// The collector that exported it.
    pub(super) from: FileText<'t>,
    /// The collector that it went to; absent for the sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<FileText<'t>>,
    pub(super) trace_id: FileText<'t>,
    pub(super) span_id: FileText<'t>,
    pub(super) parent_id: FileText<'t>,
    pub(super) flags: u32,
    pub(super) trace_state: FileText<'t>,
    pub(super) name: FileText<'t>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) links: Vec<LinkEntry<'t>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct LinkEntry<'t> {
    pub(super) trace_id: FileText<'t>,
    pub(super) span_id: FileText<'t>,
    pub(super) flags: u32,
    pub(super) trace_state: FileText<'t>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct LogEntry<'t> {
    pub(super) node: FileText<'t>,
    pub(super) trace_id: FileText<'t>,
    pub(super) span_id: FileText<'t>,
    pub(super) flags: u32,
    pub(super) body: FileText<'t>,
    pub(super) service_name: Option<FileText<'t>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) written_nanos: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum CompletionEntry<'t> {
    NothingDue,
    Flushed { asked_nanos: u64, answered_nanos: u64 },
    Stopped { asked_nanos: u64, status: FileText<'t> },
    Ordered { asked_nanos: u64, answered_nanos: u64, process: FileText<'t> },
    Quiet { since_nanos: u64 },
    Unknown(FileText<'t>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct GapEntry<'t> {
    pub(super) at: GapAt<'t>,
    pub(super) what: FileText<'t>,
    pub(super) lines: Vec<FileText<'t>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum GapAt<'t> {
    Run,
    Node(FileText<'t>),
    DeadNode(FileText<'t>),
    Tap(usize),
    UnreachableReceiver(usize),
    Stimulus(usize),
}
