//! `unbroken judge`: kept evidence judged again, without running anything.

use std::sync::Arc;
use std::time::Duration;

use super::arguments::Judge;
use super::{baseline_file, exit, print, selection, tell};
use crate::evidence::Evidence;
use crate::evidence::file::{EvidenceError, Kept};
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
    let (plan, evidence) = match read_evidence(&cases, &text) {
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
    #[error("the evidence cannot be judged")]
    Evidence(#[from] EvidenceError),
    #[error("the evidence is of `{scenario}` [{case}], and the scenario file has no such case")]
    NoSuchCase { scenario: String, case: String },
}

/// The evidence, and the plan of the case that it is of.
fn read_evidence(cases: &[Chosen], text: &str) -> Result<(Plan, Evidence), ReadError> {
    let kept = Kept::read(text)?;
    let of =
        |chosen: &&Chosen| (&chosen.scenario.name, &chosen.scenario.case) == (&kept.scenario, &kept.case);
    let Some(chosen) = cases.iter().find(of) else {
        return Err(ReadError::NoSuchCase { scenario: kept.scenario, case: kept.case });
    };
    let scenario = Arc::new(kept.scenario(&chosen.scenario)?);
    let plan = Plan::build(scenario, chosen.folder.clone(), Seed(kept.seed));
    let evidence = kept.evidence(&plan)?;
    // As in `judge`: the process ends soon.
    std::mem::forget(kept);
    Ok((plan, evidence))
}
