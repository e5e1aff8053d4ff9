use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::conform::judge::{Mismatch, MismatchKind};
use crate::conform::results::{KnownDeviation, VectorResult};
use crate::conform::suite::{self, FieldDifference};
use crate::report::terminal::Palette;
use crate::source::Source;

const SUITE: &str = "suite: sample\nabout: a\nrequirements:\n  XX-01:\n    says: A valid `field` is continued.\n    \
    strength: MUST\n    clause: https://example.org/#one\n    w3c: test_one\n    vectors:\n      \
    valid: { send: [[traceparent, '00-{T}-{P}-01']], expect: continue }\n      \
    ff: { send: [[traceparent, 'ff-{T}-{P}-01']], expect: restart }\n  XX-02:\n    \
    says: It should <be> sent & seen.\n    strength: SHOULD\n    clause: https://example.org/#two\n    note: Two voices.\n    \
    vectors:\n      choice: { expect: [{ as: first, restart: {} }, { as: second, nothing: {} }] }\n";

fn vector(name: &str, verdict: ConformanceVerdict) -> VectorResult {
    VectorResult {
        name: name.into(),
        transport: "http/1.1".to_owned(),
        verdict,
        outcome: (verdict == ConformanceVerdict::Pass).then(|| "continue".into()),
        mismatch: None,
        known: None,
        reason: matches!(verdict, ConformanceVerdict::Inconclusive | ConformanceVerdict::Unsupported)
            .then(|| "it was not tried".into()),
        notes: Vec::new(),
        output: Vec::new(),
        sent: vec![(b"traceparent".to_vec(), b"ff-4bf9-\xff\\".to_vec())],
        received: vec![vec![(b"traceparent".to_vec(), b"00-4bf9".to_vec())]],
        curl: "curl 'http://127.0.0.1:9/'".into(),
    }
}

/// One of each verdict, with everything that a vector can have.
fn sample() -> Results {
    let source = Source::new("sample.yaml", SUITE);
    let suite = suite::read(&source).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let [one, two] = [0, 1].map(|at: usize| Arc::new(suite.requirements[at].clone()));
    let difference = FieldDifference {
        field: "traceparent".into(),
        expected: Some(b"00-new".to_vec()),
        actual: b"00-<b>&\xff".to_vec(),
        caret: 3..7,
    };
    let kind = MismatchKind::TraceIdKept;
    let failed = VectorResult {
        mismatch: Some(Box::new(Mismatch {
            call: Some(2),
            difference: Some(Box::new(difference)),
            ..Mismatch::from(kind)
        })),
        notes: vec!["the target called back after it had answered".into()],
        ..vector("ff", ConformanceVerdict::Fail)
    };
    let accepted = VectorResult {
        mismatch: Some(Box::new(Mismatch::from(MismatchKind::Answered(500)))),
        known: Some(KnownDeviation {
            reason: "it <never> did".into(),
            link: Some("https://example.org/issues/1".into()),
        }),
        output: vec!["KeyError: 'url'".into()],
        ..vector("other", ConformanceVerdict::Fail)
    };
    let ended = MismatchKind::Ended { how: "exit status 1".into(), lines: vec!["Traceback".into()] };
    let ended = VectorResult {
        mismatch: Some(Box::new(ended.into())),
        ..vector("choice", ConformanceVerdict::Deviates)
    };
    let result = |requirement: &Arc<_>, vectors| RequirementResult {
        suite: "sample".into(),
        requirement: Arc::clone(requirement),
        vectors,
    };
    let undecided = vec![
        vector("choice", ConformanceVerdict::Inconclusive),
        vector("choice", ConformanceVerdict::Unsupported),
    ];
    Results {
        implementation: Implementation {
            target: "http://127.0.0.1:5000/".into(),
            name: Some("tracer".into()),
            version: Some("1.2".into()),
            language: Some("python".into()),
            links: vec!["https://example.org/tracer".into()],
        },
        level: 2,
        is_strict: false,
        seed: 7,
        took: Duration::from_millis(1234),
        is_interrupted: false,
        fixed: vec!["XX-01/valid".into()],
        shard: None,
        requirements: vec![
            result(&one, vec![vector("valid", ConformanceVerdict::Pass), failed]),
            result(&two, vec![ended]),
            result(&two, undecided),
            result(&one, vec![accepted]),
        ],
    }
}

#[test]
fn the_sample_on_a_terminal() {
    insta::assert_snapshot!(terminal::render(&sample(), Palette::Plain, true));
}

#[test]
fn the_sample_as_json() {
    insta::assert_snapshot!(json::render(&sample()));
}

#[test]
fn the_sample_as_markdown() {
    insta::assert_snapshot!(markdown::render(&sample()));
}

#[test]
fn the_sample_as_annotations() {
    insta::assert_snapshot!(github::annotations(&sample()));
}

#[cfg(feature = "junit")]
#[test]
fn the_sample_as_junit_is_read_back_with_the_same_counts() {
    let text = junit::render(&sample());
    let read = quick_junit::Report::deserialize_from_str(&text).unwrap();
    let suite = &read.test_suites[0];
    assert_eq!(
        (suite.tests, suite.failures, suite.errors, text.matches("<skipped").count()),
        (6, 1, 1, 1),
        "{text}"
    );
}

#[test]
fn in_html_what_a_target_sends_stays_text() {
    let text = html::render(&sample());
    assert!(text.contains("It should &lt;be&gt; sent &amp; seen."), "{text}");
    assert!(text.contains("00-&lt;b&gt;&amp;\\xff"), "{text}");
    assert!(!text.contains("<be>") && !text.contains("<script") && !text.contains("src="), "{text}");
    let opened = text.matches("<details").count();
    assert_eq!((opened, text.matches("</details>").count()), (4, 4));
}

#[test]
fn the_json_keeps_its_schema() {
    let schema: Value = serde_json::from_str(json::SCHEMA).unwrap();
    let report: Value = serde_json::from_str(&json::render(&sample())).unwrap();
    let mut wrong = Vec::new();
    keeps(&schema, &schema, &report, "$", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let mut other = report.clone();
    other["extra"] = true.into();
    other["requirements"][0]["strength"] = "must".into();
    keeps(&schema, &schema, &other, "$", &mut wrong);
    assert_eq!(wrong, ["$.extra is not described", "$.requirements[0].strength is not one of the words"]);
}

/// As much of JSON Schema as this schema uses.
fn keeps(root: &Value, schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").unwrap();
        return keeps(root, &root["$defs"][name], value, path, wrong);
    }
    if schema.get("const").is_some_and(|only| only != value)
        || schema["enum"].as_array().is_some_and(|words| !words.contains(value))
    {
        return wrong.push(format!("{path} is not one of the words"));
    }
    match (schema["type"].as_str(), value) {
        (Some("object"), Value::Object(members)) => {
            let described = schema["properties"].as_object().unwrap();
            for required in schema["required"].as_array().unwrap() {
                if !members.contains_key(required.as_str().unwrap()) {
                    wrong.push(format!("{path} lacks {required}"));
                }
            }
            for (name, member) in members {
                match described.get(name) {
                    Some(schema) => keeps(root, schema, member, &format!("{path}.{name}"), wrong),
                    None => wrong.push(format!("{path}.{name} is not described")),
                }
            }
        }
        (Some("array"), Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                keeps(root, &schema["items"], item, &format!("{path}[{at}]"), wrong);
            }
        }
        (Some("string"), Value::String(_))
        | (Some("boolean"), Value::Bool(_))
        | (Some("integer"), Value::Number(_))
        | (None, _) => {}
        (Some(kind), value) => wrong.push(format!("{path} is no {kind}: {value}")),
    }
}

#[test]
fn two_reports_are_compared_by_verdict_and_outcome() {
    let before = sample();
    let mut after = sample();
    assert!(diff::diff(&json::render(&before), &json::render(&after)).unwrap().is_empty());
    after.requirements[0].vectors[0] = vector("valid", ConformanceVerdict::Fail);
    after.requirements[0].vectors[1] = vector("ff", ConformanceVerdict::Pass);
    let diff = diff::diff(&json::render(&before), &json::render(&after)).unwrap();
    assert_eq!(diff.worse, ["XX-01/valid over http/1.1: pass (continue) -> fail"]);
    assert_eq!(diff.better, ["XX-01/ff over http/1.1: fail -> pass (continue)"]);
    assert!(diff.render().starts_with("worse (1)\n  XX-01/valid"), "{}", diff.render());
    assert!(diff::diff("{}", "{}").unwrap_err().to_string().starts_with("cannot read the old report: "));
}

#[test]
fn a_requirement_is_explained_out_of_its_own_data() {
    let source = Source::new("sample.yaml", SUITE);
    let suites = [suite::read(&source).unwrap_or_else(|wrong| panic!("{wrong:?}"))];
    insta::assert_snapshot!(explain::explain(&suites, "xx-01").unwrap());
    insta::assert_snapshot!("a_vector", explain::explain(&suites, "xx-01/ff").unwrap());
    assert!(explain::explain(&suites, "XX-09").is_none() && explain::explain(&suites, "XX-01/x").is_none());
}
