//! Hops that were crossed too rarely or too often, and requests that no hop declares.

use super::{Example, request};
use crate::breaks::break_kind::Miss;

pub(super) fn not_crossed(example: Example<'_>, miss: Miss) -> String {
    let (who, to, cause) = (example.who(), example.receiver(), example.request());
    let source = example.all.plan.scenario.hop(example.broken.hop).transport.source().unwrap_or_default();
    match miss {
        Miss::Unattributed => {
            format!("no call from {who} to {to} can be matched to the stimulus of {cause}")
        }
        Miss::PastTheTap => {
            format!(
                "{who} called {to} past the tap, after {cause}: spans of {to} are in the trace, and no tap saw the call"
            )
        }
        Miss::PerhapsPastTheTap => {
            format!(
                "no tap saw a call of {who} to {to} after {cause}; {who} already ran, and may not know the tap"
            )
        }
        Miss::NotMoved => {
            format!("the broker moved no message that {who} rejected to {to}, after {cause}")
        }
        Miss::NoMessage => format!("{who} sent no message to `{source}`, which {to} reads, after {cause}"),
        Miss::NoCall => format!("{who} did not call {to} after {cause}"),
        Miss::TooOften => format!("{who} called {to} more often than declared, after {cause}"),
    }
}

pub(super) fn refused(example: Example<'_>) -> String {
    let (who, to, request) = (example.who(), example.receiver(), example.request());
    let size = example.broken.capture.map(|capture| {
        let fields = &example.all.capture(capture).headers;
        fields
            .iter()
            .map(|field| field.name.len() + field.value.as_ref().map_or(0, Vec::len) + ": \r\n".len())
            .sum::<usize>()
    });
    let size = size.map(|size| format!(", which has {size} bytes of header fields,")).unwrap_or_default();
    format!("{who} refused {request}{size} and did not forward it to {to}")
}

pub(super) fn not_added(example: Example<'_>) -> String {
    let names = additions(example).join(" and the ");
    format!("{} did not add the {names} to {}", example.who(), example.request())
}

/// Returns what a gateway had to add: headers, and its own member of tracestate.
pub(super) fn additions(example: Example<'_>) -> Vec<String> {
    let own = example.all.plan.scenario.node(example.broken.node).tracestate_key.as_deref();
    let names = example.broken.expected.header_names().iter();
    let words = names.map(|name| match own {
        Some(own) if name == "tracestate" => format!("member `{own}` of `tracestate`"),
        _ => format!("header `{name}`"),
    });
    words.collect()
}

pub(super) fn undeclared(example: Example<'_>) -> String {
    let Some(capture) = example.broken.capture.map(|capture| example.all.capture(capture)) else {
        return format!("{} made a call that no hop declares", example.who());
    };
    let to = example.all.node_name(example.all.plan.tap(capture.tap).to);
    let (who, call) = (example.who(), request::call(example.all, capture));
    match &capture.message {
        Some(_) => format!("{who} sent a message over `{to}` that no hop declares: {call}"),
        None => format!("{who} made a call to `{to}` that no hop declares: `{call}`"),
    }
}
