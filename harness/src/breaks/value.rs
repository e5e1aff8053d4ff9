//! The values on both sides of a break: what was expected, and what was there.
//!
//! Values are indices, ids and shared lists. Their words are made in `rules::wording`, their JSON in `report::json`.

use std::sync::Arc;

use super::Flag;
use crate::crossings::Misfit;
use crate::evidence::{CaptureIx, SpanIx};
use crate::plan::StimulusIx;
use crate::wire::baggage::BaggageEntry;
use crate::wire::tracestate::RawMember;
use crate::wire::{Flags, Format, Refusal, SpanId, TraceId, TraceParent};

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
    /// The list that this stimulus carried.
    ListOf(StimulusIx),
    /// Only fields of these formats.
    Formats(Vec<Format>),
    Misfit(Misfit),
    Refusal(Refusal),
    /// How often a field stands there.
    Copies(usize),
    Members(List<RawMember>),
    Entries(List<BaggageEntry>),
    /// The values of the fields concerned, as this capture has them.
    AsIn(CaptureIx),
    /// This span, where it stands.
    Span(SpanIx),
    /// This span, and its trace is of this stimulus.
    SpanOf(SpanIx, StimulusIx),
    /// A span under this context.
    SpanUnder(TraceParent),
    /// A span in this trace.
    SpanIn(TraceId),
    /// A span with a link to this span.
    LinkToSpan(SpanIx),
    /// A span with a link to this trace.
    LinkToTrace(TraceId),
    /// So many links, one of them to this context.
    LinksDue {
        count: usize,
        to: TraceParent,
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
}

/// A list of members, and the places of those in it that are concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct List<M> {
    pub members: Arc<[M]>,
    pub concerned: Vec<usize>,
}

impl<M> List<M> {
    /// A list of which no member in particular is concerned.
    pub fn whole(members: Arc<[M]>) -> List<M> {
        List { members, concerned: Vec::new() }
    }

    pub fn concerned(&self) -> impl Iterator<Item = &M> {
        self.concerned.iter().filter_map(|at| self.members.get(*at))
    }
}
