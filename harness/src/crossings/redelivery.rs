//! Further deliveries that no tap sees: a record of Kafka that its consumer reads again, a queue read beside.
//!
//! Each further span of the same operation that fits the wire is one (mark, offset, or what it continues), unless it
//! says that it is about another message.

use super::hashing::IdSet;
use super::receiver::{is_receive, mark};
use super::span_claims::names_another;
use super::span_index::is_call;
use super::{Crossing, CrossingIx, Crossings, Nature};
use crate::evidence::{Span, SpanIx};

pub(super) fn add(all: &mut Crossings<'_>) {
    let mut taken: IdSet<SpanIx> = all.list.iter().filter_map(|crossing| crossing.receiver_span).collect();
    let mut more: Vec<Crossing> = Vec::new();
    for (ix, crossing) in all.records() {
        let transport = &all.plan.scenario.hop(crossing.hop).transport;
        let Some(first) = crossing.receiver_span.filter(|_| transport.hides_redelivery()) else {
            continue;
        };
        for span in further(all, ix, first) {
            if taken.insert(span) {
                more.push(Crossing {
                    nature: Nature::Redelivered,
                    receiver_span: Some(span),
                    ..crossing.clone()
                });
            }
        }
    }
    all.list.extend(more);
}

/// Spans of the same operation for the same record.
fn further(all: &Crossings<'_>, ix: CrossingIx, first: SpanIx) -> Vec<SpanIx> {
    let crossing = all.record(ix);
    let node = all.receiver(crossing);
    let known = all.spans.get(first);
    let mut found: Vec<SpanIx> = Vec::new();
    if let Some(mark) = mark(all, ix) {
        found.extend_from_slice(all.spans.marked(node, mark));
    }
    for context in all.arrived(crossing).into_iter().flat_map(|wire| wire.contexts()) {
        let (trace, parent) = (context.trace_id, context.parent_id);
        found.extend(all.evidence.spans_under(&all.spans, node, trace, parent));
    }
    let same = |span: &Span| {
        let nested = all.spans.upwards(first).any(|above| std::ptr::eq(all.spans.get(above), span));
        // Two calls under what one delivery extracted are two calls, not two deliveries.
        let delivery = !is_receive(span) && !is_call(span);
        span.kind == known.kind && span.name == known.name && delivery && !nested
    };
    let mut seen = IdSet::default();
    found.retain(|span| *span != first && seen.insert(*span) && same(all.spans.get(*span)));
    found.retain(|span| apart(all.spans.get(*span), known) && !names_another(all, crossing, *span));
    found
}

/// Two spans for one record that ran at the same time are one delivery seen twice (nested instrumentation).
fn apart(one: &Span, other: &Span) -> bool {
    one.start_nanos >= other.end_nanos || other.start_nanos >= one.end_nanos
}
