//! The receiver's side, R0 to R9: what the receiver did with what arrived; the first that holds.
//!
//! No span is due from a stub, a forwarder, a node with `telemetry: none`, or for a call that was refused or
//! reset. R5 to R9 are asked only of a wire that arrived with a valid context: without one a new trace is
//! right.

use super::break_kind::{
    Extraction, Join, LinkOwner, Reparent, Restart, Silence, SurplusSpan, Swap, UnexportedSpan, WrongLink,
};
use super::{Break, BreakKind, Breaks, Caret, Class, Grade, Remark, Side, Value, Witness, uninstrumented};
use crate::crossings::expected::sent_invalid;
use crate::crossings::id_map::IdMap;
use crate::crossings::span_role::is_receive;
use crate::crossings::{CarriedContext, CarriedFields, ContextField, CrossingIx, CrossingRef};
use crate::evidence::{CaptureEnd, Completion, Link, Span};
use crate::plan::StimulusIx;
use crate::scenario::{DriveContext, HopIx, Relation, RestartSide, Role};
use crate::wire::TraceId;
use crate::wire::hex::encode as hex;

/// Breaks of senders that explain why the same node exported no span for what it received, by their crossing.
pub(super) type Explanations = IdMap<CrossingIx, usize>;

/// Returns the breaks of nodes that inject nothing, or something new, or what they received.
pub(super) fn explained(found: &Breaks) -> Explanations {
    let mut explained = Explanations::default();
    for (at, one) in found.list.iter().enumerate() {
        let explains = matches!(
            one.class(),
            Class::NotInjected | Class::Swapped | Class::Restarted | Class::PassedThrough
        );
        if let Some(crossing) = one.crossing
            && one.side == Side::Sender
            && explains
        {
            explained.entry(crossing).or_insert(at);
        }
    }
    explained
}

pub(super) fn rows(crossing: CrossingRef<'_>, explained: &Explanations, found: &mut Breaks) {
    let Some(wire) = crossing.arrived() else { return };
    if !crossing.all().exports(crossing.receiver()) {
        // What a participant sends shows what it did with what it received; a forwarder continues nothing.
        if crossing.receiver_node().role == Role::Participant {
            let first = adopted(crossing, None).or_else(|| joined(crossing, wire, None));
            found.list.extend(first);
        }
        return;
    }
    let span = crossing.receiver_span();
    if let Some(first) = adopted(crossing, span).or_else(|| joined(crossing, wire, span)) {
        found.list.push(first);
        return;
    }
    match span {
        None => no_span(crossing, wire, explained, found),
        Some(span) => found.list.extend(with_span(crossing, wire, span)),
    }
}

/// Finds R2 and R3: no span for what arrived.
fn no_span(crossing: CrossingRef<'_>, wire: &CarriedFields, explained: &Explanations, found: &mut Breaks) {
    if uninstrumented::row(crossing, found) {
        return;
    }
    if let Some(unlinked) = begun_unlinked(crossing, wire) {
        found.list.push(unlinked);
        return;
    }
    let decides_again = crossing.relation().receiver_may_begin();
    let sampled = match wire.context() {
        Some(context) => context.flags.sampled() && !decides_again,
        None => root_decision(crossing) == Some(true),
    };
    let broken = crossing.received().is_some_and(|capture| matches!(capture.end, CaptureEnd::Broken(_)));
    if !sampled || broken || crossing.is_refused() {
        return;
    }
    let (all, node) = (crossing.all(), crossing.receiver());
    // It belongs to the break behind it, not beside it.
    let behind = crossing.effects().filter_map(|effect| explained.get(&effect.ix())).min();
    if let Some(behind) = behind {
        found.list[*behind].remarks.push(Remark::NoIncomingSpan(node));
        return;
    }
    // A node that clears the flag in what it sends shows that it decided not to sample; in the same trace nothing else
    // can have decided.
    let decided = crossing.effects().filter(|effect| clears_the_flag(*effect));
    let in_trace = decided.clone().any(|effect| {
        effect
            .wire()
            .into_iter()
            .flat_map(CarriedFields::contexts)
            .any(|sent| wire.contexts().any(|came| came.trace_id == sent.trace_id))
    });
    let others = decided.count() > 0 || !all.spans.of_node(node).is_empty();
    let shown = all.flushed(node, crossing.ended_nanos()) && !is_lost_or_late(crossing, wire);
    if in_trace || (others && shown) {
        let kind = BreakKind::SampledOut(UnexportedSpan::Incoming);
        let sampled_out = Break::by_receiver(crossing, kind).at(Caret::Flags);
        found.list.push(sampled_out.values(Value::Implied, Value::NoSpan));
        return;
    }
    let kind = BreakKind::NotExported(Silence::NoIncomingSpan);
    let unexported = Break::by_receiver(crossing, kind).graded(Grade::Inconclusive);
    let witness = if others { Witness::Flush } else { Witness::AnySpan };
    let unexported = unexported.values(Value::Implied, Value::NoSpan).missing(witness);
    found.list.push(Break { side: Side::Unknown, ..unexported });
}

/// Returns whether what was sent carries a context that is not sampled.
fn clears_the_flag(crossing: CrossingRef<'_>) -> bool {
    crossing.wire().and_then(CarriedFields::context).is_some_and(CarriedContext::is_unsampled)
}

/// Returns whether the calls that a crossing caused are explained by a break at the crossing: its receiver makes no
/// span for what it receives, and each call begins a trace.
pub(super) fn explains_calls(crossing: CrossingRef<'_>) -> bool {
    let links = crossing.relation().receiver_may_begin();
    crossing.is_uninstrumented()
        && (!links || crossing.arrived().is_some_and(|wire| begun_unlinked(crossing, wire).is_some()))
}

/// Returns whether the order of exports is the only evidence, and no span of the trace came from the receiver: its
/// spans may be lost or still on their way.
fn is_lost_or_late(crossing: CrossingRef<'_>, wire: &CarriedFields) -> bool {
    let (all, node) = (crossing.all(), crossing.receiver());
    let ordered = matches!(all.evidence.completions.get(node.0), Some(Completion::Ordered { .. }));
    let came =
        wire.contexts().any(|context| !all.spans.in_trace(node, context.trace_id.as_bytes()).is_empty());
    ordered && !came
}

/// Returns R8 without a span for what was received: what the receiver sent shows that it began a trace and samples it,
/// and no span of its own links to what came in.
fn begun_unlinked(crossing: CrossingRef<'_>, wire: &CarriedFields) -> Option<Break> {
    let (all, node) = (crossing.all(), crossing.receiver());
    let context = wire.context()?;
    if !crossing.relation().receiver_links() || !all.flushed(node, crossing.ended_nanos()) {
        return None;
    }
    // A receiver that chose to be a child exports nothing for what was not sampled, and links nowhere.
    if crossing.relation() == Relation::ChildOrLink && !context.flags.sampled() {
        return None;
    }
    let root = crossing.effects().find_map(|effect| {
        let sent = effect.wire()?.context()?;
        if sent.trace_id == context.trace_id || !sent.flags.sampled() {
            return None;
        }
        let top = all.spans.top_of(effect.named_span_ix()?);
        let root = all.spans.get(top);
        (root.node == node && root.parent_id.is_empty()).then_some(top)
    })?;
    let missing = Break::by_receiver(crossing, BreakKind::LinkMissing(LinkOwner::ReceiversRoot));
    let missing = missing.at(Caret::ParentId).of_span(root).missing(Witness::IncomingSpan);
    Some(missing.values(Value::LinksDue { count: 1, to: *context }, Value::Span(root)))
}

fn with_span(crossing: CrossingRef<'_>, wire: &CarriedFields, span: &Span) -> Option<Break> {
    if root_decision(crossing) == Some(false) {
        return Some(sampled_in(crossing, SurplusSpan::AgainstRoot));
    }
    swapped(crossing, wire, span).or_else(|| continued(crossing, wire, span))
}

/// Returns R5 to R9; right under any one of several contexts.
fn continued(crossing: CrossingRef<'_>, wire: &CarriedFields, span: &Span) -> Option<Break> {
    let several = wire.contexts().nth(1).is_some() || wire.is_uncertain();
    if several && span.parent_id.is_empty() {
        return None;
    }
    let mut first = None;
    for context in wire.contexts() {
        let wrong = under(crossing, context, span)?;
        first = first.or(Some(wrong));
    }
    first
}

/// Returns what is wrong when `context` is taken as the one that arrived.
fn under(crossing: CrossingRef<'_>, context: &CarriedContext, span: &Span) -> Option<Break> {
    let relation = crossing.relation();
    let as_child = match relation {
        Relation::Child | Relation::Unchanged => true,
        Relation::ChildOrLink => span.trace_id == context.trace_id.as_bytes(),
        Relation::Restart(at) | Relation::RestartWithLink(at) => at == RestartSide::Sender,
        Relation::Link | Relation::None => false,
    };
    if as_child { child(crossing, context, span) } else { begun(crossing, context, span) }
}

/// Returns a break of the receiver, whose span is not where the context on the wire puts it.
fn misplaced(crossing: CrossingRef<'_>, kind: BreakKind) -> Break {
    let actual = crossing.receiver_span_ix().map_or(Value::NoSpan, Value::Span);
    Break::by_receiver(crossing, kind).values(Value::Implied, actual)
}

/// Returns R5, R6 and R9 of a `child` hop.
fn child(crossing: CrossingRef<'_>, context: &CarriedContext, span: &Span) -> Option<Break> {
    let (kind, caret) = if span.trace_id != context.trace_id.as_bytes() {
        let linked = span.links.iter().any(|link| links(link, context));
        let kind = match hop_of_the_new_trace(crossing) {
            Some(hop) => BreakKind::Restarted(Restart::BeforeItsHop(hop)),
            None if linked => BreakKind::Restarted(Restart::LinkedByReceiver),
            None => BreakKind::NotExtracted(Extraction::Seen),
        };
        (kind, Caret::TraceId)
    } else if span.parent_id != context.parent_id.as_bytes() {
        (BreakKind::Reparented(Reparent::WrongParent), Caret::ParentId)
    } else if context.is_unsampled() {
        return Some(sampled_in(crossing, SurplusSpan::Incoming).at(Caret::Flags));
    } else {
        return None;
    };
    let misplaced = misplaced(crossing, kind).at(caret);
    Some(Break { expected: Value::SpanUnder(*context), ..misplaced })
}

/// Returns the hop behind a crossing that declares the new trace which the receiver of the crossing started already.
fn hop_of_the_new_trace(crossing: CrossingRef<'_>) -> Option<HopIx> {
    crossing.effects().find(|effect| begun_before(*effect)).map(CrossingRef::hop_ix)
}

/// Returns whether the new trace that a crossing must start was started when its sender received: one break, named
/// where the request arrived.
pub(super) fn begun_before(crossing: CrossingRef<'_>) -> bool {
    let Some(cause) = crossing.cause() else { return false };
    let (Some(span), Some(wire)) = (cause.receiver_span(), cause.arrived()) else { return false };
    let mut contexts = wire.contexts();
    let (Some(came), None) = (contexts.next(), contexts.next()) else { return false };
    crossing.relation().restarts_at() == Some(RestartSide::Sender)
        && !cause.relation().receiver_may_begin()
        && !wire.is_uncertain()
        && span.trace_id != came.trace_id.as_bytes()
        && crossing.sent_contexts().any(|sent| span.trace_id == sent.trace_id.as_bytes())
}

/// Returns R6 and R8 of a hop at whose receiver a trace begins.
fn begun(crossing: CrossingRef<'_>, context: &CarriedContext, span: &Span) -> Option<Break> {
    let relation = crossing.relation();
    if !span.parent_id.is_empty() && relation.restarts_at().is_some() {
        let kind = BreakKind::Reparented(Reparent::RootWithParent);
        return Some(misplaced(crossing, kind).at(Caret::ParentId));
    }
    match relation {
        Relation::Restart(_) => None,
        Relation::Child
        | Relation::Link
        | Relation::ChildOrLink
        | Relation::RestartWithLink(_)
        | Relation::Unchanged
        | Relation::None => linked(crossing, context, span),
    }
}

/// Returns R8: links are due to exactly the contexts that one receive brought, each once; equal contexts need one.
fn linked(crossing: CrossingRef<'_>, context: &CarriedContext, span: &Span) -> Option<Break> {
    let arrived: Vec<CarriedContext> =
        crossing.batch().filter_map(|mate| mate.arrived()?.context().copied()).collect();
    let mut due: Vec<CarriedContext> = Vec::new();
    for came in &arrived {
        if !due.iter().any(|known| is_same(known, came)) {
            due.push(*came);
        }
    }
    let leads: Vec<Vec<LinkedIds<'_>>> = span.links.iter().map(|link| leads_of(crossing, link)).collect();
    let own = leads.iter().filter(|lead| lead.contains(&ids_of(context))).count();
    let equal = arrived.iter().filter(|came| is_same(came, context)).count().max(1);
    let missing = due.iter().any(|to| !leads.iter().any(|lead| lead.contains(&ids_of(to))));
    let foreign = leads.iter().any(|lead| !due.iter().any(|to| lead.contains(&ids_of(to))));
    let first = crossing.batch().next() == Some(crossing);
    let kind = if own == 0 && span.links.len() < due.len() {
        BreakKind::LinkMissing(LinkOwner::ReceiversSpan)
    } else if own == 0 {
        BreakKind::LinkWrong(WrongLink::Instead)
    } else if own <= equal && !missing && foreign && first {
        BreakKind::LinkWrong(WrongLink::Beside)
    } else if own <= equal || missing {
        // Where another message of the batch has no link, that is the finding.
        return None;
    } else {
        BreakKind::LinkWrong(WrongLink::Doubled)
    };
    let expected = Value::LinksDue { count: due.len(), to: *context };
    let actual = Value::Links { count: span.links.len(), due: own };
    Some(Break::by_receiver(crossing, kind).at(Caret::ParentId).values(expected, actual))
}

fn is_same(one: &CarriedContext, other: &CarriedContext) -> bool {
    one.trace_id == other.trace_id && one.parent_id == other.parent_id
}

fn links(link: &Link, context: &CarriedContext) -> bool {
    link.trace_id == context.trace_id.as_bytes() && link.span_id == context.parent_id.as_bytes()
}

/// Trace id and span id.
type LinkedIds<'a> = (&'a [u8], &'a [u8]);

fn ids_of(context: &CarriedContext) -> LinkedIds<'_> {
    (context.trace_id.as_bytes(), context.parent_id.as_bytes())
}

/// Returns the ids that a link leads to: its own, and those that a receive of the same node links to or continues.
fn leads_of<'a>(crossing: CrossingRef<'a>, link: &'a Link) -> Vec<LinkedIds<'a>> {
    let spans = &crossing.all().spans;
    let mut leads: Vec<LinkedIds<'a>> = vec![(&link.trace_id, &link.span_id)];
    let named = spans.with_id(crossing.receiver(), &link.span_id).iter().map(|ix| spans.get(*ix));
    for receive in named.filter(|span| span.trace_id == link.trace_id && is_receive(span)) {
        leads.push((&receive.trace_id, &receive.parent_id));
        leads.extend(receive.links.iter().map(|onward| (&onward.trace_id[..], &onward.span_id[..])));
    }
    leads
}

/// Returns R9: a span for what was not sampled.
fn sampled_in(crossing: CrossingRef<'_>, span: SurplusSpan) -> Break {
    let surplus = misplaced(crossing, BreakKind::SampledIn(span));
    Break { expected: Value::NoSpan, ..surplus }
}

/// Returns R0: an id of an invalid context lives on.
fn adopted(crossing: CrossingRef<'_>, span: Option<&Span>) -> Option<Break> {
    let stimulus = crossing.stimulus();
    if !crossing.is_from_client() || !sent_invalid(stimulus) {
        return None;
    }
    let text = String::from_utf8_lossy(stimulus.sent.traceparent.as_deref()?).to_lowercase();
    let stands = |id: &&[u8]| id.iter().any(|byte| *byte != 0) && text.contains(&hex(id));
    let id: Vec<u8> = match span {
        Some(span) => [span.trace_id.as_slice(), &span.parent_id].into_iter().find(stands)?.to_vec(),
        None => crossing.effects().find_map(|effect| {
            let context = effect.wire()?.first()?;
            let ids: [&[u8]; 2] = [context.trace_id.as_bytes(), context.parent_id.as_bytes()];
            ids.into_iter().find(stands).map(<[u8]>::to_vec)
        })?,
    };
    let adopted = Break::by_receiver(crossing, BreakKind::Adopted);
    let adopted = adopted.at(Caret::Field(ContextField::TraceParent));
    Some(adopted.values(Value::NewTrace, Value::Id(id)))
}

/// Returns R1: a trace that should have been left is continued.
fn joined(crossing: CrossingRef<'_>, wire: &CarriedFields, span: Option<&Span>) -> Option<Break> {
    if !crossing.relation().receiver_begins() {
        return None;
    }
    let seen = match span {
        Some(span) => TraceId::from_bytes(&span.trace_id)?,
        None => crossing.effects().find_map(|effect| Some(effect.wire()?.first()?.trace_id))?,
    };
    if !wire.contexts().any(|context| context.trace_id == seen) {
        return None;
    }
    let joined = Break::by_receiver(crossing, BreakKind::Joined(Join::ReceiverStayed)).at(Caret::TraceId);
    Some(joined.values(Value::NewTrace, Value::Trace(seen)))
}

/// Returns R4: a span in the trace of another stimulus, or with a link to one.
fn swapped(crossing: CrossingRef<'_>, wire: &CarriedFields, span: &Span) -> Option<Break> {
    let span_ix = crossing.receiver_span_ix()?;
    let foreign = span.links.iter().filter(|link| !is_of_batch(crossing, link));
    let other = owner_of_another(crossing, wire, &span.trace_id)
        .or_else(|| foreign.into_iter().find_map(|link| owner_of_another(crossing, wire, &link.trace_id)))?;
    let swap = Break::by_receiver(crossing, BreakKind::Swapped(Swap::Extracted)).at(Caret::TraceId);
    let due = wire.first().map_or(Value::Implied, |context| Value::Trace(context.trace_id));
    Some(swap.values(due, Value::SpanOf(span_ix, other)))
}

/// Returns the other stimulus that a trace is of, if it is of another and did not arrive here.
fn owner_of_another(crossing: CrossingRef<'_>, wire: &CarriedFields, trace: &[u8]) -> Option<StimulusIx> {
    let trace = TraceId::from_bytes(trace)?;
    let owner = *crossing.all().owners.get(&trace)?;
    let arrived = wire.contexts().any(|context| context.trace_id == trace);
    (owner != crossing.stimulus_ix() && !arrived).then_some(owner)
}

/// Returns whether a link is to the trace of some message of the batch.
fn is_of_batch(crossing: CrossingRef<'_>, link: &Link) -> bool {
    let arrived = crossing.batch().filter_map(CrossingRef::arrived);
    arrived.flat_map(CarriedFields::contexts).any(|context| link.trace_id == context.trace_id.as_bytes())
}

/// Returns what a drive says that the root sampler must decide, on the hop that begins the story.
fn root_decision(crossing: CrossingRef<'_>) -> Option<bool> {
    if !crossing.is_from_client() {
        return None;
    }
    match &crossing.all().plan.scenario.drives[crossing.stimulus().drive].context {
        DriveContext::None { root } | DriveContext::Invalid { root, .. } | DriveContext::Raw { root, .. } => {
            *root
        }
        DriveContext::Valid { .. } => None,
    }
}
