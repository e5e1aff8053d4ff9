//! The JUnit reports of shards as one.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{MergeError, ShardReport, WholeReport, missing, missing_notice, worst};

/// Returns one JUnit report of the reports of all shards. Each shard stands in the name of its report: `unbroken 2/4`.
pub fn merge(reports: &[ShardReport]) -> Result<WholeReport, MergeError> {
    let mut parts: Vec<(&str, Report)> = Vec::new();
    for ShardReport { name, text } in reports {
        let read = Report::deserialize_from_str(text);
        parts.push((name, read.map_err(|source| MergeError::Junit { name: name.clone(), source })?));
    }
    let shards = parts.iter().map(|(name, part)| (*name, named(part).1));
    let missing = missing(shards)?;
    let mut whole = Report::new(named(&parts[0].1).0);
    whole.set_time(parts.iter().filter_map(|(_, part)| part.time).sum());
    let mut suites: Vec<TestSuite> = parts.into_iter().flat_map(|(_, part)| part.test_suites).collect();
    suites.sort_by_cached_key(|suite| {
        let file = suite.extra.get("file").map(|file| file.as_str().to_owned());
        (file, suite.name.as_str().to_owned())
    });
    whole.add_test_suites(suites);
    let warnings: Vec<String> = missing.iter().map(missing_notice).collect();
    if !warnings.is_empty() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("unfinished");
        status.set_message(warnings.join("; "));
        let mut suite = TestSuite::new("unbroken");
        suite.add_test_case(TestCase::new("all shards have ended", status));
        whole.add_test_suite(suite);
    }
    let verdict = worst(std::iter::once(match (whole.failures, whole.errors) {
        (0, 0) => "pass",
        (0, _) => "inconclusive",
        _ => "fail",
    }));
    let text = whole.to_string().expect("a report of valid text always serialises");
    Ok(WholeReport { text, missing, verdict: verdict.to_owned(), warnings })
}

/// Returns the two parts of the name of a report: that of the command, and the shard.
fn named(report: &Report) -> (&str, &str) {
    let name = report.name.as_ref().map_or("", |name| name.as_str());
    name.rsplit_once(' ').unwrap_or((name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(shard: &str, suite: &str, status: TestCaseStatus) -> ShardReport {
        let mut tests = TestSuite::new(suite);
        tests.add_test_case(TestCase::new("hop", status));
        let mut report = Report::new(format!("unbroken {shard}"));
        report.add_test_suite(tests);
        ShardReport { name: format!("{suite}.xml"), text: report.to_string().unwrap() }
    }

    #[test]
    fn junit_of_shards_is_one_report_and_a_missing_shard_is_an_error() {
        let failed = || TestCaseStatus::non_success(NonSuccessKind::Failure);
        let (one, two) = (report("1/2", "b", TestCaseStatus::success()), report("2/2", "a", failed()));
        let merged = merge(&[one.clone(), two]).unwrap();
        assert_eq!(merged.verdict, "fail");
        let read = Report::deserialize_from_str(&merged.text).unwrap();
        let names: Vec<&str> = read.test_suites.iter().map(|suite| suite.name.as_str()).collect();
        assert_eq!((read.name.as_deref(), names, read.tests), (Some("unbroken"), vec!["a", "b"], 2));
        let merged = merge(&[one]).unwrap();
        assert_eq!(merged.verdict, "inconclusive");
        assert!(merged.text.contains("shard 2/2 is missing"), "{}", merged.text);
        let plain = ShardReport { name: "c.xml".into(), text: Report::new("unbroken").to_string().unwrap() };
        assert!(matches!(merge(&[plain]), Err(MergeError::NoShard { .. })));
    }
}
