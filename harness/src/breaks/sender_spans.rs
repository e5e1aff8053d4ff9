//! S8 and S12: the id on the wire against the spans that the sender exported, and the link of a restart's root.

use super::fault::{Break, Caret, Grade};
use super::{Breaks, Class, Side, name, on_crossing, relation};
use crate::crossings::attribute_match::{fits_message, is_of_message};
use crate::crossings::receiver::is_receive;
use crate::crossings::span_index::is_call;
use crate::crossings::{Crossing, CrossingIx, Crossings};
use crate::evidence::{CaptureEnd, Span, SpanIx, SpanKind, mark_of};
use crate::scenario::{Relation, RestartSide};
use crate::wire::{SpanId, TraceParent};

/// S8: asked only where both ends are sampled and the sender is known to have exported all it had.
pub(super) fn row(
    all: &Crossings<'_>,
    ix: CrossingIx,
    context: &TraceParent,
    found: &mut Breaks,
) -> Option<Break> {
    let crossing = all.get(ix);
    let node = all.sender(crossing);
    let restart = relation(all, ix).restarts_at() == Some(RestartSide::Sender);
    let sampled = context.flags.sampled() && (restart || crossing.due.sampled != Some(false));
    let came = !all.spans.in_trace(node, context.trace_id.as_bytes()).is_empty();
    let cause_ended = crossing.cause.map(|cause| all.ended_nanos(all.get(cause)));
    let flushed = all.flushed(node, cause_ended.unwrap_or_else(|| all.ended_nanos(crossing)));
    if !all.exports(node) || !sampled || !came || !flushed {
        return None;
    }
    match crossing.named_span {
        None => unknown_id(all, ix, context),
        Some(named) if !is_below_incoming(all, crossing, named) => Some(foreign_span(all, ix, named)),
        Some(named) if is_call(all.spans.get(named)) => {
            other_message(all, ix, named).or_else(|| shared_id(all, ix, named, found))
        }
        Some(named) => other_kind(all, ix, named, found),
    }
}

fn unknown_id(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent) -> Option<Break> {
    let crossing = all.get(ix);
    let who = name(all, all.sender(crossing));
    if let Some(call) = crossing.call_span {
        return Some(reparented(all, ix, call, format!("an id that no span has: {}", context.parent_id)));
    }
    let message =
        format!("{who} sent the id of a span that it did not export, although the trace is sampled");
    let told = on_crossing(all, ix, Class::SampledOut, Side::Sender).at(Caret::ParentId);
    let actual = format!("parent id {}, which no span of {who} has", context.parent_id);
    Some(told.told(message, format!("the span of {who} that is on the wire"), actual))
}

fn foreign_span(all: &Crossings<'_>, ix: CrossingIx, named: SpanIx) -> Break {
    let span = all.spans.get(named);
    let who = name(all, all.sender(all.get(ix)));
    let message = format!("{who} sent the id of a span that does not stand below what it received");
    let told = on_crossing(all, ix, Class::Reparented, Side::Sender).at(Caret::ParentId);
    told.told(message, "a span below the incoming one".into(), described(span))
}

/// A PRODUCER span that says to be of another message, while another one says to be of this one.
fn other_message(all: &Crossings<'_>, ix: CrossingIx, named: SpanIx) -> Option<Break> {
    let crossing = all.get(ix);
    let message = all.evidence.captures[crossing.capture?.0].message.as_ref()?;
    let span = all.spans.get(named);
    if is_of_message(span, message) != Some(false) {
        return None;
    }
    let beside = all.spans.in_trace(all.sender(crossing), &span.trace_id).iter().copied();
    let own = beside.map(|other| (other, all.spans.get(other))).find(|(_, other)| {
        is_call(other) && fits_message(other, message) && is_of_message(other, message) == Some(true)
    });
    own.map(|(own, _)| reparented(all, ix, own, format!("{} of another message", described(span))))
}

/// A CLIENT or PRODUCER span that an earlier call carried already.
fn shared_id(all: &Crossings<'_>, ix: CrossingIx, named: SpanIx, found: &mut Breaks) -> Option<Break> {
    let crossing = all.get(ix);
    let earlier = crossing.same_id_as?;
    let who = name(all, all.sender(crossing));
    if is_resend(all, earlier, ix) {
        let told =
            on_crossing(all, ix, Class::Reparented, Side::Sender).at(Caret::ParentId).graded(Grade::Note);
        let message = format!("{who} sent a call again under the span of its first attempt");
        found.list.push(told.told(
            message,
            "a span for each attempt".into(),
            described(all.spans.get(named)),
        ));
        return None;
    }
    match crossing.call_span {
        Some(call) => {
            Some(reparented(all, ix, call, format!("{} of another call", described(all.spans.get(named)))))
        }
        None => {
            let told =
                on_crossing(all, ix, Class::Reparented, Side::Sender).at(Caret::ParentId).graded(Grade::Note);
            let message = format!("{who} made several calls under one span");
            found.list.push(told.told(
                message,
                "a span for each call".into(),
                described(all.spans.get(named)),
            ));
            None
        }
    }
}

/// The id of a span that is not one for a call.
fn other_kind(all: &Crossings<'_>, ix: CrossingIx, named: SpanIx, found: &mut Breaks) -> Option<Break> {
    let crossing = all.get(ix);
    let span = all.spans.get(named);
    if let Some(call) = crossing.call_span {
        return Some(reparented(all, ix, call, described(span)));
    }
    let who = name(all, all.sender(crossing));
    let told = on_crossing(all, ix, Class::Reparented, Side::Sender).at(Caret::ParentId).graded(Grade::Note);
    let message = format!("{who} has no CLIENT span for the call; {} is on the wire", described(span));
    found.list.push(told.told(message, "a CLIENT span for the call".into(), described(span)));
    None
}

fn reparented(all: &Crossings<'_>, ix: CrossingIx, call: SpanIx, actual: String) -> Break {
    let who = name(all, all.sender(all.get(ix)));
    let call = all.spans.get(call);
    let message = format!("{who} sent another id than that of its span for this call");
    let told = on_crossing(all, ix, Class::Reparented, Side::Sender).at(Caret::ParentId);
    told.told(message, described(call), actual)
}

/// Whether a call is a further attempt of an earlier one: the same target, begun after the earlier one had
/// failed.
fn is_resend(all: &Crossings<'_>, earlier: CrossingIx, later: CrossingIx) -> bool {
    let capture = |ix: CrossingIx| all.get(ix).capture.map(|capture| &all.evidence.captures[capture.0]);
    let (Some(first), Some(second)) = (capture(earlier), capture(later)) else { return false };
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

/// Below the incoming span; where that was not exported, or a new root was due, anywhere.
fn is_below_incoming(all: &Crossings<'_>, crossing: &Crossing, span: SpanIx) -> bool {
    let hop = all.plan.scenario.hop(crossing.hop);
    let Some(incoming) = all.incoming_span(crossing) else { return true };
    let other_trace = all.spans.get(incoming).trace_id != all.spans.get(span).trace_id;
    if hop.relation.restarts_at() == Some(RestartSide::Sender)
        || other_trace
        || all.spans.is_at_or_below(span, incoming)
    {
        return true;
    }
    // The receive began the trace: what is done with the message stands beside the span that links to it.
    if is_receive(all.spans.get(all.spans.top_of(span)))
        && all.spans.top_of(span) == all.spans.top_of(incoming)
    {
        return true;
    }
    // A parent that was not exported breaks the chain; that is not this row's affair.
    let top = all.spans.get(all.spans.top_of(span));
    let beside = continues_incoming(all, crossing, top);
    match top.kind {
        _ if top.parent_id.is_empty() => false,
        // A server and a framework in it may each make a SERVER span under what came in: calls are below either.
        SpanKind::Server | SpanKind::Consumer => beside,
        // Made from what was extracted instead of from the span that stands for it.
        SpanKind::Client | SpanKind::Producer => !beside || is_call(all.spans.get(incoming)),
        SpanKind::Internal | SpanKind::Unspecified => true,
    }
}

fn continues_incoming(all: &Crossings<'_>, crossing: &Crossing, top: &Span) -> bool {
    let received = crossing.cause.and_then(|cause| all.arrived(all.get(cause)));
    received.into_iter().flat_map(|wire| wire.contexts()).any(|context| {
        top.trace_id == context.trace_id.as_bytes() && top.parent_id == context.parent_id.as_bytes()
    })
}

/// `CLIENT span "GET" 00f067aa0ba902b7`.
pub(super) fn described(span: &Span) -> String {
    let id = SpanId::from_bytes(&span.span_id)
        .map_or_else(|| "with an invalid id".to_owned(), |id| id.to_string());
    format!("{} span `{}` {id}", span.kind.word(), span.name)
}

/// S12: the root above the sender's span links to what was left.
pub(super) fn link(all: &Crossings<'_>, ix: CrossingIx) -> Option<Break> {
    if relation(all, ix) != Relation::RestartWithLink(RestartSide::Sender) {
        return None;
    }
    let crossing = all.get(ix);
    let root = all.spans.get(all.spans.top_of(crossing.named_span.or(crossing.call_span)?));
    let left = crossing.expected.trace?;
    let incoming = all.incoming_span(crossing).map(|span| all.spans.get(span));
    let due = |link: &crate::evidence::Link| match incoming {
        Some(span) => link.trace_id == span.trace_id && link.span_id == span.span_id,
        None => link.trace_id == left.as_bytes(),
    };
    if root.links.iter().any(due) {
        return None;
    }
    let who = name(all, all.sender(crossing));
    let expected = incoming
        .map_or_else(|| format!("a link to trace {left}"), |span| format!("a link to {}", described(span)));
    let (class, message) = if root.links.is_empty() {
        (
            Class::LinkMissing,
            format!("{who} began a new trace whose root `{}` has no link to the one it left", root.name),
        )
    } else {
        (
            Class::LinkWrong,
            format!(
                "{who} began a new trace whose root `{}` links to something else than it left",
                root.name
            ),
        )
    };
    let told = on_crossing(all, ix, class, Side::Sender).at(Caret::TraceId);
    Some(told.told(message, expected, format!("{} links", root.links.len())))
}
