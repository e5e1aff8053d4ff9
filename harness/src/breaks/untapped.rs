//! A hop with `tap: none`: the receiver's span is the only witness, and what it cannot show is named.

use super::break_kind::{Extraction, Silence};
use super::{Break, BreakKind, Breaks, Grade, Side, Value, Witness};
use crate::crossings::CrossingRef;
use crate::scenario::Relation;
use crate::wire::TraceId;

pub(super) fn row(crossing: CrossingRef<'_>, found: &mut Breaks) {
    let expected = crossing.expected();
    let Some(trace) = expected.trace else { return };
    let due = crossing.all().exports(crossing.receiver()) && expected.sampled != Some(false);
    if !due || crossing.relation() != Relation::Child {
        return;
    }
    let (kind, grade, actual) = match (crossing.receiver_span_ix(), crossing.receiver_span()) {
        (_, Some(span)) if TraceId::from_bytes(&span.trace_id) == Some(trace) => return,
        (Some(span), _) if crossing.is_from_client() => {
            (BreakKind::NotExtracted(Extraction::SentByDriver), Grade::Fault, Value::Span(span))
        }
        (Some(span), _) => {
            (BreakKind::NotExtracted(Extraction::PerhapsNotInjected), Grade::Inconclusive, Value::Span(span))
        }
        (None, _) => (BreakKind::NotExported(Silence::Untapped), Grade::Inconclusive, Value::NoSpan),
    };
    let missing = Break::by_receiver(crossing, kind).graded(grade).missing(Witness::Tap);
    let missing = missing.values(Value::SpanIn(trace), actual);
    // Without a span nobody is known to have broken it.
    let side = if crossing.receiver_span().is_some() { Side::Receiver } else { Side::Unknown };
    found.list.push(Break { side, ..missing });
}
