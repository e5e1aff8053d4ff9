//! Chooses a few stimuli of a case, and copies what the wire and the spans show of them for reports.
//!
//! It judges nothing, and keeps little: a report of many cases must stay small, whatever a case has seen.

use std::collections::BTreeSet;

use self::clock::Clock;
use crate::crossings::{CrossingIx, CrossingRef, Crossings, IdMap, IdSet};
use crate::evidence::{Capture, CaptureEnd, CaptureIx, IdBytes, Link, Message, Span, SpanIx};
use crate::plan::StimulusIx;
use crate::rules::Finding;
use crate::scenario::Relation;
use crate::verdict::example::{ExampleCapture, ExampleCrossing, ExampleSpan, ExampleStimulus};
use crate::wire::hex::encode as hex;

mod clock;

const STIMULI: usize = 4;
const CROSSINGS: usize = 48;
const SPANS: usize = 96;
const FIELDS: usize = 32;
const LINKS: usize = 16;
const TEXT_BYTES: usize = 2_048;

/// Returns the examples of the findings, and further stimuli until every hop is crossed, up to the limit.
pub(super) fn of(all: &Crossings<'_>, findings: &[Finding]) -> Vec<ExampleStimulus> {
    chosen(all, findings).into_iter().map(|stimulus| example(all, stimulus)).collect()
}

fn chosen(all: &Crossings<'_>, findings: &[Finding]) -> Vec<StimulusIx> {
    let mut chosen: Vec<StimulusIx> = Vec::new();
    // A finding counts its stimuli from 1.
    let of_findings = findings.iter().filter_map(|finding| (finding.example? as usize).checked_sub(1));
    for stimulus in of_findings.filter(|stimulus| *stimulus < all.plan.stimuli.len()).map(StimulusIx) {
        if !chosen.contains(&stimulus) && chosen.len() < STIMULI {
            chosen.push(stimulus);
        }
    }
    let mut crossed: BTreeSet<_> = all
        .iter()
        .filter(|crossing| chosen.contains(&crossing.stimulus_ix()))
        .map(CrossingRef::hop_ix)
        .collect();
    for crossing in all.iter() {
        if chosen.len() >= STIMULI || crossed.len() == all.plan.scenario.hops.len() {
            break;
        }
        if crossing.witness().is_some() && !crossed.contains(&crossing.hop_ix()) {
            let stimulus = crossing.stimulus_ix();
            chosen.push(stimulus);
            let own = all.iter().filter(|other| other.stimulus_ix() == stimulus);
            crossed.extend(own.map(CrossingRef::hop_ix));
        }
    }
    chosen
}

fn example(all: &Crossings<'_>, stimulus: StimulusIx) -> ExampleStimulus {
    let own: Vec<CrossingRef<'_>> =
        all.iter().filter(|crossing| crossing.stimulus_ix() == stimulus).collect();
    let kept = &own[..own.len().min(CROSSINGS)];
    let (spans, omitted_spans) = spans(all, kept);
    let view = View {
        clock: Clock::of(kept, spans.iter().map(|ix| all.spans.get(*ix))),
        crossings: kept.iter().enumerate().map(|(at, crossing)| (crossing.ix(), at)).collect(),
        spans: spans.iter().enumerate().map(|(at, ix)| (*ix, at)).collect(),
        all,
    };
    ExampleStimulus {
        stimulus: count(stimulus.0 + 1),
        crossings: kept.iter().map(|crossing| view.crossing(*crossing)).collect(),
        spans: spans.iter().map(|ix| view.span(all.spans.get(*ix))).collect(),
        omitted_crossings: count(own.len() - kept.len()),
        omitted_spans: count(omitted_spans),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Returns the spans of the crossings, then those of their traces, and how many are left out.
fn spans(all: &Crossings<'_>, crossings: &[CrossingRef<'_>]) -> (Vec<SpanIx>, usize) {
    let mut known = IdSet::default();
    let mut found: Vec<SpanIx> = Vec::new();
    let mut traces: BTreeSet<IdBytes> = BTreeSet::new();
    for crossing in crossings {
        let paired = [crossing.call_span_ix(), crossing.named_span_ix(), crossing.receiver_span_ix()];
        for span in paired.into_iter().flatten() {
            traces.insert(all.spans.get(span).trace_id.clone());
            if known.insert(span) {
                found.push(span);
            }
        }
        let carried = crossing.sent_contexts().chain(crossing.arrived_contexts());
        traces.extend(carried.map(|context| context.trace_id.as_bytes().into()));
    }
    let mut others = Vec::new();
    for trace in &traces {
        for node in 0..all.plan.scenario.nodes.len() {
            let in_trace = all.spans.in_trace(crate::scenario::NodeIx(node), trace);
            others.extend(in_trace.iter().copied().filter(|span| known.insert(*span)));
        }
    }
    others.sort_by_key(|span| (all.spans.get(*span).start_nanos, *span));
    found.extend(others);
    let omitted = found.len().saturating_sub(SPANS);
    found.truncate(SPANS);
    (found, omitted)
}

/// One stimulus under translation: indices and times of the example.
struct View<'a> {
    all: &'a Crossings<'a>,
    clock: Clock,
    crossings: IdMap<CrossingIx, usize>,
    spans: IdMap<SpanIx, usize>,
}

impl View<'_> {
    fn at(&self, span: Option<SpanIx>) -> Option<usize> {
        self.spans.get(&span?).copied()
    }

    fn crossing(&self, crossing: CrossingRef<'_>) -> ExampleCrossing {
        let all = self.all;
        let seen = crossing.witness().is_some();
        let unsampled =
            crossing.arrived_contexts().next().is_some_and(crate::crossings::CarriedContext::is_unsampled);
        let due = seen && !unsampled && !crossing.is_refused();
        let reached = due && !crossing.is_undelivered() && crossing.relation() != Relation::None;
        let sender_span = crossing.call_span_ix().or(crossing.named_span_ix());
        ExampleCrossing {
            hop: crossing.hop().id.clone(),
            from: crossing.sender_name().to_owned(),
            to: crossing.receiver_name().to_owned(),
            request: crossing.sent().or(crossing.received()).map(request).unwrap_or_default(),
            outcome: outcome(crossing),
            cause: crossing.cause().and_then(|cause| self.crossings.get(&cause.ix()).copied()),
            sent: crossing.sent_capture().map(|capture| self.capture(capture)),
            delivered: crossing.delivery().map(|capture| self.capture(capture)),
            expected_trace: crossing.expected().trace.map(|trace| trace.to_string()),
            call_span: self.at(crossing.call_span_ix()),
            named_span: self.at(crossing.named_span_ix()),
            receiver_span: self.at(crossing.receiver_span_ix()),
            lacks_call_span: due && all.exports(crossing.sender()) && sender_span.is_none(),
            lacks_receiver_span: reached
                && all.exports(crossing.receiver())
                && crossing.receiver_span_ix().is_none(),
        }
    }

    fn capture(&self, ix: CaptureIx) -> ExampleCapture {
        let capture = self.all.capture(ix);
        let mut fields = Vec::new();
        let mut other_fields = Vec::new();
        for field in capture.headers.iter().chain(&capture.trailers).take(FIELDS) {
            match &field.value {
                Some(value) => fields.push((printable(&field.name), printable(value))),
                None => other_fields.push(printable(&field.name)),
            }
        }
        let contexts = self.all.carried(ix).contexts().take(2);
        ExampleCapture {
            at_micros: self.clock.of_capture(capture.begun_nanos),
            ended_micros: capture.ended_nanos.map(|ended| self.clock.of_capture(ended)),
            fields,
            other_fields,
            contexts: contexts
                .map(|context| [context.trace_id.to_string(), context.parent_id.to_string()])
                .collect(),
        }
    }

    fn span(&self, span: &Span) -> ExampleSpan {
        let start = self.clock.of_span(span.start_nanos);
        ExampleSpan {
            node: self.all.node_name(span.node).to_owned(),
            name: cut(span.name.to_string()),
            kind: span.kind.word(),
            trace_id: cut(hex(&span.trace_id)),
            span_id: cut(hex(&span.span_id)),
            parent_id: cut(hex(&span.parent_id)),
            links: span.links.iter().take(LINKS).map(linked_context).collect(),
            start_micros: start,
            took_micros: self.clock.of_span(span.end_nanos).saturating_sub(start),
            failed: span.failed,
        }
    }
}

/// Returns the ids of the context that a link names.
fn linked_context(link: &Link) -> [String; 2] {
    [hex(&link.trace_id), hex(&link.span_id)]
}

fn request(capture: &Capture) -> String {
    cut(match &capture.message {
        Some(Message { direction, destination, routing_key, .. }) => {
            let key = routing_key.as_ref().map(|key| format!(", key {key}")).unwrap_or_default();
            let exchange = if destination.is_empty() { "the default exchange" } else { destination };
            format!("{} to {exchange}{key}", direction.word())
        }
        None => format!("{} {}", capture.method, capture.path),
    })
}

fn outcome(crossing: CrossingRef<'_>) -> String {
    let ends = crossing.sent().into_iter().chain(crossing.delivery().map(|ix| crossing.all().capture(ix)));
    let words: Vec<String> = ends.map(|capture| end(&capture.end)).collect();
    cut(words.join(", "))
}

fn end(end: &CaptureEnd) -> String {
    match end {
        CaptureEnd::Answered { status: _, grpc_status: Some(code) } => format!("gRPC status {code}"),
        CaptureEnd::Answered { status, grpc_status: None } => format!("HTTP {status}"),
        CaptureEnd::Broken(how) => how.clone(),
        CaptureEnd::Open => "in progress when the case ended".to_owned(),
        CaptureEnd::Settled(how) => how.word().to_owned(),
    }
}

fn printable(bytes: &[u8]) -> String {
    let kept = &bytes[..bytes.len().min(TEXT_BYTES)];
    let omitted = bytes.len() - kept.len();
    let more = if omitted > 0 { format!("... {omitted} more bytes") } else { String::new() };
    // A backslash and quotes are printable as they are; `escape_ascii` would double them.
    let escaped = kept.iter().map(|byte| match byte {
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    });
    escaped.collect::<String>() + &more
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES {
        let at = text.floor_char_boundary(TEXT_BYTES);
        text.truncate(at);
        text.push('…');
    }
    text
}
