//! The entries of an evidence file, version 1. Text is borrowed from the file or from the evidence.

use serde::{Deserialize, Serialize};

use super::text::Text;

/// A name at a broker that stood for one of the scenario file's.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct NameEntry<'t> {
    pub(super) broker: Text<'t>,
    /// `topic`, `group`, `exchange` or `queue`.
    pub(super) what: Text<'t>,
    pub(super) of: Text<'t>,
    pub(super) own: Text<'t>,
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
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum AnswerEntry<'t> {
    Http(u16),
    Grpc(u32),
    Accepted,
    Failed(Text<'t>),
    TimedOut,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct CaptureEntry<'t> {
    pub(super) from: Text<'t>,
    pub(super) to: Text<'t>,
    pub(super) protocol: Text<'t>,
    /// 1 or 2; 0 for a message.
    pub(super) http: u8,
    pub(super) connection: u32,
    pub(super) stream: u32,
    pub(super) begun_nanos: u64,
    pub(super) ended_nanos: Option<u64>,
    pub(super) method: Text<'t>,
    pub(super) path: Text<'t>,
    /// Name and value; a value that was not kept is `null`.
    pub(super) headers: Vec<(Text<'t>, Option<Text<'t>>)>,
    pub(super) trailers: Vec<(Text<'t>, Option<Text<'t>>)>,
    pub(super) mark: MarkEntry<'t>,
    pub(super) end: EndEntry<'t>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<MessageEntry<'t>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct MessageEntry<'t> {
    /// `published` or `delivered`.
    pub(super) way: Text<'t>,
    pub(super) destination: Text<'t>,
    pub(super) routing_key: Option<Text<'t>>,
    pub(super) reader: Option<Text<'t>>,
    pub(super) id: Option<Text<'t>>,
    pub(super) offset: Option<(i32, i64)>,
    pub(super) deliveries: u32,
    pub(super) moved_from: Option<Text<'t>>,
    pub(super) receive: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<Text<'t>>,
    /// Of each header what its value is on the transport.
    pub(super) kinds: Vec<Text<'t>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum MarkEntry<'t> {
    By(Text<'t>),
    Absent,
    Unreadable(Text<'t>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum EndEntry<'t> {
    Answered { status: u16, grpc_status: Option<u32> },
    Broken(Text<'t>),
    Open,
    Settled(Text<'t>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct SpanEntry<'t> {
    pub(super) node: Text<'t>,
    pub(super) trace_id: Text<'t>,
    pub(super) span_id: Text<'t>,
    pub(super) parent_id: Text<'t>,
    pub(super) flags: u32,
    pub(super) trace_state: Text<'t>,
    pub(super) name: Text<'t>,
    pub(super) kind: Text<'t>,
    pub(super) start_nanos: u64,
    pub(super) end_nanos: u64,
    pub(super) links: Vec<LinkEntry<'t>>,
    pub(super) attributes: Vec<(Text<'t>, Text<'t>)>,
    pub(super) marks: Vec<Text<'t>>,
    pub(super) failed: bool,
    pub(super) service_name: Option<Text<'t>>,
    pub(super) duplicates: u32,
    pub(super) conflicting: bool,
    pub(super) arrived_nanos: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct LinkEntry<'t> {
    pub(super) trace_id: Text<'t>,
    pub(super) span_id: Text<'t>,
    pub(super) flags: u32,
    pub(super) trace_state: Text<'t>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct LogEntry<'t> {
    pub(super) node: Text<'t>,
    pub(super) trace_id: Text<'t>,
    pub(super) span_id: Text<'t>,
    pub(super) flags: u32,
    pub(super) body: Text<'t>,
    pub(super) service_name: Option<Text<'t>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum CompletionEntry<'t> {
    NothingDue,
    Flushed { asked_nanos: u64, answered_nanos: u64 },
    Stopped { asked_nanos: u64, status: Text<'t> },
    Quiet { since_nanos: u64 },
    Unknown(Text<'t>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
pub(super) struct GapEntry<'t> {
    pub(super) at: GapAt<'t>,
    pub(super) what: Text<'t>,
    pub(super) lines: Vec<Text<'t>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound(deserialize = "'de: 't"))]
pub(super) enum GapAt<'t> {
    Run,
    Node(Text<'t>),
    Tap(usize),
    Stimulus(usize),
}
