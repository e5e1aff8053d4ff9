//! Which crossing caused a crossing: the one whose receiver's span is above the sender's span; else the one
//! whose context it continues; else the only one that fits.

use super::hashing::IdMap;
use super::{Crossing, CrossingIx, Crossings, Nature};
use crate::evidence::SpanIx;
use crate::plan::{Mark, StimulusIx};
use crate::scenario::{HopIx, NodeIx};

pub fn find(all: &mut Crossings<'_>) {
    let mut incoming: IdMap<(StimulusIx, HopIx), Vec<CrossingIx>> = IdMap::default();
    for (ix, crossing) in all.records() {
        incoming.entry((crossing.stimulus, crossing.hop)).or_default().push(ix);
    }
    for ix in 0..all.list.len() {
        let crossing = &all.list[ix];
        let hop = all.plan.scenario.hop(crossing.hop);
        let again = crossing.sender == hop.to && hop.from != hop.to;
        // A message that its reader sent again: what it had read caused it.
        let within = if again { Some(crossing.hop) } else { hop.within };
        // What the broker moved was sent by whoever sent it first, the driver included.
        let caused = crossing.nature == Nature::Moved || crossing.sender != NodeIx::CLIENT;
        let Some(within) = within.filter(|_| caused) else { continue };
        let candidates = incoming.get(&(crossing.stimulus, within)).map_or(&[][..], Vec::as_slice);
        let earlier = if again { candidates.partition_point(|other| other.0 < ix) } else { candidates.len() };
        all.list[ix].cause = choose(all, CrossingIx(ix), &candidates[..earlier]);
    }
}

fn choose(all: &Crossings<'_>, ix: CrossingIx, candidates: &[CrossingIx]) -> Option<CrossingIx> {
    if let [only] = candidates {
        return Some(*only);
    }
    let crossing = all.record(ix);
    let told = match all.plan.scenario.hop(crossing.hop).dead_letter_of {
        Some(_) => same_message(all, crossing, candidates),
        None => told_by(all, ix, candidates),
    };
    let named = named_span(all, crossing);
    let by_span = |pool: &[CrossingIx]| {
        let above = |candidate: &&CrossingIx| {
            let receiver = all.record(**candidate).receiver_span;
            matches!((receiver, named), (Some(above), Some(span)) if all.spans.is_at_or_below(span, above))
        };
        let above: Vec<CrossingIx> = pool.iter().filter(above).copied().collect();
        // What a node sent to itself stands below what it had received before: the nearest one above is meant.
        let below = |one: &CrossingIx, other: &CrossingIx| {
            let (one, other) = (all.record(*one).receiver_span, all.record(*other).receiver_span);
            matches!((one, other), (Some(one), Some(other)) if all.spans.is_at_or_below(one, other))
        };
        above.iter().find(|one| above.iter().all(|other| below(one, other))).copied()
    };
    let pool = if told.is_empty() { candidates.to_vec() } else { told };
    by_span(&pool).or_else(|| by_context(all, crossing, &pool)).or_else(|| by_time(all, crossing, &pool))
}

/// What a broker moves is the message of the crossing that caused it, with the same mark and bytes.
fn same_message(all: &Crossings<'_>, crossing: &Crossing, candidates: &[CrossingIx]) -> Vec<CrossingIx> {
    let same = |candidate: &&CrossingIx| {
        crossing.capture.is_some() && all.record(**candidate).capture == crossing.capture
    };
    candidates.iter().filter(same).copied().collect()
}

/// Where marks name calls: the candidates that carried the call above this one.
fn told_by(all: &Crossings<'_>, ix: CrossingIx, candidates: &[CrossingIx]) -> Vec<CrossingIx> {
    let mark = super::receiver::mark(all, ix);
    let call = mark.and_then(|mark| mark.call);
    let Some(parent) = call.and_then(|call| all.plan.calls.get(call.0)).and_then(|call| call.parent) else {
        return Vec::new();
    };
    let item = mark.and_then(|mark| mark.item);
    let told: Vec<(CrossingIx, Mark)> = candidates
        .iter()
        .filter_map(|candidate| Some((*candidate, super::receiver::mark(all, *candidate)?)))
        .filter(|(_, mark)| mark.call == Some(parent))
        .collect();
    let same_item = told.iter().any(|(_, mark)| item.is_some() && mark.item == item);
    told.iter().filter(|(_, mark)| !same_item || mark.item == item).map(|(candidate, _)| *candidate).collect()
}

fn named_span(all: &Crossings<'_>, crossing: &Crossing) -> Option<SpanIx> {
    let context = all.wire(crossing)?.first()?;
    all.evidence.spans_named(&all.spans, crossing.sender, context)
}

/// The candidate whose own context has the trace of this one, if only one has.
fn by_context(all: &Crossings<'_>, crossing: &Crossing, pool: &[CrossingIx]) -> Option<CrossingIx> {
    let trace = all.wire(crossing)?.first()?.trace_id;
    let same = |candidate: &&CrossingIx| {
        let wire = all.arrived(all.record(**candidate));
        wire.is_some_and(|wire| wire.contexts().any(|context| context.trace_id == trace))
    };
    let mut fitting = pool.iter().filter(same);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Some(*one),
        _ => None,
    }
}

/// The candidate that was under way when this one began; the last of several.
fn by_time(all: &Crossings<'_>, crossing: &Crossing, pool: &[CrossingIx]) -> Option<CrossingIx> {
    let begun = all.evidence.captures[crossing.capture?.0].begun_nanos;
    let before = pool
        .iter()
        .filter(|candidate| all.begun_nanos(all.record(**candidate)).is_none_or(|before| before <= begun));
    before.max_by_key(|candidate| candidate.0).copied()
}
