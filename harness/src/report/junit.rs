//! The report for CI servers: JUnit XML, one suite for each case, one test for each hop and each expectation.
//!
//! A failed check is a `failure`. An inconclusive one, and a case that could not run, is an `error`, so that no server
//! counts it as passed. A finding that the baseline accepts is a pass with a line in `system-out`. The names of suites
//! and tests are the same in every run, so that servers can compare runs; `file` and `line` name the scenario.
//!
//! There is no standard for the format. Jenkins, GitLab and the common GitHub actions read this form
//! (<https://github.com/testmoapp/junitxml>).

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Case, Outcome, phrase, terminal};
use crate::rules::Finding;
use crate::source::Place;
use crate::verdict::{CaseEnd, CaseError, CaseVerdict, HopVerdict, RuleVerdict, Verdict};

/// Returns the whole report.
pub fn render(outcome: &Outcome) -> String {
    // `merge` reads the shard from the name.
    let shard = outcome.shard.as_ref().map(|shard| format!(" {shard}")).unwrap_or_default();
    let mut report = Report::new(format!("unbroken{shard}"));
    report.set_time(outcome.took);
    for case in &outcome.cases {
        report.add_test_suite(suite(case, outcome));
    }
    report.add_test_suites(unfinished(outcome));
    report.to_string().expect("a report in memory always serialises, and its strings are cleaned for XML")
}

fn suite(case: &Case, outcome: &Outcome) -> TestSuite {
    let name =
        if outcome.repeats > 1 { format!("{} #{}", case.title, case.repeat) } else { case.title.clone() };
    let mut suite = TestSuite::new(phrase::shown(&name));
    suite.set_time(case.took);
    suite.extra.insert("file".into(), phrase::shown(&case.file).as_str().into());
    match &case.end {
        CaseEnd::Judged(judged) => {
            suite.add_property(("seed", judged.seed.to_string().as_str()));
            let tests = Tests { case, judged };
            suite.add_test_cases(judged.hops.iter().map(|hop| tests.hop(hop)));
            suite.add_test_cases(judged.rules.iter().map(|rule| tests.rule(rule)));
            suite.add_test_cases(tests.evidence());
        }
        CaseEnd::CouldNotRun(error) => {
            suite.add_test_case(could_not_run(case, error));
        }
    }
    suite
}

/// A test: a hop or an expectation.
struct Check {
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
        let check = Check {
            name: format!("hop {}: {} -> {}", hop.id, hop.from, hop.to),
            place: hop.place,
            verdict: hop.verdict,
        };
        let mut test = self.test(&check, &findings, &full.join("\n"));
        let judged = phrase::judged(hop);
        if !judged.is_empty() {
            test.add_property(("judged", safe(&judged).as_str()));
        }
        test
    }

    fn rule(&self, rule: &RuleVerdict) -> TestCase {
        let findings: Vec<_> =
            self.judged.findings.iter().filter(|finding| finding.rule == rule.rule).collect();
        // The test of a hop has its findings in full. A finding of a node has no other place.
        let texts: Vec<_> = findings
            .iter()
            .map(|finding| {
                if finding.hops.is_empty() {
                    terminal::finding(finding, self.judged)
                } else {
                    one_line(finding)
                }
            })
            .collect();
        let check = Check {
            name: format!("rule {}", rule.rule.id()),
            place: findings.first().map(|finding| finding.place).unwrap_or_default(),
            verdict: rule.verdict,
        };
        self.test(&check, &findings, &texts.join("\n"))
    }

    /// Returns a test for the evidence where a part of it is missing, or where no other test shows why the case did not
    /// pass.
    fn evidence(&self) -> Option<TestCase> {
        let shown = self.judged.hops.iter().map(|hop| hop.verdict);
        let shown = shown.chain(self.judged.rules.iter().map(|rule| rule.verdict));
        let shown = shown.fold(Verdict::Pass, Verdict::and);
        if self.judged.gaps.is_empty() && shown >= self.judged.verdict {
            return None;
        }
        let mut lines = Vec::new();
        for gap in &self.judged.gaps {
            lines.push(gap.what.clone());
            lines.extend(printed(&gap.lines));
        }
        let (kind, word) = match self.judged.verdict {
            Verdict::Fail if shown < Verdict::Fail => (NonSuccessKind::Failure, "verdict"),
            Verdict::Fail | Verdict::Inconclusive | Verdict::Pass => (NonSuccessKind::Error, "not-judged"),
        };
        if self.judged.gaps.is_empty() {
            lines = self.case.why();
        }
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(word);
        status.set_message(safe(lines.first().map_or("a part of the evidence is missing", String::as_str)));
        status.set_description(safe(&lines.join("\n")));
        Some(named(self.case, "evidence", 1, status))
    }

    fn test(&self, check: &Check, findings: &[&Finding], full: &str) -> TestCase {
        let (line, _) = self.judged.source.line_column(check.place.start);
        let verdict = check.verdict;
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
            new => safe(&new.iter().map(|finding| one_line(finding)).collect::<Vec<_>>().join("; ")),
        });
        status.set_description(safe(full));
        let mut test = named(self.case, &check.name, line, status);
        if !known.is_empty() {
            let known: Vec<_> = known.iter().map(|finding| accepted(finding)).collect();
            test.set_system_out(safe(&known.join("\n")));
        }
        test
    }
}

fn one_line(finding: &Finding) -> String {
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

fn could_not_run(case: &Case, error: &CaseError) -> TestCase {
    let mut lines = vec![error.message.clone()];
    lines.extend(error.caused_by.iter().map(|cause| format!("caused by: {cause}")));
    lines.extend(printed(&error.lines));
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("could-not-run");
    status.set_message(safe(&error.message));
    status.set_description(safe(&lines.join("\n")));
    named(case, "run", 1, status)
}

/// Returns a suite with an error where the run has not ended or was interrupted: its cases are not all there are.
fn unfinished(outcome: &Outcome) -> Option<TestSuite> {
    if !outcome.interrupted && !outcome.under_way {
        return None;
    }
    let word = if outcome.interrupted { "interrupted" } else { "partial report" };
    let message = format!("{word}: {} of {} cases have ended", outcome.cases.len(), outcome.total());
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("unfinished");
    status.set_message(message);
    let mut suite = TestSuite::new("unbroken");
    suite.add_test_case(TestCase::new("all cases have ended", status));
    Some(suite)
}

fn named(case: &Case, name: &str, line: usize, status: TestCaseStatus) -> TestCase {
    let mut test = TestCase::new(phrase::shown(name), status);
    test.set_classname(phrase::shown(&case.title));
    test.extra.insert("file".into(), phrase::shown(&case.file).as_str().into());
    test.extra.insert("line".into(), line.to_string().into());
    test
}

/// Returns the text with characters that XML forbids made visible, and without lines that a CI server takes for a
/// command.
fn safe(text: &str) -> String {
    text.lines().map(|line| phrase::inert(&phrase::shown(line))).collect::<Vec<_>>().join("\n")
}

/// Returns the last lines of a node.
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
    fn a_report_is_read_back_with_the_same_counts() {
        for (name, outcome) in samples::all() {
            let text = render(&outcome);
            let read = Report::deserialize_from_str(&text).unwrap();
            let suites = &read.test_suites;
            let unfinished = usize::from(outcome.interrupted || outcome.under_way);
            assert_eq!(suites.len(), outcome.cases.len() + unfinished, "{name}");
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
        judged.notes[0].text = "fixed: the baseline accepts it, and it no longer occurs".into();
        let outcome = Outcome { cases: vec![samples::case(judged)], ..Outcome::default() };
        let text = render(&outcome);
        assert!(text.contains("failures=\"1\" errors=\"0\""), "{text}");
        assert!(text.contains("<failure message=\"fixed: the baseline accepts it"), "{text}");
    }

    #[test]
    fn characters_that_xml_forbids_and_commands_are_visible() {
        let mut outcome = samples::could_not_run();
        let CaseEnd::CouldNotRun(error) = &mut outcome.cases[0].end else {
            panic!("the sample could not run")
        };
        error.message = "a\u{1}b\u{fffe}c\u{202e}d".into();
        error.caused_by = vec!["first\n::error::second ##[error]third".into()];
        outcome.cases[0].title = "odd\u{b}title".into();
        let text = render(&outcome);
        assert!(text.contains("a\\x01b\\u{fffe}c\\u{202e}d") && text.contains("odd\\x0btitle"), "{text}");
        assert!(text.contains("\n\\x3a:error::second \\x23#[error]third"), "{text}");
    }

    #[test]
    fn a_run_that_has_not_ended_is_an_error() {
        let partial = Outcome { under_way: true, due: 5, ..samples::all_pass() };
        let text = render(&partial);
        assert!(text.contains("partial report: 2 of 5 cases have ended"), "{text}");
        assert!(render(&samples::mixed()).contains("interrupted: 3 of 5 cases have ended"));
    }
}
