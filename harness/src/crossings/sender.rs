//! The sender's span of each crossing: the one whose id is on the wire; and its span for the call, which may
//! be another.

use super::attribute_match::{fits, fits_hop, named};
use super::span_role::is_call;
use super::{CrossingIx, CrossingRef, Crossings, IdMap, IdSet, Nature};
use crate::evidence::SpanIx;
use crate::scenario::NodeIx;
use crate::wire::SpanId;

pub(super) fn pair(all: &mut Crossings<'_>) {
    let on_wire = name_spans(all);
    let mut used: IdSet<SpanIx> = outer_calls(all, &on_wire);
    used.extend(on_wire.iter().filter(|span| is_call(all.spans.get(**span))));
    for ix in 0..all.list.len() {
        let crossing = &all.list[ix];
        let own = crossing.named_span.filter(|span| is_call(all.spans.get(*span)));
        let own = if crossing.same_id_as.is_none() { own } else { None };
        all.list[ix].call_span = own;
    }
    for ix in 0..all.list.len() {
        let crossing = all.get(CrossingIx(ix));
        let sent = crossing.nature() == Nature::Sent && all.exports(crossing.sender());
        if sent && crossing.call_span_ix().is_none() {
            let found = unnamed(crossing, &used);
            used.extend(found);
            all.list[ix].call_span = found;
        }
    }
}

/// Finds the span that each wire names, and the earlier crossing that names it too. Returns the spans found.
fn name_spans(all: &mut Crossings<'_>) -> IdSet<SpanIx> {
    let mut first_with: IdMap<(NodeIx, SpanId), CrossingIx> = IdMap::default();
    let mut on_wire: IdSet<SpanIx> = IdSet::default();
    for ix in (0..all.list.len()).map(CrossingIx) {
        let crossing = all.get(ix);
        if crossing.nature() != Nature::Sent {
            continue;
        }
        let node = crossing.sender();
        let Some(context) = crossing.sent_contexts().next() else { continue };
        let named = all.spans.named(node, context);
        let before = *first_with.entry((node, context.parent_id)).or_insert(ix);
        // Hops that share a message share its id.
        let other = before != ix && all.get(before).sent_capture() != crossing.sent_capture();
        all.list[ix.0].named_span = named;
        all.list[ix.0].same_id_as = other.then_some(before);
        on_wire.extend(named);
    }
    on_wire
}

/// Returns a CLIENT or PRODUCER span below the incoming one that no wire names and that fits the call; where no tap saw
/// the call, one that names a call over its hop.
fn unnamed(crossing: CrossingRef<'_>, used: &IdSet<SpanIx>) -> Option<SpanIx> {
    let spans = &crossing.all().spans;
    let incoming = crossing.incoming_span_ix()?;
    let below = spans.below(incoming);
    let below = match &below {
        Some(below) => below.as_slice(),
        None => spans.in_trace(crossing.sender(), &spans.get(incoming).trace_id),
    };
    let free = below.iter().copied().filter(|span| {
        is_call(spans.get(*span))
            && spans.is_at_or_below(*span, incoming)
            && !spans.upwards(*span).any(|above| used.contains(&above))
            && fits_call(crossing, *span)
    });
    free.min_by_key(|span| (std::cmp::Reverse(named(spans.get(*span))), spans.get(*span).start_nanos))
}

fn fits_call(crossing: CrossingRef<'_>, span: SpanIx) -> bool {
    let all = crossing.all();
    match crossing.sent() {
        Some(capture) => fits(all, all.spans.get(span), capture, true),
        None => fits_hop(all, all.spans.get(span), crossing.hop_ix()),
    }
}

/// Returns the spans above those on the wire: nested CLIENT or PRODUCER spans are one call, and any of them may be on
/// the wire.
fn outer_calls(all: &Crossings<'_>, on_wire: &IdSet<SpanIx>) -> IdSet<SpanIx> {
    let calls = on_wire.iter().filter(|span| is_call(all.spans.get(**span)));
    let above = calls.flat_map(|span| all.spans.upwards(*span).skip(1));
    above.filter(|span| is_call(all.spans.get(*span))).collect()
}
