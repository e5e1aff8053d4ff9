//! T1: what came into a forwarder against what left it, judged on its outgoing hop; and what was published to a
//! broker against what it delivered.
//!
//! HTTP fields are compared as RFC 9110 5.2 and 5.3 see them: tracestate as one list, baggage as one set.

use super::break_kind::Duplication;
use super::{Break, BreakKind, Breaks, Caret, ContextFields, Grade, Side, Value, lists};
use crate::crossings::{CarriedFields, ContextField, CrossingRef, Crossings};
use crate::evidence::CaptureIx;
use crate::scenario::{Relation, Role};
use crate::wire::tracestate::RawMember;

pub(super) fn row(crossing: CrossingRef<'_>, found: &mut Breaks) {
    // What a hop must not carry, a forwarder removes.
    if crossing.relation() == Relation::None {
        return;
    }
    let Some((before_ix, after_ix)) = ends(crossing) else { return };
    let carried = &crossing.all().carried;
    let (before, after) = (&carried[before_ix.0], &carried[after_ix.0]);
    let (mut stripped, mut altered, mut doubled) =
        (ContextFields::default(), ContextFields::default(), ContextFields::default());
    for field in ContextField::ALL {
        if field == ContextField::Baggage && crossing.hop().drops_baggage() {
            continue;
        }
        let own = crossing.sender_node().tracestate_key.as_deref();
        let twice = after.twice.contains(&field) && !before.twice.contains(&field);
        match change(field, before, after, own).or(twice.then_some(Change::Doubled)) {
            Some(Change::Stripped) => stripped.insert(field),
            Some(Change::Altered) => altered.insert(field),
            Some(Change::Doubled) => doubled.insert(field),
            None => {}
        }
    }
    let kinds = [
        (stripped, BreakKind::Stripped(stripped)),
        (altered, BreakKind::Altered(altered)),
        (doubled, BreakKind::Duplicated(Duplication::Onward(doubled))),
    ];
    for (fields, kind) in kinds {
        let Some(first) = fields.iter().next() else { continue };
        let changed = Break::on(crossing, kind, Side::Intermediary).at(Caret::Field(first));
        let changed = changed.values(Value::AsIn(before_ix), Value::AsIn(after_ix));
        found.list.push(Break { capture: Some(after_ix), ..changed });
    }
}

/// Adds notes about what a gateway did beside the context: an empty tracestate that did not come in, and headers that
/// it dropped for their names.
pub(super) fn notes(crossing: CrossingRef<'_>, found: &mut Breaks) {
    let cause = crossing.cause().and_then(CrossingRef::received_capture);
    let (Some(before_ix), Some(after_ix)) = (cause, crossing.sent_capture()) else { return };
    let all = crossing.all();
    let mut kinds = Vec::new();
    if adds_empty_tracestate(all, before_ix, after_ix) {
        let mut fields = ContextFields::default();
        fields.insert(ContextField::TraceState);
        kinds.push(BreakKind::Altered(fields));
    }
    if dropped_names(all, before_ix, after_ix).next().is_some() {
        kinds.push(BreakKind::Stripped(ContextFields::default()));
    }
    for kind in kinds {
        let note = Break::on(crossing, kind, Side::Intermediary).graded(Grade::Note);
        let note = note.values(Value::AsIn(before_ix), Value::AsIn(after_ix));
        found.list.push(Break { capture: Some(after_ix), ..note });
    }
}

/// Finds headers that a gateway is there to add and that a request behind it does not carry.
pub(super) fn additions(crossing: CrossingRef<'_>, found: &mut Breaks) {
    let Some(sent) = crossing.sent_capture() else { return };
    let additions = crossing.sender_node().adds.iter();
    let missing: Vec<String> = additions.filter(|name| !carries(crossing, sent, name)).cloned().collect();
    if missing.is_empty() {
        return;
    }
    let not_added = Break::on(crossing, BreakKind::NotAdded, Side::Intermediary);
    let not_added = not_added.values(Value::Headers(missing), Value::NoField);
    found.list.push(Break { capture: Some(sent), ..not_added });
}

/// Returns whether a request carries a header, or the sender's own member of tracestate.
fn carries(crossing: CrossingRef<'_>, sent: CaptureIx, name: &str) -> bool {
    let all = crossing.all();
    if name != "tracestate" {
        let mut fields = all.capture(sent).headers.iter();
        return fields.any(|field| field.name.eq_ignore_ascii_case(name.as_bytes()));
    }
    let own = crossing.sender_node().tracestate_key.as_deref().unwrap_or_default();
    all.carried[sent.0].lists.members.iter().any(|member| member.key() == own.as_bytes())
}

/// Returns whether a tracestate without a member left a gateway, and none came in.
pub fn adds_empty_tracestate(all: &Crossings<'_>, before: CaptureIx, after: CaptureIx) -> bool {
    let [before, after] = [before, after].map(|capture| &all.carried[capture.0].lists.tracestate_lines);
    before.is_empty() && !after.is_empty() && after.iter().all(Vec::is_empty)
}

/// Returns the headers with an underscore that are missing behind a gateway: some products take no such name.
pub fn dropped_names<'a>(
    all: &'a Crossings<'_>,
    before: CaptureIx,
    after: CaptureIx,
) -> impl Iterator<Item = &'a [u8]> {
    let (before, after) = (all.capture(before), all.capture(after));
    let names = before.headers.iter().map(|field| field.name.as_slice());
    names.filter(|name| {
        let passed = || after.headers.iter().any(|field| field.name.eq_ignore_ascii_case(name));
        name.contains(&b'_') && !passed()
    })
}

/// Returns the captures before and behind a forwarder, or before and behind a broker.
fn ends(crossing: CrossingRef<'_>) -> Option<(CaptureIx, CaptureIx)> {
    match crossing.sender_node().role {
        Role::Forwarder => Some((crossing.cause()?.received_capture()?, crossing.sent_capture()?)),
        Role::Participant => Some((crossing.sent_capture()?, crossing.delivery()?)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Stripped,
    Altered,
    Doubled,
}

/// Returns how a field changed; a forwarder may add the member of tracestate that is its `own`.
fn change(
    field: ContextField,
    before: &CarriedFields,
    after: &CarriedFields,
    own: Option<&str>,
) -> Option<Change> {
    match field {
        ContextField::TraceParent => {
            compare(&contexts(before).collect::<Vec<_>>(), &contexts(after).collect::<Vec<_>>())
        }
        ContextField::TraceState => {
            compare(&members(before, own).collect::<Vec<_>>(), &members(after, own).collect::<Vec<_>>())
        }
        ContextField::Baggage => baggage(before, after),
    }
}

fn contexts(carried: &CarriedFields) -> impl Iterator<Item = &[u8]> {
    carried.copies.iter().map(|(line, _)| line.as_slice())
}

fn members<'a>(carried: &'a CarriedFields, own: Option<&'a str>) -> impl Iterator<Item = &'a [u8]> {
    let others = move |member: &&RawMember| own.is_none_or(|own| member.key() != own.as_bytes());
    carried.lists.members.iter().filter(others).map(|member| member.bytes.as_slice())
}

fn baggage(before: &CarriedFields, after: &CarriedFields) -> Option<Change> {
    let (entries_before, entries_after) = (&before.lists.entries, &after.lists.entries);
    // From hop to hop they are mostly the same bytes.
    if entries_before.iter().map(|entry| &entry.raw).eq(entries_after.iter().map(|entry| &entry.raw)) {
        return None;
    }
    let (set_before, set_after) = (lists::entry_set(entries_before), lists::entry_set(entries_after));
    let set_before: Vec<_> = set_before.into_iter().collect();
    let set_after: Vec<_> = set_after.into_iter().collect();
    let doubled = entries_after.len() >= 2 * entries_before.len().max(1);
    match compare(&set_before, &set_after) {
        None if doubled && set_after.len() < entries_after.len() => Some(Change::Doubled),
        change => change,
    }
}

/// Compares values: more of the same are doubled, none at all stripped, all else altered.
fn compare<T: PartialEq>(before: &[T], after: &[T]) -> Option<Change> {
    let within = |some: &[T], others: &[T]| some.iter().all(|value| others.contains(value));
    if before == after {
        None
    } else if after.is_empty() {
        Some(Change::Stripped)
    } else if !before.is_empty()
        && after.len() > before.len()
        && (within(after, before) || within(before, after))
    {
        Some(Change::Doubled)
    } else {
        Some(Change::Altered)
    }
}
