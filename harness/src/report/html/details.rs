//! The details of a case that the page has beside the JSON report.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::Case;
use crate::verdict::CaseNode;
use crate::verdict::example::{ExampleCapture, ExampleCrossing, ExampleSpan, ExampleStimulus};

#[derive(Serialize)]
pub(super) struct CaseDetails<'a> {
    command: String,
    nodes: Vec<NodeDetails<'a>>,
    /// The broker of each hop that goes through one.
    via: BTreeMap<&'a str, &'a str>,
    outputs: Vec<OutputDetails<'a>>,
    examples: Vec<ExampleDetails<'a>>,
    /// The examples are not in the page, which would be too large with them.
    left_out: bool,
}

#[derive(Serialize)]
struct NodeDetails<'a> {
    name: &'a str,
    kind: &'static str,
    is_broker: bool,
    exports: bool,
}

#[derive(Serialize)]
struct OutputDetails<'a> {
    node: &'a str,
    lines: &'a [String],
}

#[derive(Serialize)]
struct ExampleDetails<'a> {
    stimulus: u32,
    crossings: Vec<CrossingDetails<'a>>,
    spans: Vec<SpanDetails<'a>>,
    omitted_crossings: u32,
    omitted_spans: u32,
}

#[derive(Serialize)]
struct CrossingDetails<'a> {
    hop: &'a str,
    from: &'a str,
    to: &'a str,
    request: &'a str,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<CaptureDetails<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<CaptureDetails<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_trace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_span: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    named_span: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver_span: Option<usize>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lacks_call_span: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lacks_receiver_span: bool,
}

#[derive(Serialize)]
struct CaptureDetails<'a> {
    at_micros: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_micros: Option<i64>,
    fields: &'a [(String, String)],
    other_fields: &'a [String],
    contexts: &'a [[String; 2]],
}

#[derive(Serialize)]
struct SpanDetails<'a> {
    node: &'a str,
    name: &'a str,
    kind: &'static str,
    trace_id: &'a str,
    span_id: &'a str,
    parent_id: &'a str,
    links: &'a [[String; 2]],
    start_micros: i64,
    took_micros: i64,
    failed: bool,
}

impl<'a> CaseDetails<'a> {
    pub(super) fn of(case: &'a Case, command: String) -> CaseDetails<'a> {
        let mut details = CaseDetails {
            command,
            nodes: Vec::new(),
            via: BTreeMap::new(),
            outputs: Vec::new(),
            examples: Vec::new(),
            left_out: false,
        };
        let Some(judged) = case.judged() else { return details };
        details.nodes = judged.nodes.iter().map(NodeDetails::of).collect();
        details.via =
            judged.hops.iter().filter_map(|hop| Some((hop.id.as_str(), hop.via.as_deref()?))).collect();
        details.outputs = judged.outputs.iter().map(|(node, lines)| OutputDetails { node, lines }).collect();
        details.examples = judged.examples.iter().map(ExampleDetails::of).collect();
        details
    }

    /// Keeps as many examples as there is room for, and returns the room that is left.
    pub(super) fn keep_examples_within(&mut self, mut room: usize) -> usize {
        let examples = self.examples.len();
        let sizes = self.examples.iter().map(|example| json(example).len());
        let fitting = sizes.take_while(|size| {
            let fits = *size <= room;
            room -= if fits { *size } else { 0 };
            fits
        });
        let kept = fitting.count();
        self.examples.truncate(kept);
        self.left_out = kept < examples;
        room
    }

    pub(super) fn json(&self) -> String {
        json(self)
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings and numbers always serialise")
}

impl<'a> NodeDetails<'a> {
    fn of(node: &'a CaseNode) -> NodeDetails<'a> {
        NodeDetails { name: &node.name, kind: node.kind, is_broker: node.is_broker, exports: node.exports }
    }
}

impl<'a> ExampleDetails<'a> {
    fn of(example: &'a ExampleStimulus) -> ExampleDetails<'a> {
        ExampleDetails {
            stimulus: example.stimulus,
            crossings: example.crossings.iter().map(CrossingDetails::of).collect(),
            spans: example.spans.iter().map(SpanDetails::of).collect(),
            omitted_crossings: example.omitted_crossings,
            omitted_spans: example.omitted_spans,
        }
    }
}

impl<'a> CrossingDetails<'a> {
    fn of(crossing: &'a ExampleCrossing) -> CrossingDetails<'a> {
        CrossingDetails {
            hop: &crossing.hop,
            from: &crossing.from,
            to: &crossing.to,
            request: &crossing.request,
            outcome: &crossing.outcome,
            cause: crossing.cause,
            sent: crossing.sent.as_ref().map(CaptureDetails::of),
            delivered: crossing.delivered.as_ref().map(CaptureDetails::of),
            expected_trace: crossing.expected_trace.as_deref(),
            call_span: crossing.call_span,
            named_span: crossing.named_span,
            receiver_span: crossing.receiver_span,
            lacks_call_span: crossing.lacks_call_span,
            lacks_receiver_span: crossing.lacks_receiver_span,
        }
    }
}

impl<'a> CaptureDetails<'a> {
    fn of(capture: &'a ExampleCapture) -> CaptureDetails<'a> {
        CaptureDetails {
            at_micros: capture.at_micros,
            ended_micros: capture.ended_micros,
            fields: &capture.fields,
            other_fields: &capture.other_fields,
            contexts: &capture.contexts,
        }
    }
}

impl<'a> SpanDetails<'a> {
    fn of(span: &'a ExampleSpan) -> SpanDetails<'a> {
        SpanDetails {
            node: &span.node,
            name: &span.name,
            kind: span.kind,
            trace_id: &span.trace_id,
            span_id: &span.span_id,
            parent_id: &span.parent_id,
            links: &span.links,
            start_micros: span.start_micros,
            took_micros: span.took_micros,
            failed: span.failed,
        }
    }
}
