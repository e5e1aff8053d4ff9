//! What came of a run, as a test asks for it.

use std::error::Error;

use crate::breaks::{Class, Side};
use crate::report::terminal::{self, Again, Layout};
use crate::report::{Case, Outcome};
use crate::rules::Finding;
use crate::verdict::{CaseVerdict, Verdict};

/// What was judged of each case of a scenario, or why it could not be run.
#[derive(Clone, Debug)]
#[must_use = "nothing is asserted yet"]
pub struct Judged {
    outcome: Outcome,
    /// Why there is less than there should be: the file is no scenario, the baseline cannot be read.
    trouble: Option<String>,
    again: Again,
}

impl Judged {
    pub(super) fn new(outcome: Outcome, again: Again) -> Self {
        Self { outcome, trouble: None, again }
    }

    pub(super) fn could_not(trouble: String) -> Self {
        Self { outcome: Outcome::default(), trouble: Some(trouble), again: Again::Test }
    }

    pub(super) fn with_trouble(mut self, trouble: String) -> Self {
        self.trouble = Some(trouble);
        self
    }

    /// The worst of all cases; inconclusive where a case could not be run at all.
    pub fn verdict(&self) -> Verdict {
        let floor = if self.trouble.is_some() { Verdict::Inconclusive } else { Verdict::Pass };
        floor.and(self.outcome.verdict())
    }

    /// What is said of each case that ran.
    pub fn cases(&self) -> impl Iterator<Item = &CaseVerdict> {
        self.outcome.cases.iter().filter_map(Case::judged)
    }

    /// The findings of all cases that no baseline accepts, causes before consequences.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.outcome.cases.iter().flat_map(Case::new_findings)
    }

    /// The whole story as the command tells it: hops, bytes, clause, what to try; or why there is none.
    pub fn story(&self) -> String {
        let layout = Layout { again: self.again, ..Layout::default() };
        let mut story: String =
            self.outcome.groups().iter().map(|group| terminal::story_in(group, layout)).collect();
        story.extend(self.trouble.as_deref());
        story.trim_matches('\n').to_owned()
    }

    /// The first reason why it is not a pass, in one line; empty when it is one.
    pub fn reason(&self) -> String {
        let why = self.outcome.cases.iter().flat_map(Case::why);
        why.chain(self.trouble.clone()).next().unwrap_or_default()
    }

    /// # Panics
    /// With the story, unless every case passed; inconclusive is no pass.
    #[track_caller]
    pub fn assert_pass(&self) -> &Self {
        let verdict = self.verdict();
        assert!(
            verdict == Verdict::Pass,
            "{}: every hop was to be unbroken\n{}",
            verdict.word(),
            self.story()
        );
        self
    }

    /// # Panics
    /// With the story, unless in every case `hop` is broken in this way on this side. Other findings may stand beside
    /// it.
    #[track_caller]
    pub fn assert_breaks(&self, hop: &str, class: Class, side: Side) -> &Self {
        let broken = |case: &Case| case.new_findings().any(|finding| is(finding, hop, class, side));
        let all = !self.outcome.cases.is_empty() && self.outcome.cases.iter().all(broken);
        assert!(
            all && self.trouble.is_none(),
            "`{}` by the {} was to be found at `{hop}` in every case\n{}",
            class.word(),
            side.word(),
            self.story()
        );
        self
    }

    /// # Panics
    /// With the story, unless in every case this is the one finding.
    #[track_caller]
    pub fn assert_breaks_only(&self, hop: &str, class: Class, side: Side) -> &Self {
        self.assert_breaks(hop, class, side);
        let beside = self.findings().filter(|finding| !is(finding, hop, class, side)).count();
        assert!(
            beside == 0,
            "`{}` at `{hop}` was to be the only finding, {beside} stand beside it\n{}",
            class.word(),
            self.story()
        );
        self
    }
}

fn is(finding: &Finding, hop: &str, class: Class, side: Side) -> bool {
    let named = finding.hops.iter().any(|broken| broken == hop);
    named && finding.class == class && finding.side == side && !finding.inconclusive
}

/// An error and what caused it, one line each.
pub(super) fn told(error: &dyn Error) -> String {
    let mut told = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push_str(&format!("\n  caused by: {error}"));
        cause = error.source();
    }
    told
}
