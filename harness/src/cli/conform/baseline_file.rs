//! `--baseline` and `--write-baseline` of `unbroken conform`: accepted deviations, read before a run and written after.

use std::path::Path;

use super::ConformArguments;
use crate::cli::baseline_file::{FileError, NO_REASON_YET, today};
use crate::cli::{exit, print};
use crate::conform::baseline::{ConformanceBaseline, ConformanceBaselineError};
use crate::conform::{Results, Suite};
use crate::input_file;

type DeviationsError = FileError<ConformanceBaselineError>;

/// Returns the baseline of the command line, or the exit status after it has printed the problem.
pub fn of(arguments: &ConformArguments, suites: &[Suite]) -> Result<ConformanceBaseline, u8> {
    let Some(path) = &arguments.baseline else {
        if arguments.strict_baseline {
            print::problem("error: `--strict-baseline` needs a baseline: name one with `--baseline`");
            return Err(exit::USAGE);
        }
        return Ok(ConformanceBaseline::default());
    };
    let mut baseline = read(path, suites).map_err(|error| {
        print::error(&error);
        exit::USAGE
    })?;
    for expired in baseline.take_expired(&today()) {
        print::problem(&format!(
            "note: an entry of the baseline `{}` has expired on {}: {} of {}",
            path.display(),
            expired.until.unwrap_or_default(),
            expired.kind,
            expired.requirement
        ));
    }
    Ok(baseline)
}

fn read(path: &Path, suites: &[Suite]) -> Result<ConformanceBaseline, DeviationsError> {
    let text = input_file::read(path, input_file::BASELINE_BYTES)
        .map_err(|source| DeviationsError::Read { path: path.to_owned(), source })?;
    ConformanceBaseline::read(&text, suites)
        .map_err(|source| DeviationsError::Baseline { path: path.to_owned(), source })
}

/// Writes every deviation of the run as accepted; an entry of `known` that accepts it keeps its reason. Returns whether
/// that succeeded.
pub fn write(arguments: &ConformArguments, known: &ConformanceBaseline, results: &Results) -> bool {
    let Some(path) = &arguments.write_baseline else { return true };
    let baseline = ConformanceBaseline::of(results, known, NO_REASON_YET);
    match std::fs::write(path, baseline.write()) {
        Ok(()) => true,
        Err(source) => {
            print::error(&DeviationsError::Write { path: path.clone(), source });
            false
        }
    }
}
