//! The report for CI servers: JUnit XML, one suite for each case, one test for each hop and each expectation.
//!
//! What fails is a `failure`; what is inconclusive, and a case that could not be run, is an `error`: nobody
//! may take it for a pass. A finding that the baseline accepts is a pass with a word in `system-out`. Names
//! of suites and tests are the same in every run, so that servers can tell what is new; `file` and `line`
//! name the scenario.
//!
//! There is no standard of the format; this is what Jenkins, GitLab and the common GitHub actions read
//! (<https://github.com/testmoapp/junitxml>).

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Case, Outcome, phrase, terminal};
use crate::rules::Finding;
use crate::source::Place;
use crate::verdict::{CaseEnd, CaseVerdict, HopVerdict, RuleVerdict, Trouble, Verdict};

/// The whole report.
pub fn render(outcome: &Outcome) -> String {
    let mut report = Report::new("unbroken");
    report.set_time(outcome.took);
    for case in &outcome.cases {
        report.add_test_suite(suite(case, outcome));
    }
    report.to_string().expect("a report in memory always serialises, and its strings are cleaned for XML")
}

fn suite(case: &Case, outcome: &Outcome) -> TestSuite {
    let name =
        if outcome.repeats > 1 { format!("{} #{}", case.title, case.repeat) } else { case.title.clone() };
    let mut suite = TestSuite::new(name);
    suite.set_time(case.took);
    suite.extra.insert("file".into(), case.file.as_str().into());
    match &case.end {
        CaseEnd::Judged(judged) => {
            suite.add_property(("seed", judged.seed.to_string().as_str()));
            let tests = Tests { case, judged };
            suite.add_test_cases(judged.hops.iter().map(|hop| tests.hop(hop)));
            suite.add_test_cases(judged.rules.iter().map(|rule| tests.rule(rule)));
            suite.add_test_cases(tests.evidence());
        }
        CaseEnd::CouldNotRun(trouble) => {
            suite.add_test_case(could_not_run(case, trouble));
        }
    }
    suite
}

/// One thing that was checked: a hop or an expectation.
struct Checked {
    name: String,
    place: Place,
    verdict: Verdict,
}

/// The tests of one judged case.
struct Tests<'a> {
    case: &'a Case,
    judged: &'a CaseVerdict,
}

impl Tests<'_> {
    fn hop(&self, hop: &HopVerdict) -> TestCase {
        let findings: Vec<_> =
            self.judged.findings.iter().filter(|finding| finding.hops.contains(&hop.id)).collect();
        let full: Vec<_> = findings.iter().map(|finding| terminal::finding(finding, self.judged)).collect();
        let checked = Checked {
            name: format!("hop {}: {} -> {}", hop.id, hop.from, hop.to),
            place: hop.place,
            verdict: hop.verdict,
        };
        self.test(&checked, &findings, &full.join("\n"))
    }

    fn rule(&self, rule: &RuleVerdict) -> TestCase {
        let findings: Vec<_> =
            self.judged.findings.iter().filter(|finding| finding.rule == rule.rule).collect();
        // A finding of a hop is told in full there; one of a node has no other place.
        let told: Vec<_> = findings
            .iter()
            .map(|finding| match finding.hops.is_empty() {
                true => terminal::finding(finding, self.judged),
                false => told(finding),
            })
            .collect();
        let checked = Checked {
            name: format!("rule {}", rule.rule.id()),
            place: findings.first().map(|finding| finding.place).unwrap_or_default(),
            verdict: rule.verdict,
        };
        self.test(&checked, &findings, &told.join("\n"))
    }

    /// Only where something was not seen, or nothing else says why the case is not a pass.
    fn evidence(&self) -> Option<TestCase> {
        let told = self.judged.hops.iter().map(|hop| hop.verdict);
        let told = told.chain(self.judged.rules.iter().map(|rule| rule.verdict));
        let told = told.fold(Verdict::Pass, Verdict::and);
        if self.judged.gaps.is_empty() && told >= self.judged.verdict {
            return None;
        }
        let mut lines = Vec::new();
        for gap in &self.judged.gaps {
            lines.push(gap.what.clone());
            lines.extend(printed(&gap.lines));
        }
        let (kind, word) = match self.judged.verdict {
            Verdict::Fail if told < Verdict::Fail => (NonSuccessKind::Failure, "verdict"),
            _ => (NonSuccessKind::Error, "not-seen"),
        };
        if self.judged.gaps.is_empty() {
            lines = self.case.why();
        }
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(word);
        status.set_message(lines.first().map_or("something was not seen", String::as_str));
        status.set_description(lines.join("\n"));
        Some(named(self.case, "evidence", 1, status))
    }

    fn test(&self, checked: &Checked, findings: &[&Finding], full: &str) -> TestCase {
        let (line, _) = self.judged.source.line_column(checked.place.start);
        let verdict = checked.verdict;
        let (known, new): (Vec<_>, Vec<_>) =
            findings.iter().copied().partition(|finding| finding.known.is_some());
        let mut status = match verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
            Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        };
        status.set_type(new.first().map_or(verdict.word(), |finding| finding.class.word()));
        status.set_message(match new.as_slice() {
            [] => verdict.word().to_owned(),
            new => new.iter().map(|finding| told(finding)).collect::<Vec<_>>().join("; "),
        });
        status.set_description(full);
        let mut test = named(self.case, &checked.name, line, status);
        if !known.is_empty() {
            let known: Vec<_> = known.iter().map(|finding| accepted(finding)).collect();
            test.set_system_out(known.join("\n"));
        }
        test
    }
}

fn told(finding: &Finding) -> String {
    format!(
        "{} {} ({}): {}",
        finding.class.word(),
        phrase::blame(finding),
        phrase::hits(finding),
        finding.message
    )
}

fn accepted(finding: &Finding) -> String {
    format!("known: {}: {}", phrase::brief(finding), finding.known.as_deref().unwrap_or_default())
}

fn could_not_run(case: &Case, trouble: &Trouble) -> TestCase {
    let mut lines = vec![trouble.message.clone()];
    lines.extend(trouble.caused_by.iter().map(|cause| format!("caused by: {cause}")));
    lines.extend(printed(&trouble.lines));
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("could-not-run");
    status.set_message(trouble.message.as_str());
    status.set_description(lines.join("\n"));
    named(case, "could be run", 1, status)
}

fn named(case: &Case, name: &str, line: usize, status: TestCaseStatus) -> TestCase {
    let mut test = TestCase::new(name, status);
    test.set_classname(case.title.as_str());
    test.extra.insert("file".into(), case.file.as_str().into());
    test.extra.insert("line".into(), line.to_string().into());
    test
}

/// The last lines of a node.
fn printed(lines: &[String]) -> impl Iterator<Item = String> {
    let (before, last) = phrase::last_lines(lines);
    before.into_iter().chain(last.iter().map(|line| phrase::output(line))).map(|line| format!("  | {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn every_sample_as_junit() {
        for (name, outcome) in samples::all() {
            insta::assert_snapshot!(format!("junit_{name}"), render(&outcome));
        }
    }

    #[test]
    fn what_is_written_is_read_back_with_the_same_counts() {
        for (name, outcome) in samples::all() {
            let text = render(&outcome);
            let read = Report::deserialize_from_str(&text).unwrap();
            let suites = &read.test_suites;
            assert_eq!(suites.len(), outcome.cases.len(), "{name}");
            for (suite, case) in suites.iter().zip(&outcome.cases) {
                assert_eq!(suite.tests, suite.test_cases.len(), "{name}");
                let worst = match (suite.failures, suite.errors) {
                    (1.., _) => Verdict::Fail,
                    (0, 1..) => Verdict::Inconclusive,
                    (0, 0) => Verdict::Pass,
                };
                assert_eq!(worst, case.verdict(), "{name}");
            }
        }
    }

    #[test]
    fn a_case_that_fails_for_no_hop_and_no_rule_still_fails() {
        let mut judged = samples::healthy();
        judged.verdict = Verdict::Fail;
        judged.notes[0].text = "fixed: accepted in the baseline, and no longer there".into();
        let outcome = Outcome { cases: vec![samples::case(judged)], ..Outcome::default() };
        let text = render(&outcome);
        assert!(text.contains("failures=\"1\" errors=\"0\""), "{text}");
        assert!(text.contains("<failure message=\"fixed: accepted in the baseline"), "{text}");
    }
}
