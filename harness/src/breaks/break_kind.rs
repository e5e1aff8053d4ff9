//! The kinds of breaks: each class with the ways in which it shows.
//!
//! A kind is what breaks are grouped and notes are counted by, so it holds nothing that differs from one crossing to
//! the next; those values stand in `Break`.

use super::Class;
use crate::crossings::ContextField;
use crate::scenario::{HopIx, TraceFate};
use crate::wire::Format;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakKind {
    NotCrossed(Miss),
    /// A gateway answered a request with an error in place of forwarding it.
    Refused,
    PreflightRefused,
    Leaked(LeakedField),
    BaggageLeaked,
    NotInjected,
    Malformed {
        field: ContextField,
        how: Malformation,
    },
    Duplicated(Duplication),
    Swapped(Swap),
    Joined(Join),
    Restarted(Restart),
    PassedThrough,
    Reparented(Reparent),
    /// A flag that was set or cleared.
    FlagChanged {
        flag: Flag,
        set: bool,
    },
    TracestateLeaked,
    TracestateAltered(MemberChange),
    TracestateCut,
    TracestateLost,
    TracestateReordered(Reorder),
    BaggageLost(BaggageLoss),
    BaggageAltered(MemberChange),
    LinkMissing(LinkOwner),
    LinkWrong(WrongLink),
    Stripped(ContextFields),
    Altered(ContextFields),
    NotAdded,
    Adopted,
    SampledOut(UnexportedSpan),
    NotExported(Silence),
    NotExtracted(Extraction),
    SampledIn(SurplusSpan),
    TelemetryDiffers(ReportedField),
    SpanIdRepeated,
    SpanMalformed(SpanDefect),
    ParentMissing,
    KindWrong,
    TimeInverted,
    ResourceMissing,
    LogUncorrelated(LogDefect),
    ContractBroken(ContractDefect),
    Undeclared,
    /// A part of a trace arrived that had this fate.
    TraceSplit(TraceFate),
    TraceDropped,
    TraceKept,
    CollectorAltered(AlteredPart),
}

/// The part of a span that a collector changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlteredPart {
    TraceId,
    /// A span left that did not come in.
    SpanId,
    ParentId,
    Flags,
    Links,
    TraceState,
}

/// The way in which a hop's count is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Miss {
    /// A capture is there that may be the one that is missing.
    Unattributed,
    /// Spans of the receiver show that it was called, past the tap.
    PastTheTap,
    /// The sender already ran, so the address of the tap may not have reached it.
    PerhapsPastTheTap,
    /// A message that its reader gave up was not moved to the dead-letter queue.
    NotMoved,
    NoMessage,
    NoCall,
    /// More calls than declared.
    TooOften,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeakedField {
    Context(ContextFields),
    Other(Format),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Malformation {
    /// Its key, type or encoding is not what readers of the transport take.
    Unreadable,
    /// It does not parse.
    Unparsable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaggageLoss {
    /// Members that came in.
    Dropped,
    /// Members that `adds-baggage:` declares.
    NotAdded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duplication {
    /// Several values of a single-value field.
    Differing(ContextField),
    Identical(ContextField),
    /// A message that was sent once too often.
    Message,
    /// Formats of one request that carry different contexts.
    Formats,
    /// Headers and body, which carries the context, are of different traces.
    BesideBody,
    /// Fields that an intermediary doubled.
    Onward(ContextFields),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Swap {
    /// The sender injected these fields of another stimulus.
    Injected(ContextFields),
    /// The receiver continued the context of another stimulus, or linked to it.
    Extracted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Join {
    /// The sender stayed in the trace that it had to leave.
    SenderStayed,
    /// The sender injected a trace that was left at an earlier hop.
    SenderReturned,
    ReceiverStayed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Restart {
    /// Between what the sender received and what it sent.
    InsideSender,
    /// At the sender's entry or behind it: no span shows which.
    AtOrAfterEntry,
    /// The receiver linked to what it had to continue.
    LinkedByReceiver,
    BeforeItsHop(HopIx),
}

/// A span under the wrong parent, or the wrong span on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reparent {
    /// The span of the call is known, and this is on the wire instead.
    WrongSpan(WrongSpan),
    /// The span on the wire does not stand below the incoming one.
    Detached,
    /// A retry under the span of the first attempt.
    RetryUnderOneSpan,
    /// Several calls under one span.
    CallsUnderOneSpan,
    /// No span for the call, and a span of another kind on the wire.
    NoCallSpan,
    /// An INTERNAL span around the call started after the context was injected.
    BeforeInnerSpan,
    /// The receiver's span is not under the parent that arrived.
    WrongParent,
    /// The root of a new trace has a parent.
    RootWithParent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WrongSpan {
    /// No span has the id.
    Unknown,
    OfAnotherMessage,
    OfAnotherCall,
    OfAnotherKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    Sampled,
    Random,
    Undefined,
    /// Debug (B3, Jaeger).
    Debug,
    /// The decision itself, which a deferred context leaves to the receiver.
    Decision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberChange {
    Doubled,
    Changed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reorder {
    /// Members that came in have another order.
    Received,
    /// A new member stands behind those that came in.
    NewBehind,
}

/// The span that has no link: of a new trace that this node began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkOwner {
    SendersRoot,
    ReceiversSpan,
    /// The receiver's span was not exported; the root of what it sent is.
    ReceiversRoot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WrongLink {
    SendersRoot,
    /// To something that did not arrive, in place of what did.
    Instead,
    /// To something that did not arrive, beside what did.
    Beside,
    /// To what arrived, more than once.
    Doubled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnexportedSpan {
    /// The sender's span whose id is on the wire.
    OnTheWire,
    /// The receiver's span for what it received.
    Incoming,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Silence {
    NoIncomingSpan,
    /// Behind `tap: none`: no span in the trace, and nothing saw what was sent.
    Untapped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extraction {
    /// A tap saw the context that the receiver did not continue.
    Seen,
    /// The driver sent a context; no tap saw it.
    SentByDriver,
    /// The context may not have been injected: no tap saw it.
    PerhapsNotInjected,
    /// The receiver made no span for it, and each of its calls begins a trace.
    Uninstrumented,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SurplusSpan {
    /// The root sampler had to say no.
    AgainstRoot,
    /// For something that arrived unsampled.
    Incoming,
    /// Another span in an unsampled trace.
    Other,
}

/// A field that a span reports differently from the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportedField {
    TraceId,
    SampledFlag,
    TraceState,
    RemoteBit,
    Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpanDefect {
    TraceId,
    SpanId,
    OwnParent,
    ParentId,
    /// Spans that stand below each other.
    Cycle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogDefect {
    NoIds,
    /// In a trace that is not of the story.
    ForeignTrace,
    /// In the span of another request.
    ForeignSpan,
    UnexportedSpan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContractDefect {
    ServiceName,
    /// Spans came after the flush was answered.
    ExportAfterFlush,
    /// Of several values of a field it takes now one and now another.
    VaryingValue,
}

/// Some of the fields of a context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextFields(u8);

impl ContextFields {
    pub fn of(field: ContextField) -> ContextFields {
        ContextFields(1 << field as u8)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn contains(self, field: ContextField) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    pub fn insert(&mut self, field: ContextField) {
        self.0 |= 1 << field as u8;
    }

    pub fn iter(self) -> impl Iterator<Item = ContextField> {
        ContextField::ALL.into_iter().filter(move |field| self.contains(*field))
    }
}

impl BreakKind {
    /// Returns the fields that an intermediary stripped, changed or doubled.
    pub fn fields(self) -> Option<ContextFields> {
        if let BreakKind::Stripped(fields)
        | BreakKind::Altered(fields)
        | BreakKind::Duplicated(Duplication::Onward(fields)) = self
        {
            return Some(fields);
        }
        None
    }

    pub fn class(self) -> Class {
        match self {
            BreakKind::NotCrossed(_) => Class::NotCrossed,
            BreakKind::Refused | BreakKind::PreflightRefused => Class::Refused,
            BreakKind::Leaked(_) => Class::Leaked,
            BreakKind::BaggageLeaked => Class::BaggageLeaked,
            BreakKind::NotInjected => Class::NotInjected,
            BreakKind::Malformed { .. } => Class::Malformed,
            BreakKind::Duplicated(_) => Class::Duplicated,
            BreakKind::Swapped(_) => Class::Swapped,
            BreakKind::Joined(_) => Class::Joined,
            BreakKind::Restarted(_) => Class::Restarted,
            BreakKind::PassedThrough => Class::PassedThrough,
            BreakKind::Reparented(_) => Class::Reparented,
            BreakKind::FlagChanged { .. } => Class::FlagChanged,
            BreakKind::TracestateLeaked => Class::TracestateLeaked,
            BreakKind::TracestateAltered(_) => Class::TracestateAltered,
            BreakKind::TracestateCut => Class::TracestateCut,
            BreakKind::TracestateLost => Class::TracestateLost,
            BreakKind::TracestateReordered(_) => Class::TracestateReordered,
            BreakKind::BaggageLost(_) => Class::BaggageLost,
            BreakKind::BaggageAltered(_) => Class::BaggageAltered,
            BreakKind::LinkMissing(_) => Class::LinkMissing,
            BreakKind::LinkWrong(_) => Class::LinkWrong,
            BreakKind::Stripped(_) => Class::Stripped,
            BreakKind::Altered(_) => Class::Altered,
            BreakKind::NotAdded => Class::NotAdded,
            BreakKind::Adopted => Class::Adopted,
            BreakKind::SampledOut(_) => Class::SampledOut,
            BreakKind::NotExported(_) => Class::NotExported,
            BreakKind::NotExtracted(_) => Class::NotExtracted,
            BreakKind::SampledIn(_) => Class::SampledIn,
            BreakKind::TelemetryDiffers(_) => Class::TelemetryDiffers,
            BreakKind::SpanIdRepeated => Class::SpanIdRepeated,
            BreakKind::SpanMalformed(_) => Class::SpanMalformed,
            BreakKind::ParentMissing => Class::ParentMissing,
            BreakKind::KindWrong => Class::KindWrong,
            BreakKind::TimeInverted => Class::TimeInverted,
            BreakKind::ResourceMissing => Class::ResourceMissing,
            BreakKind::LogUncorrelated(_) => Class::LogUncorrelated,
            BreakKind::ContractBroken(_) => Class::ContractBroken,
            BreakKind::Undeclared => Class::Undeclared,
            BreakKind::TraceSplit(_) => Class::TraceSplit,
            BreakKind::TraceDropped => Class::TraceDropped,
            BreakKind::TraceKept => Class::TraceKept,
            BreakKind::CollectorAltered(_) => Class::CollectorAltered,
        }
    }
}
