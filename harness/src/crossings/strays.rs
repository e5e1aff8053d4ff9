//! Spans of a receiver that stand in the trace of another request over the same hop, although they were made for a
//! request that has no span.
//!
//! The clock of the spans and the clock of the captures are compared by the requests whose span is known. Asked of
//! calls only: a message has an id, an offset or a mark that its span names.

use super::attribute_match::fits;
use super::span_claims::names_another;
use super::span_role::are_apart;
use super::{CrossingRef, Crossings, IdMap, IdSet};
use crate::evidence::SpanIx;
use crate::scenario::{HopIx, NodeIx};

/// The time that a node may take from the head of a request to the begin of its span, beyond its fastest.
const SLACK_NANOS: i128 = 2_000_000;

pub(super) struct Strays {
    /// For each hop the spans beside the one of some request, in the order of the time at which they began.
    of_hop: IdMap<HopIx, Vec<Stray>>,
}

#[derive(Clone, Copy)]
struct Stray {
    span: SpanIx,
    /// By the clock of the captures.
    begun_nanos: i128,
}

impl Strays {
    /// Collects the spans that no crossing has.
    pub fn of(all: &Crossings<'_>, claimed: &IdSet<SpanIx>) -> Strays {
        let offsets = clock_offsets(all);
        let mut strays = Strays { of_hop: IdMap::default() };
        let mut seen = IdSet::default();
        for crossing in all.iter().filter(|crossing| !crossing.is_message()) {
            let Some(offset) = offsets.get(&crossing.receiver()).copied() else { continue };
            for context in crossing.arrived_contexts() {
                let (trace, parent) = (context.trace_id.as_bytes(), context.parent_id.as_bytes());
                for span in all.spans.under(crossing.receiver(), trace, parent).iter().copied() {
                    let begun_nanos = i128::from(all.spans.get(span).start_nanos) - offset;
                    if !claimed.contains(&span)
                        && is_of_later(crossing, span, begun_nanos)
                        && seen.insert(span)
                    {
                        let stray = Stray { span, begun_nanos };
                        strays.of_hop.entry(crossing.hop_ix()).or_default().push(stray);
                    }
                }
            }
        }
        for of_hop in strays.of_hop.values_mut() {
            of_hop.sort_by_key(|stray| stray.begun_nanos);
        }
        strays
    }

    /// Returns the span that began when this request did.
    pub fn find(&self, crossing: CrossingRef<'_>, claimed: &IdSet<SpanIx>) -> Option<SpanIx> {
        let (all, capture, mark) = (crossing.all(), crossing.sent()?, crossing.mark());
        let begun = i128::from(capture.begun_nanos);
        let ended = i128::from(capture.ended_nanos?);
        let mut best: Option<(u128, SpanIx)> = None;
        let of_hop = self.of_hop.get(&crossing.hop_ix())?;
        let first = of_hop.partition_point(|stray| stray.begun_nanos < begun - SLACK_NANOS);
        for stray in of_hop[first..].iter().take_while(|stray| stray.begun_nanos <= ended) {
            let seen = all.spans.get(stray.span);
            let marks = seen.marks.is_empty() || mark.is_some_and(|mark| seen.marks.contains(&mark));
            let rank = (stray.begun_nanos.abs_diff(begun), stray.span);
            if marks
                && best.is_none_or(|known| rank < known)
                && !claimed.contains(&stray.span)
                && !names_another(crossing, stray.span)
                && fits(all, seen, capture, false)
            {
                best = Some(rank);
            }
        }
        best.map(|(_, span)| span)
    }
}

/// Returns whether a span under the context of a request looks like the span of that request, and began after the
/// request was answered: a second step of one request begins while it is under way.
fn is_of_later(crossing: CrossingRef<'_>, span: SpanIx, begun_nanos: i128) -> bool {
    let spans = &crossing.all().spans;
    let (Some(known), seen) = (crossing.receiver_span(), spans.get(span)) else { return false };
    let ended = crossing.sent().and_then(|capture| capture.ended_nanos);
    seen.kind == known.kind
        && seen.name == known.name
        && are_apart(seen, known)
        && ended.is_some_and(|ended| i128::from(ended) < begun_nanos)
}

/// Returns for each node how far its clock is ahead of the captures', by the request that it took up fastest.
fn clock_offsets(all: &Crossings<'_>) -> IdMap<NodeIx, i128> {
    let mut offsets: IdMap<NodeIx, i128> = IdMap::default();
    for crossing in all.iter().filter(|crossing| !crossing.is_message()) {
        let (Some(span), Some(begun)) = (crossing.receiver_span(), crossing.begun_nanos()) else { continue };
        let offset = i128::from(span.start_nanos) - i128::from(begun);
        let least = offsets.entry(crossing.receiver()).or_insert(offset);
        *least = offset.min(*least);
    }
    offsets
}
