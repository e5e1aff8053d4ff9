//! A context that was not injected, not extracted, or that is a different one from the one that was due.

use super::{Example, stimulus};
use crate::breaks::between::{adds_empty_tracestate, dropped_names};
use crate::breaks::break_kind::{Duplication, Extraction, Join, LeakedField, Malformation, Restart, Swap};
use crate::breaks::{ContextFields, Value};
use crate::crossings::{ContextField, CrossingRef};
use crate::rules::instrumentation_advice::has_receipts;
use crate::wire::trim_ows;

pub(super) fn leaked(example: Example<'_>, field: LeakedField) -> String {
    let field = match field {
        LeakedField::Context(fields) => baggage_first(example, fields),
        LeakedField::Other(format) => format!("a context in the format {}", format.name()),
    };
    let (who, request) = (example.who(), example.request());
    format!("{who} injected {field} into {request}, over a hop that must carry no context")
}

pub(super) fn not_injected(example: Example<'_>) -> String {
    let (who, request) = (example.who(), example.request());
    let field = example.broken.format.first_field();
    let place = example.broken.capture.and_then(|capture| example.all.carrier_of(capture));
    let place = place.map(|carrier| format!("{} of ", carrier.shown())).unwrap_or_default();
    let message = format!("{who} injected no `{field}` into {place}{request}");
    if let Value::Formats(_) = example.broken.actual {
        return format!("{message}, {}", example.actual());
    }
    message
}

pub(super) fn malformed(example: Example<'_>, field: ContextField, how: Malformation) -> String {
    let (who, request, actual) = (example.who(), example.request(), example.actual());
    let field = example.broken.field_name(field);
    match how {
        Malformation::Unreadable => {
            format!("{who} injected a `{field}` into {request} that its readers do not take: {actual}")
        }
        Malformation::Unparsable => {
            format!("{who} injected a malformed `{field}` into {request}: {actual}")
        }
    }
}

pub(super) fn duplicated(example: Example<'_>, how: Duplication) -> String {
    let (who, request) = (example.who(), example.request());
    match how {
        Duplication::Differing(_) | Duplication::Identical(_) | Duplication::Formats => {
            format!("{who} injected {} into {request}", example.actual())
        }
        Duplication::BesideBody => {
            format!(
                "{who} injected one context into the body of {request} and one of another trace into its headers"
            )
        }
        Duplication::Message => {
            let receiver = example.receiver();
            format!("{who} sent a message to {receiver} more often than declared: {request}")
        }
        Duplication::Onward(fields) => format!("{who} duplicated {} in {request}", all_of(example, fields)),
    }
}

pub(super) fn swapped(example: Example<'_>, swap: Swap) -> String {
    let (who, request, own) = (example.who(), example.request(), example.stimulus());
    let other = example.broken.actual.owner().map_or_else(|| "another stimulus".to_owned(), stimulus);
    match swap {
        Swap::Injected(fields) if fields == ContextFields::of(ContextField::TraceParent) => {
            format!("{who} injected the context of {other} into {request} of {own}")
        }
        Swap::Injected(fields) => {
            format!("{who} injected {} of {other} into {request} of {own}", baggage_first(example, fields))
        }
        Swap::Extracted => format!("{who} used the context of {other} for {request} of {own}"),
    }
}

pub(super) fn joined(example: Example<'_>, join: Join) -> String {
    let (who, request) = (example.who(), example.request());
    match join {
        Join::SenderStayed => {
            format!("{who} continued the incoming trace in {request} instead of starting a new one")
        }
        Join::SenderReturned => {
            format!("{who} continued a trace in {request} that was left at an earlier hop")
        }
        Join::ReceiverStayed => {
            format!("{who} continued the trace of {request} instead of starting a new one")
        }
    }
}

pub(super) fn restarted(example: Example<'_>, restart: Restart) -> String {
    let (who, request) = (example.who(), example.request());
    match restart {
        Restart::InsideSender => {
            format!("{who} started a new trace between what it received and {request}")
        }
        Restart::AtOrAfterEntry => {
            format!("{who} started a new trace for {request}, at its entry or after it")
        }
        Restart::LinkedByReceiver => {
            format!("{who} started a new trace with a link to {request} instead of continuing its trace")
        }
        Restart::BeforeItsHop(hop) => {
            let hop = example.all.plan.scenario.hop(hop);
            format!(
                "{who} started a new trace when it received {request}, and `{}` declares that it starts one when it sends \
                 (`{}`)",
                hop.id,
                hop.relation.word()
            )
        }
    }
}

pub(super) fn passed_through(example: Example<'_>) -> String {
    let (who, request) = (example.who(), example.request());
    let has_spans = has_receipts(example.all, example.broken.node);
    let own = if has_spans { "in place of the id of a span of its own" } else { "without a span of its own" };
    format!("{who} forwarded the parent id that it received into {request}, {own}")
}

pub(super) fn stripped(example: Example<'_>, fields: ContextFields) -> String {
    let (who, request) = (example.who(), example.request());
    let (Value::AsIn(before), Value::AsIn(after), true) =
        (&example.broken.expected, &example.broken.actual, fields.iter().next().is_none())
    else {
        return format!("{who} stripped {} from {request}", all_of(example, fields));
    };
    let names = dropped_names(example.all, *before, *after).map(String::from_utf8_lossy);
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.dedup();
    format!("{who} dropped the header {} of {request}: it takes no name with `_`", names.join(" and "))
}

pub(super) fn altered(example: Example<'_>, fields: ContextFields) -> String {
    let (who, request) = (example.who(), example.request());
    if let (Value::AsIn(before), Value::AsIn(after)) = (&example.broken.expected, &example.broken.actual)
        && fields.iter().eq([ContextField::TraceState])
        && adds_empty_tracestate(example.all, *before, *after)
    {
        return format!("{who} added an empty `tracestate` to {request}");
    }
    match joined_lines(example, fields) {
        Some(lines) => format!("{who} joined the {lines} `traceparent` lines of {request} into one value"),
        None => format!("{who} changed {} in {request}", all_of(example, fields)),
    }
}

/// Returns how many lines an intermediary joined with commas, where that is all that it changed. Only a list may be
/// joined (RFC 9110 5.3), and `traceparent` is none.
fn joined_lines(example: Example<'_>, fields: ContextFields) -> Option<usize> {
    let (Value::AsIn(before), Value::AsIn(after)) = (&example.broken.expected, &example.broken.actual) else {
        return None;
    };
    let carried = &example.all.carried;
    let (before, after) = (&carried[before.0].copies, &carried[after.0].copies);
    let [(one, _)] = after.as_slice() else { return None };
    let parts = one.split(|byte| *byte == b',').map(trim_ows);
    let is_context = fields.iter().eq([ContextField::TraceParent]);
    let joined = parts.eq(before.iter().map(|(line, _)| line.as_slice()));
    (is_context && before.len() > 1 && joined).then_some(before.len())
}

pub(super) fn adopted(example: Example<'_>) -> String {
    let (who, request) = (example.who(), example.request());
    let crossing = example.broken.crossing.map(|ix| example.all.get(ix));
    let several = crossing.and_then(CrossingRef::arrived).filter(|arrived| arrived.differs());
    match several.map(|arrived| arrived.copies.len()) {
        Some(lines) => {
            format!(
                "{who} continued one of the {lines} different `traceparent` lines of {request}: none is valid"
            )
        }
        None => format!("{who} continued with an id of the invalid `traceparent` of {request}"),
    }
}

pub(super) fn not_extracted(example: Example<'_>, how: Extraction) -> String {
    let (who, request) = (example.who(), example.request());
    match how {
        Extraction::Seen | Extraction::SentByDriver => {
            let field = example.broken.format.first_field();
            let crossing = example.broken.crossing.map(|ix| example.all.get(ix));
            let unrequested = crossing.is_some_and(|crossing| !crossing.fields_not_requested().is_empty());
            let lost = if unrequested { ", which it did not request" } else { "" };
            format!("{who} started a new trace although {request} carried a `{field}`{lost}")
        }
        Extraction::Uninstrumented => format!(
            "{who} created no span for {request}, and each of its calls started a new trace: its server or consumer \
             is not instrumented"
        ),
        Extraction::PerhapsNotInjected => format!(
            "{who} works in a different trace: not-injected by {} or not-extracted by {who}",
            example.sender()
        ),
    }
}

/// Returns the names, baggage first: it holds data.
fn baggage_first(example: Example<'_>, fields: ContextFields) -> String {
    let names = fields.iter().map(|field| example.broken.field_name(field));
    let mut named: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    named.reverse();
    named.join(" and ")
}

/// Returns ``the names of `fields` ``, joined by "and".
pub(super) fn all_of(example: Example<'_>, fields: ContextFields) -> String {
    let names = fields.iter().map(|field| example.broken.field_name(field));
    let named: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    named.join(" and ")
}
