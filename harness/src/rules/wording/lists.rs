//! tracestate and baggage: members that leaked, changed, were cut, dropped or reordered.

use super::Example;
use crate::breaks::Value;
use crate::breaks::break_kind::{BaggageLoss, MemberChange, Reorder};

pub(super) fn tracestate_leaked(example: Example<'_>) -> String {
    let member = concerned(&example.broken.actual);
    format!(
        "{} kept the tracestate member {member} of a trace that was left, in {}",
        example.who(),
        example.request()
    )
}

pub(super) fn tracestate_altered(example: Example<'_>, change: MemberChange) -> String {
    let (who, request) = (example.who(), example.request());
    match change {
        MemberChange::Doubled => {
            let members = concerned(&example.broken.actual);
            format!(
                "{who} injected more than one tracestate member with the same key into {request}: {members}"
            )
        }
        MemberChange::Changed => {
            let member = concerned(&example.broken.expected);
            let changed = concerned(&example.broken.actual);
            format!("{who} changed the tracestate member {member} to {changed} in {request}")
        }
    }
}

pub(super) fn tracestate_cut(example: Example<'_>) -> String {
    let (member, cut) = (concerned(&example.broken.expected), concerned(&example.broken.actual));
    format!("{} cut the tracestate member {member} to {cut} in {}", example.who(), example.request())
}

pub(super) fn tracestate_lost(example: Example<'_>) -> String {
    dropped(example, "tracestate")
}

pub(super) fn tracestate_reordered(example: Example<'_>, order: Reorder) -> String {
    let (who, request) = (example.who(), example.request());
    match order {
        Reorder::Received => format!("{who} changed the order of the tracestate members in {request}"),
        Reorder::NewBehind => {
            let member = concerned(&example.broken.actual);
            format!(
                "{who} put its new tracestate member {member} behind those that it received, in {request}"
            )
        }
    }
}

pub(super) fn baggage_leaked(example: Example<'_>) -> String {
    let (who, request, members) = (example.who(), example.request(), concerned(&example.broken.actual));
    format!(
        "{who} injected the baggage members {members} into {request}, over a hop that must carry no baggage"
    )
}

pub(super) fn baggage_lost(example: Example<'_>, how: BaggageLoss) -> String {
    match how {
        BaggageLoss::Dropped => dropped(example, "baggage"),
        BaggageLoss::NotAdded => {
            let members = concerned(&example.broken.expected);
            let (who, request) = (example.who(), example.request());
            format!(
                "{who} did not add the baggage members {members} to {request}, as `adds-baggage` declares"
            )
        }
    }
}

pub(super) fn baggage_altered(example: Example<'_>, change: MemberChange) -> String {
    let (who, request) = (example.who(), example.request());
    match change {
        MemberChange::Doubled => {
            let members = concerned(&example.broken.actual);
            format!("{who} injected more than one baggage member with the same key into {request}: {members}")
        }
        MemberChange::Changed => {
            let members = concerned(&example.broken.expected);
            format!("{who} changed the baggage members {members} in {request}")
        }
    }
}

fn dropped(example: Example<'_>, list: &str) -> String {
    let members = concerned(&example.broken.expected);
    format!("{} dropped the {list} members {members} from {}", example.who(), example.request())
}

/// Returns the members that a break is about, each in backticks, as far as they print.
fn concerned(value: &Value) -> String {
    let members: Vec<String> = value.concerned().map(shown).collect();
    members.join(", ")
}

fn shown(bytes: &[u8]) -> String {
    format!("`{}`", bytes.escape_ascii())
}
