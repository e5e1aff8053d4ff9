//! The telemetry of the collector as evidence: tied to nodes by endpoint, reduced to the parts that judging may read.

use in_memory_collector as collector;

use super::{Gap, GapPlace, Link, LogRecord, Recorder, Span, SpanKind};
use crate::plan::{Mark, Plan, Task};
use crate::scenario::NodeIx;

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
    let spans = collector.spans();
    let spans =
        spans.iter().filter_map(|span| Some(self::span(span, node(plan, span.endpoint())?, recorder)));
    let logs = collector.logs();
    let logs = logs.iter().filter_map(|record| Some(log(record, node(plan, record.endpoint())?, &logged)));
    CollectedTelemetry { spans: spans.collect(), logs: logs.collect(), gaps: gaps(collector, plan) }
}

/// Returns the node that exports to an endpoint: endpoints have the names of nodes.
fn node(plan: &Plan, endpoint: &str) -> Option<NodeIx> {
    plan.scenario.nodes.iter().position(|node| node.name == endpoint).map(NodeIx)
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
        let (true, Some(node)) = (judged, node(plan, &request.endpoint)) else { continue };
        let what =
            format!("the collector rejected its telemetry ({why}): check the settings of its exporter");
        let gap = Gap { place: GapPlace::Node(node), what, lines: Vec::new() };
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
        trace_id: span.trace_id_bytes().to_vec(),
        span_id: span.span_id_bytes().to_vec(),
        parent_id: span.parent_id_bytes().to_vec(),
        flags: span.flags(),
        trace_state: span.trace_state().to_owned(),
        name: span.name().to_owned(),
        kind: kind(span.kind()),
        start_nanos: span.start_nanos(),
        end_nanos: span.end_nanos(),
        links: span.links().into_iter().map(link).collect(),
        attributes: kept
            .filter_map(|(key, value)| Some((key.to_owned(), without_secrets(key, text(value)?))))
            .chain(language(span))
            .collect(),
        marks: attributes.get(MARK).map(marks).unwrap_or_default(),
        failed: span.status().code == collector::StatusCode::Error,
        service_name: span.service_name(),
        duplicates: span.duplicates(),
        conflicting: span.conflicts() > 0,
        arrived_nanos: recorder.nanos_at(span.arrived()),
    }
}

/// Returns the language of the SDK, which stands in the resource.
fn language(span: &collector::Span) -> Option<(String, String)> {
    let name = span.resource().attributes.text(Span::SDK_LANGUAGE)?.to_owned();
    Some((Span::SDK_LANGUAGE.to_owned(), name))
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

fn link(link: collector::Link) -> Link {
    let collector::Link { trace_id, span_id, flags, trace_state, .. } = link;
    Link { trace_id, span_id, flags, trace_state }
}

fn log(record: &collector::LogRecord, node: NodeIx, logged: &[&str]) -> LogRecord {
    let body = record.body().as_str().filter(|body| logged.contains(body)).unwrap_or_default().to_owned();
    LogRecord {
        node,
        trace_id: record.trace_id_bytes().to_vec(),
        span_id: record.span_id_bytes().to_vec(),
        flags: record.flags(),
        body,
        service_name: record.resource().service_name().map(str::to_owned),
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
