//! Collectors: traces that arrive in part, or not as declared, and spans that were changed on the way.

use super::Example;
use crate::breaks::Value;
use crate::breaks::break_kind::AlteredPart;
use crate::evidence::{CollectorSpan, CollectorSpanIx, Link, SpanIx, SpanParts};
use crate::scenario::TraceFate;
use crate::wire::hex::encode as hex;

pub(super) fn split(example: Example<'_>, fate: TraceFate) -> String {
    let (who, span, trace) = (example.who(), span(example), trace(example));
    format!("{who} dropped {span}, and other spans of {trace} arrived: the trace had to be {}", fate.words())
}

pub(super) fn dropped(example: Example<'_>) -> String {
    format!(
        "{} dropped {} with all of {}, which had to be kept",
        example.who(),
        span(example),
        trace(example)
    )
}

pub(super) fn kept(example: Example<'_>) -> String {
    format!(
        "{} kept {} with all of {}, which had to be dropped",
        example.who(),
        span(example),
        trace(example)
    )
}

pub(super) fn altered(example: Example<'_>, part: AlteredPart) -> String {
    let who = example.who();
    match (part, &example.broken.actual) {
        (AlteredPart::SpanId, Value::PartBehindCollector(_, ix)) => {
            let CollectorSpan { name, span_id, trace_id, .. } = &example.all.evidence.collector_spans[ix.0];
            let (id, trace) = (hex(span_id), hex(trace_id));
            format!(
                "{who} exported the span `{name}` {id} of trace {trace}, and received no span with this id"
            )
        }
        _ => format!("{who} changed {} of {} of {}", name(part), span(example), trace(example)),
    }
}

fn name(part: AlteredPart) -> &'static str {
    match part {
        AlteredPart::TraceId => "the trace id",
        AlteredPart::SpanId => "the span id",
        AlteredPart::ParentId => "the parent id",
        AlteredPart::Flags => "the flags",
        AlteredPart::Links => "the links",
        AlteredPart::TraceState => "the tracestate",
    }
}

/// Returns the span that it speaks of, with its node.
fn span(example: Example<'_>) -> String {
    match example.span() {
        Some(span) => {
            let node = example.all.node_name(span.node);
            format!("the {} span `{}` {} of `{node}`", span.kind.word(), span.name, hex(&span.span_id))
        }
        None => "a span".to_owned(),
    }
}

fn trace(example: Example<'_>) -> String {
    example.span().map_or_else(|| "its trace".to_owned(), |span| format!("trace {}", hex(&span.trace_id)))
}

/// Returns `2 of 5 spans behind the collectors`.
pub(super) fn arrived(arrived: usize, of: usize) -> String {
    let spans = if of == 1 { "span" } else { "spans" };
    match arrived {
        0 => format!("none of {of} {spans} behind the collectors"),
        all if all == of => format!("all {of} {spans} behind the collectors"),
        some => format!("{some} of {of} {spans} behind the collectors"),
    }
}

/// Returns a part of a span as its node exported it.
pub(super) fn part_of(example: Example<'_>, part: AlteredPart, span: SpanIx) -> String {
    self::part(part, &example.all.spans.get(span).into())
}

/// Returns a part of a span as it left a collector.
pub(super) fn part_behind(example: Example<'_>, part: AlteredPart, ix: CollectorSpanIx) -> String {
    self::part(part, &(&example.all.evidence.collector_spans[ix.0]).into())
}

/// Returns one part in words.
pub(in crate::rules) fn part(part: AlteredPart, span: &SpanParts<'_>) -> String {
    match part {
        AlteredPart::TraceId => format!("trace id {}", hex(span.trace_id)),
        AlteredPart::SpanId => format!("span id {}", hex(span.span_id)),
        AlteredPart::ParentId if span.parent_id.is_empty() => "no parent id".to_owned(),
        AlteredPart::ParentId => format!("parent id {}", hex(span.parent_id)),
        AlteredPart::Flags => format!("flags {:08x}", span.flags),
        AlteredPart::TraceState if span.trace_state.is_empty() => "no tracestate".to_owned(),
        AlteredPart::TraceState => format!("tracestate `{}`", span.trace_state),
        AlteredPart::Links => match span.links {
            [] => "no links".to_owned(),
            links => {
                let shown: Vec<String> = links.iter().map(link).collect();
                format!("links to {}", shown.join(" and "))
            }
        },
    }
}

fn link(link: &Link) -> String {
    let Link { trace_id, span_id, flags, trace_state } = link;
    let state = if trace_state.is_empty() { String::new() } else { format!(" with `{trace_state}`") };
    format!("{} in trace {} (flags {flags:08x}){state}", hex(span_id), hex(trace_id))
}
