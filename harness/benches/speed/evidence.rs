//! The evidence of a correct run of `three-hops.yaml`, made without running anything and the same every time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use unbroken::evidence::{
    Answer, Capture, CaptureEnd, CaptureMark, Completion, Evidence, Exchange, Field, FieldKind, Protocol,
    Span, SpanKind,
};
use unbroken::plan::seed::Ids;
use unbroken::plan::{CallIx, Mark, Plan, Seed, Stimulus, TapIx};
use unbroken::scenario::{self, HopIx};

const SEED: Seed = Seed(7);
/// The time when the collector had everything, after all captures.
const FLUSHED_NANOS: u64 = 1_000_000_000_000;
/// The time from one stimulus to the next.
const APART_NANOS: u64 = 100_000;
/// The time from one hop to the next, and back.
const LEVEL_NANOS: u64 = 500_000;
/// Spans have wall-clock time.
const EPOCH_NANOS: u64 = 1_700_000_000_000_000_000;

pub fn plan(path: &Path) -> Plan {
    let source = scenario::read(path).expect("the scenario is beside this file");
    let mut cases = scenario::parse(&source).expect("the scenario is valid");
    let case = cases.pop().expect("it has one case");
    Plan::build(Arc::new(case), PathBuf::from("."), SEED)
}

/// Returns evidence in which every hop keeps its relation.
pub fn healthy(plan: &Plan) -> Evidence {
    let mut ids = Ids::new(SEED.part("spans"));
    let mut seen = Evidence::default();
    for stimulus in &plan.stimuli {
        story(plan, stimulus, &mut ids, &mut seen);
    }
    let flushed = Completion::Flushed { asked_nanos: FLUSHED_NANOS, answered_nanos: FLUSHED_NANOS + 1 };
    seen.completions = plan.scenario.nodes.iter().map(|_| flushed.clone()).collect();
    seen.completions[0] = Completion::NothingDue;
    seen.tap_ports = (0..plan.taps.len()).map(|tap| 40_000 + u16::try_from(tap).unwrap_or(0)).collect();
    seen
}

/// A break in words, and the change that makes it.
type Breaking = (&'static str, fn(&mut Evidence));

/// Breaks in every story. With none of them the time of judging may grow with the square of the evidence.
pub const BREAKS: &[Breaking] = &[
    ("`traceparent` lost on the last hop", |seen| {
        on_the_last_hop(seen, |capture| capture.headers.retain(|field| field.name != b"traceparent"));
    }),
    ("`tracestate` changed on the last hop", |seen| {
        on_the_last_hop(seen, |capture| {
            for field in capture.headers.iter_mut().filter(|field| field.name == b"tracestate") {
                field.value = Some(b"acme=2".to_vec());
            }
        });
    }),
    ("no marks, and no `traceparent` on the last hop", |seen| {
        seen.captures.iter_mut().for_each(|capture| capture.marked = CaptureMark::Absent);
        on_the_last_hop(seen, |capture| capture.headers.retain(|field| field.name != b"traceparent"));
    }),
    ("every second SERVER span not exported", |seen| {
        let mut number = 0;
        seen.spans.retain(|span| {
            number += usize::from(span.kind == SpanKind::Server);
            span.kind != SpanKind::Server || number % 2 == 0
        });
    }),
    ("all in one trace", |seen| {
        let trace = seen.spans[0].trace_id.clone();
        seen.spans.iter_mut().for_each(|span| span.trace_id.clone_from(&trace));
    }),
];

fn on_the_last_hop(seen: &mut Evidence, change: impl Fn(&mut Capture)) {
    let last = TapIx(seen.tap_ports.len() - 1);
    seen.captures.iter_mut().filter(|capture| capture.tap == last).for_each(change);
}

/// One crossing of a story.
struct Step<'a> {
    plan: &'a Plan,
    stimulus: &'a Stimulus,
    hop: usize,
    mark: Mark,
    begun: u64,
    ended: u64,
}

/// Adds one request from hop to hop. The caller's span is the parent of the receiver's, which is the parent of its
/// call.
fn story(plan: &Plan, stimulus: &Stimulus, ids: &mut Ids, seen: &mut Evidence) {
    let sent_nanos = u64::try_from(stimulus.ix.0).unwrap_or(u64::MAX) * APART_NANOS;
    let hops = plan.scenario.hops.len();
    let deep = |hop: usize| u64::try_from(hop).unwrap_or(u64::MAX) * LEVEL_NANOS;
    let mut above = stimulus.sent.parent_id;
    for hop in 0..hops {
        let mark = Mark { call: Some(CallIx(hop)), ..stimulus.mark };
        let (begun, ended) = (sent_nanos + deep(hop), sent_nanos + deep(2 * hops - hop));
        let step = Step { plan, stimulus, hop, mark, begun, ended };
        if hop > 0 {
            let call = ids.span_id();
            seen.spans.push(step.span(SpanKind::Client, call, above));
            above = call;
        }
        seen.captures.push(step.capture(above));
        let receipt = ids.span_id();
        seen.spans.push(step.span(SpanKind::Server, receipt, above));
        above = receipt;
    }
    let answered_nanos = Some(sent_nanos + deep(2 * hops + 1));
    let answer = Answer::Http(200);
    seen.exchanges.push(Exchange { stimulus: stimulus.ix, sent_nanos, answered_nanos, answer });
}

impl Step<'_> {
    fn path(&self) -> &'static str {
        ["/orders", "/bills", "/records"][self.hop]
    }

    fn capture(&self, parent: [u8; 8]) -> Capture {
        let tap = self.plan.hop_taps[self.hop].expect("every hop of the scenario has a tap");
        let field = |name: &str, value: Option<&str>| Field {
            name: name.as_bytes().to_vec(),
            value: value.map(|value| value.as_bytes().to_vec()),
            kind: FieldKind::Text,
        };
        let traceparent = format!("00-{}-{}-03", hex(&self.stimulus.sent.trace_id), hex(&parent));
        Capture {
            tap,
            protocol: Protocol::Http1,
            connection: u32::try_from(self.stimulus.ix.0 % 64).unwrap_or(0),
            stream: u32::try_from(self.stimulus.ix.0 / 64).unwrap_or(0),
            begun_nanos: self.begun,
            ended_nanos: Some(self.ended),
            method: "POST".into(),
            path: self.path().into(),
            headers: vec![
                field("host", None),
                field("content-type", None),
                field("content-length", None),
                field("traceparent", Some(&traceparent)),
                field("tracestate", Some("acme=1")),
                field("baggage", Some("tenant=blue")),
            ],
            trailers: Vec::new(),
            marked: CaptureMark::By(self.mark),
            further_marks: Vec::new(),
            end: CaptureEnd::Answered { status: 200, grpc_status: None },
            message: None,
        }
    }

    fn span(&self, kind: SpanKind, id: [u8; 8], parent: [u8; 8]) -> Span {
        let hop = self.plan.scenario.hop(HopIx(self.hop));
        let (node, flags) = if kind == SpanKind::Server { (hop.to, 0x303) } else { (hop.from, 0x103) };
        let attribute = |name: &str, value: &str| (name.into(), value.into());
        Span {
            node,
            trace_id: self.stimulus.sent.trace_id.into(),
            span_id: id.into(),
            parent_id: parent.into(),
            flags,
            trace_state: "acme=1".into(),
            name: format!("POST {}", self.path()).into(),
            kind,
            start_nanos: EPOCH_NANOS + self.begun,
            end_nanos: EPOCH_NANOS + self.ended,
            links: Vec::new(),
            attributes: vec![
                attribute("http.request.method", "POST"),
                attribute("url.path", self.path()),
                attribute("http.response.status_code", "200"),
            ],
            marks: vec![self.mark],
            failed: false,
            service_name: Some(self.plan.scenario.node(node).name.as_str().into()),
            duplicates: 0,
            conflicting: false,
            arrived_nanos: FLUSHED_NANOS,
        }
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
