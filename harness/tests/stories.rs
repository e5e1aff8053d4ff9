//! Worked examples of how a break is named: each story healthy gives nothing, and with its fault exactly the
//! finding that its file says, with nothing beside it.
//!
//! `tests/stories/*.yaml` are ordinary scenarios; their leading `# expect:` lines are what is compared.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use unbroken::plan::{Plan, Seed};
use unbroken::rules::Finding;
use unbroken::run::{CaseOptions, case, kept_apart};
use unbroken::runtime::RuntimeKind;
use unbroken::verdict::{CaseEnd, CaseVerdict, Verdict};

mod dump;

static DUMP: dump::Dump = dump::Dump::new("stories");

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let entries = std::fs::read_dir(&folder).expect("the stories stand beside this test");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let cases = files.iter().map(|path| name(path)).collect();
    let trial = |path: PathBuf| Trial::test(name(&path), move || story(&path));
    let conclusion = libtest_mimic::run(&arguments, files.into_iter().map(trial).collect());
    unbroken::testing::runtime::end();
    DUMP.end(&cases).expect("the dump of findings has the cases of this program");
    conclusion.exit_code()
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn story(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let expected: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# expect: ")).collect();
    let verdict = judged(path)?;
    if !verdict.gaps.is_empty() {
        return Err(format!("gaps: {:#?}", verdict.gaps).into());
    }
    DUMP.compare(&name(path), &verdict.findings)?;
    if expected == ["nothing"] {
        let fine = verdict.findings.is_empty() && verdict.verdict == Verdict::Pass;
        return if fine { Ok(()) } else { Err(format!("{:#?}", verdict.findings).into()) };
    }
    if verdict.findings.len() != expected.len() {
        return Err(format!(
            "{} findings instead of {}: {:#?}",
            verdict.findings.len(),
            expected.len(),
            verdict.findings
        )
        .into());
    }
    for (finding, expected) in verdict.findings.iter().zip(expected) {
        compare(finding, expected)?;
    }
    Ok(())
}

fn judged(path: &Path) -> Result<CaseVerdict, Failed> {
    let source = unbroken::scenario::read(path)?;
    let cases = unbroken::scenario::parse(&source)
        .map_err(|wrong| Failed::from(unbroken::diagnostic::render(&source, &wrong, false)))?;
    let mut scenario = cases.into_iter().next().expect("a file that parses has a case");
    let folder = path.parent().expect("a file stands in a folder").to_owned();
    let mut options = CaseOptions::default();
    options.runtime.relay = vec![OsString::from(env!("CARGO_BIN_EXE_unbroken"))];
    options.runtime.brokers = unbroken::testing::brokers::stand_ins();
    unbroken::testing::runtime::choose(&mut options.runtime)?;
    if options.runtime.kind == RuntimeKind::Container {
        // Real brokers and all containers of the run share the machine.
        scenario.timeout *= 4;
    }
    let plan = Plan::build(kept_apart(Arc::new(scenario), &options.runtime), folder, Seed(11));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let plan = Arc::new(plan);
    let run = runtime.block_on(case(plan.clone(), &options));
    dump::keep(&name(path), source.text(), &plan, run.evidence.as_ref());
    match run.end {
        CaseEnd::Judged(verdict) => Ok(*verdict),
        CaseEnd::CouldNotRun(problem) => Err(format!("{problem:#?}").into()),
    }
}

/// Compares a finding with `[inconclusive ]CLASS at HOP, SIDE, N of M[, naming TEXT][, missing TEXT][, inside TEXT]`.
fn compare(finding: &Finding, expected: &str) -> Result<(), Failed> {
    let (head, tail) = match expected.split_once(", naming ").or_else(|| expected.split_once(", missing ")) {
        Some((head, tail)) => (head, Some(tail)),
        None => (expected, None),
    };
    let (head, inside) = match head.split_once(", inside ") {
        Some((head, inside)) => (head, Some(inside)),
        None => (head, None),
    };
    let (text, inside) = match tail.and_then(|tail| tail.split_once(", inside ")) {
        Some((text, inside)) => (Some(text), Some(inside)),
        None => (tail, inside),
    };
    let grade = if finding.inconclusive { "inconclusive " } else { "" };
    let (class, side) = (finding.class.word(), finding.side.word());
    let actual = format!(
        "{grade}{class} at {}, {side}, {} of {}",
        finding.hops.join(" and "),
        finding.hit,
        finding.of
    );
    let words = format!("{} {}", finding.message, finding.missing_witness.clone().unwrap_or_default());
    let named = text.is_none_or(|text| words.contains(text));
    let inside = inside.is_none_or(|text| finding.inside.iter().any(|line| line.contains(text)));
    if actual == head && named && inside {
        return Ok(());
    }
    Err(format!("expected {expected}\nactual   {actual}\n{finding:#?}").into())
}
