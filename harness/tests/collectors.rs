//! Collectors in the path: the shipped scenarios pass, and each configuration that is wrong on purpose is named.
//!
//! `tests/collectors/*.yaml` are scenarios beside the configurations that they use; their leading
//! `# expect: CLASS NODE` lines are what is compared. A machine without a Collector skips all of it with one line,
//! unless `UNBROKEN_REQUIRE_COLLECTORS` is set.

#![allow(clippy::print_stdout, reason = "what is skipped is printed")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use unbroken::evidence::Evidence;
use unbroken::evidence::file::{StoredEvidence, write};
use unbroken::plan::{Plan, Seed};
use unbroken::run::judge::judge;
use unbroken::run::{CaseOptions, JudgeSettings, case, selection};
use unbroken::runtime::{RuntimeKind, find_collector};
use unbroken::verdict::{CaseEnd, CaseVerdict, Verdict};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var_os("UNBROKEN_REQUIRE_COLLECTORS").is_some_and(|value| !value.is_empty());
    if find_collector().is_none() && !required {
        println!("skipped: no OpenTelemetry Collector in PATH; fixtures/collector/install builds one");
        return libtest_mimic::run(&arguments, Vec::new()).exit_code();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut trials = Vec::new();
    for (folder, is_shipped) in
        [(root.join("../scenarios/collectors"), true), (root.join("tests/collectors"), false)]
    {
        for file in selection::files(&folder).expect("the folder of scenarios") {
            let cases = selection::cases(&file).expect("a scenario that parses");
            for selected in cases {
                let (file, title) = (file.clone(), selected.scenario.title());
                trials.push(Trial::test(title, move || check(&file, selected, is_shipped)));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn check(file: &PathBuf, selected: unbroken::run::SelectedCase, is_shipped: bool) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let expected: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# expect: ")).collect();
    let mut options = CaseOptions::default();
    options.runtime.kind = RuntimeKind::Embedded;
    options.runtime.relay = vec![OsString::from(env!("CARGO_BIN_EXE_unbroken"))];
    let plan = Arc::new(Plan::build(selected.scenario, selected.folder, Seed(11)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let run = runtime.block_on(case(plan.clone(), &options));
    let (verdict, evidence) = match (run.end, run.evidence) {
        (CaseEnd::Judged(verdict), Some(evidence)) => (*verdict, evidence),
        (CaseEnd::CouldNotRun(error), _) if expected == ["could not run"] => {
            let named = error.lines.iter().any(|line| line.contains("misspelt"));
            return if named { Ok(()) } else { Err(format!("{error:#?}").into()) };
        }
        (end, _) => return Err(format!("{end:#?}").into()),
    };
    if verdict.gaps.is_empty() == expected.contains(&"gap") {
        return Err(format!("gaps: {:#?}\n{:#?}", verdict.gaps, run.logs).into());
    }
    let findings: Vec<String> = verdict.findings.iter().map(short).collect();
    let expected: Vec<&str> = expected.into_iter().filter(|line| *line != "gap").collect();
    if findings != expected {
        return Err(format!("expected {expected:?}: {:#?}", verdict.findings).into());
    }
    if is_shipped && verdict.verdict != Verdict::Pass {
        return Err(format!("{:?}: {:#?}", verdict.verdict, verdict.rules).into());
    }
    if verdict.hops.iter().any(|hop| hop.verdict != Verdict::Pass) {
        return Err(format!("a collector broke propagation: {:#?}", verdict.hops).into());
    }
    judges_alike_again(&plan, &evidence, &verdict)
}

/// Returns `[inconclusive ]CLASS NODE`.
fn short(finding: &unbroken::rules::Finding) -> String {
    let grade = if finding.inconclusive { "inconclusive " } else { "" };
    format!("{grade}{} {}", finding.class.word(), finding.node.as_deref().unwrap_or_default())
}

/// Checks that the evidence file holds what the verdict was made of.
fn judges_alike_again(plan: &Plan, evidence: &Evidence, verdict: &CaseVerdict) -> Result<(), Failed> {
    let text = write(plan, evidence);
    let read = StoredEvidence::read(&text)?.evidence(plan)?;
    let again = judge(plan, &read, &JudgeSettings::default());
    if again.findings != verdict.findings {
        return Err(format!("judged again: {:#?}", again.findings).into());
    }
    Ok(())
}
