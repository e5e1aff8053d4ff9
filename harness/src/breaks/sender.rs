//! The sender's side, S0 to S12: what left the sender against what was expected of it.
//!
//! Once for each wire; not asked of the driver, which sends what it was told, nor of a forwarder, which is
//! judged by what came in (T1).

use super::fault::{Break, Caret, Grade};
use super::lists::{self, Senders};
use super::{Breaks, Class, Side, name, on_crossing, relation, sender_spans, stimulus_name};
use crate::crossings::{Carried, CrossingIx, Crossings};
use crate::scenario::{NodeIx, Relation, RestartSide, Role};
use crate::wire::{Level, TraceParent};

pub(super) fn rows(all: &Crossings<'_>, ix: CrossingIx, senders: &Senders<'_>, found: &mut Breaks) {
    let node = all.sender(all.get(ix));
    if node == NodeIx::CLIENT || all.plan.scenario.node(node).role == Role::Forwarder {
        return;
    }
    let Some(wire) = all.wire(all.get(ix)) else { return };
    if relation(all, ix) == Relation::None {
        found.list.extend(leaked(all, ix, wire));
        return;
    }
    let notes = found.list.len();
    if let Some(first) = no_single_context(all, ix, wire, found) {
        found.list.push(first);
        return;
    }
    let Some(context) = wire.context().copied() else { return };
    let first = swapped(all, ix, &context)
        .or_else(|| lists::swapped(all, ix, wire, senders))
        .or_else(|| wrong_context(all, ix, &context))
        .or_else(|| sender_spans::row(all, ix, &context, found));
    if let Some(first) = first {
        found.list.truncate(notes);
        found.list.push(first);
        return;
    }
    found.list.extend(flag_changed(all, ix, &context));
    found.list.extend(lists::tracestate(all, ix, wire));
    found.list.extend(lists::baggage(all, ix, wire));
    found.list.extend(sender_spans::link(all, ix));
}

/// S0.
fn leaked(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried) -> Option<Break> {
    let field = match () {
        () if !wire.traceparents.is_empty() => "traceparent",
        () if !wire.lists.tracestate_lines.is_empty() => "tracestate",
        () if !wire.lists.baggage_lines.is_empty() => "baggage",
        () => wire.others.first().map(|format| format.name())?,
    };
    let who = name(all, all.sender(all.get(ix)));
    let message = format!("{who} sent `{field}` over a hop that no context may cross");
    let told = on_crossing(all, ix, Class::Leaked, Side::Sender);
    Some(told.told(message, "no propagation field".into(), format!("`{field}`")).at(Caret::Field(field)))
}

/// S1 to S3.
fn no_single_context(
    all: &Crossings<'_>,
    ix: CrossingIx,
    wire: &Carried,
    found: &mut Breaks,
) -> Option<Break> {
    let who = name(all, all.sender(all.get(ix)));
    let field = Caret::Field("traceparent");
    if let Some((_, how)) = wire.misfits.iter().find(|(field, _)| *field == "traceparent") {
        let message = format!("{who} sent a `traceparent` that its readers do not take: {how}");
        let told = on_crossing(all, ix, Class::Malformed, Side::Sender).at(field);
        return Some(told.told(message, due_context(all, ix), how.clone()));
    }
    let Some((_, first)) = wire.traceparents.first() else {
        let instead: Vec<&str> = wire.others.iter().map(|format| format.name()).collect();
        let actual = if instead.is_empty() {
            "no propagation field".into()
        } else {
            format!("only {}", instead.join(", "))
        };
        let message = format!("{who} sent no `traceparent`");
        let told = on_crossing(all, ix, Class::NotInjected, Side::Sender).at(field);
        return Some(incoming_side(all, ix, told.told(message, due_context(all, ix), actual)));
    };
    if wire.differs() {
        let message = format!("{who} sent {} `traceparent` fields that differ", wire.traceparents.len());
        let told = on_crossing(all, ix, Class::Duplicated, Side::Sender).at(field);
        return Some(told.told(
            message,
            "one `traceparent`".into(),
            format!("{} that differ", wire.traceparents.len()),
        ));
    }
    if let Err(refusal) = first {
        let message = format!("{who} sent a `traceparent` that does not parse: {refusal}");
        let told = on_crossing(all, ix, Class::Malformed, Side::Sender).at(field);
        return Some(told.told(message, due_context(all, ix), refusal.to_string()));
    }
    if let Some(told) = malformed_list(all, ix, wire).or_else(|| doubled_list(all, ix, wire)) {
        return Some(told);
    }
    for field in wire.twice() {
        let message = format!("{who} sent the same `{field}` more than once");
        let told = on_crossing(all, ix, Class::Duplicated, Side::Sender).at(Caret::Field(field));
        let told = told.told(message, format!("one `{field}`"), "identical copies".into());
        let crossing = all.get(ix);
        // Whoever sends a message again must not add to what it carries.
        if crossing.sender == all.plan.scenario.hop(crossing.hop).to {
            return Some(told);
        }
        found.list.push(told.graded(Grade::Note));
    }
    None
}

/// S2 for the lists: what came in parsed, and what goes out does not.
fn malformed_list(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried) -> Option<Break> {
    let who = name(all, all.sender(all.get(ix)));
    if let Some((field, how)) = wire.misfits.first() {
        let message = format!("{who} sent a `{field}` that its readers do not take: {how}");
        let told = on_crossing(all, ix, Class::Malformed, Side::Sender).at(Caret::Field(field));
        return Some(told.told(message, format!("`{field}` as text under its own key"), how.clone()));
    }
    let due = &all.get(ix).due;
    let tracestate = wire.lists.tracestate_refusal.as_ref().filter(|_| due.members.is_some());
    let baggage = wire.lists.baggage_refusal.as_ref().filter(|_| due.entries.is_some());
    let (field, refusal) = match (tracestate, baggage) {
        (Some(refusal), _) => ("tracestate", refusal),
        (None, Some(refusal)) => ("baggage", refusal),
        (None, None) => return None,
    };
    let message = format!("{who} sent a `{field}` that does not parse: {refusal}");
    let told = on_crossing(all, ix, Class::Malformed, Side::Sender).at(Caret::Field(field));
    Some(told.told(message, format!("a `{field}` that parses"), refusal.to_string()))
}

/// S3 for the lists of a message, which are single values there.
fn doubled_list(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried) -> Option<Break> {
    all.plan.scenario.hop(all.get(ix).hop).transport.via()?;
    let differ = |lines: &[Vec<u8>]| lines.windows(2).any(|two| two[0] != two[1]);
    let field = match () {
        () if differ(&wire.lists.tracestate_lines) => "tracestate",
        () if differ(&wire.lists.baggage_lines) => "baggage",
        () => return None,
    };
    let who = name(all, all.sender(all.get(ix)));
    let message = format!("{who} sent several `{field}` headers that differ");
    let told = on_crossing(all, ix, Class::Duplicated, Side::Sender).at(Caret::Field(field));
    Some(told.told(message, format!("one `{field}`"), "several that differ".into()))
}

/// S5 to S7.
fn wrong_context(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent) -> Option<Break> {
    joined(all, ix, context)
        .or_else(|| restarted(all, ix, context))
        .or_else(|| passed_through(all, ix, context))
}

/// S4.
fn swapped(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent) -> Option<Break> {
    let crossing = all.get(ix);
    let other = *all.owners.get(&context.trace_id)?;
    if other == crossing.stimulus || crossing.expected.trace == Some(context.trace_id) {
        return None;
    }
    let who = name(all, all.sender(crossing));
    let message = format!(
        "{who} sent the context of {} with {}",
        stimulus_name(other),
        stimulus_name(crossing.stimulus)
    );
    let actual = format!("trace {} of {}", context.trace_id, stimulus_name(other));
    let told = on_crossing(all, ix, Class::Swapped, Side::Sender).at(Caret::TraceId);
    Some(told.told(message, due_context(all, ix), actual))
}

/// S5.
fn joined(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent) -> Option<Break> {
    let expected = &all.get(ix).expected;
    let restart = relation(all, ix).restarts_at() == Some(RestartSide::Sender)
        && expected.trace == Some(context.trace_id);
    let back = expected.trace != Some(context.trace_id) && expected.left.contains(&context.trace_id);
    if !restart && !back {
        return None;
    }
    let who = name(all, all.sender(all.get(ix)));
    let message = if restart {
        format!("{who} stayed in the trace that it should have left")
    } else {
        format!("{who} went back into a trace that was left before")
    };
    let due = if restart { "a new trace".into() } else { due_context(all, ix) };
    let told = on_crossing(all, ix, Class::Joined, Side::Sender).at(Caret::TraceId);
    Some(told.told(message, due, format!("trace {}", context.trace_id)))
}

/// S6.
fn restarted(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent) -> Option<Break> {
    let crossing = all.get(ix);
    let expected = crossing.expected.trace?;
    if relation(all, ix).restarts_at() == Some(RestartSide::Sender) || expected == context.trace_id {
        return None;
    }
    // Its own span is in another trace than what it received and sent on: told of the hop before (R4, R5).
    let received = crossing.cause.and_then(|cause| all.arrived(all.get(cause)));
    if received.is_some_and(|wire| wire.contexts().any(|came| came.trace_id == context.trace_id)) {
        return None;
    }
    let who = name(all, all.sender(crossing));
    let told = on_crossing(all, ix, Class::Restarted, Side::Sender).at(Caret::TraceId);
    let actual = format!("trace {}, which nobody sent to {who}", context.trace_id);
    let told = match all.incoming_span(crossing).map(|span| all.spans.get(span)) {
        Some(span) => {
            let message = format!("{who} began a new trace on the way from what it received to what it sent");
            let right = format!(
                "what {who} received was right: it made the span `{}` for it, in the right trace",
                span.name
            );
            told.told(message, due_context(all, ix), actual).with(right)
        }
        None => {
            let message = format!("{who} began a new trace at or after its entry");
            let witness = format!("{who}'s own span for what it received");
            told.told(message, due_context(all, ix), actual).missing(witness)
        }
    };
    Some(told)
}

/// S7.
fn passed_through(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent) -> Option<Break> {
    let crossing = all.get(ix);
    let received = all.arrived(all.get(crossing.cause?))?;
    if !received.contexts().any(|received| received.parent_id == context.parent_id) {
        return None;
    }
    let who = name(all, all.sender(crossing));
    let message = format!("{who} sent on the parent id that it had received, as if it were not there");
    let expected = format!("the id of a span of {who}");
    let actual = format!("parent id {}, as received", context.parent_id);
    let told = on_crossing(all, ix, Class::PassedThrough, Side::Sender).at(Caret::ParentId);
    Some(told.told(message, expected, actual))
}

/// S9.
fn flag_changed(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent) -> Option<Break> {
    let crossing = all.get(ix);
    let level = all.plan.scenario.node(all.sender(crossing)).level;
    let flags = context.flags;
    let sampled = crossing.due.sampled.filter(|due| *due != flags.sampled());
    let random = crossing.due.random.filter(|due| level == Level::Two && *due != flags.random());
    let undefined = flags.undefined_bits(Level::Two);
    let who = name(all, all.sender(crossing));
    let (what, expected) = match (sampled, random, undefined) {
        (Some(true), _, _) => {
            ("cleared the sampled flag of a sampled trace".to_owned(), "sampled".to_owned())
        }
        (Some(false), _, _) => ("set the sampled flag of an unsampled trace".into(), "not sampled".into()),
        (None, Some(true), _) => {
            ("cleared the random flag".into(), "the random flag set, as received".into())
        }
        (None, Some(false), _) => ("set the random flag".into(), "the random flag clear, as received".into()),
        (None, None, 0) => return None,
        (None, None, bits) => (format!("set undefined flags ({bits:#04x})"), "undefined flags zero".into()),
    };
    let told = on_crossing(all, ix, Class::FlagChanged, Side::Sender).at(Caret::Flags);
    Some(told.told(format!("{who} {what}"), expected, format!("flags {flags}")))
}

/// What was due, in words.
pub(super) fn due_context(all: &Crossings<'_>, ix: CrossingIx) -> String {
    match all.get(ix).expected.trace {
        Some(trace) => format!("a `traceparent` in trace {trace}"),
        None => "a `traceparent`".into(),
    }
}

/// Says that the incoming side was right, where its span shows it: not when the span left the trace that it received.
fn incoming_side(all: &Crossings<'_>, ix: CrossingIx, told: Break) -> Break {
    let crossing = all.get(ix);
    let who = name(all, all.sender(crossing));
    let Some(span) = all.incoming_span(crossing).map(|span| all.spans.get(span)) else { return told };
    let received = crossing.cause.and_then(|cause| all.arrived(all.get(cause)));
    let in_trace = |received: &Carried| {
        let mut contexts = received.contexts().peekable();
        contexts.peek().is_none() || contexts.any(|context| span.trace_id == context.trace_id.as_bytes())
    };
    if !received.is_none_or(in_trace) {
        return told;
    }
    told.with(format!("what {who} received was right: it made the span `{}` for it", span.name))
}
