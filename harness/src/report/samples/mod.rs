//! Hand-made outcomes that the tests of every format share.

use std::time::Duration;

use self::details::{charge, every_value, nginx};
use super::{Case, Outcome};
use crate::breaks::{Class, Side};
use crate::rules::details::{Details, ValueDetails};
use crate::rules::{Finding, Line, Note};
use crate::scenario::Expectation;
use crate::source::{Place, Source};
use crate::verdict::{CaseEnd, CaseError, CaseVerdict, GapVerdict, HopVerdict, RuleVerdict, Verdict};

mod details;

const FILE: &str = "scenarios/order-is-billed.yaml";

const TEXT: &str = "\
scenario: order-is-billed
hops:
  order:   { http: { from: client, to: shop, method: POST, path: /orders }, relation: child }
  reserve: { http: { from: shop, to: stock, path: /reserve }, relation: child }
  charge:  { http: { from: shop, to: billing, path: /charge }, relation: child }
  record:  { grpc: { from: billing, to: ledger, method: ledger.Ledger/Record }, relation: child-or-link }
";

pub(super) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(super) const SPAN: &str = "00f067aa0ba902b7";

fn at(word: &str) -> Place {
    let start = TEXT.find(word).expect("the sample names a word of its own text");
    Place::new(start, start + word.len())
}

fn hop(id: &str, [from, to]: [&str; 2], operation: &str, within: Option<&str>) -> HopVerdict {
    let grpc = id == "record";
    HopVerdict {
        id: id.into(),
        place: at(&format!("{id}:")),
        from: from.into(),
        to: to.into(),
        via: None,
        transport: if grpc { "grpc" } else { "http" },
        operation: operation.into(),
        relation: if grpc { "child-or-link" } else { "child" },
        seen: grpc.then_some("child"),
        verdict: Verdict::Pass,
        crossings: 50,
        judged: 50,
        within: within.map(str::to_owned),
    }
}

fn rule(rule: Expectation, looked_at: u32) -> RuleVerdict {
    RuleVerdict { rule, verdict: Verdict::Pass, looked_at }
}

/// Returns a case of four hops that passes.
pub(super) fn healthy() -> CaseVerdict {
    CaseVerdict {
        source: Source::new(FILE, TEXT),
        scenario: "order-is-billed".into(),
        case: "sampled=true".into(),
        about: Some(
            "An order placed over HTTP is reserved in stock and billed, and recorded in the ledger over gRPC.".into(),
        ),
        seed: 20_261_121,
        verdict: Verdict::Pass,
        nodes: details::nodes(),
        hops: vec![
            hop("order", ["client", "shop"], "POST /orders", None),
            hop("reserve", ["shop", "stock"], "/reserve", Some("order")),
            hop("charge", ["shop", "billing"], "/charge", Some("order")),
            hop("record", ["billing", "ledger"], "ledger.Ledger/Record", Some("charge")),
        ],
        rules: vec![
            rule(Expectation::HopsKeepRelation, 200),
            rule(Expectation::TracestateKept, 200),
            rule(Expectation::SpansConnected, 350),
        ],
        findings: vec![],
        notes: vec![Note {
            hop: Some("reserve".into()),
            text: "one CLIENT span for both attempts of a resent call".into(),
            seen: 2,
            of_sdk: false,
        }],
        gaps: vec![],
        undeclared: vec![],
        outputs: vec![],
        examples: vec![details::example()],
        stimuli: 50,
        crossings: 200,
        spans: 350,
    }
}

/// Returns a finding with a value in every field.
pub(super) fn not_injected() -> Finding {
    Finding {
        rule: Expectation::HopsKeepRelation,
        class: Class::NotInjected,
        side: Side::Sender,
        inconclusive: false,
        hops: vec!["charge".into()],
        place: at("charge:"),
        node: Some("shop".into()),
        hit: 12,
        of: 50,
        details: Details {
            hop: "charge".into(),
            field: Some("traceparent"),
            expected: ValueDetails { trace_id: Some(TRACE.into()), ..ValueDetails::default() },
            actual: ValueDetails { nothing: true, ..ValueDetails::default() },
            capture: Some(charge()),
            ..Details::default()
        },
        message: "`shop` called `billing` without a context: the request carries no field of a declared format".into(),
        lines: vec![
            Line {
                label: "into `shop`, on the wire".into(),
                text: format!("traceparent: 00-{TRACE}-{SPAN}-01"),
                caret: Some(16..48),
                caption: "valid on arrival".into(),
            },
            Line {
                label: "from `shop`, on the wire".into(),
                text: "POST /charge: host, content-type, content-length".into(),
                caret: Some(0..48),
                caption: "no `traceparent` among the fields".into(),
            },
        ],
        expected: format!("a `traceparent` in trace {TRACE}"),
        actual: "no `traceparent`; `billing` started a new trace".into(),
        clause: "a service that receives a `traceparent` must send one on outgoing requests: W3C Trace Context 3.4, \
                 https://www.w3.org/TR/trace-context/#mutating-the-traceparent-field",
        try_next: vec![
            "instrument the HTTP client that `shop` uses for `/charge`; 38 of 50 calls carry the context, so look \
             for a second client or code path"
                .into(),
            "if the call runs in another thread or task, pass the context to it".into(),
        ],
        missing_witness: None,
        inside: vec![format!("`shop` extracted the incoming context correctly (span `{SPAN}`)")],
        example: Some(3),
        others: vec![4, 8, 9, 15, 16, 21, 22, 30, 31, 40, 41],
        fields: vec!["traceparent".into()],
        fingerprint: "3f9a1c2b4d5e6f70".into(),
        known: None,
        accepted_until: None,
    }
}

pub(crate) fn tracestate_lost() -> Finding {
    Finding {
        rule: Expectation::TracestateKept,
        class: Class::TracestateLost,
        hops: vec!["record".into()],
        place: at("record:"),
        node: Some("billing".into()),
        hit: 50,
        of: 50,
        details: Details {
            hop: "record".into(),
            field: Some("tracestate"),
            expected: ValueDetails {
                values: ["acme=1", "vendor=a:b", "rojo=00f0"].map(str::to_owned).into(),
                concerned: vec!["vendor=a:b".into()],
                ..ValueDetails::default()
            },
            actual: ValueDetails {
                values: ["acme=1", "rojo=00f0"].map(str::to_owned).into(),
                ..ValueDetails::default()
            },
            ..Details::default()
        },
        message: "`billing` dropped 1 of 3 members of tracestate".into(),
        lines: vec![
            Line {
                label: "into `billing`, on the wire".into(),
                text: "tracestate: acme=1,vendor=a:b,rojo=00f0".into(),
                caret: Some(19..29),
                caption: "the lost member".into(),
            },
            Line {
                label: "from `billing`, on the wire".into(),
                text: "tracestate: acme=1,rojo=00f0".into(),
                caret: Some(19..19),
                caption: "member missing".into(),
            },
        ],
        expected: "acme=1,vendor=a:b,rojo=00f0".into(),
        actual: "acme=1,rojo=00f0".into(),
        try_next: vec![],
        inside: vec![],
        example: Some(1),
        others: vec![],
        fields: vec!["tracestate".into()],
        fingerprint: "90ab1c2b4d5e6f71".into(),
        ..not_injected()
    }
}

fn broken(findings: Vec<Finding>) -> CaseVerdict {
    let mut case = CaseVerdict { verdict: Verdict::Fail, notes: vec![], ..healthy() };
    for hop in &mut case.hops {
        if findings.iter().any(|finding| finding.hops.contains(&hop.id)) {
            hop.verdict = Verdict::Fail;
        }
    }
    for rule in &mut case.rules {
        if findings.iter().any(|finding| finding.rule == rule.rule) {
            rule.verdict = Verdict::Fail;
        }
    }
    case.findings = findings;
    case
}

pub(crate) fn case(judged: CaseVerdict) -> Case {
    let title = format!("{} [{}]", judged.scenario, judged.case);
    let end = CaseEnd::Judged(Box::new(judged));
    let took = Duration::from_millis(412);
    Case {
        title,
        file: FILE.into(),
        repeat: 1,
        end,
        took,
        software: vec![nginx()],
        with: std::sync::Arc::default(),
    }
}

fn outcome(cases: Vec<Case>) -> Outcome {
    let took = cases.iter().map(|case| case.took).sum();
    Outcome { due: cases.len(), repeats: 1, seed: 20_261_121, cases, took, ..Outcome::default() }
}

pub(super) fn all_pass() -> Outcome {
    let unsampled = CaseVerdict { case: "sampled=false".into(), spans: 0, ..healthy() };
    outcome(vec![case(healthy()), case(unsampled)])
}

pub(crate) fn one_break() -> Outcome {
    outcome(vec![case(broken(vec![not_injected()]))])
}

/// Returns a case with two breaks; the first has a consequence.
pub(super) fn two_breaks() -> Outcome {
    let mut first = not_injected();
    first.inside.push("follows from it: `record` was not crossed in 3 of 50 stories".into());
    let mut judged = broken(vec![first, tracestate_lost()]);
    judged.undeclared = vec![("shop -> ledger GET /audit".into(), 50)];
    outcome(vec![case(judged)])
}

/// Returns a case with a silent node, a gap, and a finding whose witness is missing.
pub(super) fn inconclusive() -> Outcome {
    let silent = Finding {
        rule: Expectation::SamplingWholePath,
        class: Class::NotExported,
        side: Side::Unknown,
        inconclusive: true,
        hops: vec!["record".into()],
        place: at("record:"),
        node: Some("ledger".into()),
        hit: 50,
        of: 50,
        message: "`ledger` exported no span for a call that arrived with a sampled context".into(),
        lines: vec![],
        expected: "a SERVER span in the trace".into(),
        actual: "nothing from `ledger` at all".into(),
        try_next: vec!["pass `${otlp.endpoint}` to `ledger`".into()],
        missing_witness: Some("flush evidence: `ledger` exported nothing and was not flushed".into()),
        inside: vec![],
        example: Some(1),
        others: (2..=50).collect(),
        fields: vec![],
        fingerprint: "aaaa1c2b4d5e6f72".into(),
        ..not_injected()
    };
    let mut judged = broken(vec![silent]);
    judged.verdict = Verdict::Inconclusive;
    judged.hops[3].verdict = Verdict::Inconclusive;
    judged.rules.push(RuleVerdict {
        rule: Expectation::SamplingWholePath,
        verdict: Verdict::Inconclusive,
        looked_at: 200,
    });
    judged.gaps = vec![GapVerdict {
        what: "`ledger` exited during the run (exit status 1); spans that it had not exported are lost"
            .into(),
        lines: vec!["panicked at src/export.rs:7".into(), "\u{1b}[31mconnection refused\u{1b}[0m".into()],
    }];
    outcome(vec![case(judged)])
}

pub(super) fn could_not_run() -> Outcome {
    outcome(vec![case_error()])
}

fn case_error() -> Case {
    let error = CaseError {
        scenario: "order-is-billed".into(),
        case: "sampled=true".into(),
        message: "`billing` exited before it was ready: read its output, or run `node billing.js`".into(),
        caused_by: vec!["exit status 1 after 0.3 s".into()],
        lines: vec!["Error: Cannot find module './routes'".into()],
    };
    Case {
        title: "order-is-billed [sampled=true]".into(),
        file: FILE.into(),
        repeat: 1,
        end: CaseEnd::CouldNotRun(error),
        took: Duration::from_millis(300),
        software: Vec::new(),
        with: std::sync::Arc::default(),
    }
}

/// Returns a case that passes, one that fails, one that could not run, and a baseline with a fixed finding.
pub(super) fn mixed() -> Outcome {
    let known =
        Finding { known: Some("billing 2.x folds members, fixed in 3.0".into()), ..tracestate_lost() };
    let mut pass = CaseVerdict { case: "sampled=false".into(), ..healthy() };
    pass.findings = vec![known];
    let expired = Finding { accepted_until: Some("2026-11-30".into()), ..not_injected() };
    let fail = CaseVerdict { case: "times=50, it's".into(), ..broken(vec![expired]) };
    let mut outcome = outcome(vec![case(pass), case(fail), case_error()]);
    outcome.fixed = vec!["77771c2b4d5e6f70 order-is-billed: baggage-lost at charge".into()];
    (outcome.interrupted, outcome.due, outcome.shard) = (true, 5, Some("2/4".into()));
    outcome
}

/// Returns the same case three times; one of them fails.
pub(super) fn repeated() -> Outcome {
    let cases = [healthy(), broken(vec![not_injected()]), healthy()]
        .into_iter()
        .zip(1..)
        .map(|(judged, repeat)| Case { repeat, ..case(judged) })
        .collect();
    let mut outcome = outcome(cases);
    (outcome.due, outcome.repeats) = (1, 3);
    outcome
}

/// Returns values that are wider than any screen, and bytes that must not reach it.
pub(super) fn long_and_odd() -> Outcome {
    let long = format!("tracestate: {},bad={}", vec!["k=0123456789abcdef"; 30].join(","), "x".repeat(300));
    let bad = long.find("bad=").expect("written above");
    let odd = Finding {
        class: Class::TracestateAltered,
        rule: Expectation::TracestateKept,
        details: every_value(),
        message: "`shop` changed bytes of a member: it received `caf\\xc3\\xa9` and sent `caf?`".into(),
        lines: vec![
            Line {
                label: "into `shop`, on the wire".into(),
                text: long.clone(),
                caret: Some(bad..bad + 24),
                caption: "304 bytes, over the limit of 256".into(),
            },
            Line {
                label: "SERVER span of `a-service-with-a-very-long-name-in-production`".into(),
                text: "baggage: city=caf\\xc3\\xa9;\u{1b}[2J|<&>`".into(),
                caret: Some(14..25),
                caption:
                    "not UTF-8 where it must be, and a caption that is itself so long that it does not fit \
                          beside its caret and continues below it"
                        .into(),
            },
        ],
        expected: long,
        actual: "city=caf?, ünïcode, ]]> & <b>".into(),
        ..not_injected()
    };
    outcome(vec![case(broken(vec![odd]))])
}

/// Returns a run that has not ended, with a fault that had no effect.
fn partial() -> Outcome {
    let warning = "`--fault shop=inject-nothing` had no effect in 1 case".to_owned();
    Outcome { under_way: true, due: 5, warnings: vec![warning], ..all_pass() }
}

/// Returns every sample with its name.
pub(super) fn all() -> Vec<(&'static str, Outcome)> {
    vec![
        ("all_pass", all_pass()),
        ("one_break", one_break()),
        ("two_breaks", two_breaks()),
        ("inconclusive", inconclusive()),
        ("could_not_run", could_not_run()),
        ("mixed", mixed()),
        ("repeated", repeated()),
        ("long_and_odd", long_and_odd()),
        ("partial", partial()),
    ]
}
