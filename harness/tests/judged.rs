//! Kept evidence beside its verdict: `tests/judged/NAME.json` was seen in a run of `NAME.yaml`, and `NAME.txt` is
//! its verdict.
//!
//! For what a story with relays cannot show: services that are instrumented in other ways, and what they do beside it.
//! `UPDATE_EXPECT=1` rewrites the verdicts.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use unbroken::breaks::Class;
use unbroken::evidence::file::StoredEvidence;
use unbroken::evidence::{Completion, Evidence};
use unbroken::plan::{Plan, Seed};
use unbroken::rules::Finding;
use unbroken::run::judge::{JudgeSettings, judge};
use unbroken::verdict::{CaseVerdict, Verdict};

mod dump;

static DUMP: dump::Dump = dump::Dump::new("judged");

#[test]
fn kept_evidence_has_its_verdict() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/judged");
    let mut cases = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let scenario = entry.unwrap().path();
        if scenario.extension().is_some_and(|extension| extension == "yaml") {
            cases.insert(compare(&scenario));
        }
    }
    assert!(!cases.is_empty(), "no scenario in {}", folder.display());
    DUMP.end(&cases).expect("the dump has the cases of the folder");
}

/// Returns the name of the case.
fn compare(scenario: &Path) -> String {
    let (plan, evidence) = read(scenario);
    let verdict = judge(&plan, &evidence, &JudgeSettings::default());
    let name = scenario.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    dump::keep(&name, plan.scenario.source.text(), &plan, Some(&evidence));
    DUMP.compare(&name, &verdict.findings).expect("the findings are those of the dump");
    let lines = lines(&verdict);
    let beside = scenario.with_extension("txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&beside, &lines).expect("the folder can be written to");
    }
    let wanted = std::fs::read_to_string(&beside).unwrap_or_default();
    assert_eq!(lines, wanted, "{}", scenario.display());
    name
}

#[test]
fn where_nothing_proves_that_all_spans_came_a_note_says_what_went_unchecked() {
    let (plan, mut evidence) =
        read(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/judged/node-kafka-healthy.yaml"));
    let notes = |evidence: &Evidence| {
        let judged = judge(&plan, evidence, &JudgeSettings::default());
        judged
            .notes
            .into_iter()
            .map(|note| note.text)
            .filter(|text| text.contains("cannot prove"))
            .collect::<Vec<_>>()
    };
    assert_eq!(notes(&evidence), Vec::<String>::new());
    let why = "it did not end after SIGTERM and was killed at the deadline";
    for completion in &mut evidence.completions {
        if matches!(completion, Completion::Stopped { .. }) {
            *completion = Completion::Unknown(why.to_owned());
        }
    }
    let notes = notes(&evidence);
    assert!(!notes.is_empty() && notes.iter().all(|note| note.contains(why)), "{notes:?}");
}

/// Returns the verdict on kept evidence.
fn judged(name: &str, strict: bool) -> CaseVerdict {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/judged/{name}.yaml"));
    let (plan, evidence) = read(&file);
    judge(&plan, &evidence, &JudgeSettings { strict, ..JudgeSettings::default() })
}

/// Returns the only finding of this class.
fn finding(verdict: &CaseVerdict, class: Class) -> &Finding {
    let mut found = verdict.findings.iter().filter(|finding| finding.class == class);
    let only = found.next().unwrap_or_else(|| panic!("no {} in {:#?}", class.word(), verdict.findings));
    assert!(found.next().is_none(), "{:#?}", verdict.findings);
    only
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[test]
fn a_swap_names_every_field_and_baggage_first() {
    for (name, fields) in [
        ("swapped-with-every-field", "`baggage` and `tracestate` and `traceparent` of stimulus 1"),
        ("swapped-trace-and-baggage", "`baggage` and `traceparent` of stimulus 1"),
        ("swapped-baggage-alone", "injected `baggage` of stimulus 1"),
    ] {
        let verdict = judged(name, false);
        assert_has(&finding(&verdict, Class::Swapped).message, &[fields]);
    }
}

#[test]
fn a_call_past_the_tap_is_no_fault_of_the_caller_and_the_template_of_the_address_is_named() {
    for name in ["called-past-the-tap", "grpc-called-past-the-tap", "called-past-the-tap-once"] {
        let verdict = judged(name, false);
        let missed = finding(&verdict, Class::NotCrossed);
        assert!(missed.inconclusive, "{missed:#?}");
        assert_has(&missed.try_next.join(" "), &["use the template of the neighbour's address"]);
    }
}

#[test]
fn a_consumer_without_a_span_gets_advice_in_its_language_and_a_clause_of_its_relation() {
    for (name, class, library) in [
        ("uninstrumented-kafka-link-two-calls", Class::LinkMissing, "Kafka"),
        ("uninstrumented-rabbit-link-two-calls", Class::LinkMissing, "RabbitMQ"),
        ("uninstrumented-sqs-link-two-calls", Class::LinkMissing, "SQS"),
    ] {
        let verdict = judged(name, false);
        let lost = finding(&verdict, class);
        let advice = lost.try_next.join(" ");
        assert_has(&advice, &["exported no CONSUMER span at all", "opentelemetry-instrument", library]);
        assert!(!lost.clause.contains("same trace"), "{}", lost.clause);
    }
    let verdict = judged("uninstrumented-server-three-calls", false);
    let advice = finding(&verdict, Class::NotExtracted).try_next.join(" ");
    assert_has(&advice, &["exported no SERVER span at all", "HTTP server library"]);
}

#[test]
fn kinds_of_calls_over_one_hop_are_reported_by_their_path_or_method() {
    let verdict = judged("two-kinds-of-calls-one-restarted", false);
    let restarted = finding(&verdict, Class::Restarted);
    assert_has(
        &restarted.inside.join(" "),
        &["`GET /stock/{id}` (status 200): 0 of 3", "`POST /payments` (status 200): 3 of 3"],
    );
    assert_has(&restarted.try_next.join(" "), &["`path: /payments` tells the broken ones apart"]);
    assert_has(&restarted.message, &["POST /payments", "status 200"]);
    let verdict = judged("two-kinds-of-calls-one-without-a-path-apart", false);
    let advice = finding(&verdict, Class::Restarted).try_next.join(" ");
    assert_has(&advice, &["`method: POST` tells the broken ones apart"]);
}

#[test]
fn a_quirk_of_an_sdk_is_one_note_after_the_findings_and_no_finding_about_the_service() {
    let verdict = judged("sdk-flags-without-the-sampled-bit", true);
    assert_eq!((verdict.verdict, verdict.findings.as_slice()), (Verdict::Pass, &[][..]));
    let quirks: Vec<_> = verdict.notes.iter().filter(|note| note.of_sdk).collect();
    assert_eq!(quirks.len(), 1, "{:#?}", verdict.notes);
    assert_has(&quirks[0].text, &["a quirk of the SDK of `shop`"]);
}

#[test]
fn a_stream_that_is_open_at_the_deadline_is_named_unless_it_began_before_the_story() {
    let open = |name: &str| {
        let verdict = judged(name, false);
        let notes = verdict.notes.into_iter().map(|note| note.text);
        notes.filter(|text| text.contains("had not ended at the deadline")).collect::<Vec<_>>()
    };
    assert_eq!(open("stream-from-before-the-story"), Vec::<String>::new());
    let hung = open("hung-node-alone");
    assert_eq!(hung.len(), 2, "{hung:?}");
    assert_has(&hung[1], &["POST /payments from `shop` to `bank`"]);
}

fn read(path: &Path) -> (Plan, Evidence) {
    let source = unbroken::scenario::read(path).expect("the scenario can be read");
    let cases = unbroken::scenario::parse(&source)
        .unwrap_or_else(|wrong| panic!("{}", unbroken::diagnostic::render(&source, &wrong, false)));
    let text =
        std::fs::read_to_string(path.with_extension("json")).expect("evidence stands beside its scenario");
    let kept = StoredEvidence::read(&text).expect("the evidence is well-formed");
    let scenario = cases.into_iter().find(|case| case.case == kept.case).expect("the evidence is of a case");
    let plan = Plan::build(
        Arc::new(scenario),
        path.parent().expect("a file stands in a folder").to_owned(),
        Seed(kept.seed),
    );
    let evidence = kept.evidence(&plan).expect("the evidence is of the scenario");
    (plan, evidence)
}

/// Returns the verdict, the findings and the gaps, a line each.
fn lines(verdict: &CaseVerdict) -> String {
    let mut lines = format!("{}\n", verdict.verdict.word());
    for finding in &verdict.findings {
        let grade = if finding.inconclusive { "inconclusive " } else { "" };
        let (class, side, hops) = (finding.class.word(), finding.side.word(), finding.hops.join(" and "));
        writeln!(lines, "{grade}{class} at {hops}, {side}, {} of {}", finding.hit, finding.of)
            .expect("text takes all");
    }
    for gap in &verdict.gaps {
        writeln!(lines, "not seen: {}", gap.what).expect("text takes all");
    }
    lines
}
