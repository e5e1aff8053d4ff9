//! The context that is expected of each crossing, re-based after each on what was carried and what the
//! receiver did.
//!
//! `None` means: not known, the next wire will say. So a break is found once, at the crossing where it
//! happened.

use std::sync::Arc;

use super::carried::Lists;
use super::minted::minted;
use super::{
    CarriedContext, CarriedFields, CrossingIx, CrossingRef, Crossings, ExpectedContext, IdMap, Nature,
};
use crate::evidence::Span;
use crate::plan::{Stimulus, StimulusIx};
use crate::scenario::{NodeIx, Relation, RestartSide};
use crate::wire::{Decision, Format, TraceId, TraceParent};

/// Fills in what is expected of each crossing.
pub(super) fn carry(all: &mut Crossings<'_>) {
    let mut after: IdMap<CrossingIx, ExpectedContext> = IdMap::default();
    let mut starts: IdMap<StimulusIx, ExpectedContext> = IdMap::default();
    let minted: IdMap<TraceId, StimulusIx> = minted(all.plan).collect();
    let mut begun: IdMap<TraceId, StimulusIx> = IdMap::default();
    for ix in causes_first(all) {
        let crossing = all.get(ix);
        // It was sent once only: what is expected is what was due when it was sent.
        if let Some(origin) = origin(crossing) {
            let due = origin.due().clone();
            after.insert(ix, re_based(crossing, &minted, &due));
            (all.list[ix.0].expected, all.list[ix.0].due) = (due.clone(), due);
            continue;
        }
        let before = match crossing.cause() {
            Some(cause) => after.entry(cause.ix()).or_default(),
            None => starts.entry(crossing.stimulus_ix()).or_insert_with(|| start(crossing.stimulus())),
        };
        if !crossing.is_from_client() {
            learn_from(crossing, before, &mut begun);
        }
        let expected = in_its_format(crossing, before);
        let due = due(crossing, &expected);
        after.insert(ix, re_based(crossing, &minted, &due));
        all.list[ix.0].expected = expected;
        all.list[ix.0].due = due;
    }
}

/// Returns what is expected on a wire in its format: only W3C Trace Context has a tracestate and a random flag.
fn in_its_format(crossing: CrossingRef<'_>, before: &ExpectedContext) -> ExpectedContext {
    let mut expected = before.clone();
    if !crossing.hop().formats.contains(&Format::TraceContext) {
        expected.members = None;
        expected.random = None;
    }
    expected
}

/// Takes what is unknown from the wire, but for a trace that another request without a context began: S4 names that.
fn learn_from(
    crossing: CrossingRef<'_>,
    before: &mut ExpectedContext,
    begun: &mut IdMap<TraceId, StimulusIx>,
) {
    let first = before.trace.is_none() && crossing.is_begun_alone();
    let wire = crossing.wire();
    let owner = wire.and_then(CarriedFields::context).and_then(|context| begun.get(&context.trace_id));
    if !first || owner.is_none_or(|owner| *owner == crossing.stimulus_ix()) {
        before.learn(wire);
    }
    if first && let Some(trace) = before.trace {
        begun.entry(trace).or_insert(crossing.stimulus_ix());
    }
}

/// Returns, of a further delivery, the crossing by which the message was sent, over the same hop if there is one.
fn origin(crossing: CrossingRef<'_>) -> Option<CrossingRef<'_>> {
    if crossing.nature() == Nature::Sent {
        return None;
    }
    let mut sent = crossing.sent_with();
    let first = sent.next()?;
    if first.hop_ix() == crossing.hop_ix() {
        return Some(first);
    }
    Some(sent.find(|sent| sent.hop_ix() == crossing.hop_ix()).unwrap_or(first))
}

/// Returns causes before what they caused, and otherwise the order in which they were seen.
fn causes_first(all: &Crossings<'_>) -> Vec<CrossingIx> {
    let mut order: Vec<CrossingIx> = all.iter().map(CrossingRef::ix).collect();
    order.sort_by_cached_key(|ix| std::iter::successors(Some(all.get(*ix)), before).take(DEPTH).count());
    order
}

fn before<'a>(crossing: &CrossingRef<'a>) -> Option<CrossingRef<'a>> {
    match crossing.nature() {
        Nature::Sent => crossing.cause(),
        Nature::Redelivered | Nature::Moved => origin(*crossing),
    }
}

/// No chain of causes is followed further than this.
const DEPTH: usize = 256;

/// Returns what the stimulus carried.
fn start(stimulus: &Stimulus) -> ExpectedContext {
    let sent = &stimulus.sent;
    let lists = Lists::read(sent.tracestate.clone(), sent.baggage.clone());
    let entries = (!lists.baggage_open).then_some(lists.entries);
    let line = if sent.valid { sent.traceparent.as_deref() } else { None };
    // The traceparent stands for the context whatever the format that the driver sends.
    let context = line.and_then(|line| TraceParent::parse(line, crate::wire::Level::Two).ok());
    let Some(context) = context else {
        return ExpectedContext {
            members: Some(Arc::default()),
            entries,
            left_members: lists.members.to_vec(),
            ..ExpectedContext::default()
        };
    };
    ExpectedContext {
        trace: Some(context.trace_id),
        sampled: sent.decision.is_sampled(),
        debug: Some(sent.decision == Decision::Debug),
        random: Some(context.flags.random()),
        members: (!lists.tracestate_open).then_some(lists.members),
        entries,
        ..ExpectedContext::default()
    }
}

/// Returns what is expected after a restart that is due at the sender: it begins before the flag, tracestate and
/// baggage are looked at.
fn due(crossing: CrossingRef<'_>, expected: &ExpectedContext) -> ExpectedContext {
    let Some(context) = crossing.wire().and_then(CarriedFields::context) else { return expected.clone() };
    if crossing.relation().restarts_at() != Some(RestartSide::Sender) {
        return expected.clone();
    }
    let trace = context.trace_id;
    if expected.trace == Some(trace) || expected.left.contains(&trace) {
        return expected.clone();
    }
    let sampled = crossing.named_span_ix().is_some() || context.flags.sampled();
    let kept = baggage_kept(crossing, crossing.hop().from);
    let mut due = expected.left_for(Some(trace), Some(sampled), kept);
    due.random = context.random();
    due
}

/// Returns whether a node carries baggage across a new trace: relays do (`fixtures/CONTRACT.md`, 4), others when the
/// hop declares it.
fn baggage_kept(crossing: CrossingRef<'_>, by: NodeIx) -> bool {
    crossing.hop().keeps_baggage() || crossing.all().plan.scenario.node(by).kind.keeps_relay_contract()
}

/// Returns what is expected of the crossings that this one causes.
fn re_based(
    crossing: CrossingRef<'_>,
    minted: &IdMap<TraceId, StimulusIx>,
    due: &ExpectedContext,
) -> ExpectedContext {
    let hop = crossing.hop();
    let Some(wire) = crossing.arrived() else { return behind_no_tap(crossing, due) };
    let span = crossing.receiver_span();
    let span_trace = span.and_then(|span| TraceId::from_bytes(&span.trace_id));
    let Some(context) = wire.context() else { return after_no_context(crossing, due, span_trace) };
    let trace = context.trace_id;
    let lists = &wire.lists;
    let carried = ExpectedContext {
        trace: Some(trace),
        sampled: context.decision.is_sampled(),
        debug: context.debug(),
        random: context.random(),
        members: (!lists.tracestate_open).then(|| lists.members.clone()),
        entries: (!lists.baggage_open).then(|| lists.entries.clone()),
        unseen_since: None,
        ..due.clone()
    };
    match span_trace {
        Some(seen) if seen == trace => {
            // The span shows how a decision fell that was left to the receiver.
            let sampled = carried.sampled.map_or(Some(true), |sampled| sampled.then_some(true));
            ExpectedContext { sampled, ..carried }
        }
        Some(seen) if hop.relation.receiver_may_begin() => {
            let begun = carried.left_for(Some(seen), Some(true), baggage_kept(crossing, hop.to));
            // Where the link is not what was due, the next wire shows what was read at all.
            let read = span.is_none_or(|span| !hop.relation.receiver_links() || links_to(span, wire));
            ExpectedContext { entries: if read { begun.entries } else { None }, ..begun }
        }
        Some(seen) => ExpectedContext {
            trace: Some(seen),
            sampled: Some(true),
            debug: None,
            random: None,
            members: None,
            entries: None,
            ..carried
        },
        None if hop.relation.receiver_may_begin() && !stayed(crossing, minted, context) => {
            carried.left_for(None, None, baggage_kept(crossing, hop.to))
        }
        None if crossing.all().exports(hop.to) => {
            // Not exported although sampled: the decision of the node shows in what it sends.
            let sampled = carried.sampled.filter(|sampled| !*sampled);
            ExpectedContext { sampled, ..carried }
        }
        None => carried,
    }
}

/// Returns whether a receiver without a span of its own shows in what it sends that it began no trace.
fn stayed(crossing: CrossingRef<'_>, minted: &IdMap<TraceId, StimulusIx>, context: &CarriedContext) -> bool {
    let sent: Vec<&CarriedContext> = crossing.effects().flat_map(CrossingRef::sent_contexts).collect();
    let owners = sent.iter().filter_map(|sent| minted.get(&sent.trace_id));
    // The context of another stimulus is no trace that was begun: S4 names it.
    if owners.into_iter().any(|owner| *owner != crossing.stimulus_ix()) {
        return true;
    }
    if crossing.relation() != Relation::ChildOrLink {
        return false;
    }
    // A root that samples would have been exported, with its link.
    sent.iter().any(|sent| sent.trace_id == context.trace_id)
        || (!context.flags.sampled() && sent.iter().any(|sent| sent.flags.sampled()))
}

fn links_to(span: &Span, wire: &CarriedFields) -> bool {
    wire.contexts().any(|context| {
        let (trace, id) = (context.trace_id.as_bytes().as_slice(), context.parent_id.as_bytes().as_slice());
        span.links.iter().any(|link| link.trace_id == trace && link.span_id == id)
    })
}

/// Returns what is expected where no context arrived: the receiver begins a trace, its span's or the one that it sends.
fn after_no_context(
    crossing: CrossingRef<'_>,
    due: &ExpectedContext,
    span_trace: Option<TraceId>,
) -> ExpectedContext {
    let sampled = span_trace.map(|_trace| true);
    if crossing.is_from_client() {
        return ExpectedContext { trace: span_trace, sampled, random: None, ..due.clone() };
    }
    let mut left = due.left.clone();
    left.extend(due.trace);
    ExpectedContext {
        trace: span_trace,
        sampled,
        members: None,
        entries: None,
        left,
        ..ExpectedContext::default()
    }
}

/// Returns what is expected behind a hop without a tap, where the receiver's span is the only witness.
fn behind_no_tap(crossing: CrossingRef<'_>, due: &ExpectedContext) -> ExpectedContext {
    let trace = crossing.receiver_span().and_then(|span| TraceId::from_bytes(&span.trace_id));
    let unseen_since = Some(due.unseen_since.unwrap_or(crossing.ix()));
    match trace {
        Some(trace) if Some(trace) == due.trace => ExpectedContext { unseen_since, ..due.clone() },
        Some(trace) => ExpectedContext {
            trace: Some(trace),
            sampled: Some(true),
            unseen_since,
            ..ExpectedContext::default()
        },
        None => ExpectedContext { trace: due.trace, unseen_since, ..ExpectedContext::default() },
    }
}

/// Returns whether a context that a stimulus carried was not valid.
pub fn sent_invalid(stimulus: &Stimulus) -> bool {
    stimulus.sent.traceparent.is_some() && !stimulus.sent.valid
}
