//! The sender's span of each crossing: the one whose id is on the wire; and its span for the call, which may
//! be another.

use super::attribute_match::{fits, fits_hop, named};
use super::hashing::{IdMap, IdSet};
use super::span_index::is_call;
use super::{Crossing, CrossingIx, Crossings, Nature};
use crate::evidence::{Evidence, SpanIx};
use crate::scenario::NodeIx;
use crate::wire::{SpanId, TraceId, TraceParent};

pub fn pair(all: &mut Crossings<'_>) {
    let mut first_with: IdMap<(NodeIx, SpanId), CrossingIx> = IdMap::default();
    let mut on_wire: IdSet<SpanIx> = IdSet::default();
    for ix in 0..all.list.len() {
        let crossing = &all.list[ix];
        if crossing.nature != Nature::Sent {
            continue;
        }
        let node = all.sender(crossing);
        let Some(context) = all.wire(crossing).and_then(|wire| wire.first()).copied() else { continue };
        let named = all.evidence.spans_named(&all.spans, node, &context);
        let before = *first_with.entry((node, context.parent_id)).or_insert(CrossingIx(ix));
        all.list[ix].named_span = named;
        // Hops that share a message share its id.
        let other = before != CrossingIx(ix) && all.list[before.0].capture != all.list[ix].capture;
        all.list[ix].same_id_as = other.then_some(before);
        on_wire.extend(named);
    }
    let mut used: IdSet<SpanIx> = outer_calls(all, &on_wire);
    used.extend(on_wire.iter().filter(|span| is_call(all.spans.get(**span))));
    for ix in 0..all.list.len() {
        let crossing = &all.list[ix];
        let own =
            crossing.named_span.filter(|span| crossing.same_id_as.is_none() && is_call(all.spans.get(*span)));
        all.list[ix].call_span = own;
    }
    for ix in 0..all.list.len() {
        let sent = all.list[ix].nature == Nature::Sent;
        if !sent || all.list[ix].call_span.is_some() || !all.exports(all.sender(&all.list[ix])) {
            continue;
        }
        let found = unnamed(all, &all.list[ix], &used);
        all.list[ix].call_span = found;
        used.extend(found);
    }
}

/// A CLIENT or PRODUCER span below the incoming one that no wire names and that fits the call; where no tap saw the
/// call, one that names a call over its hop.
fn unnamed(all: &Crossings<'_>, crossing: &Crossing, used: &IdSet<SpanIx>) -> Option<SpanIx> {
    let node = all.sender(crossing);
    let incoming = all.incoming_span(crossing)?;
    let trace = all.spans.get(incoming).trace_id.as_slice();
    let free = |span: &&SpanIx| {
        let seen = all.spans.get(**span);
        is_call(seen)
            && all.spans.is_at_or_below(**span, incoming)
            && !all.spans.upwards(**span).any(|above| used.contains(&above))
            && match crossing.capture {
                Some(capture) => fits(all, seen, all.capture(capture), true),
                None => fits_hop(all, seen, crossing.hop),
            }
    };
    let below = all.spans.below(incoming);
    let found = match &below {
        Some(below) => below.as_slice(),
        None => all.spans.in_trace(node, trace),
    };
    let found = found.iter().filter(free);
    found
        .copied()
        .min_by_key(|span| (std::cmp::Reverse(named(all.spans.get(*span))), all.spans.get(*span).start_nanos))
}

/// Spans above those on the wire: nested CLIENT or PRODUCER spans are one call, and any of them may be on the
/// wire.
fn outer_calls(all: &Crossings<'_>, on_wire: &IdSet<SpanIx>) -> IdSet<SpanIx> {
    let calls = on_wire.iter().filter(|span| is_call(all.spans.get(**span)));
    calls
        .flat_map(|span| all.spans.upwards(*span).skip(1))
        .filter(|span| is_call(all.spans.get(*span)))
        .collect()
}

impl Evidence {
    /// The span of `node` that a context names: in its trace if there is one, else in any.
    pub(super) fn spans_named(
        &self,
        spans: &super::SpanIndex<'_>,
        node: NodeIx,
        context: &TraceParent,
    ) -> Option<SpanIx> {
        let id = context.parent_id.as_bytes();
        let found = spans.with_id(node, id);
        let trace = context.trace_id.as_bytes();
        let same = found.iter().find(|span| spans.get(**span).trace_id == trace);
        same.or(found.first()).copied()
    }

    /// Spans of `node` whose parent, or else one of whose links, is this context.
    pub(super) fn spans_under(
        &self,
        spans: &super::SpanIndex<'_>,
        node: NodeIx,
        trace: TraceId,
        parent: SpanId,
    ) -> Vec<SpanIx> {
        let mut found = spans.under(node, trace.as_bytes(), parent.as_bytes()).to_vec();
        found.extend_from_slice(spans.linking(node, trace.as_bytes(), parent.as_bytes()));
        found
    }
}
