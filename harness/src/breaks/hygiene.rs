//! Span hygiene beside the crossings: what a chain of spans needs in order not to be broken.
//!
//! Spans that are a call's, or between what was received and the call, are the sender's affair on the hop
//! that it sent; all others the receiver's, on the hop that reached the node. Only spans of the story are
//! looked at: health polls and exporters make traces of their own.

use super::fault::{Break, Caret, Grade};
use super::sender_spans::described;
use super::{Breaks, Class, Side, name};
use crate::crossings::hashing::{IdMap, IdSet};
use crate::crossings::receiver::operation;
use crate::crossings::span_index::{is_call, is_receipt};
use crate::crossings::{Crossing, CrossingIx, Crossings};
use crate::evidence::{Span, SpanIx};
use crate::scenario::{HopIx, NodeIx};
use crate::wire::{SpanId, TraceId};

/// The crossing that a span belongs to, and on which side it is.
struct Places {
    of_span: IdMap<SpanIx, (CrossingIx, Side)>,
    /// For each node a hop that reaches it.
    reaching: IdMap<NodeIx, HopIx>,
}

pub fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    let places = places(all);
    let story = story_traces(all);
    let mut ids: IdMap<(&[u8], &[u8]), SpanIx> = IdMap::default();
    let (arrived, unanswered) = (arrived_ids(all), Unanswered::of(all));
    for (ix, span) in all.evidence.spans.iter().enumerate().map(|(ix, span)| (SpanIx(ix), span)) {
        let malformed = is_malformed(span) || is_in_a_cycle(all, ix);
        if !story.contains(span.trace_id.as_slice()) && span.marks.is_empty() && !malformed {
            continue;
        }
        let Some(place) = place_of(all, &places, ix) else { continue };
        let repeated = span.conflicting || ids.insert((&span.trace_id, &span.span_id), ix).is_some();
        if malformed && !repeated {
            push(
                found,
                place,
                Class::SpanMalformed,
                format!("exported {}", malformed_how(span)),
                described(span),
            );
            continue;
        }
        if repeated {
            push(
                found,
                place,
                Class::SpanIdRepeated,
                "exported two spans with one id".into(),
                described(span),
            );
        }
        if span.end_nanos < span.start_nanos {
            push(
                found,
                place,
                Class::TimeInverted,
                "exported a span that ends before it starts".into(),
                described(span),
            );
        }
        if span.service_name.as_deref().is_none_or(str::is_empty) {
            // The resource is the node's, whatever the span is for.
            let place = of_node(all, &places, place);
            push(
                found,
                place,
                Class::ResourceMissing,
                "exported a span without `service.name`".into(),
                described(span),
            );
        }
        if parent_is_missing(all, span, &arrived, &unanswered) {
            let what = "exported a span whose parent it did not export".to_owned();
            push(found, place, Class::ParentMissing, what, described(span));
        }
        sampled_in(all, found, place, span);
        kind(all, found, &places, ix, place);
        contract(all, found, of_node(all, &places, place), span);
    }
}

#[derive(Clone, Copy)]
struct At<'c> {
    all: &'c Crossings<'c>,
    hop: HopIx,
    node: NodeIx,
    side: Side,
    crossing: Option<CrossingIx>,
}

fn push(found: &mut Breaks, at: At<'_>, class: Class, what: String, actual: String) {
    let told = told(at, class, what, actual);
    found.list.push(told);
}

fn told(at: At<'_>, class: Class, what: String, actual: String) -> Break {
    let mut told = Break::new(class, at.side, at.hop, at.node).at(Caret::Nothing);
    told.crossing = at.crossing;
    told.stimulus = at.crossing.map(|crossing| at.all.get(crossing).stimulus);
    told.told(format!("{} {what}", name(at.all, at.node)), due(class).into(), actual)
}

fn due(class: Class) -> &'static str {
    match class {
        Class::SpanMalformed => "ids of 16 and 8 bytes, not zero, no span its own parent",
        Class::SpanIdRepeated => "one span for each id",
        Class::TimeInverted => "an end at or after the start",
        Class::ResourceMissing => "a `service.name` on the resource",
        Class::ParentMissing => "the parent among the exported spans",
        Class::KindWrong => "SERVER or CONSUMER for what is received, CLIENT or PRODUCER for a call",
        Class::SampledIn => "no span in an unsampled trace",
        _ => "what the relay contract says",
    }
}

/// Every trace that belongs to the story.
fn story_traces<'c>(all: &'c Crossings<'_>) -> IdSet<&'c [u8]> {
    let mut traces: IdSet<&[u8]> = all.owners.keys().map(|trace| trace.as_bytes().as_slice()).collect();
    for (_, crossing) in all.iter() {
        let spans = [crossing.receiver_span, crossing.named_span, crossing.call_span].into_iter().flatten();
        traces.extend(spans.map(|span| all.spans.get(span).trace_id.as_slice()));
    }
    traces
}

fn places(all: &Crossings<'_>) -> Places {
    let mut of_span = IdMap::default();
    for (ix, crossing) in all.iter() {
        if let Some(span) = crossing.receiver_span {
            of_span.insert(span, (ix, Side::Receiver));
        }
    }
    for (ix, crossing) in all.iter() {
        let incoming = all.incoming_span(crossing);
        for call in [crossing.call_span, crossing.named_span].into_iter().flatten() {
            for span in all.spans.upwards(call).take_while(|span| Some(*span) != incoming) {
                of_span.entry(span).or_insert((ix, Side::Sender));
            }
        }
    }
    let mut reaching = IdMap::default();
    for (ix, hop) in all.plan.scenario.hops.iter().enumerate() {
        reaching.entry(hop.to).or_insert(HopIx(ix));
    }
    Places { of_span, reaching }
}

fn place_of<'c>(all: &'c Crossings<'c>, places: &Places, ix: SpanIx) -> Option<At<'c>> {
    let node = all.spans.get(ix).node;
    let own = places.of_span.get(&ix).copied();
    let above = || {
        let top = all.spans.top_of(ix);
        places.of_span.get(&top).copied().map(|(crossing, _)| (crossing, Side::Receiver))
    };
    match own.or_else(above) {
        Some((crossing, side)) => {
            let of = all.get(crossing);
            let reaches = side == Side::Receiver && all.receiver(of) == node
                || side == Side::Sender && all.sender(of) == node;
            let hop = if reaches { of.hop } else { *places.reaching.get(&node)? };
            Some(At { all, hop, node, side, crossing: Some(crossing) })
        }
        None => {
            Some(At { all, hop: *places.reaching.get(&node)?, node, side: Side::Receiver, crossing: None })
        }
    }
}

/// The receiver's side, on the hop that reached the node.
fn of_node<'c>(all: &'c Crossings<'c>, places: &Places, at: At<'c>) -> At<'c> {
    let cause = at.crossing.filter(|_| at.side == Side::Sender).and_then(|crossing| all.get(crossing).cause);
    let crossing = if at.side == Side::Sender { cause } else { at.crossing };
    let hop = crossing.map(|crossing| all.get(crossing).hop).or(places.reaching.get(&at.node).copied());
    At { side: Side::Receiver, crossing, hop: hop.unwrap_or(at.hop), ..at }
}

fn is_malformed(span: &Span) -> bool {
    let ids = TraceId::from_bytes(&span.trace_id).is_none() || SpanId::from_bytes(&span.span_id).is_none();
    let parent = !span.parent_id.is_empty() && SpanId::from_bytes(&span.parent_id).is_none();
    ids || parent || span.parent_id == span.span_id
}

/// Whether a span stands below itself.
fn is_in_a_cycle(all: &Crossings<'_>, ix: SpanIx) -> bool {
    let span = all.spans.get(ix);
    let alone = all.spans.with_id(span.node, &span.span_id).len() == 1;
    alone && all.spans.upwards(ix).skip(1).any(|above| above == ix)
}

fn malformed_how(span: &Span) -> String {
    match () {
        () if TraceId::from_bytes(&span.trace_id).is_none() => "a span with an invalid trace id".into(),
        () if SpanId::from_bytes(&span.span_id).is_none() => "a span with an invalid span id".into(),
        () if span.parent_id == span.span_id => "a span that is its own parent".into(),
        () if !span.parent_id.is_empty() && SpanId::from_bytes(&span.parent_id).is_none() => {
            "a span with an invalid parent id".into()
        }
        () => "spans that stand below each other".into(),
    }
}

/// Parent ids that arrived at a node from outside.
fn arrived_ids(all: &Crossings<'_>) -> IdSet<(NodeIx, SpanId)> {
    let mut ids = IdSet::default();
    for (_, crossing) in all.iter() {
        for context in all.arrived(crossing).into_iter().flat_map(|wire| wire.contexts()) {
            ids.insert((all.receiver(crossing), context.parent_id));
        }
    }
    ids
}

/// An orphan inside one node. What was received is judged by the crossing's own rows; where the span for it is
/// missing, that is told there.
fn parent_is_missing(
    all: &Crossings<'_>,
    span: &Span,
    arrived: &IdSet<(NodeIx, SpanId)>,
    unanswered: &Unanswered,
) -> bool {
    let Some(parent) = SpanId::from_bytes(&span.parent_id) else { return false };
    // With its parent in another trace it is the trace id that is wrong: telemetry-differs.
    let known = !all.spans.with_id(span.node, &span.parent_id).is_empty();
    if known || arrived.contains(&(span.node, parent)) || is_receipt(span) {
        return false;
    }
    all.flushed(span.node, Some(0)) && !unanswered.may_be_above(span)
}

/// What reached nodes and has no span there.
struct Unanswered {
    /// With the trace that was received.
    in_trace: IdSet<(NodeIx, TraceId)>,
    /// Without one, so that it may be any.
    in_any: IdSet<NodeIx>,
}

impl Unanswered {
    fn of(all: &Crossings<'_>) -> Unanswered {
        let (mut in_trace, mut in_any) = (IdSet::default(), IdSet::default());
        let silent = |crossing: &&Crossing| crossing.receiver_span.is_none() && !all.is_undelivered(crossing);
        for crossing in all.iter().map(|(_, crossing)| crossing).filter(silent) {
            let node = all.receiver(crossing);
            match all.arrived(crossing).and_then(|wire| wire.first()) {
                Some(context) => in_trace.insert((node, context.trace_id)),
                None => in_any.insert(node),
            };
        }
        Unanswered { in_trace, in_any }
    }

    fn may_be_above(&self, span: &Span) -> bool {
        let trace = TraceId::from_bytes(&span.trace_id);
        self.in_any.contains(&span.node)
            || trace.is_some_and(|trace| self.in_trace.contains(&(span.node, trace)))
    }
}

/// A span that is no crossing's own and was exported in an unsampled trace.
fn sampled_in(all: &Crossings<'_>, found: &mut Breaks, at: At<'_>, span: &Span) {
    let Some(crossing) = at.crossing.map(|ix| all.get(ix)) else { return };
    let own = crossing.receiver_span.is_some_and(|own| std::ptr::eq(all.spans.get(own), span));
    let wire = if at.side == Side::Sender { all.wire(crossing) } else { all.arrived(crossing) };
    let context = wire.and_then(|wire| wire.context());
    let Some(context) = context.filter(|context| context.trace_id.as_bytes() == span.trace_id.as_slice())
    else {
        return;
    };
    let expected = if at.side == Side::Sender { crossing.due.sampled } else { Some(context.flags.sampled()) };
    if own || expected != Some(false) || context.flags.sampled() {
        return;
    }
    let into =
        if at.side == Side::Sender { crossing.cause.map(|cause| all.get(cause).hop) } else { Some(at.hop) };
    if let Some(hop) = into {
        let at = At { hop, side: Side::Receiver, ..at };
        push(found, at, Class::SampledIn, "exported a span in an unsampled trace".into(), described(span));
    }
}

/// For relays a fault; for other services a note.
fn kind(all: &Crossings<'_>, found: &mut Breaks, places: &Places, ix: SpanIx, at: At<'_>) {
    let span = all.spans.get(ix);
    let Some((crossing, side)) = places.of_span.get(&ix) else { return };
    let crossing = all.get(*crossing);
    let wrong = match side {
        Side::Receiver => !is_receipt(span),
        // A span with the attributes of a call whose id is on the wire.
        Side::Sender => {
            crossing.named_span == Some(ix)
                && crossing.call_span.is_none()
                && !is_call(span)
                && is_like_a_call(span)
        }
        _ => false,
    };
    if !wrong {
        return;
    }
    let relay = all.plan.scenario.node(at.node).kind.keeps_relay_contract();
    let grade = if relay { Grade::Fault } else { Grade::Note };
    found.list.push(
        told(at, Class::KindWrong, format!("exported a span of kind {}", span.kind.word()), described(span))
            .graded(grade),
    );
}

fn is_like_a_call(span: &Span) -> bool {
    let named = |names: &[&str]| span.attributes.iter().any(|(name, _)| names.contains(&name.as_str()));
    let calls = named(&["server.address", "net.peer.name", "url.full", "http.url"]);
    let sends = matches!(operation(span), Some("send" | "publish" | "create"));
    !is_receipt(span) && (calls || sends)
}

/// A relay reports the name that it was given.
fn contract(all: &Crossings<'_>, found: &mut Breaks, at: At<'_>, span: &Span) {
    let node = all.plan.scenario.node(at.node);
    let Some(relay) = node.kind.as_relay() else { return };
    let renamed =
        relay.env.iter().any(|(name, _)| name == "OTEL_SERVICE_NAME" || name == "OTEL_RESOURCE_ATTRIBUTES");
    match span.service_name.as_deref() {
        Some(name) if !name.is_empty() && name != node.name && !renamed => {
            let what = format!("reports the `service.name` `{name}`, and was given `{}`", node.name);
            let told = told(at, Class::ContractBroken, what, described(span));
            found.list.push(told.graded(Grade::Inconclusive));
        }
        _ => {}
    }
}
