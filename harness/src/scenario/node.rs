//! Nodes: the services of a story, with what each declares about itself. What a kind of node needs in order to be
//! started is in `node_kind`.

use super::index::NodeIx;
use super::node_kind::NodeKind;
use crate::source::Place;
use crate::wire::baggage::BaggageEntry;
use crate::wire::{Format, Level};

/// A member of baggage that a node adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedEntry {
    pub key: String,
    /// `None` for `any`.
    pub value: Option<String>,
}

impl AddedEntry {
    /// Returns whether a member on the wire is this one, with its value if it declares one.
    pub fn is(&self, entry: &BaggageEntry) -> bool {
        let value = self.value.as_ref().is_none_or(|value| value.as_bytes() == entry.value);
        value && entry.key == self.key.as_bytes()
    }
}

#[derive(Clone, Debug)]
pub struct Node {
    pub name: String,
    pub place: Place,
    pub kind: NodeKind,
    pub role: Role,
    /// It is a proxy: `gateway:`, or any node with a written `role:`. It passes on the bodies that it receives.
    pub is_gateway: bool,
    /// `strips:`, the fields that it is there to remove.
    pub strips: Vec<StrippedField>,
    /// `adds:`, the headers that it adds to each request that it forwards, in lower case; `tracestate` is its own
    /// member.
    pub adds: Vec<String>,
    /// `trust:`, what a gateway that traces does with the context that comes in.
    pub trust: Trust,
    /// `limits.header-bytes`, the longest field line that it takes, name included.
    pub longest_field_line: Option<u32>,
    /// `service:`, the `service.name` that identifies its spans where a Collector or a `url:` node hides the
    /// endpoint.
    pub service: Option<String>,
    /// `exports-to:`, the collector that its telemetry goes through; otherwise it goes to the sink.
    pub exports_to: Option<NodeIx>,
    /// False for `telemetry: none`: no spans are due from this node.
    pub telemetry: bool,
    /// `tracestate-key:`, the node's own member, which it may change and move to the front.
    pub tracestate_key: Option<String>,
    /// `sets-baggage:`, the keys that the node adds or changes itself.
    pub sets_baggage: Vec<String>,
    /// `adds-baggage:`, the members that must be in everything that the node sends.
    pub adds_baggage: Vec<AddedEntry>,
    pub stop: StopSignal,
    /// The mark by which a capture at this node shows its stimulus.
    pub marker: Option<Marker>,
    /// `formats:`, in which it injects the context; empty where the node does not declare them.
    pub formats: Vec<Format>,
    /// The nodes that are ready before it is started: those of `needs:`, and helpers whose address it is given.
    pub needs: Vec<NodeIx>,
    /// No hop reaches it and another node needs it: a database, a cache, an identity provider. It is not judged.
    pub is_helper: bool,
    /// W3C Trace Context level that the node keeps; level 1 is the default for services.
    pub level: Level,
}

impl Node {
    /// Returns whether spans are due from this node: its kind can export, the scenario does not say that it is silent,
    /// and it takes part in the trace instead of forwarding it.
    pub fn exports_telemetry(&self) -> bool {
        match self.role {
            Role::Participant => self.telemetry && self.kind.can_export_telemetry(),
            Role::Forwarder => false,
        }
    }
}

impl Node {
    /// Returns whether what it receives goes on as it is, with the instruction of a relay in it.
    pub fn passes_bodies(&self) -> bool {
        self.role == Role::Forwarder || self.is_gateway && !self.kind.keeps_relay_contract()
    }
}

/// Participant: traces. Forwarder: passes the context through unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Participant,
    Forwarder,
}

impl Role {
    pub const ALL: &'static [Role] = &[Role::Participant, Role::Forwarder];

    pub fn word(self) -> &'static str {
        match self {
            Role::Participant => "participant",
            Role::Forwarder => "forwarder",
        }
    }
}

/// The use that a gateway that traces makes of the context that comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    #[default]
    Continue,
    /// It starts a new trace with each request.
    Restart,
    /// It does not read the context and passes it through: it is judged as a forwarder.
    Ignore,
}

impl Trust {
    pub const ALL: &'static [Trust] = &[Trust::Continue, Trust::Restart, Trust::Ignore];

    pub fn word(self) -> &'static str {
        match self {
            Trust::Continue => "continue",
            Trust::Restart => "restart",
            Trust::Ignore => "ignore",
        }
    }

    /// Returns the trust of a word.
    pub fn of(word: &str) -> Option<Trust> {
        Trust::ALL.iter().copied().find(|trust| trust.word() == word)
    }
}

/// A field that a gateway must not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrippedField {
    Baggage,
}

impl StrippedField {
    pub const ALL: &'static [StrippedField] = &[StrippedField::Baggage];

    pub fn word(self) -> &'static str {
        match self {
            StrippedField::Baggage => "baggage",
        }
    }

    /// Returns the field of a word.
    pub fn of(word: &str) -> Option<StrippedField> {
        StrippedField::ALL.iter().copied().find(|field| field.word() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    Terminate,
    Interrupt,
}

/// The place of the stimulus's mark in a capture whose body is not a relay instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marker {
    /// The value of this header field.
    Header(String),
    /// A segment of the path, wherever it stands.
    Path,
    /// This member of a JSON body (dots go deeper).
    Body(String),
    /// The value of this query parameter.
    Query(String),
}
