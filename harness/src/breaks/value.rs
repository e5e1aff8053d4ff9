//! The values on both sides of a break: what was expected, and what was there.
//!
//! Values are indices, ids and shared lists. Their words are made in `rules::wording`, their JSON in `report::json`.

use std::sync::Arc;

use super::Flag;
use super::break_kind::AlteredPart;
use crate::crossings::{CarriedContext, Misfit};
use crate::evidence::{CaptureIx, CollectorSpanIx, SpanIx};
use crate::plan::StimulusIx;
use crate::wire::baggage::BaggageEntry;
use crate::wire::tracestate::RawMember;
use crate::wire::{Decision, Flags, Format, Refusal, SpanId, TraceId};

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The kind of the break says it all.
    Implied,
    /// No propagation field.
    NoField,
    NoSpan,
    /// A `traceparent`, in this trace where one is known.
    Context(Option<TraceId>),
    NewTrace,
    Trace(TraceId),
    /// A trace that is of this stimulus.
    TraceOf(TraceId, StimulusIx),
    ParentId(SpanId),
    /// Some id as it stands in an invalid `traceparent` or in a span.
    Id(Vec<u8>),
    Flag {
        flag: Flag,
        set: bool,
    },
    Flags(Flags),
    /// The decision in a format that has no trace flags.
    Decision(Decision),
    /// The list that this stimulus carried.
    ListOf(StimulusIx),
    /// Only fields of these formats.
    Formats(Vec<Format>),
    /// A different context in each of these formats.
    DifferentContexts(Format, Format),
    Misfit(Misfit),
    Refusal(Refusal),
    /// The number of copies of a field.
    Copies(usize),
    Members(List<RawMember>),
    Entries(List<BaggageEntry>),
    /// Header fields with these names.
    Headers(Vec<String>),
    /// The answer to a preflight, with all that it allows; index into `Evidence::preflights`.
    Preflight(usize),
    /// The values of the fields concerned, as this capture has them.
    AsIn(CaptureIx),
    /// This span, where it stands.
    Span(SpanIx),
    /// This span, and its trace is of this stimulus.
    SpanOf(SpanIx, StimulusIx),
    /// A span under this context.
    SpanUnder(CarriedContext),
    /// A span in this trace.
    SpanIn(TraceId),
    /// A span with a link to this span.
    LinkToSpan(SpanIx),
    /// A span with a link to this trace.
    LinkToTrace(TraceId),
    /// So many links, one of them to this context.
    LinksDue {
        count: usize,
        to: CarriedContext,
    },
    /// So many links, and how many of them to the context that is due.
    Links {
        count: usize,
        due: usize,
    },
    Crossings(u32),
    AtMost(u32),
    Request(CaptureIx),
    /// Index into `Evidence::logs`.
    LogRecord(usize),
    /// So many spans of a trace behind the collectors.
    SpansArrived {
        arrived: usize,
        of: usize,
    },
    /// A part of a span as its node exported it.
    PartOf(AlteredPart, SpanIx),
    /// The same part as it left a collector.
    PartBehindCollector(AlteredPart, CollectorSpanIx),
}

impl Value {
    /// Returns the stimulus that the value is of.
    pub fn owner(&self) -> Option<StimulusIx> {
        if let Value::TraceOf(_, owner) | Value::ListOf(owner) | Value::SpanOf(_, owner) = self {
            return Some(*owner);
        }
        None
    }

    /// Returns the names of header fields that it stands for.
    pub fn header_names(&self) -> &[String] {
        if let Value::Headers(names) = self { names } else { &[] }
    }

    pub fn span(&self) -> Option<SpanIx> {
        if let Value::Span(span) = self { Some(*span) } else { None }
    }

    pub fn flags(&self) -> Option<Flags> {
        if let Value::Flags(flags) = self { Some(*flags) } else { None }
    }

    /// Returns the index into `Evidence::logs`.
    pub fn log_record(&self) -> Option<usize> {
        if let Value::LogRecord(ix) = self { Some(*ix) } else { None }
    }

    /// Returns the members of a list that a break is about, as they are on the wire.
    pub fn concerned(&self) -> impl Iterator<Item = &[u8]> {
        let members = if let Value::Members(list) = self { Some(list) } else { None };
        let entries = if let Value::Entries(list) = self { Some(list) } else { None };
        let members = members.into_iter().flat_map(List::concerned).map(|member| member.bytes.as_slice());
        members.chain(entries.into_iter().flat_map(List::concerned).map(|entry| entry.raw.as_slice()))
    }
}

/// A list of members, and the places of those in it that are concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct List<M> {
    pub members: Arc<[M]>,
    pub concerned: Vec<usize>,
}

impl<M> List<M> {
    /// Returns a list of which no member in particular is concerned.
    pub fn whole(members: Arc<[M]>) -> List<M> {
        List { members, concerned: Vec::new() }
    }

    pub fn concerned(&self) -> impl Iterator<Item = &M> {
        self.concerned.iter().filter_map(|at| self.members.get(*at))
    }
}
