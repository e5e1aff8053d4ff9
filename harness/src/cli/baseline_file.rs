//! `--baseline` and `--write-baseline`: accepted findings, read before a run and written after it.

use std::path::{Path, PathBuf};

use super::arguments::Judging;
use super::{exit, print};
use crate::report::Outcome;
use crate::run::JudgeSettings;
use crate::verdict::baseline::{Accepted, Baseline, BaselineError};

/// Stands in a new entry until somebody writes why it is accepted.
const NO_REASON_YET: &str = "not looked at yet";

#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot read the baseline `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot use the baseline `{}`", path.display())]
    Baseline { path: PathBuf, source: BaselineError },
    #[error("cannot write the baseline `{}`", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

/// What a folder's accepted findings stand in, if nothing else is said.
const BESIDE: &str = "baseline.json";

/// How strictly to judge, or the exit status once it was said what is wrong. Without `--baseline`, the
/// `baseline.json`
/// of each folder among `paths` counts.
pub fn settings(judging: &Judging, paths: &[PathBuf]) -> Result<JudgeSettings, u8> {
    let beside = paths.iter().map(|path| path.join(BESIDE)).filter(|path| path.is_file());
    let files: Vec<PathBuf> = match &judging.baseline {
        Some(path) => vec![path.clone()],
        None => beside.collect(),
    };
    let baseline = all_of(&files).map_err(|error| {
        print::error(&error);
        exit::USAGE
    })?;
    if judging.strict_baseline && baseline.is_none() {
        print::problem(
            "error: `--strict-baseline` has no baseline to hold the run to: name one with `--baseline`, or a folder that \
             has a `baseline.json`",
        );
        return Err(exit::USAGE);
    }
    Ok(JudgeSettings { strict: judging.strict, baseline, strict_baseline: judging.strict_baseline })
}

fn all_of(files: &[PathBuf]) -> Result<Option<Baseline>, FileError> {
    let mut all: Option<Baseline> = None;
    for path in files {
        let read = read(path)?;
        all.get_or_insert_default().accepted.extend(read.accepted);
    }
    Ok(all)
}

fn read(path: &Path) -> Result<Baseline, FileError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    Baseline::read(&text).map_err(|source| FileError::Baseline { path: path.to_owned(), source })
}

/// What the baseline accepts and the run did not find any more, one line each.
pub fn fixed(baseline: Option<&Baseline>, outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    for case in outcome.cases.iter().filter_map(|case| case.judged()) {
        let gone =
            baseline.into_iter().flat_map(|known| known.fixed(&case.scenario, &case.case, &case.findings));
        for accepted in gone {
            let case = if case.case.is_empty() { String::new() } else { format!(" [{}]", case.case) };
            lines.push(format!("{}{case}: {} at {}", accepted.scenario, accepted.class, accepted.hop));
        }
    }
    lines.sort();
    lines.dedup();
    lines
}

/// Writes every finding of the run as accepted, with the reasons that are known. Whether it could be written.
pub fn write(judging: &Judging, outcome: &Outcome) -> bool {
    let Some(path) = &judging.write_baseline else { return true };
    let mut accepted: Vec<Accepted> = Vec::new();
    for case in outcome.cases.iter().filter_map(|case| case.judged()) {
        for finding in &case.findings {
            let reason = finding.known.as_deref().unwrap_or(NO_REASON_YET);
            let entry = Accepted::of(&case.scenario, &case.case, finding, reason);
            if !accepted.contains(&entry) {
                accepted.push(entry);
            }
        }
    }
    let written = std::fs::write(path, Baseline { accepted }.write());
    if let Err(source) = written {
        print::error(&FileError::Write { path: path.clone(), source });
        return false;
    }
    true
}
