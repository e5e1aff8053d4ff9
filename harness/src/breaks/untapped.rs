//! A hop with `tap: none`: spans are the only witnesses, and what they cannot show is named.
//!
//! What a crossing behind such a hop shows of it is moved to it: which of the two nodes broke it is not known.

use super::break_kind::{Extraction, Join, LeakedField, LinkOwner, Restart, Silence};
use super::{Break, BreakKind, Breaks, Caret, Class, ContextFields, Grade, Side, Value, Witness};
use crate::crossings::{ContextField, CrossingRef};
use crate::scenario::{Relation, RestartSide};
use crate::wire::TraceId;

/// Finds what the receiver's span shows of the relation. Not asked where the crossing behind it showed more.
pub(super) fn row(crossing: CrossingRef<'_>, found: &mut Breaks) {
    let Some(trace) = crossing.expected().trace else { return };
    if !crossing.all().exports(crossing.receiver()) {
        return;
    }
    found.list.extend(match crossing.receiver_span_ix() {
        Some(_) => with_span(crossing, trace),
        None => without_span(crossing, trace),
    });
}

/// Returns a break where a span was due that was not exported; a receiver that begins a trace may decide against one.
fn without_span(crossing: CrossingRef<'_>, trace: TraceId) -> Option<Break> {
    let continues = matches!(crossing.relation(), Relation::Child | Relation::Unchanged);
    if !continues || crossing.expected().sampled == Some(false) {
        return None;
    }
    let missing = Break::by_receiver(crossing, BreakKind::NotExported(Silence::Untapped));
    let missing = missing.graded(Grade::Inconclusive).missing(Witness::Tap);
    Some(Break { side: Side::Unknown, ..missing.values(Value::SpanIn(trace), Value::NoSpan) })
}

fn with_span(crossing: CrossingRef<'_>, trace: TraceId) -> Option<Break> {
    let span = crossing.receiver_span()?;
    let in_trace = TraceId::from_bytes(&span.trace_id) == Some(trace);
    let linked = span.links.iter().any(|link| TraceId::from_bytes(&link.trace_id) == Some(trace));
    let joined = Break::by_receiver(crossing, BreakKind::Joined(Join::ReceiverStayed));
    let joined = joined.values(Value::NewTrace, Value::Trace(trace));
    match crossing.relation() {
        Relation::Child | Relation::Unchanged if in_trace => None,
        Relation::ChildOrLink if in_trace || linked => None,
        // The link shows that the context arrived.
        Relation::Child | Relation::Unchanged if linked => {
            let restarted = Break::by_receiver(crossing, BreakKind::Restarted(Restart::LinkedByReceiver));
            Some(
                restarted.values(
                    Value::SpanIn(trace),
                    crossing.receiver_span_ix().map_or(Value::NoSpan, Value::Span),
                ),
            )
        }
        Relation::Child | Relation::Unchanged | Relation::ChildOrLink => Some(not_extracted(crossing, trace)),
        Relation::Link | Relation::RestartWithLink(RestartSide::Receiver) if in_trace => Some(joined),
        Relation::Link | Relation::RestartWithLink(RestartSide::Receiver) if linked => None,
        Relation::Link | Relation::RestartWithLink(RestartSide::Receiver) => {
            let missing = Break::by_receiver(crossing, BreakKind::LinkMissing(LinkOwner::ReceiversSpan));
            let links = Value::Links { count: span.links.len(), due: 0 };
            Some(without_the_tap(crossing, missing).values(Value::LinkToTrace(trace), links))
        }
        Relation::Restart(RestartSide::Receiver) => in_trace.then_some(joined),
        // The receiver can know the trace only from what the sender sent.
        Relation::Restart(RestartSide::Sender) | Relation::RestartWithLink(RestartSide::Sender) => {
            let stayed = Break::by_sender(crossing, BreakKind::Joined(Join::SenderStayed));
            in_trace.then(|| stayed.values(Value::NewTrace, Value::Trace(trace)))
        }
        Relation::None => {
            let field = ContextField::TraceParent;
            let leaked = BreakKind::Leaked(LeakedField::Context(ContextFields::of(field)));
            let leaked = Break::by_sender(crossing, leaked).at(Caret::Field(field));
            in_trace.then(|| leaked.values(Value::NoField, Value::Trace(trace)))
        }
    }
}

fn not_extracted(crossing: CrossingRef<'_>, trace: TraceId) -> Break {
    let how =
        if crossing.is_from_client() { Extraction::SentByDriver } else { Extraction::PerhapsNotInjected };
    let broken = without_the_tap(crossing, Break::by_receiver(crossing, BreakKind::NotExtracted(how)));
    let actual = crossing.receiver_span_ix().map_or(Value::NoSpan, Value::Span);
    broken.values(Value::SpanIn(trace), actual)
}

/// Returns the break, inconclusive where only a tap would show that the sender did its part; the driver always does.
fn without_the_tap(crossing: CrossingRef<'_>, broken: Break) -> Break {
    let grade = if crossing.is_from_client() { Grade::Fault } else { Grade::Inconclusive };
    broken.graded(grade).missing(Witness::Tap)
}

/// Returns the break of a sender, moved to the hop that reached it where nobody saw what that hop brought: it may have
/// been lost there, by either node.
pub(super) fn moved(crossing: CrossingRef<'_>, broken: Break) -> Break {
    let unseen =
        crossing.cause().filter(|cause| cause.received_capture().is_none() && !cause.is_from_client());
    let Some(cause) = unseen else { return broken };
    let (kind, side) = match broken.class() {
        Class::Restarted if broken.kind == BreakKind::Restarted(Restart::AtOrAfterEntry) => {
            (BreakKind::NotExtracted(Extraction::PerhapsNotInjected), Side::Receiver)
        }
        Class::TracestateAltered
        | Class::TracestateCut
        | Class::TracestateLost
        | Class::TracestateReordered => (broken.kind, Side::Unknown),
        Class::BaggageLost | Class::BaggageAltered => (broken.kind, Side::Unknown),
        Class::NotCrossed
        | Class::Leaked
        | Class::BaggageLeaked
        | Class::NotInjected
        | Class::Malformed
        | Class::Refused
        | Class::Duplicated
        | Class::Swapped
        | Class::Joined
        | Class::Restarted
        | Class::PassedThrough
        | Class::Reparented
        | Class::FlagChanged
        | Class::TracestateLeaked
        | Class::LinkMissing
        | Class::LinkWrong
        | Class::Stripped
        | Class::Altered
        | Class::NotAdded
        | Class::Adopted
        | Class::SampledOut
        | Class::NotExported
        | Class::NotExtracted
        | Class::SampledIn
        | Class::TelemetryDiffers
        | Class::SpanIdRepeated
        | Class::SpanMalformed
        | Class::ParentMissing
        | Class::KindWrong
        | Class::TimeInverted
        | Class::ResourceMissing
        | Class::LogUncorrelated
        | Class::ContractBroken
        | Class::Undeclared
        | Class::TraceSplit
        | Class::TraceDropped
        | Class::TraceKept
        | Class::CollectorAltered => return broken,
    };
    let place = Break::on(cause, kind, Side::Receiver);
    Break { kind, side, hop: place.hop, node: place.node, crossing: place.crossing, ..broken }
        .graded(Grade::Inconclusive)
        .missing(Witness::Tap)
}
