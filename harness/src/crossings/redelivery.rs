//! Further deliveries that no tap sees: a record of Kafka that its consumer reads again, a queue read beside.
//!
//! Each further span of the same operation that fits the wire is one (mark, offset, or what it continues), unless it
//! names another message.

use super::span_claims::names_another;
use super::span_role::{are_apart, is_call, is_receive};
use super::{Crossing, CrossingRef, Crossings, IdSet, Nature};
use crate::evidence::SpanIx;

pub(super) fn add(all: &mut Crossings<'_>) {
    let mut taken: IdSet<SpanIx> = all.iter().filter_map(CrossingRef::receiver_span_ix).collect();
    let mut more: Vec<Crossing> = Vec::new();
    for crossing in all.iter().filter(|crossing| crossing.hop().transport.hides_redelivery()) {
        let Some(first) = crossing.receiver_span_ix() else { continue };
        for span in further(crossing, first) {
            if taken.insert(span) {
                more.push(Crossing {
                    nature: Nature::Redelivered,
                    receiver_span: Some(span),
                    ..crossing.record()
                });
            }
        }
    }
    all.list.extend(more);
}

/// Returns the spans of the same operation for the same record.
fn further(crossing: CrossingRef<'_>, first: SpanIx) -> Vec<SpanIx> {
    let (spans, node) = (&crossing.all().spans, crossing.receiver());
    let mut found: Vec<SpanIx> = Vec::new();
    if let Some(mark) = crossing.mark() {
        found.extend_from_slice(spans.marked(node, mark));
    }
    for context in crossing.arrived_contexts() {
        found.extend(spans.continuing(node, context));
    }
    let mut seen = IdSet::default();
    found.retain(|span| *span != first && seen.insert(*span) && is_further(crossing, first, *span));
    found
}

fn is_further(crossing: CrossingRef<'_>, first: SpanIx, span: SpanIx) -> bool {
    let spans = &crossing.all().spans;
    let (known, seen) = (spans.get(first), spans.get(span));
    let nested = spans.is_at_or_below(first, span);
    // Two calls under what one delivery extracted are two calls, not two deliveries.
    let delivery = !is_receive(seen) && !is_call(seen);
    seen.kind == known.kind
        && seen.name == known.name
        && delivery
        && !nested
        && are_apart(seen, known)
        && !names_another(crossing, span)
}
