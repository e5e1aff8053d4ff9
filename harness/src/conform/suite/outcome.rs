//! The outcomes that a vector allows.

use super::notation::{RequestIds, Text};
use crate::wire::Format;

/// One outcome that is allowed.
#[derive(Clone, Debug)]
pub struct AllowedOutcome {
    /// The name in the report: the kind, or the author's own word where several outcomes are allowed.
    pub name: String,
    pub kind: OutcomeKind,
    /// The formats of the context that goes out: each of them must carry it.
    pub formats: Vec<Format>,
    pub demands: Demands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// The trace is continued: the trace id that was sent, with a new parent id.
    Continue,
    /// A new trace: a trace id that has nothing to do with what was sent, and no tracestate of it.
    Restart,
    /// Every propagation field that was sent goes out byte for byte, and no other.
    PassThrough,
    /// No propagation field goes out.
    Nothing,
    /// The request is answered with a status from 400 to 499, and no call is made.
    Refuse,
}

impl OutcomeKind {
    pub const ALL: &'static [OutcomeKind] = &[
        OutcomeKind::Continue,
        OutcomeKind::Restart,
        OutcomeKind::PassThrough,
        OutcomeKind::Nothing,
        OutcomeKind::Refuse,
    ];

    pub fn word(self) -> &'static str {
        match self {
            OutcomeKind::Continue => "continue",
            OutcomeKind::Restart => "restart",
            OutcomeKind::PassThrough => "pass-through",
            OutcomeKind::Nothing => "nothing",
            OutcomeKind::Refuse => "refuse",
        }
    }
}

/// The demands of an outcome besides its kind. `None` is not checked.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The trace id that is continued, where it is not the minted one.
    pub trace_id: Option<Text>,
    /// The parent id that was sent, where it is not the minted one.
    pub parent_id: Option<Text>,
    /// Exactly these of the members that were sent, in this order. The target may add members to the left of them.
    pub tracestate: Option<ListDemand>,
    /// Exactly these of the members that were sent, in any order. The target may add members.
    pub baggage: Option<ListDemand>,
    /// The parent id is that of the context that is continued: no span stands between.
    pub keeps_parent: bool,
    /// These members of tracestate that were not sent, in this order.
    pub own_tracestate: Vec<Text>,
    /// These members of baggage that were not sent, each once.
    pub own_baggage: Vec<Text>,
    /// Keys that no member of tracestate has.
    pub lacks: Vec<Text>,
    pub set: Vec<ContextFlag>,
    pub clear: Vec<ContextFlag>,
    /// Names of fields that must not be sent.
    pub without: Vec<String>,
    /// No context in another format is sent.
    pub alone: bool,
    /// Fields that must be sent with this value.
    pub fields: Vec<(Text, Text)>,
    /// Texts that the value of a field must have in it, each with the name of its field.
    pub holds: Vec<(Text, Text)>,
    /// Keys of tracestate with the entries, each `key:value`, that their value must have.
    pub entries: Vec<(Text, Vec<Text>)>,
    /// Keys of tracestate with the keys of entries that their value must not have.
    pub lacks_entries: Vec<(Text, Vec<Text>)>,
    /// The key of the left-most member of tracestate.
    pub first: Option<Text>,
}

impl Demands {
    /// Returns the keys of tracestate whose values are demanded entry by entry.
    pub fn changed_keys(&self, minted: &RequestIds) -> Vec<Vec<u8>> {
        self.entries.iter().chain(&self.lacks_entries).map(|(key, _)| key.fill(minted)).collect()
    }
}

/// The members of a list that go out.
#[derive(Clone, Debug)]
pub enum ListDemand {
    /// These, as they stand on the wire; a text with commas in it stands for several.
    Exactly(Vec<Text>),
    /// Any of those that were sent, in their order, each whole.
    Some,
}

/// A trace flag, the flags without a meaning, or the debug flag of B3 and Jaeger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextFlag {
    Sampled,
    Random,
    /// The bits that level 2 gives no meaning to.
    Undefined,
    /// B3 and Jaeger only.
    Debug,
}

impl ContextFlag {
    pub const ALL: &'static [ContextFlag] =
        &[ContextFlag::Sampled, ContextFlag::Random, ContextFlag::Undefined, ContextFlag::Debug];

    pub fn word(self) -> &'static str {
        match self {
            ContextFlag::Sampled => "sampled",
            ContextFlag::Random => "random",
            ContextFlag::Undefined => "undefined",
            ContextFlag::Debug => "debug",
        }
    }

    /// Returns the bits of `traceparent`.
    pub fn bits(self) -> u8 {
        match self {
            ContextFlag::Sampled => 0x01,
            ContextFlag::Random => 0x02,
            ContextFlag::Undefined => 0xfc,
            ContextFlag::Debug => 0,
        }
    }
}

/// The first difference between the bytes that came out and the expected ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDifference {
    /// The field, in lower case.
    pub field: String,
    /// The expected bytes, if they are known beforehand.
    pub expected: Option<Vec<u8>>,
    pub actual: Vec<u8>,
    /// Bytes of `actual`.
    pub caret: std::ops::Range<usize>,
}
