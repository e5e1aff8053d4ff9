//! The context that is expected of each crossing, re-based after each on what was carried and what the
//! receiver did.
//!
//! `None` means: not known, the next wire will say. So a break is found once, at the crossing where it
//! happened.

use std::sync::Arc;

use super::carried::Lists;
use super::hashing::IdMap;
use super::trace_owner::minted;
use super::{Carried, Crossing, CrossingIx, Crossings, Nature};
use crate::evidence::Span;
use crate::plan::{Stimulus, StimulusIx};
use crate::scenario::{Hop, NodeIx, Relation, RestartSide};
use crate::wire::baggage::BaggageEntry;
use crate::wire::tracestate::RawMember;
use crate::wire::{TraceId, TraceParent};

/// What a crossing should carry.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    pub trace: Option<TraceId>,
    pub sampled: Option<bool>,
    /// The random flag; asked for at level 2 only.
    pub random: Option<bool>,
    pub members: Option<Arc<[RawMember]>>,
    pub entries: Option<Arc<[BaggageEntry]>>,
    /// The trace was begun at a link, a batch or a restart.
    pub begun: bool,
    /// Traces that were left before.
    pub left: Vec<TraceId>,
    /// Members of tracestate that belong to a trace that was left.
    pub left_members: Vec<RawMember>,
}

pub fn carry(all: &mut Crossings<'_>) {
    let mut after: IdMap<CrossingIx, Expected> = IdMap::default();
    let mut starts: IdMap<usize, Expected> = IdMap::default();
    let minted: IdMap<TraceId, StimulusIx> = minted(all).collect();
    let mut learned: IdMap<TraceId, StimulusIx> = IdMap::default();
    for ix in causes_first(all) {
        let crossing = CrossingIx(ix);
        let stimulus = all.list[ix].stimulus;
        // Nobody sent it anew: what is expected is what was due when it was sent.
        if let Some(origin) = origin(all, crossing) {
            let due = all.list[origin.0].due.clone();
            after.insert(crossing, re_based(all, &minted, crossing, &due));
            (all.list[ix].expected, all.list[ix].due) = (due.clone(), due);
            continue;
        }
        let before = match all.list[ix].cause {
            Some(cause) => after.entry(cause).or_default(),
            None => starts.entry(stimulus.0).or_insert_with(|| start(all.plan.stimulus(stimulus))),
        };
        let from_client = all.sender(&all.list[ix]) == NodeIx::CLIENT;
        if !from_client {
            let wire = all.wire(&all.list[ix]);
            let unknown = before.trace.is_none();
            // A trace that another request without a context began is that one's: S4 names it.
            let taken = wire.and_then(|wire| wire.context()).map(|context| context.trace_id);
            let taken = taken.and_then(|trace| learned.get(&trace)).is_some_and(|owner| *owner != stimulus);
            if !(unknown && taken && is_begun_by_call(all, crossing)) {
                before.learn(wire);
            }
            if let Some(trace) = before.trace.filter(|_| unknown && is_begun_by_call(all, crossing)) {
                learned.entry(trace).or_insert(stimulus);
            }
        }
        let expected = before.clone();
        let due = due(all, &all.list[ix], &expected);
        after.insert(crossing, re_based(all, &minted, crossing, &due));
        all.list[ix].expected = expected;
        all.list[ix].due = due;
    }
}

/// Whether what caused a crossing was a call without a context: no batch shares the trace that it begins.
pub(super) fn is_begun_by_call(all: &Crossings<'_>, ix: CrossingIx) -> bool {
    let Some(cause) = all.record(ix).cause.map(|cause| all.record(cause)) else { return false };
    let call = all.plan.scenario.hop(cause.hop).transport.via().is_none();
    call && all.arrived(cause).is_some_and(|wire| wire.context().is_none())
}

/// Of a further delivery the crossing by which the message was sent, over the same hop if there is one.
fn origin(all: &Crossings<'_>, ix: CrossingIx) -> Option<CrossingIx> {
    let crossing = all.record(ix);
    let mut sent = all.sent_with(crossing).filter(|_| crossing.nature != Nature::Sent).peekable();
    let first = sent.peek().copied();
    sent.find(|sent| all.record(*sent).hop == crossing.hop).or(first)
}

/// Causes before what they caused, and otherwise in the order in which they were seen.
fn causes_first(all: &Crossings<'_>) -> Vec<usize> {
    let before = |ix: &CrossingIx| match all.record(*ix).nature {
        Nature::Sent => all.record(*ix).cause,
        Nature::Redelivered | Nature::Moved => origin(all, *ix),
    };
    let depth = |ix: usize| std::iter::successors(Some(CrossingIx(ix)), before).take(DEPTH).count();
    let mut order: Vec<usize> = (0..all.list.len()).collect();
    order.sort_by_cached_key(|ix| depth(*ix));
    order
}

/// No chain of causes is followed further than this.
const DEPTH: usize = 256;

/// What the stimulus carried.
fn start(stimulus: &Stimulus) -> Expected {
    let sent = &stimulus.sent;
    let lists = Lists::read(sent.tracestate.clone(), sent.baggage.clone());
    let entries = (!lists.baggage_open).then_some(lists.entries);
    let context = sent
        .traceparent
        .as_deref()
        .filter(|_| sent.valid)
        .and_then(|line| TraceParent::parse(line, crate::wire::Level::Two).ok());
    let Some(context) = context else {
        return Expected {
            members: Some(Arc::default()),
            entries,
            left_members: lists.members.to_vec(),
            ..Expected::default()
        };
    };
    Expected {
        trace: Some(context.trace_id),
        sampled: Some(context.flags.sampled()),
        random: Some(context.flags.random()),
        members: (!lists.tracestate_open).then_some(lists.members),
        entries,
        ..Expected::default()
    }
}

impl Expected {
    /// What is not known is as the first wire after it says.
    fn learn(&mut self, wire: Option<&super::Carried>) {
        let Some(wire) = wire else { return };
        if let Some(context) = wire.context() {
            self.trace = self.trace.or(Some(context.trace_id));
            if self.trace == Some(context.trace_id) {
                self.sampled = self.sampled.or(Some(context.flags.sampled()));
                self.random = self.random.or(Some(context.flags.random()));
            }
        }
        let lists = &wire.lists;
        if self.members.is_none() && !lists.tracestate_open {
            self.members = Some(lists.members.clone());
        }
        if self.entries.is_none() && !lists.baggage_open {
            self.entries = Some(lists.entries.clone());
        }
    }

    /// The new trace that follows on this one where a restart, a link or a batch was due.
    fn left_for(&self, trace: Option<TraceId>, sampled: Option<bool>, baggage_kept: bool) -> Expected {
        let mut left = self.left.clone();
        left.extend(self.trace.filter(|old| Some(*old) != trace));
        let mut left_members = self.left_members.clone();
        left_members.extend(self.members.iter().flat_map(|members| members.iter()).cloned());
        let entries = if baggage_kept { self.entries.clone() } else { Some(Arc::default()) };
        Expected {
            trace,
            sampled,
            random: None,
            members: Some(Arc::default()),
            entries,
            begun: true,
            left,
            left_members,
        }
    }
}

/// A restart that is due at the sender begins before the flag, tracestate and baggage are looked at.
fn due(all: &Crossings<'_>, crossing: &Crossing, expected: &Expected) -> Expected {
    let hop = all.plan.scenario.hop(crossing.hop);
    let context = all.wire(crossing).and_then(|wire| wire.context());
    let Some(context) = context.filter(|_| hop.relation.restarts_at() == Some(RestartSide::Sender)) else {
        return expected.clone();
    };
    let trace = context.trace_id;
    if expected.trace == Some(trace) || expected.left.contains(&trace) {
        return expected.clone();
    }
    let root_exported = crossing.named_span.is_some();
    let sampled = if root_exported { true } else { context.flags.sampled() };
    let mut due = expected.left_for(Some(trace), Some(sampled), baggage_kept(all, hop, hop.from));
    due.random = Some(context.flags.random());
    due
}

/// Relays carry baggage across a new trace (`fixtures/CONTRACT.md`, 4); others when the hop says so.
fn baggage_kept(all: &Crossings<'_>, hop: &Hop, by: NodeIx) -> bool {
    hop.baggage_kept || all.plan.scenario.node(by).kind.keeps_relay_contract()
}

/// What is expected of the crossings that this one causes.
fn re_based(
    all: &Crossings<'_>,
    minted: &IdMap<TraceId, StimulusIx>,
    ix: CrossingIx,
    due: &Expected,
) -> Expected {
    let crossing = all.record(ix);
    let hop = all.plan.scenario.hop(crossing.hop);
    let Some(wire) = all.arrived(crossing) else { return behind_no_tap(all, crossing, due) };
    let span = crossing.receiver_span.map(|span| all.spans.get(span));
    let span_trace = span.and_then(|span| TraceId::from_bytes(&span.trace_id));
    let Some(context) = wire.context() else { return after_no_context(all, crossing, due, span_trace) };
    let trace = context.trace_id;
    let lists = &wire.lists;
    let carried = Expected {
        trace: Some(trace),
        sampled: Some(context.flags.sampled()),
        random: Some(context.flags.random()),
        members: (!lists.tracestate_open).then(|| lists.members.clone()),
        entries: (!lists.baggage_open).then(|| lists.entries.clone()),
        ..due.clone()
    };
    match span_trace {
        Some(seen) if seen == trace => {
            let sampled = carried.sampled.filter(|sampled| *sampled);
            Expected { sampled, ..carried }
        }
        Some(seen) if hop.relation.receiver_may_begin() => {
            let begun = carried.left_for(Some(seen), Some(true), baggage_kept(all, hop, hop.to));
            // Where the link is not what was due, the next wire shows what was read at all.
            let read = span.is_none_or(|span| !hop.relation.receiver_links() || links_to(span, wire));
            Expected { entries: begun.entries.filter(|_| read), ..begun }
        }
        Some(seen) => Expected {
            trace: Some(seen),
            sampled: Some(true),
            random: None,
            members: None,
            entries: None,
            ..carried
        },
        None if hop.relation.receiver_may_begin() && !stayed(all, minted, ix, context) => {
            carried.left_for(None, None, baggage_kept(all, hop, hop.to))
        }
        None if all.exports(hop.to) => {
            // Not exported although sampled: whether the node means to sample shows in what it sends.
            let sampled = carried.sampled.filter(|sampled| !*sampled);
            Expected { sampled, ..carried }
        }
        None => carried,
    }
}

/// Whether a receiver without a span of its own shows in what it sends that it began no trace.
fn stayed(
    all: &Crossings<'_>,
    minted: &IdMap<TraceId, StimulusIx>,
    ix: CrossingIx,
    context: &TraceParent,
) -> bool {
    let crossing = all.record(ix);
    let sent = || {
        let effects = all.effects(ix).iter();
        effects.filter_map(|next| all.wire(all.record(*next))).flat_map(|wire| wire.contexts())
    };
    // The context of another stimulus is no trace that was begun: S4 names it.
    let of_another =
        |sent: &TraceParent| minted.get(&sent.trace_id).is_some_and(|owner| *owner != crossing.stimulus);
    if sent().any(of_another) {
        return true;
    }
    if all.plan.scenario.hop(crossing.hop).relation != Relation::ChildOrLink {
        return false;
    }
    // A root that samples would have been exported, with its link.
    sent().any(|sent| sent.trace_id == context.trace_id)
        || (!context.flags.sampled() && sent().any(|sent| sent.flags.sampled()))
}

fn links_to(span: &Span, wire: &Carried) -> bool {
    let to = |context: &TraceParent| {
        let (trace, id) = (context.trace_id.as_bytes().as_slice(), context.parent_id.as_bytes().as_slice());
        span.links.iter().any(|link| link.trace_id == trace && link.span_id == id)
    };
    wire.contexts().any(to)
}

/// Without a context the receiver begins a trace: its span's, or the one that it sends.
fn after_no_context(
    all: &Crossings<'_>,
    crossing: &Crossing,
    due: &Expected,
    span_trace: Option<TraceId>,
) -> Expected {
    let from_client = all.sender(crossing) == NodeIx::CLIENT;
    let sampled = span_trace.map(|_| true);
    if from_client {
        return Expected { trace: span_trace, sampled, random: None, ..due.clone() };
    }
    let mut left = due.left.clone();
    left.extend(due.trace);
    Expected { trace: span_trace, sampled, members: None, entries: None, left, ..Expected::default() }
}

/// Without a tap the receiver's span is the only witness.
fn behind_no_tap(all: &Crossings<'_>, crossing: &Crossing, due: &Expected) -> Expected {
    let trace = crossing.receiver_span.map(|span| all.spans.get(span));
    let trace = trace.and_then(|span| TraceId::from_bytes(&span.trace_id));
    match trace {
        Some(trace) if Some(trace) == due.trace => due.clone(),
        Some(trace) => Expected { trace: Some(trace), sampled: Some(true), ..Expected::default() },
        None => Expected { trace: due.trace, ..Expected::default() },
    }
}

/// Whether a context that a stimulus carried was not valid.
pub fn sent_invalid(stimulus: &Stimulus) -> bool {
    stimulus.sent.traceparent.is_some() && !stimulus.sent.valid
}
