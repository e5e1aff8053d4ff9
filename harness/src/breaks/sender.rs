//! The sender's side, S0 to S12: what left the sender against what was expected of it.
//!
//! Asked once for each wire; not of the driver, which sends what the scenario says, nor of a forwarder, which is
//! judged by what came in (T1).

use super::break_kind::{Duplication, Join, LeakedField, Malformation, Restart, Swap};
use super::lists::{self, Senders};
use super::sender_spans::{self, received};
use super::{
    Break, BreakKind, Breaks, Caret, Class, ComparisonGap, ContextFields, Flag, Grade, List, Remark, Side,
    Value, Witness, receiver, untapped,
};
use crate::crossings::{CarriedContext, CarriedFields, ContextField, CrossingRef};
use crate::scenario::{Relation, RestartSide, Role};
use crate::wire::{Decision, Format, Level, Refusal};

pub(super) fn rows(crossing: CrossingRef<'_>, senders: &Senders<'_>, found: &mut Breaks) {
    let Some(wire) = crossing.wire() else { return };
    if crossing.is_from_client() {
        return;
    }
    if crossing.relation() == Relation::None {
        found.list.extend(leaked(crossing, wire));
        return;
    }
    if crossing.hop().drops_baggage() {
        found.list.extend(baggage_leaked(crossing, wire));
    }
    if crossing.sender_node().role == Role::Forwarder {
        // A forwarder can mix requests up; T1 compares everything else.
        let swap = wire.context().and_then(|context| swapped(crossing, wire, context, senders));
        found.list.extend(swap.filter(|swap| swap.caret == Caret::TraceId));
        return;
    }
    let notes = found.list.len();
    if let Some(first) = no_single_context(crossing, wire, found) {
        behind(crossing, wire, first, found);
        return;
    }
    let Some(context) = wire.context() else { return };
    let first = swapped(crossing, wire, context, senders);
    if first.is_none() && receiver::begun_before(crossing) {
        return;
    }
    let first = first.or_else(|| joined(crossing, context));
    // One cause for all calls of the sender, named where the request arrived.
    if first.is_none() && crossing.cause().is_some_and(receiver::explains_calls) {
        return;
    }
    let first = first
        .or_else(|| restarted(crossing, context))
        .or_else(|| passed_through(crossing, context))
        .or_else(|| sender_spans::row(crossing, context, found));
    if let Some(first) = first {
        found.list.truncate(notes);
        behind(crossing, wire, first, found);
        return;
    }
    found.list.extend(flag_changed(crossing, context));
    let lists = [lists::tracestate(crossing, wire), lists::baggage(crossing, wire)];
    found.list.extend(lists.into_iter().flatten().map(|list| untapped::moved(crossing, list)));
    found.list.extend(sender_spans::link(crossing));
}

/// Adds the first break of S0 to S8, and behind it those of S9 to S11 that can still be compared: they count where
/// `expect` does not request the first.
fn behind(crossing: CrossingRef<'_>, wire: &CarriedFields, first: Break, found: &mut Breaks) {
    let class = first.class();
    found.list.push(untapped::moved(crossing, first));
    let context = wire.context().filter(|context| crossing.due().trace == Some(context.trace_id));
    let mut rest = Vec::new();
    if let Some(context) = context {
        rest.extend(flag_changed(crossing, context));
        rest.extend(lists::tracestate(crossing, wire));
    } else if crossing.due().members.as_ref().is_some_and(|members| !members.is_empty()) {
        found.uncompared.push(ComparisonGap { crossing: crossing.ix(), class });
    }
    rest.extend(lists::baggage(crossing, wire));
    // A swapped list is part of the first.
    if class != Class::Swapped {
        found.list.extend(rest.into_iter().map(|one| Break { follows: Some(class), ..one }));
    }
}

/// Returns S0 for baggage, which may hold data about persons: over a hop that must carry none.
fn baggage_leaked(crossing: CrossingRef<'_>, wire: &CarriedFields) -> Option<Break> {
    if !wire.lists.baggage_lines.iter().any(|line| !line.is_empty()) {
        return None;
    }
    let leak = Break::on(crossing, BreakKind::BaggageLeaked, leaking_side(crossing));
    let entries = wire.lists.entries.clone();
    let all = List { concerned: (0..entries.len()).collect(), members: entries };
    Some(leak.at(Caret::Field(ContextField::Baggage)).values(Value::Implied, Value::Entries(all)))
}

/// Returns who lets a field through that must not cross: a forwarder stands between those who propagate.
fn leaking_side(crossing: CrossingRef<'_>) -> Side {
    match crossing.sender_node().role {
        Role::Forwarder => Side::Intermediary,
        Role::Participant => Side::Sender,
    }
}

/// Returns S0: a context over a hop that must carry none.
fn leaked(crossing: CrossingRef<'_>, wire: &CarriedFields) -> Option<Break> {
    let mut fields = ContextFields::default();
    if !wire.lists.baggage_lines.is_empty() {
        fields.insert(ContextField::Baggage);
    }
    if !wire.lists.tracestate_lines.is_empty() {
        fields.insert(ContextField::TraceState);
    }
    if !wire.copies.is_empty() {
        fields.insert(ContextField::TraceParent);
    }
    let (field, caret) = if fields == ContextFields::of(ContextField::Baggage) {
        return baggage_leaked(crossing, wire);
    } else if let Some(first) = fields.iter().next() {
        (LeakedField::Context(fields), Caret::Field(first))
    } else {
        let format = *wire.others.first()?;
        (LeakedField::Other(format), Caret::Format(format))
    };
    let leak = Break::on(crossing, BreakKind::Leaked(field), leaking_side(crossing)).at(caret);
    Some(leak.values(Value::NoField, Value::Implied))
}

/// Returns S1 to S3: not exactly one context that parses.
fn no_single_context(crossing: CrossingRef<'_>, wire: &CarriedFields, found: &mut Breaks) -> Option<Break> {
    let field = ContextField::TraceParent;
    let due = due_context(crossing);
    if let Some((_, misfit)) = wire.misfits.iter().find(|(misfit, _)| *misfit == field) {
        let kind = BreakKind::Malformed { field, how: Malformation::Unreadable };
        let unreadable = Break::by_sender(crossing, kind).at(Caret::Field(field));
        return Some(unreadable.values(due, Value::Misfit(misfit.clone())));
    }
    let Some((_, first)) = wire.copies.first() else {
        let actual =
            if wire.others.is_empty() { Value::NoField } else { Value::Formats(wire.others.clone()) };
        let missing = Break::by_sender(crossing, BreakKind::NotInjected).at(Caret::Field(field));
        return Some(extracted_correctly(crossing, missing.values(due, actual)));
    };
    if wire.differs() {
        return Some(differing(crossing, field, wire.copies.len()));
    }
    if let Err(refusal) = first {
        return Some(unparsable(crossing, field, refusal).values(due, Value::Refusal(refusal.clone())));
    }
    if let (Some(beside), Ok(carried)) = (wire.beside_body, first)
        && beside != carried.trace_id
    {
        let kind = BreakKind::Duplicated(Duplication::BesideBody);
        let two = Break::by_sender(crossing, kind).at(Caret::Field(field));
        return Some(two.values(Value::Trace(carried.trace_id), Value::Trace(beside)));
    }
    if let Some(other) = further_format(crossing, wire) {
        return Some(other);
    }
    if let Some(list) = malformed_list(crossing, wire).or_else(|| doubled_list(crossing, wire)) {
        return Some(list);
    }
    for field in wire.twice() {
        let identical = Break::by_sender(crossing, BreakKind::Duplicated(Duplication::Identical(field)));
        let copies = match field {
            ContextField::TraceParent => wire.copies.len(),
            ContextField::TraceState | ContextField::Baggage => {
                crossing.sent().map_or(0, |capture| capture.values(field.name()).count())
            }
        };
        let identical = identical.at(Caret::Field(field)).values(Value::Copies(1), Value::Copies(copies));
        // A node that sends a message again must not add to what it carries.
        if crossing.sender() == crossing.receiver() {
            return Some(identical);
        }
        found.list.push(identical.graded(Grade::Note));
    }
    None
}

/// Returns S1 to S3 for a further format that the hop declares: it must carry the same context as the first.
fn further_format(crossing: CrossingRef<'_>, wire: &CarriedFields) -> Option<Break> {
    let field = ContextField::TraceParent;
    let first = wire.first()?;
    for (format, carried) in &wire.further {
        let broken = match carried {
            Ok(None) => {
                let missing = Break::by_sender(crossing, BreakKind::NotInjected).at(Caret::Field(field));
                missing.values(due_context(crossing), Value::NoField)
            }
            Err(refusal) => {
                let malformed = unparsable(crossing, field, refusal).at(Caret::Field(field));
                malformed.values(due_context(crossing), Value::Refusal(refusal.clone()))
            }
            Ok(Some(context)) if !is_same_context(first, context) => {
                let kind = BreakKind::Duplicated(Duplication::Formats);
                let different = Break::by_sender(crossing, kind).at(Caret::Field(field));
                different.values(Value::Implied, Value::DifferentContexts(first.format, *format))
            }
            Ok(Some(_)) => continue,
        };
        return Some(Break { format: *format, ..broken });
    }
    None
}

/// Returns whether two formats carry one context, as far as both have a word for the decision.
fn is_same_context(one: &CarriedContext, other: &CarriedContext) -> bool {
    let decision = |decision: Decision| other.format.decision_after(one.format.decision_after(decision));
    one.trace_id == other.trace_id
        && one.parent_id == other.parent_id
        && decision(one.decision) == decision(other.decision)
}

fn differing(crossing: CrossingRef<'_>, field: ContextField, copies: usize) -> Break {
    let differing = Break::by_sender(crossing, BreakKind::Duplicated(Duplication::Differing(field)));
    differing.at(Caret::Field(field)).values(Value::Copies(1), Value::Copies(copies))
}

fn unparsable(crossing: CrossingRef<'_>, field: ContextField, refusal: &Refusal) -> Break {
    let kind = BreakKind::Malformed { field, how: Malformation::Unparsable };
    let caret = Caret::Bytes { field, line: refusal.line, at: refusal.at.clone() };
    let broken = Break::by_sender(crossing, kind);
    // Of a format with several fields the bytes stand in one of them, and all are shown.
    let whole = field == ContextField::TraceParent && refusal.field != broken.field_name(field);
    broken.at(if whole { Caret::Field(field) } else { caret })
}

/// Returns S2 for the lists: what came in parsed, and what goes out does not.
fn malformed_list(crossing: CrossingRef<'_>, wire: &CarriedFields) -> Option<Break> {
    if let Some((field, misfit)) = wire.misfits.first() {
        let kind = BreakKind::Malformed { field: *field, how: Malformation::Unreadable };
        let unreadable = Break::by_sender(crossing, kind).at(Caret::Field(*field));
        return Some(unreadable.values(Value::Implied, Value::Misfit(misfit.clone())));
    }
    let (field, refusal) = if let Some(refusal) = lists::tracestate_refusal(crossing, wire) {
        (ContextField::TraceState, refusal)
    } else {
        crossing.due().entries.as_ref()?;
        (ContextField::Baggage, wire.lists.baggage_refusal.clone()?)
    };
    Some(unparsable(crossing, field, &refusal).values(Value::Implied, Value::Refusal(refusal)))
}

/// Returns S3 for the lists of a message, which are single values there.
fn doubled_list(crossing: CrossingRef<'_>, wire: &CarriedFields) -> Option<Break> {
    if !crossing.is_message() {
        return None;
    }
    let lists = [
        (ContextField::TraceState, &wire.lists.tracestate_lines),
        (ContextField::Baggage, &wire.lists.baggage_lines),
    ];
    let (field, lines) = lists.into_iter().find(|(_, lines)| lines.windows(2).any(|two| two[0] != two[1]))?;
    Some(differing(crossing, field, lines.len()))
}

/// Returns S4: the context of another stimulus, or a list of one, with every field that was swapped.
fn swapped(
    crossing: CrossingRef<'_>,
    wire: &CarriedFields,
    context: &CarriedContext,
    senders: &Senders<'_>,
) -> Option<Break> {
    let lists = lists::swapped(crossing, wire, senders);
    let owner = crossing.all().owners.get(&context.trace_id).copied();
    let owner = owner.filter(|owner| *owner != crossing.stimulus_ix());
    let mut fields = lists.fields;
    if let Some(owner) = owner
        && crossing.expected().trace != Some(context.trace_id)
    {
        fields.insert(ContextField::TraceParent);
        let swap = Break::by_sender(crossing, BreakKind::Swapped(Swap::Injected(fields))).at(Caret::TraceId);
        return Some(swap.values(due_context(crossing), Value::TraceOf(context.trace_id, owner)));
    }
    let swap = Break::by_sender(crossing, BreakKind::Swapped(Swap::Injected(fields)));
    let swap = swap.at(Caret::Field(fields.iter().last()?));
    Some(swap.values(Value::ListOf(crossing.stimulus_ix()), Value::ListOf(lists.owner?)))
}

/// Returns S5: a trace that had to be left.
fn joined(crossing: CrossingRef<'_>, context: &CarriedContext) -> Option<Break> {
    let expected = crossing.expected();
    let in_expected = expected.trace == Some(context.trace_id);
    let restart = crossing.relation().restarts_at() == Some(RestartSide::Sender);
    let (join, due) = if restart && in_expected {
        (Join::SenderStayed, Value::NewTrace)
    } else if !in_expected && expected.left.contains(&context.trace_id) {
        (Join::SenderReturned, due_context(crossing))
    } else {
        return None;
    };
    let join = Break::by_sender(crossing, BreakKind::Joined(join)).at(Caret::TraceId);
    Some(join.values(due, Value::Trace(context.trace_id)))
}

/// Returns S6: a new trace that was not due.
fn restarted(crossing: CrossingRef<'_>, context: &CarriedContext) -> Option<Break> {
    let expected = crossing.expected().trace?;
    if crossing.relation().restarts_at() == Some(RestartSide::Sender) || expected == context.trace_id {
        return None;
    }
    // Its own span is in a different trace from what it received and injected: the hop before shows that (R4, R5).
    if let Some(received) = received(crossing)
        && received.contexts().any(|came| came.trace_id == context.trace_id)
    {
        return None;
    }
    let restart = match crossing.incoming_span_ix() {
        Some(span) => Break::by_sender(crossing, BreakKind::Restarted(Restart::InsideSender))
            .with(Remark::ExtractedIntoItsTrace(span)),
        None => Break::by_sender(crossing, BreakKind::Restarted(Restart::AtOrAfterEntry))
            .missing(Witness::IncomingSpan),
    };
    Some(restart.at(Caret::TraceId).values(due_context(crossing), Value::Trace(context.trace_id)))
}

/// Returns S7: the parent id that the sender received.
fn passed_through(crossing: CrossingRef<'_>, context: &CarriedContext) -> Option<Break> {
    if !received(crossing)?.contexts().any(|received| received.parent_id == context.parent_id) {
        return None;
    }
    let passed = Break::by_sender(crossing, BreakKind::PassedThrough).at(Caret::ParentId);
    Some(passed.values(Value::Implied, Value::ParentId(context.parent_id)))
}

/// Returns S9: flags that the sender changed.
fn flag_changed(crossing: CrossingRef<'_>, context: &CarriedContext) -> Option<Break> {
    let (flags, due) = (context.flags, crossing.due());
    let (flag, set) = if let Some(sampled) = due_sampled(crossing, context)
        && context.decision.is_sampled() != Some(sampled)
    {
        // A decision that was made is not left to the next service.
        let deferred = context.decision == Decision::Deferred;
        if deferred { (Flag::Decision, false) } else { (Flag::Sampled, !sampled) }
    } else if let (Some(due), Some(debug)) = (due_debug(crossing, context), context.debug())
        && due != debug
    {
        (Flag::Debug, debug)
    } else if let (Some(random), Some(sent)) = (due.random, context.random())
        && random != sent
        && crossing.sender_node().level == Level::Two
    {
        (Flag::Random, !random)
    } else if flags.undefined_bits(Level::Two) != 0 {
        (Flag::Undefined, true)
    } else {
        return None;
    };
    let changed = Break::by_sender(crossing, BreakKind::FlagChanged { flag, set }).at(Caret::Flags);
    let w3c = context.format == Format::TraceContext;
    let actual = if w3c { Value::Flags(flags) } else { Value::Decision(context.decision) };
    Some(changed.values(Value::Flag { flag, set: !set }, actual))
}

/// Returns whether debug is due in the trace on the wire.
fn due_debug(crossing: CrossingRef<'_>, context: &CarriedContext) -> Option<bool> {
    let due = crossing.due();
    if due.trace.is_none_or(|trace| trace == context.trace_id) { due.debug } else { None }
}

/// Returns the decision that is due in the trace on the wire: that of the trace that is expected, but where the call is
/// in the trace that arrived and only the receiver's span left it, the one that arrived.
fn due_sampled(crossing: CrossingRef<'_>, context: &CarriedContext) -> Option<bool> {
    let due = crossing.due();
    if due.trace.is_none_or(|trace| trace == context.trace_id) {
        return due.sampled;
    }
    let mut came = received(crossing).into_iter().flat_map(|wire| wire.contexts());
    let same = came.find(|came| came.trace_id == context.trace_id);
    same.map_or(due.sampled, |came| came.decision.is_sampled())
}

/// Returns the context that was due.
fn due_context(crossing: CrossingRef<'_>) -> Value {
    Value::Context(crossing.expected().trace)
}

/// Adds that the sender extracted correctly, where its span shows it: not when nothing arrived, or when the span left
/// the trace that did.
fn extracted_correctly(crossing: CrossingRef<'_>, missing: Break) -> Break {
    let (Some(ix), Some(span)) = (crossing.incoming_span_ix(), crossing.incoming_span()) else {
        return missing;
    };
    let other = received(crossing).is_some_and(|received| {
        !received.contexts().any(|context| span.trace_id == context.trace_id.as_bytes())
    });
    if other { missing } else { missing.with(Remark::ExtractedCorrectly(ix)) }
}
