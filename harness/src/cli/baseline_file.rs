//! `--baseline` and `--write-baseline`: accepted findings, read before a run and written after it.

use std::path::{Path, PathBuf};

use super::arguments::JudgingArguments;
use super::{exit, print};
use crate::input_file;
use crate::report::Outcome;
use crate::run::{JudgeSettings, selection};
use crate::verdict::baseline::{Acceptance, AcceptedFinding, Baseline, BaselineError, outdated_notice};

/// The reason in a new entry until somebody writes why the finding or the deviation is accepted.
pub const NO_REASON_YET: &str = "not reviewed yet";

/// A baseline file that cannot be used or written; `E` says what is wrong about its content.
#[derive(Debug, thiserror::Error)]
pub enum FileError<E: std::error::Error + 'static> {
    #[error("cannot read the baseline `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot use the baseline `{}`", path.display())]
    Baseline { path: PathBuf, source: E },
    #[error("cannot write the baseline `{}`", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

pub type FindingsError = FileError<BaselineError>;

/// Returns the settings for judging, or the exit status after it has printed the problem. Without `--baseline`, the
/// `baseline.json` of each folder among `paths` counts, and of the folders in it.
pub fn settings(judging: &JudgingArguments, paths: &[PathBuf]) -> Result<JudgeSettings, u8> {
    let files: Vec<PathBuf> = match &judging.baseline {
        Some(path) => vec![path.clone()],
        None => paths.iter().flat_map(|path| selection::baselines(path)).collect(),
    };
    let baseline = read_all(&files).map_err(|error| {
        print::error(&error);
        exit::USAGE
    })?;
    if judging.strict_baseline && baseline.is_none() {
        print::problem(
            "error: `--strict-baseline` needs a baseline: name one with `--baseline`, or run a folder that has a \
             `baseline.json`",
        );
        return Err(exit::USAGE);
    }
    Ok(JudgeSettings { strict: judging.strict, baseline, strict_baseline: judging.strict_baseline })
}

fn read_all(files: &[PathBuf]) -> Result<Option<Baseline>, FindingsError> {
    let mut all: Option<Baseline> = None;
    for path in files {
        let baseline = read(path)?;
        all.get_or_insert_default().extend(baseline);
    }
    Ok(all)
}

/// Returns the day in UTC: `2026-11-30`.
pub fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

pub fn read(path: &Path) -> Result<Baseline, FindingsError> {
    let text = input_file::read(path, input_file::BASELINE_BYTES)
        .map_err(|source| FindingsError::Read { path: path.to_owned(), source })?;
    let mut baseline =
        Baseline::read(&text).map_err(|source| FindingsError::Baseline { path: path.to_owned(), source })?;
    for expired in baseline.expire(&today()) {
        print::problem(&format!(
            "note: an entry of the baseline `{}` has expired on {}: {} at {} of {}",
            path.display(),
            expired.until.as_deref().unwrap_or_default(),
            expired.class,
            expired.hop,
            expired.scenario
        ));
    }
    if baseline.is_outdated() {
        print::problem(&outdated_notice(path));
    }
    Ok(baseline)
}

/// Returns the accepted findings that the run did not find any more, one line each.
pub fn fixed(baseline: Option<&Baseline>, outcome: &Outcome) -> Vec<String> {
    let Some(baseline) = baseline else { return Vec::new() };
    let mut lines = Vec::new();
    for case in outcome.cases.iter().filter_map(|case| case.judged()) {
        let title = if case.case.is_empty() { String::new() } else { format!(" [{}]", case.case) };
        for accepted in baseline.fixed(&case.scenario, &case.case, &case.findings, &case.hops) {
            lines.push(format!("{}{title}: {} at {}", accepted.scenario, accepted.class, accepted.hop));
        }
    }
    lines.sort();
    lines.dedup();
    lines
}

/// Writes every finding of the run as accepted; an entry of `known` that accepts it stays as it is, with its reason and
/// its last day. Returns whether that succeeded.
pub fn write(judging: &JudgingArguments, known: Option<&Baseline>, outcome: &Outcome) -> bool {
    let Some(path) = &judging.write_baseline else { return true };
    let accepted = accepted(known, outcome);
    match std::fs::write(path, Baseline { accepted, expired: Vec::new() }.write()) {
        Ok(()) => true,
        Err(source) => {
            print::error(&FindingsError::Write { path: path.clone(), source });
            false
        }
    }
}

fn accepted(known: Option<&Baseline>, outcome: &Outcome) -> Vec<AcceptedFinding> {
    let mut accepted: Vec<AcceptedFinding> = Vec::new();
    for case in outcome.cases.iter().filter_map(|case| case.judged()) {
        for finding in &case.findings {
            let entry = match known.map(|known| known.acceptance(&case.scenario, &case.case, finding)) {
                Some(Acceptance::Known(entry)) if entry.fields.is_some() => entry.clone(),
                _ => {
                    let reason = finding.known.as_deref().unwrap_or(NO_REASON_YET);
                    AcceptedFinding::of(&case.scenario, &case.case, finding, reason)
                }
            };
            match accepted.iter_mut().find(|earlier| earlier.is_of_the_same(&entry)) {
                Some(earlier) => earlier.widen(entry),
                None => accepted.push(entry),
            }
        }
    }
    accepted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::rules::Finding;
    use crate::verdict::CaseVerdict;

    #[test]
    fn a_further_field_or_crossing_is_worse_and_fewer_are_known() {
        let owned = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect();
        let both = owned(&["baggage", "tracestate"]);
        let found = Finding { fields: both, hit: 3, ..samples::tracestate_lost() };
        let accepted = AcceptedFinding::of("s", "", &found, "reason");
        let baseline = Baseline { accepted: vec![accepted.clone()], expired: Vec::new() };
        let of = |fields: &[&str], hit| {
            let finding = Finding { fields: owned(fields), hit, ..found.clone() };
            match baseline.acceptance("s", "", &finding) {
                Acceptance::New => "new",
                Acceptance::Known(_) => "known",
                Acceptance::Worse(_) => "worse",
            }
        };
        assert_eq!(of(&["baggage", "tracestate"], 3), "known");
        assert_eq!(of(&["baggage"], 1), "known");
        assert_eq!(of(&["baggage", "traceparent"], 3), "worse");
        assert_eq!(of(&["baggage"], 4), "worse");
        assert_eq!(baseline.acceptance("other", "", &found), Acceptance::New);
        let findings = [Finding { hit: 9, ..found.clone() }];
        assert_eq!(baseline.fixed("s", "", &findings, &[]).count(), 0, "what got worse is not fixed");
        assert_eq!(baseline.fixed("s", "", &[], &[]).count(), 1);
    }

    #[test]
    fn an_accepted_entry_is_written_as_it_stands_and_repeats_are_one_entry() {
        let mut outcome = samples::one_break();
        let judged = outcome.cases[0].judged().expect("a judged case").clone();
        let finding = judged.findings[0].clone();
        let kept = AcceptedFinding {
            count: None,
            until: Some("2027-01-31".into()),
            ..AcceptedFinding::of(&judged.scenario, &judged.case, &finding, "upstream #12")
        };
        let known = Baseline { accepted: vec![kept.clone()], expired: Vec::new() };
        assert_eq!(accepted(Some(&known), &outcome), [kept]);
        let more = Finding { hit: finding.hit + 1, ..finding.clone() };
        let again = CaseVerdict { findings: vec![more.clone()], ..judged.clone() };
        outcome.cases.push(samples::case(again));
        let both = AcceptedFinding::of(&judged.scenario, &judged.case, &more, NO_REASON_YET);
        assert_eq!(accepted(None, &outcome), [both]);
    }
}
