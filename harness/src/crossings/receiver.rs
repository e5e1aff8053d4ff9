//! The receiver's span of each crossing: its parent or link is what crossed; else it has the mark; else it
//! fits.
//!
//! Each span goes to one crossing, and as many crossings as possible get one.

use std::cell::OnceCell;

use super::fit::{fits, named};
use super::hashing::{IdMap, IdSet};
use super::span_index::is_receipt;
use super::{CrossingIx, Crossings};
use crate::evidence::{Span, SpanIx, SpanKind, mark_of};
use crate::plan::Mark;
use crate::scenario::NodeIx;
use crate::wire::{SpanId, TraceId};

/// From the surest witness to the weakest.
#[derive(Clone, Copy)]
enum Tier {
    /// Its parent or link is what crossed, and it has the mark.
    ContinuesAndMarked,
    /// The same, and it has no mark at all.
    ContinuesUnmarked,
    /// It has the mark, whatever it continues.
    Marked,
    /// Its parent or link is what crossed, and it has the mark of something else.
    Continues,
    Fits,
}

pub fn pair(all: &mut Crossings<'_>) {
    let mut claimed: IdSet<SpanIx> = IdSet::default();
    let free = OnceCell::new();
    for tier in [Tier::ContinuesAndMarked, Tier::ContinuesUnmarked, Tier::Marked, Tier::Continues, Tier::Fits]
    {
        for ix in 0..all.list.len() {
            if all.list[ix].receiver_span.is_some() || !all.exports(all.receiver(&all.list[ix])) {
                continue;
            }
            let crossing = CrossingIx(ix);
            let span = match tier {
                Tier::ContinuesAndMarked | Tier::ContinuesUnmarked | Tier::Continues => {
                    continuing(all, crossing, &claimed, tier)
                }
                Tier::Marked => marked(all, crossing, &claimed),
                Tier::Fits => fitting(all, crossing, &claimed, free.get_or_init(|| Free::of(all))),
            };
            if let Some(span) = span {
                claimed.insert(span);
                all.list[ix].receiver_span = Some(span);
            }
        }
    }
}

/// The mark of a crossing, where its capture has one of this run.
pub fn mark(all: &Crossings<'_>, crossing: CrossingIx) -> Option<Mark> {
    let capture = all.get(crossing).capture?;
    mark_of(&all.evidence.captures[capture.0].marked)
}

/// Spans under or linked to one of the contexts that crossed.
fn continuing(all: &Crossings<'_>, ix: CrossingIx, claimed: &IdSet<SpanIx>, tier: Tier) -> Option<SpanIx> {
    let crossing = all.get(ix);
    let node = all.receiver(crossing);
    let mark = mark(all, ix);
    let mut best: Option<(u8, u64, SpanIx)> = None;
    for context in all.wire(crossing)?.contexts() {
        let (trace, parent) = (context.trace_id, context.parent_id);
        let under = all.evidence.spans_under(&all.spans, node, trace, parent);
        for span in under {
            let seen = all.spans.get(span);
            let marks = match tier {
                Tier::ContinuesAndMarked => mark.is_some_and(|mark| seen.marks.contains(&mark)),
                Tier::ContinuesUnmarked => seen.marks.is_empty() || mark.is_none(),
                _ => true,
            };
            let free = marks && !claimed.contains(&span);
            let rank = (receipt_rank(seen), seen.start_nanos, span);
            if free && best.is_none_or(|known| rank < known) {
                best = Some(rank);
            }
        }
    }
    best.map(|(_, _, span)| span)
}

/// SERVER and CONSUMER before anything else; a call of the receiver that continues what crossed comes last.
fn receipt_rank(span: &Span) -> u8 {
    match span.kind {
        SpanKind::Server | SpanKind::Consumer => 0,
        SpanKind::Internal | SpanKind::Unspecified => 1,
        SpanKind::Client | SpanKind::Producer => 2,
    }
}

fn marked(all: &Crossings<'_>, ix: CrossingIx, claimed: &IdSet<SpanIx>) -> Option<SpanIx> {
    let mark = mark(all, ix)?;
    let node = all.receiver(all.get(ix));
    let free = all.spans.marked(node, mark).iter().filter(|span| !claimed.contains(span));
    free.copied().min_by_key(|span| (receipt_rank(all.spans.get(*span)), all.spans.get(*span).start_nanos))
}

/// A span for something received that fits, and that no other wire claims by its parent.
fn fitting(all: &Crossings<'_>, ix: CrossingIx, claimed: &IdSet<SpanIx>, free: &Free) -> Option<SpanIx> {
    let crossing = all.get(ix);
    let node = all.receiver(crossing);
    let capture = &all.evidence.captures[crossing.capture?.0];
    let fitting = |span: &&SpanIx| {
        let seen = all.spans.get(**span);
        let of_another = TraceId::from_bytes(&seen.trace_id)
            .and_then(|trace| free.minted.get(&trace))
            .is_some_and(|stimulus| *stimulus != crossing.stimulus.0);
        let marked_elsewhere =
            !seen.marks.is_empty() && mark(all, ix).is_none_or(|mark| !seen.marks.contains(&mark));
        !claimed.contains(*span) && !of_another && !marked_elsewhere && fits(all, seen, capture, false)
    };
    let best = free.of_node.get(&node)?.iter().filter(fitting);
    best.copied()
        .min_by_key(|span| (std::cmp::Reverse(named(all.spans.get(*span))), all.spans.get(*span).start_nanos))
}

/// Spans that may be for any crossing, and what tells that they are not.
struct Free {
    /// For something received, begun by nothing in the node or on a wire, and saying what they are for.
    of_node: IdMap<NodeIx, Vec<SpanIx>>,
    minted: IdMap<TraceId, usize>,
}

impl Free {
    fn of(all: &Crossings<'_>) -> Free {
        let carried_ids = carried_ids(all);
        let ids = all.plan.stimuli.iter();
        let minted = ids.filter_map(|stimulus| Some((TraceId::new(stimulus.sent.trace_id)?, stimulus.ix.0)));
        let mut of_node: IdMap<NodeIx, Vec<SpanIx>> = IdMap::default();
        for (ix, span) in all.evidence.spans.iter().enumerate().map(|(ix, span)| (SpanIx(ix), span)) {
            let parent = SpanId::from_bytes(&span.parent_id);
            let carried = parent.is_some_and(|parent| carried_ids.contains(&(span.node, parent)));
            if is_receipt(span) && !carried && named(span) > 0 && all.spans.parent(ix).is_none() {
                of_node.entry(span.node).or_default().push(ix);
            }
        }
        Free { of_node, minted: minted.collect() }
    }
}

/// Parent ids that arrived at a node.
fn carried_ids(all: &Crossings<'_>) -> IdSet<(NodeIx, SpanId)> {
    let mut ids = IdSet::default();
    for (_, crossing) in all.iter() {
        for context in all.wire(crossing).into_iter().flat_map(|wire| wire.contexts()) {
            ids.insert((all.receiver(crossing), context.parent_id));
        }
    }
    ids
}
