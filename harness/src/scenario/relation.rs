//! The relation that a hop must keep: data per hop, the same words over every transport.

/// The relation between the context on the wire and the span of the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Relation {
    /// The receiver's span is a child of the context on the wire.
    Child,
    /// The receiver begins a trace that links to the context on the wire (messaging).
    Link,
    /// Either of the two; the report says which was seen.
    ChildOrLink,
    /// A new trace without a link.
    Restart(RestartSide),
    /// A new trace whose root links to the context that was left.
    RestartWithLink(RestartSide),
    /// Through a forwarder: what goes out is what came in.
    Unchanged,
    /// No context may cross.
    None,
}

/// The side that starts the new trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestartSide {
    /// The context on the wire is already of the new trace.
    Sender,
    /// The context on the wire is of the trace that the receiver leaves.
    Receiver,
}

impl Relation {
    /// Returns the word of the scenario format.
    pub fn word(self) -> &'static str {
        match self {
            Relation::Child => "child",
            Relation::Link => "link",
            Relation::ChildOrLink => "child-or-link",
            Relation::Restart(_) => "restart",
            Relation::RestartWithLink(_) => "restart-with-link",
            Relation::Unchanged => "unchanged",
            Relation::None => "none",
        }
    }

    /// Returns the side that starts a new trace, where the relation demands one.
    pub fn restarts_at(self) -> Option<RestartSide> {
        match self {
            Relation::Restart(at) | Relation::RestartWithLink(at) => Some(at),
            Relation::Child
            | Relation::Link
            | Relation::ChildOrLink
            | Relation::Unchanged
            | Relation::None => None,
        }
    }

    /// Returns whether the receiver must begin a trace of its own.
    pub fn receiver_begins(self) -> bool {
        match self {
            Relation::Link => true,
            Relation::Restart(at) | Relation::RestartWithLink(at) => at == RestartSide::Receiver,
            Relation::Child | Relation::ChildOrLink | Relation::Unchanged | Relation::None => false,
        }
    }

    /// Returns whether the receiver may begin a trace of its own, and so decide about sampling again.
    pub fn receiver_may_begin(self) -> bool {
        match self {
            Relation::ChildOrLink => true,
            Relation::Link
            | Relation::Restart(_)
            | Relation::RestartWithLink(_)
            | Relation::Child
            | Relation::Unchanged
            | Relation::None => self.receiver_begins(),
        }
    }

    /// Returns whether a receiver that begins a trace must link it to the context on the wire.
    pub fn receiver_links(self) -> bool {
        match self {
            Relation::Link | Relation::ChildOrLink => true,
            Relation::RestartWithLink(at) => at == RestartSide::Receiver,
            Relation::Child | Relation::Restart(_) | Relation::Unchanged | Relation::None => false,
        }
    }

    /// Returns whether somebody may leave the trace on this hop, so that `baggage: kept` says something.
    pub fn may_leave_trace(self) -> bool {
        match self {
            Relation::Link | Relation::ChildOrLink | Relation::Restart(_) | Relation::RestartWithLink(_) => {
                true
            }
            Relation::Child | Relation::Unchanged | Relation::None => false,
        }
    }

    /// Returns whether it is a relation of messages, which no request over HTTP or gRPC can keep.
    pub fn needs_message(self) -> bool {
        match self {
            Relation::Link | Relation::ChildOrLink => true,
            Relation::Child
            | Relation::Restart(_)
            | Relation::RestartWithLink(_)
            | Relation::Unchanged
            | Relation::None => false,
        }
    }

    /// Returns whether what a forwarder sends may be declared so.
    pub fn fits_forwarder(self) -> bool {
        match self {
            Relation::Unchanged | Relation::None => true,
            Relation::Child
            | Relation::Link
            | Relation::ChildOrLink
            | Relation::Restart(_)
            | Relation::RestartWithLink(_) => false,
        }
    }
}
