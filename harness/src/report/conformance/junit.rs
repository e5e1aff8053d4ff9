//! JUnit XML for CI servers: a test suite for each suite of requirements, a test for each vector.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{by_suite, story};
use crate::conform::results::{ConformanceVerdict, RequirementResult, Results, VectorResult};

pub fn render(results: &Results) -> String {
    // `merge` reads the shard from the name.
    let shard = results.shard.as_ref().map(|shard| format!(" {shard}")).unwrap_or_default();
    let mut report = Report::new(format!("unbroken conform{shard}"));
    report.set_time(results.took);
    for (name, requirements) in by_suite(results) {
        let mut suite = TestSuite::new(name);
        for result in requirements {
            suite.add_test_cases(result.vectors.iter().map(|vector| test(results, result, vector)));
        }
        report.add_test_suite(suite);
    }
    report.to_string().expect("a report of valid text always serialises")
}

fn test(results: &Results, result: &RequirementResult, vector: &VectorResult) -> TestCase {
    let mut status = match vector.verdict {
        ConformanceVerdict::Pass => TestCaseStatus::success(),
        _ if vector.known.is_some() => TestCaseStatus::success(),
        ConformanceVerdict::Deviates if !results.is_strict => TestCaseStatus::success(),
        ConformanceVerdict::Fail | ConformanceVerdict::Deviates => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        ConformanceVerdict::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
        ConformanceVerdict::Unsupported => TestCaseStatus::skipped(),
    };
    if vector.verdict != ConformanceVerdict::Pass && vector.known.is_none() {
        let text = format!("{}: {}", vector.verdict.word(), story::why(vector));
        status.set_type(
            vector.mismatch.as_ref().map_or(vector.verdict.word(), |mismatch| mismatch.kind.word()),
        );
        status.set_message(text);
        let lines = story::lines(results, result, vector);
        let lines: Vec<String> =
            lines.iter().map(|line| format!("{:<9} {}", line.label, line.text)).collect();
        status.set_description(lines.join("\n"));
    }
    let mut test = TestCase::new(format!("{}/{}", result.requirement.id, vector.title()), status);
    test.set_classname(format!("{} {}", result.suite, result.requirement.id));
    if let Some(known) = &vector.known {
        test.set_system_out(format!("known: {}: {}", story::why(vector), known.words()));
    } else if let (ConformanceVerdict::Deviates, false) = (vector.verdict, results.is_strict) {
        test.set_system_out(format!("deviates: {}", story::why(vector)));
    }
    test
}
