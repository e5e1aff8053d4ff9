//! Span hygiene beside the crossings: what a chain of spans needs in order not to be broken.
//!
//! Spans that are a call's, or between what was received and the call, are the sender's affair on the hop
//! that it sent; all others the receiver's, on the hop that reached the node. Only spans of the story are
//! looked at: health polls and exporters make traces of their own.

use super::break_kind::{ContractDefect, SpanDefect, SurplusSpan};
use super::{Break, BreakKind, Breaks, Grade, Side, Value};
use crate::crossings::id_map::{IdMap, IdSet};
use crate::crossings::span_role::{is_call, is_receipt, is_receive, operation};
use crate::crossings::{CarriedFields, CrossingIx, CrossingRef, Crossings};
use crate::evidence::{Span, SpanIx, SpanKind};
use crate::scenario::{HopIx, NodeIx, NodeKind};
use crate::wire::{SpanId, TraceId};

pub(super) fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    let places = Places::of(all);
    let story = story_traces(all);
    let (arrived, missing) = (all.carried_ids(), MissingSpans::of(all));
    let mut ids: IdMap<(&[u8], &[u8]), SpanIx> = IdMap::default();
    for (ix, span) in all.evidence.spans.iter().enumerate().map(|(ix, span)| (SpanIx(ix), span)) {
        let defect = span_defect(all, ix, span);
        if !story.contains(span.trace_id.as_slice()) && span.marks.is_empty() && defect.is_none() {
            continue;
        }
        let Some(place) = places.place_of(all, ix) else { continue };
        let earlier = ids.insert((&span.trace_id, &span.span_id), ix);
        let repeated = span.conflicting || earlier.is_some();
        if let Some(defect) = defect
            && !repeated
        {
            place.push(BreakKind::SpanMalformed(defect), found);
            continue;
        }
        if repeated {
            let same_id = place.broken(BreakKind::SpanIdRepeated);
            let expected = earlier.map_or(Value::Implied, Value::Span);
            found.list.push(Break { expected, ..same_id });
        }
        if span.end_nanos < span.start_nanos {
            place.push(BreakKind::TimeInverted, found);
        }
        if span.service_name.as_deref().is_none_or(str::is_empty) {
            // The resource is the node's, whatever the span is for.
            places.of_node(place).push(BreakKind::ResourceMissing, found);
        }
        if parent_is_missing(all, span, &arrived, &missing) {
            place.push(BreakKind::ParentMissing, found);
        }
        sampled_in(place, span, found);
        kind(&places, place, span, found);
        service_name(places.of_node(place), span, found);
    }
}

/// The place where breaks of a span are counted: the node, the hop, and the crossing that the span is of.
#[derive(Clone, Copy)]
struct SpanPlace<'c> {
    all: &'c Crossings<'c>,
    span: SpanIx,
    hop: HopIx,
    node: NodeIx,
    side: Side,
    crossing: Option<CrossingRef<'c>>,
}

impl SpanPlace<'_> {
    fn push(self, kind: BreakKind, found: &mut Breaks) {
        found.list.push(self.broken(kind));
    }

    fn broken(self, kind: BreakKind) -> Break {
        let capture = match self.side {
            Side::Sender => self.crossing.and_then(CrossingRef::sent_capture),
            Side::Receiver | Side::Intermediary | Side::Unknown => {
                self.crossing.and_then(CrossingRef::received_capture)
            }
        };
        Break {
            capture,
            crossing: self.crossing.map(CrossingRef::ix),
            stimulus: self.crossing.map(CrossingRef::stimulus_ix),
            ..Break::new(kind, self.side, self.hop, self.node)
        }
        .of_span(self.span)
        .values(Value::Implied, Value::Span(self.span))
    }
}

/// The crossing that each span belongs to, and on which side it is.
struct Places {
    of_span: IdMap<SpanIx, (CrossingIx, Side)>,
    /// For each node a hop that reaches it.
    reaching: IdMap<NodeIx, HopIx>,
}

impl Places {
    fn of(all: &Crossings<'_>) -> Places {
        let mut of_span = IdMap::default();
        for crossing in all.iter() {
            if let Some(span) = crossing.receiver_span_ix() {
                of_span.insert(span, (crossing.ix(), Side::Receiver));
            }
        }
        for crossing in all.iter() {
            let incoming = crossing.incoming_span_ix();
            for call in [crossing.call_span_ix(), crossing.named_span_ix()].into_iter().flatten() {
                for span in all.spans.upwards(call).take_while(|span| Some(*span) != incoming) {
                    of_span.entry(span).or_insert((crossing.ix(), Side::Sender));
                }
            }
        }
        let mut reaching = IdMap::default();
        for (ix, hop) in all.plan.scenario.hops.iter().enumerate() {
            reaching.entry(hop.to).or_insert(HopIx(ix));
        }
        Places { of_span, reaching }
    }

    /// Returns the place of a span, or of the uppermost span above it; `None` for a node that no hop reaches.
    fn place_of<'c>(&self, all: &'c Crossings<'c>, span: SpanIx) -> Option<SpanPlace<'c>> {
        let node = all.spans.get(span).node;
        let reaching = self.reaching.get(&node).copied();
        let own = self.of_span.get(&span).copied();
        let placed = own.or_else(|| {
            let (crossing, _) = self.of_span.get(&all.spans.top_of(span))?;
            Some((*crossing, Side::Receiver))
        });
        let Some((crossing, side)) = placed else {
            return Some(SpanPlace { all, span, hop: reaching?, node, side: Side::Receiver, crossing: None });
        };
        let crossing = all.get(crossing);
        let reaches = match side {
            Side::Receiver => crossing.receiver() == node,
            Side::Sender => crossing.sender() == node,
            Side::Intermediary | Side::Unknown => false,
        };
        let hop = if reaches { crossing.hop_ix() } else { reaching? };
        Some(SpanPlace { all, span, hop, node, side, crossing: Some(crossing) })
    }

    /// Returns the receiver's side, on the hop that reached the node.
    fn of_node<'c>(&self, place: SpanPlace<'c>) -> SpanPlace<'c> {
        let crossing = match place.side {
            Side::Sender => place.crossing.and_then(CrossingRef::cause),
            Side::Receiver | Side::Intermediary | Side::Unknown => place.crossing,
        };
        let hop = crossing.map(CrossingRef::hop_ix).or(self.reaching.get(&place.node).copied());
        SpanPlace { side: Side::Receiver, crossing, hop: hop.unwrap_or(place.hop), ..place }
    }
}

/// Returns every trace that belongs to the story.
fn story_traces<'c>(all: &'c Crossings<'_>) -> IdSet<&'c [u8]> {
    let mut traces: IdSet<&[u8]> = all.owners.keys().map(|trace| trace.as_bytes().as_slice()).collect();
    for crossing in all.iter() {
        let spans = [crossing.receiver_span_ix(), crossing.named_span_ix(), crossing.call_span_ix()];
        traces.extend(spans.into_iter().flatten().map(|span| all.spans.get(span).trace_id.as_slice()));
    }
    traces
}

/// Returns what is wrong with the ids of a span.
fn span_defect(all: &Crossings<'_>, ix: SpanIx, span: &Span) -> Option<SpanDefect> {
    if TraceId::from_bytes(&span.trace_id).is_none() {
        Some(SpanDefect::TraceId)
    } else if SpanId::from_bytes(&span.span_id).is_none() {
        Some(SpanDefect::SpanId)
    } else if span.parent_id == span.span_id {
        Some(SpanDefect::OwnParent)
    } else if !span.parent_id.is_empty() && SpanId::from_bytes(&span.parent_id).is_none() {
        Some(SpanDefect::ParentId)
    } else if is_in_a_cycle(all, ix, span) {
        Some(SpanDefect::Cycle)
    } else {
        None
    }
}

/// Returns whether a span stands below itself.
fn is_in_a_cycle(all: &Crossings<'_>, ix: SpanIx, span: &Span) -> bool {
    let alone = all.spans.with_id(span.node, &span.span_id).len() == 1;
    alone && all.spans.upwards(ix).skip(1).any(|above| above == ix)
}

/// Returns whether a span is an orphan inside one node. What was received is judged by the crossing's own rows; where
/// the span for it is missing, that is found there.
fn parent_is_missing(
    all: &Crossings<'_>,
    span: &Span,
    arrived: &IdSet<(NodeIx, SpanId)>,
    missing: &MissingSpans,
) -> bool {
    let Some(parent) = SpanId::from_bytes(&span.parent_id) else { return false };
    // With its parent in another trace it is the trace id that is wrong: telemetry-differs.
    let known = !all.spans.with_id(span.node, &span.parent_id).is_empty();
    if known || arrived.contains(&(span.node, parent)) || is_receipt(span) {
        return false;
    }
    all.flushed(span.node, Some(0)) && !missing.may_be_above(span)
}

/// Crossings that reached a node and have no span there.
struct MissingSpans {
    /// With the trace that arrived.
    in_trace: IdSet<(NodeIx, TraceId)>,
    /// Without one, so that it may be any.
    in_any: IdSet<NodeIx>,
}

impl MissingSpans {
    fn of(all: &Crossings<'_>) -> MissingSpans {
        let (mut in_trace, mut in_any) = (IdSet::default(), IdSet::default());
        for crossing in all.iter() {
            if crossing.receiver_span_ix().is_some() || crossing.is_undelivered() {
                continue;
            }
            match crossing.arrived().and_then(CarriedFields::first) {
                Some(context) => in_trace.insert((crossing.receiver(), context.trace_id)),
                None => in_any.insert(crossing.receiver()),
            };
        }
        MissingSpans { in_trace, in_any }
    }

    fn may_be_above(&self, span: &Span) -> bool {
        let trace = TraceId::from_bytes(&span.trace_id);
        self.in_any.contains(&span.node)
            || trace.is_some_and(|trace| self.in_trace.contains(&(span.node, trace)))
    }
}

/// Finds a span that is no crossing's own and was exported in an unsampled trace.
fn sampled_in(place: SpanPlace<'_>, span: &Span, found: &mut Breaks) {
    let Some(crossing) = place.crossing else { return };
    let wire = if place.side == Side::Sender { crossing.wire() } else { crossing.arrived() };
    let Some(context) = wire.and_then(CarriedFields::context) else { return };
    let expected = match place.side {
        Side::Sender => crossing.due().sampled,
        Side::Receiver | Side::Intermediary | Side::Unknown => Some(context.flags.sampled()),
    };
    let unsampled = expected == Some(false) && !context.flags.sampled();
    let own = crossing.receiver_span_ix() == Some(place.span);
    if own || !unsampled || context.trace_id.as_bytes() != span.trace_id.as_slice() {
        return;
    }
    let hop = match place.side {
        Side::Sender => crossing.cause().map(CrossingRef::hop_ix),
        Side::Receiver | Side::Intermediary | Side::Unknown => Some(place.hop),
    };
    if let Some(hop) = hop {
        let place = SpanPlace { hop, side: Side::Receiver, ..place };
        place.push(BreakKind::SampledIn(SurplusSpan::Other), found);
    }
}

/// Finds a span of the wrong kind: for relays a fault, for other services a note.
fn kind(places: &Places, place: SpanPlace<'_>, span: &Span, found: &mut Breaks) {
    let Some((crossing, side)) = places.of_span.get(&place.span) else { return };
    let crossing = place.all.get(*crossing);
    let message = crossing.is_message();
    let wrong = match side {
        // A receive may be CLIENT or CONSUMER.
        Side::Receiver if message => span.kind != SpanKind::Consumer && !is_receive(span),
        Side::Receiver => span.kind != SpanKind::Server,
        Side::Sender if crossing.named_span_ix() != Some(place.span) => false,
        // The span that created a message may be above the one that sent it.
        Side::Sender if is_call(span) && message => {
            let mut above = place.all.spans.upwards(place.span);
            !above.any(|above| place.all.spans.get(above).kind == SpanKind::Producer)
        }
        Side::Sender if is_call(span) => span.kind != SpanKind::Client,
        // A span with the attributes of a call whose id is on the wire.
        Side::Sender => crossing.call_span_ix().is_none() && is_like_a_call(span),
        Side::Intermediary | Side::Unknown => false,
    };
    if wrong {
        let relay = place.all.plan.scenario.node(place.node).kind.keeps_relay_contract();
        let grade = if relay { Grade::Fault } else { Grade::Note };
        found.list.push(place.broken(BreakKind::KindWrong).graded(grade));
    }
}

fn is_like_a_call(span: &Span) -> bool {
    const ADDRESSES: [&str; 4] = ["server.address", "net.peer.name", "url.full", "http.url"];
    let calls = span.attributes.iter().any(|(name, _)| ADDRESSES.contains(&name.as_str()));
    let sends = matches!(operation(span), Some("send" | "publish" | "create"));
    !is_receipt(span) && (calls || sends)
}

/// Finds a relay that does not report the name that it was given.
fn service_name(place: SpanPlace<'_>, span: &Span, found: &mut Breaks) {
    const RENAMES: [&str; 2] = ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"];
    let node = place.all.plan.scenario.node(place.node);
    let NodeKind::Relay(relay) = &node.kind else { return };
    let Some(name) = span.service_name.as_deref() else { return };
    let renamed = relay.env.iter().any(|(variable, _)| RENAMES.contains(&variable.as_str()));
    if !name.is_empty() && name != node.name && !renamed {
        let broken = place.broken(BreakKind::ContractBroken(ContractDefect::ServiceName));
        found.list.push(broken.graded(Grade::Inconclusive));
    }
}
