//! The crossing that caused a crossing: the one whose receiver's span is above the sender's span; else the one
//! whose context it continues; else the only one that fits.

use std::cmp::Reverse;

use super::{CrossingIx, CrossingRef, Crossings, IdMap, Nature};
use crate::evidence::SpanIx;
use crate::plan::StimulusIx;
use crate::scenario::HopIx;

pub(super) fn find(all: &mut Crossings<'_>) {
    let mut incoming: IdMap<(StimulusIx, HopIx), Vec<CrossingIx>> = IdMap::default();
    for crossing in all.iter() {
        incoming.entry((crossing.stimulus_ix(), crossing.hop_ix())).or_default().push(crossing.ix());
    }
    // How many crossings of a hop each crossing has caused, and those for which several remain.
    let mut caused: IdMap<(CrossingIx, HopIx), u32> = IdMap::default();
    let mut open: Vec<(CrossingIx, Vec<CrossingIx>)> = Vec::new();
    for ix in 0..all.list.len() {
        let crossing = all.get(CrossingIx(ix));
        let hop = crossing.hop();
        let again = crossing.sender() == hop.to && hop.from != hop.to;
        // A message that its reader sent again: the message that it had read caused it.
        let within = if again { Some(crossing.hop_ix()) } else { hop.within };
        // A message that the broker moved is of the node that sent it first, the driver included.
        let is_caused = crossing.nature() == Nature::Moved || !crossing.is_from_client();
        let Some(within) = within else { continue };
        if !is_caused {
            continue;
        }
        let candidates = incoming.get(&(crossing.stimulus_ix(), within)).map_or(&[][..], Vec::as_slice);
        let earlier = if again { candidates.partition_point(|other| other.0 < ix) } else { candidates.len() };
        match choose(crossing, &candidates[..earlier]) {
            Choice::Nothing => {}
            Choice::One(cause) => {
                *caused.entry((cause, crossing.hop_ix())).or_default() += 1;
                all.list[ix].cause = Some(cause);
            }
            Choice::OneOf(pool) => open.push((CrossingIx(ix), pool)),
        }
    }
    open.sort_by_key(|(crossing, _)| (all.get(*crossing).begun_nanos(), *crossing));
    for (ix, pool) in open {
        let hop = all.get(ix).hop_ix();
        let cause = by_time(all.get(ix), &pool, |cause| caused.get(&(cause, hop)).copied().unwrap_or(0));
        if let Some(cause) = cause {
            *caused.entry((cause, hop)).or_default() += 1;
            all.list[ix.0].cause = Some(cause);
        }
    }
}

/// The crossings that may have caused one.
enum Choice {
    Nothing,
    One(CrossingIx),
    OneOf(Vec<CrossingIx>),
}

fn choose(crossing: CrossingRef<'_>, candidates: &[CrossingIx]) -> Choice {
    match candidates {
        [] => return Choice::Nothing,
        [only] => return Choice::One(*only),
        _ => {}
    }
    let meant = match crossing.hop().dead_letter_of {
        Some(_) => of_same_message(crossing, candidates),
        None => of_parent_call(crossing, candidates),
    };
    let pool = if meant.is_empty() { candidates.to_vec() } else { meant };
    let pool: Vec<CrossingRef<'_>> = pool.into_iter().map(|ix| crossing.all().get(ix)).collect();
    let mut fitting = below_span(crossing, &pool);
    if fitting.is_empty() {
        fitting = of_same_trace(crossing, &pool);
    }
    match fitting.as_slice() {
        [] => Choice::OneOf(pool.into_iter().map(CrossingRef::ix).collect()),
        [only] => Choice::One(*only),
        _ => Choice::OneOf(fitting),
    }
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

/// Returns the candidates whose receiver's span is above the sender's span: several where one span is for a batch.
fn below_span(crossing: CrossingRef<'_>, pool: &[CrossingRef<'_>]) -> Vec<CrossingIx> {
    let spans = &crossing.all().spans;
    let context = crossing.sent_contexts().next();
    let Some(named) = context.and_then(|context| spans.named(crossing.sender(), context)) else {
        return Vec::new();
    };
    let above = pool.iter().filter_map(|candidate| {
        let span = candidate.receiver_span_ix().filter(|span| spans.is_at_or_below(named, *span))?;
        Some((*candidate, span))
    });
    let above: Vec<(CrossingRef<'_>, SpanIx)> = above.collect();
    // What a node sent to itself stands below what it had received before: the nearest one above is meant.
    let nearest = above
        .iter()
        .map(|(_, span)| *span)
        .reduce(|nearest, span| if spans.is_at_or_below(span, nearest) { span } else { nearest });
    above.iter().filter(|(_, span)| Some(*span) == nearest).map(|(candidate, _)| candidate.ix()).collect()
}

/// Returns the candidates whose own context has the trace of this one.
fn of_same_trace(crossing: CrossingRef<'_>, pool: &[CrossingRef<'_>]) -> Vec<CrossingIx> {
    let Some(trace) = crossing.sent_contexts().next().map(|context| context.trace_id) else {
        return Vec::new();
    };
    let fits = |other: &&CrossingRef<'_>| other.arrived_contexts().any(|context| context.trace_id == trace);
    pool.iter().filter(fits).map(|other| other.ix()).collect()
}

/// Returns the candidate that still owes such a crossing when this one began, one that was under way before one that
/// was over. Of equal ones the one that has caused the fewest so far, and of these the last.
fn by_time(
    crossing: CrossingRef<'_>,
    pool: &[CrossingIx],
    caused: impl Fn(CrossingIx) -> u32,
) -> Option<CrossingIx> {
    let begun = crossing.sent()?.begun_nanos;
    let (all, due) = (crossing.all(), crossing.hop().times.min);
    let before = |ix: &&CrossingIx| all.get(**ix).begun_nanos().is_none_or(|before| before <= begun);
    let chosen = pool.iter().filter(before).min_by_key(|ix| {
        let ended = all.get(**ix).received().and_then(|capture| capture.ended_nanos);
        let is_over = ended.is_some_and(|ended| ended < begun);
        (caused(**ix) >= due, is_over, caused(**ix), Reverse(**ix))
    });
    chosen.copied()
}
