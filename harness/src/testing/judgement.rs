//! The result of a run, for the assertions of a test.

use crate::breaks::{Class, Side};
use crate::report::terminal::{self, Again, Layout};
use crate::report::{Case, Outcome};
use crate::rules::Finding;
use crate::verdict::{CaseVerdict, Verdict};

/// The verdict on each case of a scenario, or the reason why it could not run.
#[derive(Clone, Debug)]
#[must_use = "nothing is asserted yet"]
pub struct Judgement {
    outcome: Outcome,
    /// A problem outside of the cases, such as a file that is not a scenario or an unreadable baseline.
    problem: Option<String>,
    again: Again,
}

impl Judgement {
    pub(super) fn new(outcome: Outcome, again: Again) -> Self {
        Self { outcome, problem: None, again }
    }

    pub(super) fn could_not_run(problem: String) -> Self {
        Self { outcome: Outcome::default(), problem: Some(problem), again: Again::Test }
    }

    pub(super) fn with_problem(mut self, problem: String) -> Self {
        self.problem = Some(problem);
        self
    }

    /// Returns the worst verdict of all cases. It is inconclusive where a case could not run.
    pub fn verdict(&self) -> Verdict {
        let floor = if self.problem.is_some() { Verdict::Inconclusive } else { Verdict::Pass };
        floor.and(self.outcome.verdict())
    }

    /// Returns the verdict on each case that ran.
    pub fn cases(&self) -> impl Iterator<Item = &CaseVerdict> {
        self.outcome.cases.iter().filter_map(Case::judged)
    }

    /// Returns the findings of all cases that no baseline accepts, causes before consequences.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.outcome.cases.iter().flat_map(Case::new_findings)
    }

    /// Returns the report that the command prints for these cases: hops, bytes, clause and what to try, or why they
    /// could not run.
    pub fn story(&self) -> String {
        let layout = Layout { again: self.again, ..Layout::default() };
        let mut story: String =
            self.outcome.groups().iter().map(|group| terminal::story_in(group, layout)).collect();
        story.extend(self.problem.as_deref());
        story.trim_matches('\n').to_owned()
    }

    /// Returns the first reason why the verdict is not pass, in one line. It is empty for a pass.
    pub fn reason(&self) -> String {
        let reasons = self.outcome.cases.iter().flat_map(Case::why);
        reasons.chain(self.problem.clone()).next().unwrap_or_default()
    }

    /// Asserts that every case passed. An inconclusive case did not pass.
    ///
    /// # Panics
    /// With the story, when a case did not pass.
    #[track_caller]
    pub fn assert_pass(&self) -> &Self {
        let verdict = self.verdict();
        assert!(verdict == Verdict::Pass, "expected pass, got {}\n\n{}", verdict.word(), self.story());
        self
    }

    /// Asserts that in every case `hop` breaks in this way on this side, with or without other findings.
    ///
    /// # Panics
    /// With the story, when a case lacks the finding.
    #[track_caller]
    pub fn assert_breaks(&self, hop: &str, class: Class, side: Side) -> &Self {
        let cases = &self.outcome.cases;
        let are_broken =
            cases.iter().all(|case| case.new_findings().any(|finding| is(finding, hop, class, side)));
        assert!(
            self.problem.is_none() && !cases.is_empty() && are_broken,
            "expected `{}` by the {} at `{hop}` in every case\n\n{}",
            class.word(),
            side.word(),
            self.story()
        );
        self
    }

    /// Asserts that in every case this is the only finding.
    ///
    /// # Panics
    /// With the story, when a case lacks the finding or has another one.
    #[track_caller]
    pub fn assert_breaks_only(&self, hop: &str, class: Class, side: Side) -> &Self {
        self.assert_breaks(hop, class, side);
        let others = self.findings().filter(|finding| !is(finding, hop, class, side)).count();
        assert!(
            others == 0,
            "expected `{}` at `{hop}` as the only finding, got {others} more\n\n{}",
            class.word(),
            self.story()
        );
        self
    }
}

fn is(finding: &Finding, hop: &str, class: Class, side: Side) -> bool {
    let at_hop = finding.hops.iter().any(|broken| broken == hop);
    at_hop && finding.class == class && finding.side == side && !finding.inconclusive
}
