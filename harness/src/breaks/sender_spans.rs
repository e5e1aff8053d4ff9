//! S8 and S12: the id on the wire against the spans that the sender exported, and the link of a restart's root.

use super::break_kind::{LinkOwner, Reparent, UnexportedSpan, WrongLink, WrongSpan};
use super::{Break, BreakKind, Breaks, Caret, Grade, Value};
use crate::crossings::attribute_match::{fits_message, is_of_message};
use crate::crossings::span_role::{is_call, is_receive};
use crate::crossings::{CarriedContext, CarriedFields, CrossingRef};
use crate::evidence::{CaptureEnd, Span, SpanIx, SpanKind, mark_of};
use crate::scenario::{Relation, RestartSide};

/// Returns S8: asked only where both ends are sampled and the sender is known to have exported all it had.
pub(super) fn row(crossing: CrossingRef<'_>, context: &CarriedContext, found: &mut Breaks) -> Option<Break> {
    if let Some(shared) = shared_id(crossing, found) {
        return Some(shared);
    }
    let all = crossing.all();
    let node = crossing.sender();
    let restart = crossing.relation().restarts_at() == Some(RestartSide::Sender);
    let sampled = context.flags.sampled() && (restart || crossing.due().sampled != Some(false));
    if !all.exports(node)
        || !sampled
        || all.spans.in_trace(node, context.trace_id.as_bytes()).is_empty()
        || !all.flushed(node, crossing.cause().unwrap_or(crossing).ended_nanos())
    {
        return None;
    }
    let Some(named) = crossing.named_span_ix() else { return unknown_id(crossing, context) };
    if !is_below_incoming(crossing, named) {
        let detached = reparented(crossing, Reparent::Detached).of_span(named);
        return Some(detached.values(Value::Implied, Value::Span(named)));
    }
    if is_call(all.spans.get(named)) {
        other_message(crossing, named)
    } else if crossing.same_id_as().is_some() {
        None
    } else {
        other_kind(crossing, named, found)
    }
}

fn unknown_id(crossing: CrossingRef<'_>, context: &CarriedContext) -> Option<Break> {
    let actual = Value::ParentId(context.parent_id);
    if let Some(call) = crossing.call_span_ix() {
        return Some(wrong_span(crossing, call, WrongSpan::Unknown, actual));
    }
    if crossing.outlives_story() {
        return None;
    }
    let unexported = Break::by_sender(crossing, BreakKind::SampledOut(UnexportedSpan::OnTheWire));
    Some(unexported.at(Caret::ParentId).values(Value::Implied, actual))
}

/// Returns a break for a PRODUCER span that names another message, while another span names this one.
fn other_message(crossing: CrossingRef<'_>, named: SpanIx) -> Option<Break> {
    let spans = &crossing.all().spans;
    let message = crossing.sent()?.message.as_ref()?;
    let span = spans.get(named);
    if is_of_message(span, message) != Some(false) {
        return None;
    }
    let own = spans.in_trace(crossing.sender(), &span.trace_id).iter().copied().find(|other| {
        let other = spans.get(*other);
        is_call(other) && fits_message(other, message) && is_of_message(other, message) == Some(true)
    });
    Some(wrong_span(crossing, own?, WrongSpan::OfAnotherMessage, Value::Span(named)))
}

/// Returns a break, or adds a note, for an id that an earlier call carried already. The wire alone shows it: it needs
/// neither spans nor a flush.
fn shared_id(crossing: CrossingRef<'_>, found: &mut Breaks) -> Option<Break> {
    let earlier = crossing.same_id_as()?;
    let id = crossing.wire()?.first()?.parent_id;
    let actual = crossing.named_span_ix().map_or(Value::ParentId(id), Value::Span);
    let own_call = crossing.call_span_ix().filter(|call| Some(*call) != crossing.named_span_ix());
    let (how, grade) = if is_retry(earlier, crossing) {
        (Reparent::RetryUnderOneSpan, Grade::Note)
    } else if let Some(call) = own_call {
        return Some(wrong_span(crossing, call, WrongSpan::OfAnotherCall, actual));
    } else if crossing.sender_node().kind.keeps_relay_contract() && !crossing.is_message() {
        (Reparent::CallsUnderOneSpan, Grade::Fault)
    } else {
        (Reparent::CallsUnderOneSpan, Grade::Note)
    };
    let shared = reparented(crossing, how).graded(grade).values(Value::Implied, actual);
    let shared = Break { span: crossing.named_span_ix(), ..shared };
    if grade == Grade::Fault {
        return Some(shared);
    }
    found.list.push(shared);
    None
}

/// Returns a break, or adds a note, for the id of a span that is not one for a call.
fn other_kind(crossing: CrossingRef<'_>, named: SpanIx, found: &mut Breaks) -> Option<Break> {
    if let Some(call) = crossing.call_span_ix() {
        return Some(wrong_span(crossing, call, WrongSpan::OfAnotherKind, Value::Span(named)));
    }
    match inner_span(crossing, named) {
        Some(inner) => note(crossing, Reparent::BeforeInnerSpan, inner, found),
        // A proxy may have one span for the request and its forwarding.
        None if crossing.sender_node().is_gateway => {}
        None => note(crossing, Reparent::NoCallSpan, named, found),
    }
    None
}

/// Returns an INTERNAL span below the one on the wire that was open while the receiver handled the call: the context
/// was injected before it started.
fn inner_span(crossing: CrossingRef<'_>, named: SpanIx) -> Option<SpanIx> {
    let spans = &crossing.all().spans;
    let handled = crossing.receiver_span()?;
    let named_span = spans.get(named);
    spans.in_trace(crossing.sender(), &named_span.trace_id).iter().copied().find(|inner| {
        let span = spans.get(*inner);
        *inner != named
            && span.kind == SpanKind::Internal
            && span.start_nanos <= handled.start_nanos
            && span.end_nanos >= handled.end_nanos
            && spans.is_at_or_below(*inner, named)
    })
}

fn reparented(crossing: CrossingRef<'_>, how: Reparent) -> Break {
    Break::by_sender(crossing, BreakKind::Reparented(how)).at(Caret::ParentId)
}

fn wrong_span(crossing: CrossingRef<'_>, call: SpanIx, how: WrongSpan, actual: Value) -> Break {
    let wrong = reparented(crossing, Reparent::WrongSpan(how)).of_span(call);
    wrong.values(Value::Span(call), actual)
}

fn note(crossing: CrossingRef<'_>, how: Reparent, named: SpanIx, found: &mut Breaks) {
    let note = reparented(crossing, how).graded(Grade::Note).of_span(named);
    found.list.push(note.values(Value::Implied, Value::Span(named)));
}

/// Returns whether a call is a further attempt of an earlier one: the same target, begun after the earlier one had
/// failed.
fn is_retry(earlier: CrossingRef<'_>, later: CrossingRef<'_>) -> bool {
    let (Some(first), Some(second)) = (earlier.sent(), later.sent()) else { return false };
    let same = first.tap == second.tap && first.method == second.method && first.path == second.path;
    let failed = match &first.end {
        CaptureEnd::Answered { status, .. } => *status >= 300 || !first.end.is_success(),
        CaptureEnd::Settled(_) => !first.end.is_success(),
        CaptureEnd::Broken(_) | CaptureEnd::Open => true,
    };
    let after = first.ended_nanos.is_some_and(|ended| ended <= second.begun_nanos);
    let marked = mark_of(&first.marked).is_some() && first.marked == second.marked;
    (same || marked) && failed && after
}

/// Returns whether a span is below the incoming one; where that was not exported, or a new root was due, any is.
fn is_below_incoming(crossing: CrossingRef<'_>, span: SpanIx) -> bool {
    let spans = &crossing.all().spans;
    let Some(incoming) = crossing.incoming_span_ix() else { return true };
    if crossing.relation().restarts_at() == Some(RestartSide::Sender)
        || spans.get(incoming).trace_id != spans.get(span).trace_id
        || spans.is_at_or_below(span, incoming)
    {
        return true;
    }
    // The receive began the trace: what is done with the message stands beside the span that links to it.
    if is_receive(spans.get(spans.top_of(span))) && spans.top_of(span) == spans.top_of(incoming) {
        return true;
    }
    // A parent that was not exported breaks the chain; that is not this row's affair.
    let top = spans.get(spans.top_of(span));
    let beside = continues_incoming(crossing, top);
    if top.parent_id.is_empty() {
        return false;
    }
    match top.kind {
        // A server and a framework in it may each make a SERVER span under what came in: calls are below either.
        SpanKind::Server | SpanKind::Consumer => beside,
        // Made from what was extracted instead of from the span that stands for it.
        SpanKind::Client | SpanKind::Producer => !beside || is_call(spans.get(incoming)),
        SpanKind::Internal | SpanKind::Unspecified => true,
    }
}

/// Returns what reached the sender and caused this crossing.
pub(super) fn received(crossing: CrossingRef<'_>) -> Option<&CarriedFields> {
    crossing.cause()?.arrived()
}

fn continues_incoming(crossing: CrossingRef<'_>, top: &Span) -> bool {
    received(crossing).into_iter().flat_map(|wire| wire.contexts()).any(|context| {
        top.trace_id == context.trace_id.as_bytes() && top.parent_id == context.parent_id.as_bytes()
    })
}

/// Returns S12: the root above the sender's span links to the trace that was left.
pub(super) fn link(crossing: CrossingRef<'_>) -> Option<Break> {
    if crossing.relation() != Relation::RestartWithLink(RestartSide::Sender) {
        return None;
    }
    let spans = &crossing.all().spans;
    let root_ix = spans.top_of(crossing.named_span_ix().or(crossing.call_span_ix())?);
    let root = spans.get(root_ix);
    let left = crossing.expected().trace?;
    let incoming = crossing.incoming_span();
    let linked = root.links.iter().any(|link| match incoming {
        Some(span) => link.trace_id == span.trace_id && link.span_id == span.span_id,
        None => link.trace_id == left.as_bytes(),
    });
    if linked {
        return None;
    }
    let kind = if root.links.is_empty() {
        BreakKind::LinkMissing(LinkOwner::SendersRoot)
    } else {
        BreakKind::LinkWrong(WrongLink::SendersRoot)
    };
    let expected = crossing.incoming_span_ix().map_or(Value::LinkToTrace(left), Value::LinkToSpan);
    let actual = Value::Links { count: root.links.len(), due: 0 };
    Some(Break::by_sender(crossing, kind).at(Caret::TraceId).of_span(root_ix).values(expected, actual))
}
