//! The entries of an evidence file, version 1.

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExchangeEntry {
    pub(super) stimulus: usize,
    pub(super) sent_nanos: u64,
    pub(super) answered_nanos: Option<u64>,
    pub(super) answer: AnswerEntry,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AnswerEntry {
    Http(u16),
    Grpc(u32),
    Failed(String),
    TimedOut,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptureEntry {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) protocol: String,
    pub(super) http: u8,
    pub(super) connection: u32,
    pub(super) stream: u32,
    pub(super) begun_nanos: u64,
    pub(super) ended_nanos: Option<u64>,
    pub(super) method: String,
    pub(super) path: String,
    /// Name and value; a value that was not kept is `null`.
    pub(super) headers: Vec<(String, Option<String>)>,
    pub(super) trailers: Vec<(String, Option<String>)>,
    pub(super) mark: MarkEntry,
    pub(super) end: EndEntry,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MarkEntry {
    By(String),
    Absent,
    Unreadable(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EndEntry {
    Answered { status: u16, grpc_status: Option<u32> },
    Broken(String),
    Open,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpanEntry {
    pub(super) node: String,
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) parent_id: String,
    pub(super) flags: u32,
    pub(super) trace_state: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) start_nanos: u64,
    pub(super) end_nanos: u64,
    pub(super) links: Vec<LinkEntry>,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) marks: Vec<String>,
    pub(super) failed: bool,
    pub(super) service_name: Option<String>,
    pub(super) duplicates: u32,
    pub(super) conflicting: bool,
    pub(super) arrived_nanos: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkEntry {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) flags: u32,
    pub(super) trace_state: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogEntry {
    pub(super) node: String,
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) flags: u32,
    pub(super) body: String,
    pub(super) service_name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CompletionEntry {
    NothingDue,
    Flushed { asked_nanos: u64, answered_nanos: u64 },
    Stopped { asked_nanos: u64, status: String },
    Quiet { since_nanos: u64 },
    Unknown(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GapEntry {
    pub(super) at: GapAt,
    pub(super) what: String,
    pub(super) lines: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GapAt {
    Run,
    Node(String),
    Tap(usize),
    Stimulus(usize),
}
