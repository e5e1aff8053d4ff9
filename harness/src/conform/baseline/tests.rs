use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::conform::judge::{Mismatch, MismatchKind};
use crate::conform::results::{Implementation, RequirementResult};
use crate::conform::suites;

fn vector(name: &str, mismatch: Option<MismatchKind>) -> VectorResult {
    let is_pass = mismatch.is_none();
    VectorResult {
        name: name.to_owned(),
        transport: "http/1.1".to_owned(),
        verdict: if is_pass { ConformanceVerdict::Pass } else { ConformanceVerdict::Fail },
        outcome: None,
        mismatch: mismatch.map(|kind| Box::new(Mismatch::from(kind))),
        known: None,
        reason: None,
        notes: Vec::new(),
        output: Vec::new(),
        sent: Vec::new(),
        received: Vec::new(),
        curl: String::new(),
    }
}

/// Results of TP-12.
fn results(vectors: Vec<VectorResult>) -> Results {
    let suite = suites().into_iter().find(|suite| suite.name == "trace-context").unwrap();
    let requirement = suite.requirements.iter().find(|one| one.id == "TP-12").unwrap();
    let result =
        RequirementResult { suite: suite.name.clone(), requirement: Arc::new(requirement.clone()), vectors };
    Results {
        implementation: Implementation::default(),
        level: 2,
        is_strict: false,
        seed: 1,
        took: Duration::ZERO,
        is_interrupted: false,
        requirements: vec![result],
        fixed: Vec::new(),
        shard: None,
    }
}

const KEPT: Option<MismatchKind> = Some(MismatchKind::TraceIdKept);

#[test]
fn an_accepted_deviation_passes_and_another_or_a_different_one_fails() {
    let before = results(vec![vector("version.plus", KEPT), vector("no-dash", KEPT), vector("valid", None)]);
    let baseline = ConformanceBaseline::of(&before, &ConformanceBaseline::default(), "upstream #1");
    assert_eq!(baseline.accepted.len(), 1, "{baseline:?}");
    assert_eq!(baseline.accepted[0].vectors, ["version.plus", "no-dash"]);
    let judged = |mut results: Results| {
        baseline.apply(&mut results);
        (results.verdict(), results.fixed)
    };
    assert_eq!(judged(before.clone()), (ConformanceVerdict::Pass, vec![]));
    let further = results(vec![vector("version.plus", KEPT), vector("no-version", KEPT)]);
    assert_eq!(judged(further).0, ConformanceVerdict::Fail);
    let worse = results(vec![vector("version.plus", Some(MismatchKind::Answered(500)))]);
    assert_eq!(judged(worse), (ConformanceVerdict::Fail, vec![]));
    let better = results(vec![vector("version.plus", None)]);
    assert_eq!(judged(better), (ConformanceVerdict::Pass, vec!["TP-12/version.plus".to_owned()]));
    let read = ConformanceBaseline::read(&baseline.write(), &suites()).unwrap();
    assert_eq!(read, baseline);
}

#[test]
fn a_baseline_written_again_keeps_its_reasons_and_drops_what_is_fixed() {
    let entry = |vectors: &[&str]| AcceptedDeviation {
        requirement: "TP-12".to_owned(),
        kind: "continued".to_owned(),
        vectors: vectors.iter().map(|name| (*name).to_owned()).collect(),
        transport: None,
        until: Some("2027-01-31".to_owned()),
        reason: "upstream #1".to_owned(),
        link: Some("https://example.org/1".to_owned()),
    };
    let kind = MismatchKind::TraceIdKept.word();
    let known = ConformanceBaseline {
        accepted: vec![AcceptedDeviation { kind: kind.to_owned(), ..entry(&["version.plus", "no-dash"]) }],
    };
    let now =
        results(vec![vector("version.plus", KEPT), vector("no-dash", None), vector("no-version", KEPT)]);
    let written = ConformanceBaseline::of(&now, &known, "not reviewed yet");
    let vectors: Vec<_> = written.accepted.iter().map(|entry| (&entry.vectors[..], &*entry.reason)).collect();
    assert_eq!(
        vectors,
        [
            (&["version.plus".to_owned()][..], "upstream #1"),
            (&["no-version".to_owned()][..], "not reviewed yet")
        ]
    );
    let mut expiring = known;
    assert_eq!(expiring.take_expired("2027-01-31").len(), 0);
    assert_eq!(expiring.take_expired("2027-02-01").len(), 1);
}

#[test]
fn a_baseline_of_something_else_is_refused_with_what_to_do() {
    let read = |text: &str| ConformanceBaseline::read(text, &suites()).unwrap_err().to_string();
    assert!(read(r#"{"version": 2, "accepted": []}"#).contains("expected 1"));
    let of = |requirement: &str, vector: &str, reason: &str| {
        let entry = serde_json::json!({
            "requirement": requirement, "kind": "continued", "vectors": [vector], "reason": reason
        });
        read(&serde_json::json!({ "version": 1, "accepted": [entry] }).to_string())
    };
    assert!(of("TP-99", "a", "why").contains("`TP-99`, which is not in the suite"));
    assert!(of("TP-12", "a", "why").contains("`TP-12/a`, which is not in the suite"));
    assert!(of("TP-12", "no-dash", " ").contains("has no reason: add one"));
}
