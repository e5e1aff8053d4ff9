//! The command over services that die without a flush: one more request shows that they have exported everything
//! before. It is not judged, and is sent only where something depends on it.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod folder;

use folder::{Folder, unbroken};

const SERVICE: &str = include_str!("canary/service.py");
/// The requests of each case.
const TIMES: usize = 3;

/// The end of a run, and the requests that the service received.
struct Outcome {
    status: Option<i32>,
    printed: String,
    requests: usize,
}

impl Outcome {
    fn of(name: &str, story: &str) -> Outcome {
        let folder = Folder::new(name);
        folder.write("service.py", SERVICE);
        folder.write("story.yaml", story);
        let output =
            unbroken(&folder.0).args(["run", "story.yaml", "--seed", "7", "--verbose"]).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let requests = std::fs::read_to_string(folder.0.join("requests")).unwrap_or_default();
        Outcome {
            status: output.status.code(),
            printed: printed.into_owned(),
            requests: requests.lines().count(),
        }
    }

    fn assert_has(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.printed.contains(part), "{part:?} in {}", self.printed);
        }
    }
}

/// A shop that calls a ledger, driven with one sampled flag.
fn shop(exports: &str, drive: &str) -> String {
    format!(
        "scenario: shop\nnodes:\n  shop:\n    command: [python3, service.py, '${{self.port}}']\n    \
         env: {{ CALLS: '${{ledger.url}}/records', EXPORTS: {exports}, REQUESTS: requests }}\n  \
         ledger: {{ stub: {{}} }}\nhops:\n  \
         order: {{ http: {{ from: client, to: shop, method: POST, path: /orders }} }}\n  \
         record: {{ http: {{ from: shop, to: ledger, method: POST, path: /records }} }}\ndrive:\n  \
         - {{ send: order, times: {TIMES}, {drive} }}\n"
    )
}

#[test]
fn a_service_without_a_flush_gets_a_verdict_for_unsampled_requests() {
    for sampled in ["true", "false"] {
        let outcome =
            Outcome::of(&format!("canary-healthy-{sampled}"), &shop("all", &format!("sampled: {sampled}")));
        assert_eq!(outcome.status, Some(0), "{}", outcome.printed);
        outcome.assert_has(&[
            "judged 3 of 3",
            "3 stimuli, 6 crossings",
            "those of further requests, which are not",
        ]);
        assert!(outcome.requests > TIMES, "{} requests", outcome.requests);
    }
}

#[test]
fn spans_of_unsampled_requests_are_found() {
    let outcome = Outcome::of("canary-sampled-in", &shop("too", "sampled: false"));
    assert_eq!(outcome.status, Some(4), "{}", outcome.printed);
    outcome.assert_has(&["sampled-in"]);
}

#[test]
fn one_span_that_is_missing_is_found() {
    let outcome = Outcome::of("canary-second", &shop("second", "sampled: true"));
    assert_eq!(outcome.status, Some(4), "{}", outcome.printed);
    outcome.assert_has(&["sampled-out", "1 of 3"]);
}

#[test]
fn a_trace_of_which_no_span_came_may_be_held_back() {
    let outcome = Outcome::of("canary-whole", &shop("whole", "sampled: true"));
    assert_eq!(outcome.status, Some(5), "{}", outcome.printed);
    outcome.assert_has(&["not-exported", "1 of 3", "dropped or holds"]);
}

#[test]
fn a_service_that_exports_nothing_stays_inconclusive() {
    let outcome = Outcome::of("canary-none", &shop("none", "sampled: false"));
    assert_eq!(outcome.status, Some(5), "{}", outcome.printed);
}

#[test]
fn a_drive_without_a_canary_sends_its_requests_alone() {
    let outcome = Outcome::of("canary-off", &shop("all", "sampled: false, canary: false"));
    assert_eq!((outcome.status, outcome.requests), (Some(5), TIMES), "{}", outcome.printed);
}

#[test]
fn relays_need_no_canary() {
    let story = format!(
        "scenario: relay\nnodes:\n  gate: {{ relay: model }}\n  shop:\n    \
         command: [python3, service.py, '${{self.port}}']\n    telemetry: none\n    env: {{ REQUESTS: requests }}\n\
         hops:\n  order: {{ http: {{ from: client, to: gate }} }}\n  \
         hand: {{ http: {{ from: gate, to: shop, method: POST }} }}\ndrive:\n  \
         - {{ send: order, times: {TIMES}, sampled: false }}\n"
    );
    let outcome = Outcome::of("canary-relay", &story);
    assert_eq!((outcome.status, outcome.requests), (Some(0), TIMES), "{}", outcome.printed);
}
