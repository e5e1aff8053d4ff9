//! The outcome of a run: every case that ended, gathered from `Progress`.
//!
//! It does not judge. Of the verdicts it works out the worst.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::phrase;
use crate::progress::Progress;
use crate::rules::Finding;
use crate::verdict::{CaseEnd, CaseError, CaseVerdict, NodeSoftware, Verdict};

/// Everything that the reports of a run show.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The number of cases that were selected. Each ends `repeats` times.
    pub due: usize,
    pub repeats: u32,
    pub seed: u64,
    /// Sorted by file, title and repeat once the run has ended, so that two runs read alike.
    pub cases: Vec<Case>,
    pub interrupted: bool,
    /// The run has not ended: the outcome is partial.
    pub under_way: bool,
    pub took: Duration,
    /// The options of the command, or variables of `cargo test`, that change how a case ends, as single words: a
    /// command that repeats the case includes them.
    pub with: Arc<[String]>,
    /// `2/4`, where the run is one of several shards.
    pub shard: Option<String>,
    /// Accepted findings that no longer occur, one line each.
    pub fixed: Vec<String>,
    /// Problems of the command line that change no verdict, such as a fault that broke nothing.
    pub warnings: Vec<String>,
}

/// One case that ended.
#[derive(Clone, Debug)]
pub struct Case {
    pub title: String,
    /// The scenario file as the command line names it.
    pub file: String,
    /// Counts from 1.
    pub repeat: u32,
    pub end: CaseEnd,
    pub took: Duration,
    /// The programs of its nodes, as far as they are known.
    pub software: Vec<NodeSoftware>,
    /// As in `Outcome`.
    pub with: Arc<[String]>,
}

impl Outcome {
    /// Adds one thing that happened.
    pub fn take(&mut self, progress: &Progress) {
        match progress {
            Progress::RunStarted { cases, repeats, seed } => {
                (self.due, self.repeats, self.seed) = (*cases, *repeats, *seed);
                self.under_way = true;
            }
            Progress::CaseStarted { .. } | Progress::CaseWaits { .. } => {}
            Progress::CaseEnded { title, file, repeat, end, took, software } => self.cases.push(Case {
                title: title.clone(),
                file: file.clone(),
                repeat: *repeat,
                end: end.clone(),
                took: *took,
                software: software.clone(),
                with: self.with.clone(),
            }),
            Progress::Interrupted => self.interrupted = true,
            Progress::RunEnded { took } => {
                self.took = *took;
                self.under_way = false;
                self.cases.sort_by(|a, b| (&a.file, &a.title, a.repeat).cmp(&(&b.file, &b.title, b.repeat)));
            }
        }
    }

    /// Returns the worst verdict. An interrupted or partial run is inconclusive at best.
    pub fn verdict(&self) -> Verdict {
        let floor = if self.interrupted || self.under_way { Verdict::Inconclusive } else { Verdict::Pass };
        self.cases.iter().fold(floor, |worst, case| worst.and(case.verdict()))
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        self.cases.iter().filter(|case| case.verdict() == verdict).count()
    }

    /// Returns the results that occurred with the number of cases of each, such as `2 fail`, the worst first.
    pub fn counts(&self) -> Vec<(CaseResult, usize)> {
        let mut counts = Vec::new();
        for result in CaseResult::ALL {
            let number = self.cases.iter().filter(|case| case.result() == result).count();
            if number > 0 {
                counts.push((result, number));
            }
        }
        counts
    }

    /// Returns how many cases are to end, repeats included.
    pub fn total(&self) -> usize {
        self.due.saturating_mul(self.repeats.max(1) as usize)
    }

    /// Returns the repeats of each case, in the order of the cases.
    pub fn groups(&self) -> Vec<Vec<&Case>> {
        let mut groups: Vec<Vec<&Case>> = Vec::new();
        let mut at = HashMap::new();
        for case in &self.cases {
            let group = *at.entry((&case.file, &case.title)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(case);
        }
        groups
    }
}

/// Cases that could not run for one reason.
#[derive(Debug)]
pub struct SharedError<'a> {
    /// Without the name of the node, which may differ from case to case.
    pub message: &'a str,
    pub caused_by: &'a [String],
    /// The repeats of each case.
    pub groups: Vec<&'a [&'a Case]>,
}

impl<'a> SharedError<'a> {
    /// Returns the errors that at least two of the cases share, in the order of the cases.
    pub fn find(groups: &'a [Vec<&'a Case>]) -> Vec<SharedError<'a>> {
        let mut errors: Vec<SharedError<'a>> = Vec::new();
        for group in groups {
            let Some(error) = group.iter().find_map(|case| case.error()) else { continue };
            if group.iter().any(|case| case.judged().is_some()) {
                continue;
            }
            let (message, caused_by) = (without_node(&error.message), error.caused_by.as_slice());
            let known =
                errors.iter_mut().find(|known| known.message == message && known.caused_by == caused_by);
            match known {
                Some(known) => known.groups.push(group),
                None => errors.push(SharedError { message, caused_by, groups: vec![group] }),
            }
        }
        errors.retain(|error| error.groups.len() > 1);
        errors
    }

    /// Returns whether the error is that of these repeats of a case.
    pub fn includes(&self, group: &[&Case]) -> bool {
        self.groups.iter().any(|own| std::ptr::eq(own[0], group[0]))
    }

    /// Returns the titles of the cases.
    pub fn titles(&self) -> Vec<String> {
        self.groups.iter().map(|group| group[0].title.clone()).collect()
    }
}

/// Returns the message without ``node `shop`: `` at its start.
fn without_node(message: &str) -> &str {
    let rest = message.strip_prefix("node `").or_else(|| message.strip_prefix("broker `"));
    rest.and_then(|rest| rest.split_once("`: ")).map_or(message, |(_, rest)| rest)
}

/// The result of a case in the one word that every report uses for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseResult {
    Fail,
    Inconclusive,
    CouldNotRun,
    Pass,
}

impl CaseResult {
    const ALL: [CaseResult; 4] =
        [CaseResult::Fail, CaseResult::Inconclusive, CaseResult::CouldNotRun, CaseResult::Pass];

    pub fn word(self) -> &'static str {
        match self {
            CaseResult::Fail => "fail",
            CaseResult::Inconclusive => "inconclusive",
            CaseResult::CouldNotRun => "could not run",
            CaseResult::Pass => "pass",
        }
    }
}

impl Case {
    pub fn result(&self) -> CaseResult {
        match (&self.end, self.verdict()) {
            (CaseEnd::CouldNotRun(_), _) => CaseResult::CouldNotRun,
            (CaseEnd::Judged(_), Verdict::Pass) => CaseResult::Pass,
            (CaseEnd::Judged(_), Verdict::Inconclusive) => CaseResult::Inconclusive,
            (CaseEnd::Judged(_), Verdict::Fail) => CaseResult::Fail,
        }
    }

    /// Returns why the case could not run.
    pub fn error(&self) -> Option<&CaseError> {
        match &self.end {
            CaseEnd::CouldNotRun(error) => Some(error),
            CaseEnd::Judged(_) => None,
        }
    }

    pub fn verdict(&self) -> Verdict {
        self.end.verdict()
    }

    pub fn judged(&self) -> Option<&CaseVerdict> {
        match &self.end {
            CaseEnd::Judged(case) => Some(case),
            CaseEnd::CouldNotRun(_) => None,
        }
    }

    /// Returns why the case did not pass, the most important reason first. It is empty for a pass.
    pub fn why(&self) -> Vec<String> {
        let judged = match &self.end {
            // The message says what could not be done, and the first cause often says why.
            CaseEnd::CouldNotRun(error) => {
                let cause = error.caused_by.first().map(|cause| format!(": {cause}")).unwrap_or_default();
                return vec![format!("{}{cause}", error.message)];
            }
            CaseEnd::Judged(judged) if judged.verdict == Verdict::Pass => return Vec::new(),
            CaseEnd::Judged(judged) => judged,
        };
        let mut why: Vec<String> = self.new_findings().map(phrase::brief).collect();
        why.extend(judged.gaps.iter().map(|gap| gap.what.clone()));
        if why.is_empty() {
            // Such as a baseline that accepts a finding that no longer occurs.
            why.extend(judged.notes.iter().map(|note| note.text.clone()));
        }
        why
    }

    /// Returns the findings that no baseline accepts.
    pub fn new_findings(&self) -> impl Iterator<Item = &Finding> {
        self.judged().into_iter().flat_map(|case| &case.findings).filter(|finding| finding.known.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn an_outcome_gathers_the_cases_that_end() {
        let sample = samples::mixed();
        let mut outcome = Outcome::default();
        outcome.take(&Progress::RunStarted { cases: 4, repeats: 1, seed: 7 });
        for case in sample.cases.iter().rev() {
            let Case { title, file, repeat, end, took, software, .. } = case.clone();
            outcome.take(&Progress::CaseStarted { title: title.clone() });
            outcome.take(&Progress::CaseEnded { title, file, repeat, end, took, software });
        }
        assert_eq!(outcome.verdict(), Verdict::Fail);
        assert!(outcome.under_way);
        outcome.take(&Progress::RunEnded { took: Duration::from_secs(1) });
        let titles: Vec<_> = outcome.cases.iter().map(|case| case.title.as_str()).collect();
        assert!(titles.is_sorted(), "{titles:?}");
        assert_eq!((outcome.due, outcome.seed, outcome.took), (4, 7, Duration::from_secs(1)));
        assert!(!outcome.under_way);
        let counts = [(CaseResult::Fail, 1), (CaseResult::CouldNotRun, 1), (CaseResult::Pass, 1)];
        assert_eq!(outcome.counts(), counts);
    }

    #[test]
    fn a_run_that_is_interrupted_or_under_way_never_passes() {
        let mut outcome = samples::all_pass();
        assert_eq!(outcome.verdict(), Verdict::Pass);
        outcome.take(&Progress::Interrupted);
        assert_eq!(outcome.verdict(), Verdict::Inconclusive);
        let partial = Outcome { under_way: true, ..samples::all_pass() };
        assert_eq!(partial.verdict(), Verdict::Inconclusive);
    }

    #[test]
    fn repeats_of_a_case_stand_side_by_side() {
        let sizes = |outcome: Outcome| outcome.groups().iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(samples::repeated()), [3]);
        assert_eq!(sizes(samples::mixed()), [1, 1, 1]);
    }

    #[test]
    fn one_reason_for_many_cases_is_found_whatever_the_node() {
        let case = |title: &str, message: &str| {
            let mut case = samples::could_not_run().cases.remove(0);
            let CaseEnd::CouldNotRun(error) = &mut case.end else { unreachable!("the sample could not run") };
            error.message = message.into();
            Case { title: title.into(), ..case }
        };
        let cases = vec![
            case("a", "node `shop`: the image is missing"),
            case("b", "node `billing`: the image is missing"),
            case("c", "node `shop`: the port is taken"),
            samples::case(samples::healthy()),
        ];
        let outcome = Outcome { cases, ..Outcome::default() };
        let groups = outcome.groups();
        let shared = SharedError::find(&groups);
        assert_eq!(shared.len(), 1);
        assert_eq!(
            (shared[0].message, shared[0].titles()),
            ("the image is missing", vec!["a".into(), "b".into()])
        );
        let included: Vec<bool> = groups.iter().map(|group| shared[0].includes(group)).collect();
        assert_eq!(included, [true, true, false, false]);
    }
}
