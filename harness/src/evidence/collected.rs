//! The telemetry of the collector as evidence: tied to nodes by endpoint, reduced to the parts that judging may read.

use compact_str::CompactString;
use std::collections::BTreeSet;

use in_memory_collector as collector;

use super::span_owner::{self, SHARED_ENDPOINT};
use super::{Gap, GapPlace, Link, LogRecord, Recorder, Span, SpanKind};
use crate::plan::{Mark, Plan, Task};
use crate::scenario::NodeIx;
use crate::wire::TraceId;

/// The attribute by which a relay declares the call that a span belongs to (`fixtures/CONTRACT.md`).
const MARK: &str = "unbroken.mark";

/// Spans and log records of one case, in the order in which they arrived.
#[derive(Clone, Debug, Default)]
pub struct CollectedTelemetry {
    pub spans: Vec<Span>,
    pub logs: Vec<LogRecord>,
    /// Telemetry that nodes exported and the collector rejected.
    pub gaps: Vec<Gap>,
}

pub fn collect(collector: &collector::Collector, plan: &Plan, recorder: &Recorder) -> CollectedTelemetry {
    let logged = logged_texts(plan);
    let arrived = collector.spans();
    let spans: Vec<Span> = arrived
        .iter()
        .filter_map(|span| {
            let node = span_owner::node(plan, span.endpoint(), || span.service_name())?;
            Some(self::span(span, node, recorder))
        })
        .collect();
    let logs = collector.logs();
    let logs = logs.iter().filter_map(|record| {
        let service = || record.resource().service_name().map(str::to_owned);
        Some(log(record, span_owner::node(plan, record.endpoint(), service)?, &logged))
    });
    let logs = logs.collect();
    let mut gaps = gaps(collector, plan);
    gaps.extend(unknown_services(plan, &arrived, &spans));
    CollectedTelemetry { spans, logs, gaps }
}

/// Returns a gap for each node of which nothing arrived although services that are no node exported spans of the story.
fn unknown_services(plan: &Plan, arrived: &[collector::Span], spans: &[Span]) -> Vec<Gap> {
    let Some(listen) = plan.scenario.otlp_listen else { return Vec::new() };
    let story: BTreeSet<TraceId> =
        plan.stimuli.iter().filter_map(|stimulus| TraceId::from_bytes(&stimulus.sent.trace_id)).collect();
    let unknown: BTreeSet<String> = arrived
        .iter()
        .filter(|span| **span.endpoint() == *SHARED_ENDPOINT)
        .filter(|span| TraceId::from_bytes(span.trace_id_bytes()).is_some_and(|id| story.contains(&id)))
        .filter_map(collector::Span::service_name)
        .filter(|service| span_owner::node(plan, SHARED_ENDPOINT, || Some((*service).clone())).is_none())
        .collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    let unknown: Vec<String> = unknown.into_iter().map(|service| format!("`{service}`")).collect();
    let nodes = plan.scenario.nodes.iter().zip((0..).map(NodeIx));
    let silent = nodes.filter(|(node, ix)| {
        let is_due = node.kind.runs_already() && node.exports_telemetry();
        is_due && !spans.iter().any(|span| span.node == *ix)
    });
    let gaps = silent.map(|(node, ix)| {
        let due = node.service.as_ref().unwrap_or(&node.name);
        let what = format!(
            "no span with the `service.name` `{due}` arrived at {listen}, but spans of the story came from {}, which no node \
             is: set `service:` at the node to the name that it exports with",
            unknown.join(", ")
        );
        Gap { place: GapPlace::Node(ix), what, lines: Vec::new() }
    });
    gaps.collect()
}

/// Returns one gap for each node and reason. Requests that an exporter may retry, and signals that no rule judges, are
/// no gaps.
fn gaps(collector: &collector::Collector, plan: &Plan) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for request in collector.problems() {
        let judged = matches!(request.signal, Some(collector::Signal::Traces | collector::Signal::Logs));
        let why = match &request.outcome {
            collector::Outcome::Refused(refusal) if !may_be_retried(refusal) => refusal.to_string(),
            collector::Outcome::PartlyRefused { message, .. } => message.clone(),
            _ => continue,
        };
        if !judged {
            continue;
        }
        // A request that is rejected does not say of which service it is.
        let (place, whose) = match span_owner::node(plan, &request.endpoint, || None) {
            Some(node) => (GapPlace::Node(node), "its telemetry".to_owned()),
            None if *request.endpoint == *SHARED_ENDPOINT => {
                (GapPlace::Run, format!("telemetry that {} sent to the OTLP endpoint", request.peer))
            }
            None => continue,
        };
        let what = format!("the collector rejected {whose} ({why}): check the settings of its exporter");
        let gap = Gap { place, what, lines: Vec::new() };
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }
    gaps
}

fn may_be_retried(refusal: &collector::Refusal) -> bool {
    use collector::Refusal;
    !matches!(
        refusal,
        Refusal::Malformed(_)
            | Refusal::TooLarge { .. }
            | Refusal::Corrupt(_)
            | Refusal::UnknownCompression(_)
            | Refusal::UnknownMediaType(_)
            | Refusal::Full(_)
    )
}

fn span(span: &collector::Span, node: NodeIx, recorder: &Recorder) -> Span {
    let attributes = span.attributes();
    let kept = attributes.iter().filter(|(key, _)| Span::KEPT_ATTRIBUTES.contains(key));
    Span {
        node,
        trace_id: span.trace_id_bytes().into(),
        span_id: span.span_id_bytes().into(),
        parent_id: span.parent_id_bytes().into(),
        flags: span.flags(),
        trace_state: span.trace_state().into(),
        name: span.name().into(),
        kind: kind(span.kind()),
        start_nanos: span.start_nanos(),
        end_nanos: span.end_nanos(),
        links: span.links().into_iter().map(link).collect(),
        attributes: kept
            .filter_map(|(key, value)| Some((key.into(), without_secrets(key, text(value)?).into())))
            .chain(language(span))
            .collect(),
        marks: attributes.get(MARK).map(marks).unwrap_or_default(),
        failed: span.status().code == collector::StatusCode::Error,
        service_name: span.resource().service_name().map(CompactString::from),
        duplicates: span.duplicates(),
        conflicting: span.conflicts() > 0,
        arrived_nanos: recorder.nanos_at(span.arrived()),
    }
}

/// Returns the language of the SDK, which stands in the resource.
fn language(span: &collector::Span) -> Option<(CompactString, CompactString)> {
    let resource = span.resource();
    let name = resource.attributes.text(Span::SDK_LANGUAGE)?;
    Some((Span::SDK_LANGUAGE.into(), name.into()))
}

/// Returns the kind of a span as evidence names it.
pub(crate) fn kind(kind: collector::SpanKind) -> SpanKind {
    match kind {
        collector::SpanKind::Internal => SpanKind::Internal,
        collector::SpanKind::Server => SpanKind::Server,
        collector::SpanKind::Client => SpanKind::Client,
        collector::SpanKind::Producer => SpanKind::Producer,
        collector::SpanKind::Consumer => SpanKind::Consumer,
        collector::SpanKind::Unspecified | collector::SpanKind::Unknown(_) => SpanKind::Unspecified,
    }
}

pub(super) fn link(link: collector::Link) -> Link {
    let collector::Link { trace_id, span_id, flags, trace_state, .. } = link;
    Link { trace_id: trace_id.into(), span_id: span_id.into(), flags, trace_state: trace_state.into() }
}

fn log(record: &collector::LogRecord, node: NodeIx, logged: &[&str]) -> LogRecord {
    let body = record.body().as_str().filter(|body| logged.contains(body)).unwrap_or_default().to_owned();
    LogRecord {
        node,
        trace_id: record.trace_id_bytes().into(),
        span_id: record.span_id_bytes().into(),
        flags: record.flags(),
        body,
        service_name: record.resource().service_name().map(CompactString::from),
        written_nanos: [record.time_nanos(), record.observed_nanos()].into_iter().find(|nanos| *nanos > 0),
    }
}

/// Returns a scalar as text; kept attributes have no other type.
pub(crate) fn text(value: &collector::Value) -> Option<String> {
    match value {
        collector::Value::String(text) => Some(text.clone()),
        collector::Value::Int(number) => Some(number.to_string()),
        collector::Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Returns an address without the parts that may be secret: user and password, query, fragment.
fn without_secrets(key: &str, text: String) -> String {
    if !matches!(key, "url.full" | "url.path" | "http.url" | "http.target") {
        return text;
    }
    let address = text.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// Returns the marks of an attribute: one, or an array of them.
fn marks(value: &collector::Value) -> Vec<Mark> {
    match value {
        collector::Value::String(text) => Mark::find(text.as_bytes()).into_iter().collect(),
        collector::Value::Array(values) => values.iter().flat_map(marks).collect(),
        _ => Vec::new(),
    }
}

/// Returns the texts that relays are instructed to log in this case.
fn logged_texts(plan: &Plan) -> Vec<&str> {
    fn logged<'a>(tasks: &'a [Task], texts: &mut Vec<&'a str>) {
        for task in tasks {
            match task {
                Task::Log(text) => texts.push(text),
                Task::Spawn(tasks) | Task::Retry(_, tasks) | Task::Restart(tasks) => logged(tasks, texts),
                Task::Wait(_) | Task::Fail(_) | Task::Call(_) => {}
            }
        }
    }
    let mut texts = Vec::new();
    plan.calls.iter().for_each(|call| logged(&call.task, &mut texts));
    texts
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn addresses_are_kept_without_their_secrets() {
        let cases = [
            ("url.full", "https://me:secret@shop:80/a/b@c?token=secret#secret", "https://shop:80/a/b@c"),
            ("http.url", "http://shop?token=secret", "http://shop"),
            ("http.target", "/orders?token=secret", "/orders"),
            ("rpc.method", "Is/It?", "Is/It?"),
        ];
        for (key, text, kept) in cases {
            assert_eq!(without_secrets(key, text.to_owned()), kept, "{key}");
        }
    }
}
