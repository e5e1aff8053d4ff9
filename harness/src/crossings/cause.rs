//! Which crossing caused a crossing: the one whose receiver's span is above the sender's span; else the one
//! whose context it continues; else the only one that fits.

use super::hashing::IdMap;
use super::{Crossing, CrossingIx, Crossings};
use crate::evidence::SpanIx;
use crate::plan::StimulusIx;
use crate::scenario::{HopIx, NodeIx};

pub fn find(all: &mut Crossings<'_>) {
    let mut incoming: IdMap<(StimulusIx, HopIx), Vec<CrossingIx>> = IdMap::default();
    for (ix, crossing) in all.iter() {
        incoming.entry((crossing.stimulus, crossing.hop)).or_default().push(ix);
    }
    for ix in 0..all.list.len() {
        let crossing = &all.list[ix];
        let hop = all.plan.scenario.hop(crossing.hop);
        let Some(within) = hop.within.filter(|_| hop.from != NodeIx::CLIENT) else { continue };
        let candidates = incoming.get(&(crossing.stimulus, within)).map_or(&[][..], Vec::as_slice);
        all.list[ix].cause = choose(all, CrossingIx(ix), candidates);
    }
}

fn choose(all: &Crossings<'_>, ix: CrossingIx, candidates: &[CrossingIx]) -> Option<CrossingIx> {
    if let [only] = candidates {
        return Some(*only);
    }
    let crossing = all.get(ix);
    let told = told_by(all, ix, candidates);
    let named = named_span(all, crossing);
    let by_span = |pool: &[CrossingIx]| {
        let above = |candidate: &&CrossingIx| {
            let receiver = all.get(**candidate).receiver_span;
            matches!((receiver, named), (Some(above), Some(span)) if all.spans.is_at_or_below(span, above))
        };
        pool.iter().find(above).copied()
    };
    let pool = if told.is_empty() { candidates.to_vec() } else { told };
    by_span(&pool).or_else(|| by_context(all, crossing, &pool)).or_else(|| by_time(all, crossing, &pool))
}

/// Where marks name calls: the candidates that carried the call above this one.
fn told_by(all: &Crossings<'_>, ix: CrossingIx, candidates: &[CrossingIx]) -> Vec<CrossingIx> {
    let call = super::receiver::mark(all, ix).and_then(|mark| mark.call);
    let Some(parent) = call.and_then(|call| all.plan.calls.get(call.0)).and_then(|call| call.parent) else {
        return Vec::new();
    };
    let carries = |candidate: &CrossingIx| super::receiver::mark(all, *candidate).and_then(|mark| mark.call);
    candidates.iter().copied().filter(|candidate| carries(candidate) == Some(parent)).collect()
}

fn named_span(all: &Crossings<'_>, crossing: &Crossing) -> Option<SpanIx> {
    let context = all.wire(crossing)?.first()?;
    let capture = crossing.capture?;
    all.evidence.spans_named(&all.spans, all.plan.tap(all.evidence.captures[capture.0].tap).from, context)
}

/// The candidate whose own context has the trace of this one, if only one has.
fn by_context(all: &Crossings<'_>, crossing: &Crossing, pool: &[CrossingIx]) -> Option<CrossingIx> {
    let trace = all.wire(crossing)?.first()?.trace_id;
    let same = |candidate: &&CrossingIx| {
        let wire = all.wire(all.get(**candidate));
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
    let before = pool.iter().filter(|candidate| {
        let capture = all.get(**candidate).capture.map(|capture| &all.evidence.captures[capture.0]);
        capture.is_none_or(|capture| capture.begun_nanos <= begun)
    });
    before.max_by_key(|candidate| candidate.0).copied()
}
