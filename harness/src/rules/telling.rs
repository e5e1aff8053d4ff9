//! The bytes on both sides of a break, with a caret under what it is about; and what to try next.

use super::{Line, baggage, owner, tracestate};
use crate::breaks::{Break, Caret, Class, Side};
use crate::crossings::{Carried, CrossingIx, Crossings};
use crate::evidence::{Capture, Span, SpanIx};

/// What crossed before, what crossed here, and the spans on both sides.
pub fn lines(all: &Crossings<'_>, told: &Break) -> Vec<Line> {
    let Some(ix) = told.crossing else { return Vec::new() };
    let crossing = all.get(ix);
    let mut lines = Vec::new();
    let from = &all.plan.scenario.node(all.sender(crossing)).name;
    let to = &all.plan.scenario.node(all.receiver(crossing)).name;
    let via = all.plan.scenario.hop(crossing.hop).transport.via();
    let broker = via.map(|via| all.plan.scenario.node(via).name.as_str());
    let sent = broker.filter(|_| crossing.arrival.is_some()).unwrap_or(to);
    if told.side != Side::Receiver {
        if let Some(cause) = crossing.cause {
            lines.extend(wire(all, End::Arrived(cause), told, format!("into `{from}`"), false));
        }
        lines.extend(crossing.call_span.or(crossing.named_span).map(|span| span_line(all, span, from)));
    }
    let at_fault = told.side == Side::Sender || (told.side == Side::Intermediary && broker.is_none());
    lines.extend(wire(all, End::Left(ix), told, format!("`{from}` to `{sent}`"), at_fault));
    if let Some(broker) = broker.filter(|_| crossing.arrival.is_some() && told.side != Side::Sender) {
        let label = format!("`{broker}` to `{to}`");
        lines.extend(wire(all, End::Arrived(ix), told, label, told.side == Side::Intermediary));
    }
    if told.side == Side::Receiver {
        lines.extend(crossing.receiver_span.map(|span| span_line(all, span, to)));
    }
    lines
}

/// Which end of a crossing; the same for a call.
#[derive(Clone, Copy)]
enum End {
    Left(CrossingIx),
    Arrived(CrossingIx),
}

/// The field lines of one crossing that the break is about.
fn wire(all: &Crossings<'_>, end: End, told: &Break, label: String, at_fault: bool) -> Vec<Line> {
    let capture = match end {
        End::Left(ix) => all.get(ix).capture,
        End::Arrived(ix) => all.seen_at_receiver(all.get(ix)),
    };
    let Some(capture) = capture else { return Vec::new() };
    let carried = &all.carried[capture.0];
    let field = match told.caret {
        Caret::Field(field) => field,
        _ => "traceparent",
    };
    let values = values(carried, field);
    if values.is_empty() {
        let names = names(&all.evidence.captures[capture.0]);
        let text = format!("no {field}; fields: {names}");
        return vec![Line { label, text, caret: None, caption: String::new() }];
    }
    let keys = keys(&all.evidence.captures[capture.0], field);
    let line = |(at, value): (usize, &Vec<u8>)| {
        let key = keys.get(at).map_or(field, String::as_str);
        let text = format!("{key}: {}", value.escape_ascii());
        let start = key.len() + 2;
        let caret = at_fault.then(|| caret(told.caret, start, text.len())).flatten();
        let caption = if caret.is_some() { told.actual.clone() } else { String::new() };
        Line { label: label.clone(), text, caret, caption }
    };
    values.into_iter().enumerate().map(line).collect()
}

/// The keys of a message's field as they stand there: they are bytes. Names of header fields have no case (RFC 9110
/// 5.1).
fn keys(capture: &Capture, field: &str) -> Vec<String> {
    let same = |name: &[u8]| capture.message.is_some() && name.eq_ignore_ascii_case(field.as_bytes());
    let keys = capture.headers.iter().filter(|header| same(&header.name));
    keys.map(|header| header.name.escape_ascii().to_string()).collect()
}

fn values<'c>(carried: &'c Carried, field: &str) -> Vec<&'c Vec<u8>> {
    match field {
        "tracestate" => carried.lists.tracestate_lines.iter().collect(),
        "baggage" => carried.lists.baggage_lines.iter().collect(),
        _ => carried.traceparents.iter().map(|line| &line.0).collect(),
    }
}

/// Where the parts of `00-<32>-<16>-<2>` stand behind the field's name.
fn caret(caret: Caret, start: usize, end: usize) -> Option<std::ops::Range<usize>> {
    let part = match caret {
        Caret::Nothing => return None,
        Caret::Field(_) => start..end,
        Caret::TraceId => start + 3..start + 35,
        Caret::ParentId => start + 36..start + 52,
        Caret::Flags => start + 53..start + 55,
    };
    (part.end <= end).then_some(part)
}

/// Names of the fields that were there, so that a reader sees that the call itself arrived.
fn names(capture: &Capture) -> String {
    let names: Vec<String> =
        capture.headers.iter().map(|field| field.name.escape_ascii().to_string()).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn span_line(all: &Crossings<'_>, span: SpanIx, node: &str) -> Line {
    let span: &Span = all.spans.get(span);
    let hex = |id: &[u8]| -> String { id.iter().map(|byte| format!("{byte:02x}")).collect() };
    let parent = if span.parent_id.is_empty() { "none".to_owned() } else { hex(&span.parent_id) };
    let links: String = span
        .links
        .iter()
        .map(|link| format!(" link {}/{}", hex(&link.trace_id), hex(&link.span_id)))
        .collect();
    let text = format!("trace {} span {} parent {parent}{links}", hex(&span.trace_id), hex(&span.span_id));
    let kind = span.kind.word();
    Line { label: format!("{kind} span of `{node}`"), text, caret: None, caption: String::new() }
}

/// The clause of the field that a break is about; the rule's own where that is no list.
pub fn clause(told: &Break) -> &'static str {
    match (told.class, told.caret) {
        (Class::Stripped | Class::Altered | Class::Malformed, Caret::Field("tracestate")) => {
            tracestate::KEPT.clause
        }
        (Class::Stripped | Class::Altered | Class::Malformed, Caret::Field("baggage")) => {
            baggage::KEPT.clause
        }
        _ => owner(told.class).clause,
    }
}

/// The next step, the likeliest first. `explain CLASS` says more.
pub fn try_next(class: Class, side: Side) -> &'static [&'static str] {
    match (class, side) {
        (Class::NotCrossed, _) => {
            &["look at the node's last output, and whether it was given the tap's address"]
        }
        (Class::NotInjected, _) => &[
            "instrument the client library that makes this call, or inject the current context by hand",
            "check `OTEL_PROPAGATORS` and that a propagator is set before the client is made",
        ],
        (Class::NotExtracted, _) | (Class::Restarted, Side::Receiver) => &[
            "instrument the server or consumer that receives this, or extract the context before the span is started",
        ],
        (Class::Restarted, _) => {
            &["carry the context over the thread, task or queue between what is received and what is sent"]
        }
        (Class::PassedThrough, _) => &["switch tracing on in this node, or declare it `role: forwarder`"],
        (Class::Reparented, Side::Sender) => {
            &["inject inside the CLIENT span, after it was started and made current"]
        }
        (Class::Reparented, _) => &["start the span from the context that was extracted from this request"],
        (Class::Malformed, _) => &["let the propagator of the SDK write the field"],
        (Class::Duplicated, _) => {
            &["set the field instead of adding it; look for two instrumentations of one call"]
        }
        (Class::Swapped, _) => {
            &["look for a context in a process-wide or reused variable; run with concurrency 1 to compare"]
        }
        (Class::FlagChanged | Class::SampledIn | Class::SampledOut, _) => {
            &["use a parent-based sampler (`OTEL_TRACES_SAMPLER=parentbased_always_on`)"]
        }
        (Class::NotExported, _) => {
            &["check the node's exporter, its endpoint, and that it flushes when it is stopped"]
        }
        (Class::Joined, _) => {
            &["begin a new root where the scenario says `restart` or `link`, or declare `child`"]
        }
        (Class::LinkMissing | Class::LinkWrong, _) => {
            &["add a link to the context that was received when the new root is started"]
        }
        (Class::Adopted, _) => &["do not use any part of a traceparent that does not parse"],
        (Class::Stripped | Class::Altered, _) => &["let the forwarder pass the field on as it is"],
        (Class::Leaked, _) => {
            &["take the host of this hop out of the propagation targets of the client library"]
        }
        (Class::BaggageLost | Class::BaggageAltered, _) => {
            &["add the baggage propagator, and keep the baggage in the context that is current"]
        }
        (
            Class::TracestateLost
            | Class::TracestateAltered
            | Class::TracestateCut
            | Class::TracestateReordered
            | Class::TracestateLeaked,
            _,
        ) => &["let the SDK carry tracestate; do not build it anew"],
        (Class::TelemetryDiffers, _) => &["compare the exporter's fields with the context that was injected"],
        (Class::ParentMissing, _) => &["end every span, and flush before the process ends"],
        (Class::ResourceMissing, _) => &["set `OTEL_SERVICE_NAME`"],
        (Class::LogUncorrelated, _) => &["write logs through an appender that reads the current span"],
        (Class::Undeclared, _) => &["declare a hop for it, or leave `hops.only-declared` away"],
        (Class::ContractBroken, _) => {
            &["read fixtures/CONTRACT.md; the relay cannot be judged until it keeps it"]
        }
        (Class::SpanIdRepeated | Class::SpanMalformed | Class::KindWrong | Class::TimeInverted, _) => {
            &["let the SDK make the span"]
        }
    }
}
