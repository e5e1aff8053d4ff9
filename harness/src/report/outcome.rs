//! What a run came to: every case that ended, gathered from `Progress`.
//!
//! Does not judge: verdicts are taken as they are, and only the worst of them is worked out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::phrase;
use crate::progress::Progress;
use crate::rules::Finding;
use crate::verdict::{CaseEnd, CaseVerdict, Verdict};

/// All that the reports at the end of a run are made of.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many cases were selected; each of them ends `repeats` times.
    pub due: usize,
    pub repeats: u32,
    pub seed: u64,
    /// By file, title and repeat once the run has ended, so that two runs read alike.
    pub cases: Vec<Case>,
    pub interrupted: bool,
    pub took: Duration,
    /// What else was said that changes how a case ends, and has to be said again: options of the command, or variables
    /// of `cargo test`, a word each.
    pub with: Arc<[String]>,
    /// Baseline entries that occurred no more, each in one line.
    pub fixed: Vec<String>,
}

/// One case that ended.
#[derive(Clone, Debug)]
pub struct Case {
    pub title: String,
    /// The scenario file, as it was named to the command.
    pub file: String,
    /// Counts from 1.
    pub repeat: u32,
    pub end: CaseEnd,
    pub took: Duration,
    /// As in `Outcome`.
    pub with: Arc<[String]>,
}

impl Outcome {
    /// Takes in one thing that happened.
    pub fn take(&mut self, progress: &Progress) {
        match progress {
            Progress::RunStarted { cases, repeats, seed } => {
                (self.due, self.repeats, self.seed) = (*cases, *repeats, *seed);
            }
            Progress::CaseStarted { .. } => {}
            Progress::CaseEnded { title, file, repeat, end, took } => self.cases.push(Case {
                title: title.clone(),
                file: file.clone(),
                repeat: *repeat,
                end: end.clone(),
                took: *took,
                with: self.with.clone(),
            }),
            Progress::Interrupted => self.interrupted = true,
            Progress::RunEnded { took } => {
                self.took = *took;
                self.cases.sort_by(|a, b| (&a.file, &a.title, a.repeat).cmp(&(&b.file, &b.title, b.repeat)));
            }
        }
    }

    /// The worst verdict; a run that was interrupted is inconclusive at best.
    pub fn verdict(&self) -> Verdict {
        let floor = if self.interrupted { Verdict::Inconclusive } else { Verdict::Pass };
        self.cases.iter().fold(floor, |worst, case| worst.and(case.verdict()))
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        self.cases.iter().filter(|case| case.verdict() == verdict).count()
    }

    /// The repeats of each case side by side, in the order of the cases.
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

impl Case {
    pub fn verdict(&self) -> Verdict {
        self.end.verdict()
    }

    pub fn judged(&self) -> Option<&CaseVerdict> {
        match &self.end {
            CaseEnd::Judged(case) => Some(case),
            CaseEnd::CouldNotRun(_) => None,
        }
    }

    /// Why it is not a pass, the weightiest first; empty when it is.
    pub fn why(&self) -> Vec<String> {
        let judged = match &self.end {
            // A message says what could not be done, and the first cause often why.
            CaseEnd::CouldNotRun(trouble) => {
                let cause = trouble.caused_by.first().map(|cause| format!(": {cause}")).unwrap_or_default();
                return vec![format!("{}{cause}", trouble.message)];
            }
            CaseEnd::Judged(judged) if judged.verdict == Verdict::Pass => return Vec::new(),
            CaseEnd::Judged(judged) => judged,
        };
        let mut why: Vec<String> = self.new_findings().map(phrase::brief).collect();
        why.extend(judged.gaps.iter().map(|gap| gap.what.clone()));
        if why.is_empty() {
            // Such as a baseline that accepts what no longer occurs.
            why.extend(judged.notes.iter().map(|note| note.text.clone()));
        }
        why
    }

    /// Findings that no baseline accepts.
    pub fn new_findings(&self) -> impl Iterator<Item = &Finding> {
        self.judged().into_iter().flat_map(|case| &case.findings).filter(|finding| finding.known.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn an_outcome_gathers_what_a_run_makes_known() {
        let sample = samples::mixed();
        let mut outcome = Outcome::default();
        outcome.take(&Progress::RunStarted { cases: 4, repeats: 1, seed: 7 });
        for case in sample.cases.iter().rev() {
            let Case { title, file, repeat, end, took, .. } = case.clone();
            outcome.take(&Progress::CaseStarted { title: title.clone() });
            outcome.take(&Progress::CaseEnded { title, file, repeat, end, took });
        }
        assert_eq!(outcome.verdict(), Verdict::Fail);
        outcome.take(&Progress::RunEnded { took: Duration::from_secs(1) });
        let titles: Vec<_> = outcome.cases.iter().map(|case| case.title.as_str()).collect();
        assert!(titles.is_sorted(), "{titles:?}");
        assert_eq!((outcome.due, outcome.seed, outcome.took), (4, 7, Duration::from_secs(1)));
        assert_eq!(outcome.count(Verdict::Inconclusive), 1);
    }

    #[test]
    fn a_run_that_was_interrupted_never_passes() {
        let mut outcome = samples::all_pass();
        assert_eq!(outcome.verdict(), Verdict::Pass);
        outcome.take(&Progress::Interrupted);
        assert_eq!(outcome.verdict(), Verdict::Inconclusive);
    }

    #[test]
    fn repeats_of_a_case_stand_side_by_side() {
        let sizes = |outcome: Outcome| outcome.groups().iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(samples::repeated()), [3]);
        assert_eq!(sizes(samples::mixed()), [1, 1, 1]);
    }
}
