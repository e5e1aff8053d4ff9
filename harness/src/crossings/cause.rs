//! The crossing that caused a crossing: the one whose receiver's span is above the sender's span; else the one
//! whose context it continues; else the only one that fits.

use super::{CrossingIx, CrossingRef, Crossings, IdMap, Nature};
use crate::plan::StimulusIx;
use crate::scenario::HopIx;

pub(super) fn find(all: &mut Crossings<'_>) {
    let mut incoming: IdMap<(StimulusIx, HopIx), Vec<CrossingIx>> = IdMap::default();
    for crossing in all.iter() {
        incoming.entry((crossing.stimulus_ix(), crossing.hop_ix())).or_default().push(crossing.ix());
    }
    for ix in 0..all.list.len() {
        let crossing = all.get(CrossingIx(ix));
        let hop = crossing.hop();
        let again = crossing.sender() == hop.to && hop.from != hop.to;
        // A message that its reader sent again: the message that it had read caused it.
        let within = if again { Some(crossing.hop_ix()) } else { hop.within };
        // A message that the broker moved is of the node that sent it first, the driver included.
        let caused = crossing.nature() == Nature::Moved || !crossing.is_from_client();
        let Some(within) = within else { continue };
        if !caused {
            continue;
        }
        let candidates = incoming.get(&(crossing.stimulus_ix(), within)).map_or(&[][..], Vec::as_slice);
        let earlier = if again { candidates.partition_point(|other| other.0 < ix) } else { candidates.len() };
        all.list[ix].cause = choose(crossing, &candidates[..earlier]);
    }
}

fn choose(crossing: CrossingRef<'_>, candidates: &[CrossingIx]) -> Option<CrossingIx> {
    if let [only] = candidates {
        return Some(*only);
    }
    let meant = match crossing.hop().dead_letter_of {
        Some(_) => of_same_message(crossing, candidates),
        None => of_parent_call(crossing, candidates),
    };
    let pool = if meant.is_empty() { candidates.to_vec() } else { meant };
    let pool: Vec<CrossingRef<'_>> = pool.into_iter().map(|ix| crossing.all().get(ix)).collect();
    let chosen = by_span(crossing, &pool).or_else(|| by_context(crossing, &pool));
    chosen.or_else(|| by_time(crossing, &pool)).map(CrossingRef::ix)
}

/// Returns the candidates with the same message, mark and bytes: a broker moves a message as it is.
fn of_same_message(crossing: CrossingRef<'_>, candidates: &[CrossingIx]) -> Vec<CrossingIx> {
    let Some(capture) = crossing.sent_capture() else { return Vec::new() };
    let same = |ix: &CrossingIx| crossing.all().get(*ix).sent_capture() == Some(capture);
    candidates.iter().copied().filter(same).collect()
}

/// Returns the candidates that carried the call above this one, where marks name calls.
fn of_parent_call(crossing: CrossingRef<'_>, candidates: &[CrossingIx]) -> Vec<CrossingIx> {
    let all = crossing.all();
    let Some(mark) = crossing.mark() else { return Vec::new() };
    let call = mark.call.and_then(|call| all.plan.calls.get(call.0));
    let Some(parent) = call.and_then(|call| call.parent) else { return Vec::new() };
    let (mut of_call, mut of_item) = (Vec::new(), Vec::new());
    for ix in candidates {
        let Some(other) = all.get(*ix).mark().filter(|other| other.call == Some(parent)) else { continue };
        of_call.push(*ix);
        if mark.item.is_some() && other.item == mark.item {
            of_item.push(*ix);
        }
    }
    if of_item.is_empty() { of_call } else { of_item }
}

/// Returns the candidate whose receiver's span is above the sender's span.
fn by_span<'a>(crossing: CrossingRef<'a>, pool: &[CrossingRef<'a>]) -> Option<CrossingRef<'a>> {
    let spans = &crossing.all().spans;
    let named = spans.named(crossing.sender(), crossing.sent_contexts().next()?)?;
    let mut nearest: Option<CrossingRef<'a>> = None;
    for candidate in pool {
        let Some(span) = candidate.receiver_span_ix().filter(|span| spans.is_at_or_below(named, *span))
        else {
            continue;
        };
        // What a node sent to itself stands below what it had received before: the nearest one above is meant.
        let below = |other: CrossingRef<'_>| {
            other.receiver_span_ix().is_some_and(|other| !spans.is_at_or_below(other, span))
        };
        if nearest.is_none_or(below) {
            nearest = Some(*candidate);
        }
    }
    nearest
}

/// Returns the candidate whose own context has the trace of this one, if only one has.
fn by_context<'a>(crossing: CrossingRef<'a>, pool: &[CrossingRef<'a>]) -> Option<CrossingRef<'a>> {
    let trace = crossing.sent_contexts().next()?.trace_id;
    let mut fitting =
        pool.iter().filter(|other| other.arrived_contexts().any(|context| context.trace_id == trace));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(*only),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

/// Returns the candidate that was under way when this one began; the last of several.
fn by_time<'a>(crossing: CrossingRef<'a>, pool: &[CrossingRef<'a>]) -> Option<CrossingRef<'a>> {
    let begun = crossing.sent()?.begun_nanos;
    let before = pool.iter().filter(|other| other.begun_nanos().is_none_or(|before| before <= begun));
    before.max_by_key(|other| other.ix()).copied()
}
