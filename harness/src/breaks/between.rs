//! T1: what came into a forwarder against what it sent on, judged on its outgoing hop; and what was published to a
//! broker against what it delivered.
//!
//! HTTP fields are compared as RFC 9110 5.2 and 5.3 see them: tracestate as one list, baggage as one set.

use super::fault::{Break, Caret};
use super::{Breaks, Class, Side, lists, name, on_crossing};
use crate::crossings::{Carried, CrossingIx, Crossings};
use crate::scenario::Role;

pub fn row(all: &Crossings<'_>, ix: CrossingIx, found: &mut Breaks) {
    let crossing = all.get(ix);
    let node = all.sender(crossing);
    let forwarder = all.plan.scenario.node(node).role == Role::Forwarder;
    let (before, after) = match forwarder {
        true => (crossing.cause.and_then(|cause| all.arrived(all.get(cause))), all.wire(crossing)),
        // A broker: as it was published against as it was delivered.
        false if crossing.arrival.is_some() => (all.wire(crossing), all.arrived(crossing)),
        false => return,
    };
    let (Some(before), Some(after)) = (before, after) else { return };
    let mut held: Vec<(Class, &'static str)> = Vec::new();
    let fields = ["traceparent", "tracestate", "baggage"];
    for (field, seen) in fields.into_iter().zip([
        traceparent(before, after),
        tracestate(before, after),
        baggage(before, after),
    ]) {
        let doubled = after.twice.contains(&field) && !before.twice.contains(&field);
        let seen = seen.or(doubled.then_some(Class::Duplicated));
        held.extend(seen.map(|class| (class, field)));
    }
    for class in [Class::Stripped, Class::Altered, Class::Duplicated] {
        let fields: Vec<&'static str> =
            held.iter().filter(|held| held.0 == class).map(|held| held.1).collect();
        if !fields.is_empty() {
            found.list.push(told(all, ix, class, &fields));
        }
    }
}

fn told(all: &Crossings<'_>, ix: CrossingIx, class: Class, fields: &[&'static str]) -> Break {
    let hop = all.plan.scenario.hop(all.get(ix).hop);
    let who = name(all, hop.transport.via().unwrap_or(all.get(ix).sender));
    let named: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    let named = named.join(" and ");
    let (message, actual) = match class {
        Class::Stripped => (format!("{who} took {named} away"), format!("no {named}")),
        Class::Altered => (format!("{who} changed {named}"), format!("another {named}")),
        _ => (format!("{who} doubled {named}"), format!("{named} twice")),
    };
    let told = on_crossing(all, ix, class, Side::Intermediary).at(Caret::Field(fields[0]));
    told.told(message, format!("{named} as it came in"), actual)
}

fn traceparent(before: &Carried, after: &Carried) -> Option<Class> {
    let values = |carried: &Carried| -> Vec<Vec<u8>> {
        carried.traceparents.iter().map(|line| line.0.clone()).collect()
    };
    class_of(&values(before), &values(after))
}

fn tracestate(before: &Carried, after: &Carried) -> Option<Class> {
    let values = |carried: &Carried| -> Vec<Vec<u8>> {
        carried.lists.members.iter().map(|member| member.bytes.clone()).collect()
    };
    class_of(&values(before), &values(after))
}

fn baggage(before: &Carried, after: &Carried) -> Option<Class> {
    let values = |carried: &Carried| {
        let mut entries: Vec<_> = lists::entry_set(&carried.lists.entries).into_iter().collect();
        entries.sort();
        entries
    };
    let doubled = after.lists.entries.len() >= 2 * before.lists.entries.len().max(1);
    match class_of(&values(before), &values(after)) {
        None if doubled && values(after).len() < after.lists.entries.len() => Some(Class::Duplicated),
        class => class,
    }
}

/// There before and not after; every value still there and more of it; or another value.
fn class_of<T: PartialEq>(before: &[T], after: &[T]) -> Option<Class> {
    match () {
        () if before == after => None,
        () if after.is_empty() => Some(Class::Stripped),
        () if before.is_empty() => Some(Class::Altered),
        () if after.len() > before.len() && after.iter().all(|value| before.contains(value)) => {
            Some(Class::Duplicated)
        }
        () if after.len() > before.len() && before.iter().all(|value| after.contains(value)) => {
            Some(Class::Duplicated)
        }
        () => Some(Class::Altered),
    }
}
