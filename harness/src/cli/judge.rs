//! `unbroken judge`: kept evidence judged again, without running anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::arguments::Judge;
use super::{baseline_file, exit, print, selection, tell};
use crate::evidence::Evidence;
use crate::evidence::file::{EvidenceError, StoredEvidence};
use crate::plan::{Plan, Seed};
use crate::progress::Progress;
use crate::report::Outcome;
use crate::run::Chosen;
use crate::run::judge::judge as judge_case;
use crate::verdict::CaseEnd;

pub fn judge(arguments: &Judge) -> u8 {
    let read = selection::read(&arguments.scenario);
    let (cases, settings) = match (read, baseline_file::settings(&arguments.judging, &[])) {
        (Ok(cases), Ok(settings)) => (cases, settings),
        (Err(status), _) | (_, Err(status)) => return status,
    };
    let text = match std::fs::read_to_string(&arguments.evidence) {
        Ok(text) => text,
        Err(error) => {
            print::problem(&format!("error: cannot read `{}`: {error}", arguments.evidence.display()));
            return exit::USAGE;
        }
    };
    let (plan, evidence) = match read_evidence(&cases, &arguments.evidence, &text) {
        Ok(read) => read,
        Err(error) => {
            print::error(&error);
            return exit::USAGE;
        }
    };
    let verdict = judge_case(&plan, &evidence, &settings);
    let mut outcome = Outcome::default();
    let (title, file) = (plan.scenario.title(), plan.scenario.source.name().to_owned());
    let (end, took) = (CaseEnd::Judged(Box::new(verdict)), Duration::ZERO);
    outcome.take(&Progress::RunStarted { cases: 1, repeats: 1, seed: plan.seed.0 });
    outcome.take(&Progress::CaseEnded { title, file, repeat: 1, end, took });
    outcome.take(&Progress::RunEnded { took });
    let written = baseline_file::write(&arguments.judging, &outcome);
    let status = tell::tell(&outcome, &arguments.report, arguments.verbose, written);
    // The process ends: giving back millions of small pieces of memory one by one would only take time.
    std::mem::forget((plan, evidence, text));
    status
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("`{}` cannot be judged", path.display())]
    Evidence { path: PathBuf, source: EvidenceError },
    #[error("`{}` is of `{scenario}` [{case}], and the scenario file has no such case", path.display())]
    NoSuchCase { path: PathBuf, scenario: String, case: String },
}

/// The evidence, and the plan of the case that it is of.
fn read_evidence(cases: &[Chosen], path: &Path, text: &str) -> Result<(Plan, Evidence), ReadError> {
    let unreadable = |source| ReadError::Evidence { path: path.to_owned(), source };
    let kept = StoredEvidence::read(text).map_err(unreadable)?;
    let of =
        |chosen: &&Chosen| (&chosen.scenario.name, &chosen.scenario.case) == (&kept.scenario, &kept.case);
    let Some(chosen) = cases.iter().find(of) else {
        let path = path.to_owned();
        return Err(ReadError::NoSuchCase { path, scenario: kept.scenario, case: kept.case });
    };
    let scenario = Arc::new(kept.scenario(&chosen.scenario).map_err(unreadable)?);
    let plan = Plan::build(scenario, chosen.folder.clone(), Seed(kept.seed));
    let evidence = kept.evidence(&plan).map_err(unreadable)?;
    // As in `judge`: the process ends soon.
    std::mem::forget(kept);
    Ok((plan, evidence))
}
