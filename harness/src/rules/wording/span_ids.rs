//! The span id on the wire, the parent of a span, and links.

use super::Example;
use crate::breaks::break_kind::{LinkOwner, Reparent, WrongLink, WrongSpan};

pub(super) fn reparented(example: Example<'_>, how: Reparent) -> String {
    let (who, request) = (example.who(), example.request());
    match how {
        Reparent::WrongSpan(wrong) => {
            let wrong = match wrong {
                WrongSpan::Unknown => "no span has it",
                WrongSpan::OfAnotherMessage => "it belongs to another message",
                WrongSpan::OfAnotherCall => "it belongs to another call",
                WrongSpan::OfAnotherKind => "it belongs to a span that is not a call",
            };
            format!("{who} injected the wrong span id into {request}: {wrong}")
        }
        Reparent::Detached => {
            format!("{who} injected the id of a span that is not below the incoming one into {request}")
        }
        Reparent::RetryUnderOneSpan => {
            format!("{who} retried {request} under the span of the first attempt")
        }
        Reparent::CallsUnderOneSpan => format!("{who} made several calls under one span: {request}"),
        Reparent::NoCallSpan => {
            let kind = example.span().map_or("", |span| span.kind.word());
            let name = example.span_name();
            format!("{who} has no CLIENT span for {request} and injected the id of its {kind} span {name}")
        }
        Reparent::BeforeInnerSpan => {
            format!(
                "{who} injected its context into {request} before it started the span {}",
                example.span_name()
            )
        }
        Reparent::WrongParent => format!("{who} put its span for {request} under the wrong parent"),
        Reparent::RootWithParent => {
            format!("{who} put the root of its new trace for {request} under a parent")
        }
    }
}

pub(super) fn link_missing(example: Example<'_>, owner: LinkOwner) -> String {
    let (who, request) = (example.who(), example.request());
    match owner {
        LinkOwner::SendersRoot => {
            let root = example.span_name();
            format!(
                "{who} started a new trace for {request}, and its root {root} has no link to the trace that it left"
            )
        }
        LinkOwner::ReceiversSpan | LinkOwner::ReceiversRoot => {
            format!("{who} started a new trace without a link to {request}")
        }
    }
}

pub(super) fn link_wrong(example: Example<'_>, how: WrongLink) -> String {
    let (who, request) = (example.who(), example.request());
    match how {
        WrongLink::SendersRoot => {
            let root = example.span_name();
            format!(
                "{who} started a new trace for {request}, and its root {root} links to a trace that it did not leave"
            )
        }
        WrongLink::Instead => format!("{who} linked to a context that is not the one of {request}"),
        WrongLink::Beside => {
            format!("{who} linked to {request} and also to a context that it did not receive")
        }
        WrongLink::Doubled => format!("{who} linked to {request} more than once"),
    }
}
