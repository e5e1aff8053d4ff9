//! `unbroken judge`: judges kept evidence again without running anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::arguments::JudgeArguments;
use super::{baseline_file, exit, finish, print, report_file, selection};
use crate::evidence::Evidence;
use crate::evidence::file::{EvidenceError, StoredEvidence};
use crate::input_file;
use crate::plan::{Plan, Seed};
use crate::progress::Progress;
use crate::report::Outcome;
use crate::run::SelectedCase;
use crate::run::judge::judge as judge_case;
use crate::verdict::CaseEnd;

pub fn judge(arguments: &JudgeArguments) -> u8 {
    let own = arguments.judging.write_baseline.as_slice();
    if let Err(error) = report_file::check_distinct(&arguments.report, own) {
        print::error(&error);
        return exit::USAGE;
    }
    let read = selection::read(&arguments.scenario);
    let (cases, settings) = match (read, baseline_file::settings(&arguments.judging, &[])) {
        (Ok(cases), Ok(settings)) => (cases, settings),
        (Err(status), _) | (_, Err(status)) => return status,
    };
    let text = match input_file::read(&arguments.evidence, input_file::EVIDENCE_BYTES) {
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
    let software = Vec::new();
    outcome.take(&Progress::CaseEnded { title, file, repeat: 1, end, took, software });
    outcome.take(&Progress::RunEnded { took });
    let written = baseline_file::write(&arguments.judging, settings.baseline.as_ref(), &outcome);
    let status = finish::finish(&outcome, &arguments.report, arguments.verbose, written);
    // The process ends: freeing millions of small allocations one by one would only take time.
    std::mem::forget((plan, evidence, text));
    status
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("cannot judge `{}`", path.display())]
    Evidence { path: PathBuf, source: EvidenceError },
    #[error("`{}` belongs to `{scenario}` [{case}], which is not a case of the scenario file", path.display())]
    NoSuchCase { path: PathBuf, scenario: String, case: String },
}

impl ReadError {
    fn evidence(path: &Path, source: EvidenceError) -> ReadError {
        ReadError::Evidence { path: path.to_owned(), source }
    }
}

/// Returns the evidence and the plan of its case.
fn read_evidence(cases: &[SelectedCase], path: &Path, text: &str) -> Result<(Plan, Evidence), ReadError> {
    let kept = StoredEvidence::read(text).map_err(|source| ReadError::evidence(path, source))?;
    let case =
        cases.iter().find(|case| (&case.scenario.name, &case.scenario.case) == (&kept.scenario, &kept.case));
    let Some(case) = case else {
        let path = path.to_owned();
        return Err(ReadError::NoSuchCase { path, scenario: kept.scenario, case: kept.case });
    };
    let scenario = kept.scenario(&case.scenario).map_err(|source| ReadError::evidence(path, source))?;
    let plan = Plan::build(Arc::new(scenario), case.folder.clone(), Seed(kept.seed));
    let evidence = kept.evidence(&plan).map_err(|source| ReadError::evidence(path, source))?;
    // The process ends soon, as in `judge`.
    std::mem::forget(kept);
    Ok((plan, evidence))
}
