//! Kept evidence beside its verdict: `tests/judged/NAME.json` was seen in a run of `NAME.yaml`, and `NAME.txt` is what
//! must be said of it.
//!
//! For what a story with relays cannot show: services that are instrumented in other ways, and what they do beside it.
//! `UPDATE_EXPECT=1` rewrites the verdicts.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use unbroken::evidence::file::StoredEvidence;
use unbroken::evidence::{Completion, Evidence};
use unbroken::plan::{Plan, Seed};
use unbroken::run::judge::{JudgeSettings, judge};
use unbroken::verdict::CaseVerdict;

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
    let told = told(&verdict);
    let beside = scenario.with_extension("txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&beside, &told).expect("the folder can be written to");
    }
    let wanted = std::fs::read_to_string(&beside).unwrap_or_default();
    assert_eq!(told, wanted, "{}", scenario.display());
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
    let told = notes(&evidence);
    assert!(!told.is_empty() && told.iter().all(|note| note.contains(why)), "{told:?}");
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

/// The verdict, the findings and the gaps, a line each.
fn told(verdict: &CaseVerdict) -> String {
    let mut told = format!("{}\n", verdict.verdict.word());
    for finding in &verdict.findings {
        let grade = if finding.inconclusive { "inconclusive " } else { "" };
        let (class, side, hops) = (finding.class.word(), finding.side.word(), finding.hops.join(" and "));
        writeln!(told, "{grade}{class} at {hops}, {side}, {} of {}", finding.hit, finding.of)
            .expect("text takes all");
    }
    for gap in &verdict.gaps {
        writeln!(told, "not seen: {}", gap.what).expect("text takes all");
    }
    told
}
