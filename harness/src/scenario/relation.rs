//! The relation that a hop must keep: data per hop, the same words over every transport.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// The receiver's span is a child of the context on the wire.
    Child,
    /// The receiver begins a trace that links to the context on the wire (messaging).
    Link,
    /// Either of the two; the report says which was seen.
    ChildOrLink,
    /// A new trace without a link.
    Restart(At),
    /// A new trace whose root links to the context that was left.
    RestartWithLink(At),
    /// Through a forwarder: what goes out is what came in.
    Unchanged,
    /// No context may cross.
    None,
}

/// Who begins the new trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// The context on the wire is already of the new trace.
    Sender,
    Receiver,
}

impl Relation {
    /// The word of the scenario format.
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

    pub fn restarts_at(self) -> Option<At> {
        match self {
            Relation::Restart(at) | Relation::RestartWithLink(at) => Some(at),
            _ => None,
        }
    }
}
