//! The receiver's side, R0 to R9: what the receiver did with what arrived; the first that holds.
//!
//! No span is due from a stub, a forwarder, a node with `telemetry: none`, or for a call that was refused or
//! reset. R5 to R9 are asked only of a wire that arrived with a valid context: without one a new trace is
//! right.

use super::fault::{Break, Caret, Grade};
use super::sender_spans::described;
use super::{Breaks, Class, Side, name, on_crossing, relation, stimulus_name};
use crate::crossings::expected::sent_invalid;
use crate::crossings::hashing::IdMap;
use crate::crossings::{Carried, CrossingIx, Crossings};
use crate::evidence::{CaptureEnd, Completion, Span};
use crate::scenario::{DriveContext, NodeIx, Relation, RestartSide};
use crate::wire::{TraceId, TraceParent};

/// Of the breaks at a sender, those after which nothing is to be expected of what reached it, by their crossing.
pub type Tellers = IdMap<CrossingIx, usize>;

/// A node that sends nothing, or something else, or what it received.
pub fn tellers(found: &Breaks) -> Tellers {
    let tells = [Class::NotInjected, Class::Swapped, Class::Restarted, Class::PassedThrough];
    let mut tellers = Tellers::default();
    for (ix, told) in found.list.iter().enumerate() {
        if let Some(crossing) = told.crossing
            && told.side == Side::Sender
            && tells.contains(&told.class)
        {
            tellers.entry(crossing).or_insert(ix);
        }
    }
    tellers
}

pub fn rows(all: &Crossings<'_>, ix: CrossingIx, tellers: &Tellers, found: &mut Breaks) {
    let crossing = all.get(ix);
    if !all.exports(all.receiver(crossing)) {
        return;
    }
    let Some(wire) = all.arrived(crossing) else { return };
    let span = crossing.receiver_span.map(|span| all.spans.get(span));
    if let Some(first) = adopted(all, ix, span).or_else(|| joined(all, ix, wire, span)) {
        found.list.push(first);
        return;
    }
    match span {
        None => no_span(all, ix, wire, tellers, found),
        Some(span) => found.list.extend(with_span(all, ix, wire, span)),
    }
}

/// R2 and R3.
fn no_span(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried, tellers: &Tellers, found: &mut Breaks) {
    if let Some(told) = begun_unlinked(all, ix, wire) {
        found.list.push(told);
        return;
    }
    let crossing = all.get(ix);
    let node = all.receiver(crossing);
    let decides_anew = relation(all, ix).receiver_may_begin();
    let sampled = match (wire.context(), root_decision(all, ix)) {
        (Some(context), _) => context.flags.sampled() && !decides_anew,
        (None, root) => root == Some(true),
    };
    let broken = all
        .seen_at_receiver(crossing)
        .is_some_and(|capture| matches!(all.evidence.captures[capture.0].end, CaptureEnd::Broken(_)));
    if !sampled || broken {
        return;
    }
    let who = name(all, node);
    // Told where it broke, not beside it.
    let effects = all.effects(ix);
    let teller = effects.iter().filter_map(|effect| tellers.get(effect)).min();
    if let Some(teller) = teller {
        found.list[*teller].inside.push(format!("{who} exported no span for what it received"));
        return;
    }
    let flushed = all.flushed(node, all.ended_nanos(crossing));
    // A node that clears the flag in what it sends shows that it decided not to sample.
    let cleared = effects.iter().filter_map(|next| all.wire(all.get(*next))?.context());
    let decided = cleared.into_iter().any(|context| !context.flags.sampled());
    let others = decided || !all.spans.of_node(node).is_empty();
    let due = "a span for what it received, which was sampled".to_owned();
    if flushed && others {
        let message = format!("{who} did not export a span for what it received, which was to be sampled");
        let told = on_crossing(all, ix, Class::SampledOut, Side::Receiver).at(Caret::Flags);
        found.list.push(told.told(message, due, "no span".into()));
        return;
    }
    let message = format!("{who} exported no span for what it received");
    let told = on_crossing(all, ix, Class::NotExported, Side::Nobody).graded(Grade::Inconclusive);
    let told = Break { node, ..told.told(message, due, "no span".into()) };
    found.list.push(told.missing(why_unknown(all, node, others)));
}

/// R8 without a span for what was received: what the receiver sent shows that it began a trace and samples it, and no
/// span of its own links to what came in.
fn begun_unlinked(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried) -> Option<Break> {
    let crossing = all.get(ix);
    let node = all.receiver(crossing);
    let link_is_due = relation(all, ix).receiver_links();
    let context = wire.context().filter(|_| link_is_due && all.flushed(node, all.ended_nanos(crossing)))?;
    // A receiver that chose to be a child exports nothing for what was not sampled, and links nowhere.
    if relation(all, ix) == Relation::ChildOrLink && !context.flags.sampled() {
        return None;
    }
    let root = all.effects(ix).iter().find_map(|next| {
        let sent = all.wire(all.get(*next))?.context()?;
        let begun = sent.trace_id != context.trace_id && sent.flags.sampled();
        let root = all.spans.get(all.spans.top_of(all.get(*next).named_span.filter(|_| begun)?));
        (root.node == node && root.parent_id.is_empty()).then_some(root)
    })?;
    let who = name(all, node);
    let message = format!("{who} began a new trace without a link to what it received");
    let due = format!("a span with a link to {} in trace {}", context.parent_id, context.trace_id);
    let told = on_crossing(all, ix, Class::LinkMissing, Side::Receiver).at(Caret::ParentId);
    let actual = format!("{} at the root of trace {}", described(root), hex(&root.trace_id));
    Some(told.told(message, due, actual).missing(format!("{who}'s own span for what it received")))
}

/// Which witness would have told whether the node means not to export.
fn why_unknown(all: &Crossings<'_>, node: NodeIx, others: bool) -> String {
    let who = name(all, node);
    let runs_already = all.plan.scenario.node(node).kind.runs_already();
    match all.evidence.completions.get(node.0) {
        _ if runs_already && !others => {
            format!("any span of {who}: it runs already and exports elsewhere; `telemetry: none` says so")
        }
        Some(Completion::Unknown(why)) if !others => {
            format!("any span of {who}, and a flush of it: {why}")
        }
        _ if !others => format!("any span of {who}: does it export to the endpoint that it was given?"),
        Some(Completion::Unknown(why)) => format!("a flush of {who}: {why}"),
        _ => format!("a flush of {who} after the call"),
    }
}

fn with_span(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried, span: &Span) -> Option<Break> {
    let root = root_decision(all, ix);
    if let Some(false) = root {
        let who = name(all, all.receiver(all.get(ix)));
        let message = format!("{who} exported a span although its root sampler should have said no");
        let told = on_crossing(all, ix, Class::SampledIn, Side::Receiver);
        return Some(told.told(message, "no span".into(), described(span)));
    }
    swapped(all, ix, wire, span).or_else(|| continued(all, ix, wire, span))
}

/// R5 to R9; right under any one of several contexts.
fn continued(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried, span: &Span) -> Option<Break> {
    let contexts: Vec<&TraceParent> = wire.contexts().collect();
    let several = contexts.len() > 1 || wire.is_uncertain();
    if contexts.is_empty() || (several && span.parent_id.is_empty()) {
        return None;
    }
    let mut first = None;
    for context in contexts {
        let class = under(all, ix, context, span);
        class.as_ref()?;
        first = first.or(class);
    }
    first
}

/// What is wrong when `context` is taken as the one that arrived.
fn under(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent, span: &Span) -> Option<Break> {
    let in_trace = span.trace_id == context.trace_id.as_bytes();
    let relation = relation(all, ix);
    let as_child = match relation {
        Relation::Child | Relation::Unchanged => true,
        Relation::ChildOrLink => in_trace,
        Relation::Restart(at) | Relation::RestartWithLink(at) => at == RestartSide::Sender,
        Relation::Link | Relation::None => false,
    };
    if as_child {
        return child(all, ix, context, span);
    }
    begun(all, ix, context, span, relation)
}

/// R5, R6 and R9 of a `child` hop.
fn child(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent, span: &Span) -> Option<Break> {
    let who = name(all, all.receiver(all.get(ix)));
    let due = format!("a span under {} in trace {}", context.parent_id, context.trace_id);
    if span.trace_id != context.trace_id.as_bytes() {
        let class = if links_to(span, context) { Class::Restarted } else { Class::NotExtracted };
        let message = match class {
            Class::Restarted => {
                format!("{who} began a new trace with a link instead of a child of what it received")
            }
            _ => format!("{who} began a new trace although it received a `traceparent`"),
        };
        let actual = format!("{} in trace {}", described(span), hex(&span.trace_id));
        return Some(
            on_crossing(all, ix, class, Side::Receiver).at(Caret::TraceId).told(message, due, actual),
        );
    }
    if span.parent_id != context.parent_id.as_bytes() {
        let message = format!("{who} put its span under another parent than it received");
        let told = on_crossing(all, ix, Class::Reparented, Side::Receiver).at(Caret::ParentId);
        return Some(told.told(message, due, format!("{} under {}", described(span), hex(&span.parent_id))));
    }
    sampled_in(all, ix, context, span)
}

/// R6 and R8 of a hop at whose receiver a trace begins.
fn begun(
    all: &Crossings<'_>,
    ix: CrossingIx,
    context: &TraceParent,
    span: &Span,
    relation: Relation,
) -> Option<Break> {
    let who = name(all, all.receiver(all.get(ix)));
    let restarts = relation.restarts_at().is_some();
    if !span.parent_id.is_empty() {
        let grade = if restarts { Grade::Fault } else { Grade::Note };
        let message = format!("{who} put the root of its new trace under a parent");
        let told = on_crossing(all, ix, Class::Reparented, Side::Receiver).at(Caret::ParentId).graded(grade);
        if restarts {
            return Some(told.told(
                message,
                "a root".into(),
                format!("{} under {}", described(span), hex(&span.parent_id)),
            ));
        }
    }
    if matches!(relation, Relation::Restart(_)) {
        return None;
    }
    linked(all, ix, context, span)
}

/// R8: links are due to exactly the contexts that one receive brought, each once; equal contexts need one.
fn linked(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent, span: &Span) -> Option<Break> {
    let who = name(all, all.receiver(all.get(ix)));
    let mates = all.batch_of(all.get(ix));
    let mut due: Vec<TraceParent> = Vec::new();
    for mate in mates {
        let came = all.arrived(all.get(*mate)).and_then(|wire| wire.context());
        due.extend(came.filter(|came| !due.iter().any(|known| is_same(known, came))).copied());
    }
    let right = |to: &TraceParent| span.links.iter().filter(|link| links(link, to)).count();
    let own = right(context);
    let came = |mate: &&CrossingIx| {
        let wire = all.arrived(all.get(**mate));
        wire.and_then(|wire| wire.context()).is_some_and(|came| is_same(came, context))
    };
    let equal = mates.iter().filter(came).count().max(1);
    let missing = due.iter().filter(|to| right(to) == 0).count();
    let foreign = span.links.iter().filter(|link| !due.iter().any(|to| links(link, to))).count();
    let first = mates.first() == Some(&ix);
    let (class, message) = match own {
        0 if span.links.len() < due.len() => {
            (Class::LinkMissing, format!("{who} began a new trace without a link to what it received"))
        }
        0 => (Class::LinkWrong, format!("{who} linked to something else than it received")),
        many if many <= equal && missing == 0 && foreign > 0 && first => {
            (Class::LinkWrong, format!("{who} linked to something that it did not receive, too"))
        }
        many if many <= equal => return None,
        // Where another message of the batch has none, that is what is told.
        _ if missing > 0 => return None,
        _ => (Class::LinkWrong, format!("{who} linked to what it received more than once")),
    };
    let expected = match due.len() {
        1 => format!("one link to {} in trace {}", context.parent_id, context.trace_id),
        many => format!("{many} links, one of them to {} in trace {}", context.parent_id, context.trace_id),
    };
    let told = on_crossing(all, ix, class, Side::Receiver).at(Caret::ParentId);
    Some(told.told(message, expected, format!("links: {}, to this one: {own}", span.links.len())))
}

fn is_same(one: &TraceParent, other: &TraceParent) -> bool {
    one.trace_id == other.trace_id && one.parent_id == other.parent_id
}

fn links(link: &crate::evidence::Link, context: &TraceParent) -> bool {
    link.trace_id == context.trace_id.as_bytes() && link.span_id == context.parent_id.as_bytes()
}

fn links_to(span: &Span, context: &TraceParent) -> bool {
    span.links.iter().any(|link| links(link, context))
}

/// R9.
fn sampled_in(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent, span: &Span) -> Option<Break> {
    if context.flags.sampled() {
        return None;
    }
    let who = name(all, all.receiver(all.get(ix)));
    let message = format!("{who} exported a span although what it received was not sampled");
    let told = on_crossing(all, ix, Class::SampledIn, Side::Receiver).at(Caret::Flags);
    Some(told.told(message, "no span".into(), described(span)))
}

/// R0: an id of an invalid context lives on.
fn adopted(all: &Crossings<'_>, ix: CrossingIx, span: Option<&Span>) -> Option<Break> {
    let crossing = all.get(ix);
    let stimulus = all.plan.stimulus(crossing.stimulus);
    if all.sender(crossing) != NodeIx::CLIENT || !sent_invalid(stimulus) {
        return None;
    }
    let text = String::from_utf8_lossy(stimulus.sent.traceparent.as_deref()?).to_lowercase();
    let stands = |id: &str| id.bytes().any(|digit| digit != b'0') && !id.is_empty() && text.contains(id);
    let id = match span {
        Some(span) => [hex(&span.trace_id), hex(&span.parent_id)].into_iter().find(|id| stands(id)),
        None => all.effects(ix).iter().find_map(|next| {
            let context = all.wire(all.get(*next))?.first()?;
            [context.trace_id.to_string(), context.parent_id.to_string()].into_iter().find(|id| stands(id))
        }),
    }?;
    let who = name(all, all.receiver(crossing));
    let message = format!("{who} went on with an id of a `traceparent` that is not valid");
    let told = on_crossing(all, ix, Class::Adopted, Side::Receiver).at(Caret::Field("traceparent"));
    Some(told.told(message, "a new trace".into(), format!("id {id} of the stimulus")))
}

/// R1: a trace that should have been left is gone on with.
fn joined(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried, span: Option<&Span>) -> Option<Break> {
    let relation = relation(all, ix);
    if !relation.receiver_begins() {
        return None;
    }
    let in_trace = |trace: Option<TraceId>| wire.contexts().any(|context| Some(context.trace_id) == trace);
    let seen = match span {
        Some(span) => TraceId::from_bytes(&span.trace_id),
        None => all.effects(ix).iter().find_map(|next| Some(all.wire(all.get(*next))?.first()?.trace_id)),
    };
    if !in_trace(seen) {
        return None;
    }
    let who = name(all, all.receiver(all.get(ix)));
    let message = format!("{who} stayed in the trace that it received instead of beginning its own");
    let told = on_crossing(all, ix, Class::Joined, Side::Receiver).at(Caret::TraceId);
    Some(told.told(message, "a new trace".into(), format!("trace {}", seen?)))
}

/// R4.
fn swapped(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried, span: &Span) -> Option<Break> {
    let crossing = all.get(ix);
    let of_another = |id: &[u8]| {
        let trace = TraceId::from_bytes(id)?;
        let own = wire.contexts().any(|context| context.trace_id == trace);
        all.owners.get(&trace).copied().filter(|owner| *owner != crossing.stimulus && !own)
    };
    let in_batch = |link: &crate::evidence::Link| {
        let mates = all.batch_of(crossing).iter().filter_map(|mate| all.arrived(all.get(*mate)));
        mates.flat_map(|wire| wire.contexts()).any(|context| link.trace_id == context.trace_id.as_bytes())
    };
    let foreign = |link: &&crate::evidence::Link| !in_batch(link);
    let by_link = || span.links.iter().filter(foreign).find_map(|link| of_another(&link.trace_id));
    let other = of_another(&span.trace_id).or_else(by_link)?;
    let who = name(all, all.receiver(crossing));
    let message = format!(
        "{who} took the context of {} for {}",
        stimulus_name(other),
        stimulus_name(crossing.stimulus)
    );
    let told = on_crossing(all, ix, Class::Swapped, Side::Receiver).at(Caret::TraceId);
    let due =
        wire.first().map_or_else(|| "its own trace".into(), |context| format!("trace {}", context.trace_id));
    Some(told.told(message, due, format!("{} in trace {}", described(span), hex(&span.trace_id))))
}

/// What a drive says that the root sampler must decide, on the hop that begins the story.
fn root_decision(all: &Crossings<'_>, ix: CrossingIx) -> Option<bool> {
    let crossing = all.get(ix);
    if all.sender(crossing) != NodeIx::CLIENT {
        return None;
    }
    match &all.plan.scenario.drives[all.plan.stimulus(crossing.stimulus).drive].context {
        DriveContext::None { root } | DriveContext::Invalid { root, .. } => *root,
        DriveContext::Valid { .. } => None,
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
