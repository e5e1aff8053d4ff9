//! The differences of two runs.

use std::collections::BTreeMap;

use super::change::{self, Change};
use super::record::{FindingId, RecordedCase, RecordedFinding, RunRecord};

/// The differences of a run from the one before, the most urgent first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub differences: Vec<Difference>,
    /// The changes under the cases, with their titles.
    pub changes: BTreeMap<Change, Vec<String>>,
}

/// One finding, or one case, that is worth a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub kind: DifferenceKind,
    /// The title of the case.
    pub title: String,
    /// The scenario file.
    pub file: String,
    /// `None` where it is about the whole case.
    pub finding: Option<FindingId>,
    pub before: Option<RecordedFinding>,
    pub after: Option<RecordedFinding>,
    /// The changes under its case since the run before.
    pub changes: Vec<Change>,
}

/// The kind of a difference, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    New,
    /// A further field, or more crossings.
    Worse,
    /// A baseline accepted it until a day that has passed.
    Expired,
    /// It occurred, and not again with the same seed.
    Flaky,
    /// The case, or the hop, was not judged this time; it is never counted as fixed.
    NotRun,
    Fixed,
    StillThere,
}

impl DifferenceKind {
    pub const ALL: &'static [DifferenceKind] = &[
        DifferenceKind::New,
        DifferenceKind::Worse,
        DifferenceKind::Expired,
        DifferenceKind::Flaky,
        DifferenceKind::NotRun,
        DifferenceKind::Fixed,
        DifferenceKind::StillThere,
    ];

    pub fn word(self) -> &'static str {
        match self {
            DifferenceKind::New => "new",
            DifferenceKind::Worse => "worse",
            DifferenceKind::Expired => "expired",
            DifferenceKind::Flaky => "flaky",
            DifferenceKind::NotRun => "not run",
            DifferenceKind::Fixed => "fixed",
            DifferenceKind::StillThere => "still there",
        }
    }

    /// Returns whether it fails a night.
    pub fn is_alarming(self) -> bool {
        match self {
            DifferenceKind::New | DifferenceKind::Worse | DifferenceKind::Expired => true,
            DifferenceKind::Flaky
            | DifferenceKind::NotRun
            | DifferenceKind::Fixed
            | DifferenceKind::StillThere => false,
        }
    }
}

impl Comparison {
    /// Compares a run with the one before it.
    pub fn of(before: &RunRecord, after: &RunRecord) -> Comparison {
        let mut differences = Vec::new();
        for (title, case) in &after.cases {
            let earlier = before.cases.get(title);
            let changes = earlier.map_or_else(Vec::new, |earlier| change::of_case(earlier, case));
            for (id, finding) in &case.findings {
                let old = earlier.and_then(|earlier| earlier.findings.get(id));
                let kind = match old {
                    _ if finding.is_known => DifferenceKind::StillThere,
                    None => DifferenceKind::New,
                    Some(old) if is_worse(old, finding) => DifferenceKind::Worse,
                    Some(_) if finding.has_expired => DifferenceKind::Expired,
                    Some(_) => DifferenceKind::StillThere,
                };
                differences.push(Difference {
                    finding: Some(id.clone()),
                    before: old.cloned(),
                    after: Some(finding.clone()),
                    changes: changes.clone(),
                    ..Difference::about(kind, title, case)
                });
            }
        }
        for (title, earlier) in before.cases.iter().filter(|(_, earlier)| earlier.ran) {
            let now = after.cases.get(title).filter(|now| now.ran);
            let Some(now) = now else {
                differences.push(Difference::about(DifferenceKind::NotRun, title, earlier));
                continue;
            };
            for (id, finding) in earlier.findings.iter().filter(|(id, _)| !now.findings.contains_key(*id)) {
                let passed = now.passed.contains(&id.hop);
                let kind = if passed { DifferenceKind::Fixed } else { DifferenceKind::NotRun };
                differences.push(Difference {
                    finding: Some(id.clone()),
                    before: Some(finding.clone()),
                    changes: change::of_case(earlier, now),
                    ..Difference::about(kind, title, now)
                });
            }
        }
        differences.sort_by(|one, other| {
            (one.kind, &one.title, &one.finding).cmp(&(other.kind, &other.title, &other.finding))
        });
        Comparison { differences, changes: change::between(before, after) }
    }

    /// Returns the number of differences of a kind.
    pub fn count(&self, kind: DifferenceKind) -> usize {
        self.differences.iter().filter(|one| one.kind == kind).count()
    }

    /// Returns whether something is new or worse.
    pub fn is_alarming(&self) -> bool {
        self.differences.iter().any(|one| one.kind.is_alarming())
    }

    /// Takes back what did not occur again in a second run with the same seed.
    pub fn confirm(&mut self, again: &RunRecord) {
        for one in self.differences.iter_mut().filter(|one| one.kind.is_alarming()) {
            let Some(case) = again.cases.get(&one.title).filter(|case| case.ran) else { continue };
            if one.finding.as_ref().is_some_and(|id| !case.findings.contains_key(id)) {
                one.kind = DifferenceKind::Flaky;
            }
        }
        self.differences.sort_by_key(|one| one.kind);
    }
}

impl Difference {
    fn about(kind: DifferenceKind, title: &str, case: &RecordedCase) -> Difference {
        let (title, file) = (title.to_owned(), case.file.clone());
        Difference { kind, title, file, finding: None, before: None, after: None, changes: Vec::new() }
    }
}

/// Returns whether a finding has a further field, or hit a larger part of what was looked at.
fn is_worse(before: &RecordedFinding, after: &RecordedFinding) -> bool {
    let (now, then) =
        (u64::from(after.hit) * u64::from(before.of), u64::from(before.hit) * u64::from(after.of));
    !after.fields.is_subset(&before.fields) || now > then
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::history::change::ChangeKind;
    use crate::history::record::RecordedSoftware;

    fn finding(fields: &[&str], hit: u32) -> RecordedFinding {
        RecordedFinding {
            fingerprint: "f".into(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            hit,
            of: 4,
            is_known: false,
            has_expired: false,
            message: "m".into(),
        }
    }

    fn id(hop: &str) -> FindingId {
        FindingId { hop: hop.into(), class: "stripped".into(), side: "intermediary".into() }
    }

    fn case(findings: &[(&str, RecordedFinding)], passed: &[&str]) -> RecordedCase {
        RecordedCase {
            file: "a.yaml".into(),
            scenario: "a".into(),
            case: String::new(),
            took_ms: 1,
            ran: true,
            passed: passed.iter().map(|hop| (*hop).to_owned()).collect::<BTreeSet<_>>(),
            findings: findings.iter().map(|(hop, finding)| (id(hop), finding.clone())).collect(),
            software: BTreeMap::new(),
        }
    }

    fn run(cases: &[(&str, RecordedCase)]) -> RunRecord {
        let cases = cases.iter().map(|(title, case)| ((*title).to_owned(), case.clone()));
        RunRecord { cases: cases.collect::<BTreeMap<_, _>>(), ..RunRecord::default() }
    }

    fn kinds(before: &RunRecord, after: &RunRecord) -> Vec<(&'static str, String)> {
        let compared = Comparison::of(before, after);
        compared.differences.iter().map(|one| (one.kind.word(), one.title.clone())).collect()
    }

    #[test]
    fn a_further_field_or_a_larger_share_is_worse_and_the_same_is_still_there() {
        let before = run(&[("a", case(&[("h", finding(&["baggage"], 2))], &[]))]);
        for (after, kind) in [
            (finding(&["baggage"], 2), "still there"),
            (finding(&["baggage"], 1), "still there"),
            (finding(&["baggage"], 3), "worse"),
            (finding(&["baggage", "traceparent"], 2), "worse"),
            (RecordedFinding { of: 40, ..finding(&["baggage"], 20) }, "still there"),
            (RecordedFinding { is_known: true, ..finding(&["baggage"], 4) }, "still there"),
            (RecordedFinding { has_expired: true, ..finding(&["baggage"], 2) }, "expired"),
        ] {
            let after = run(&[("a", case(&[("h", after)], &[]))]);
            assert_eq!(kinds(&before, &after), [(kind, "a".to_owned())]);
        }
    }

    #[test]
    fn only_a_hop_that_passed_is_fixed() {
        let before = run(&[("a", case(&[("h", finding(&[], 1))], &[])), ("gone", case(&[], &["h"]))]);
        let fixed = run(&[("a", case(&[], &["h"])), ("gone", case(&[], &["h"]))]);
        assert_eq!(kinds(&before, &fixed), [("fixed", "a".to_owned())]);
        let unclear = run(&[("a", case(&[], &[]))]);
        assert_eq!(kinds(&before, &unclear), [("not run", "a".to_owned()), ("not run", "gone".to_owned())]);
        let could_not_run = RecordedCase { ran: false, ..case(&[], &[]) };
        let after = run(&[("a", could_not_run), ("gone", case(&[], &["h"]))]);
        assert_eq!(kinds(&before, &after), [("not run", "a".to_owned())]);
    }

    #[test]
    fn a_changed_version_or_configuration_stands_beside_the_finding_and_is_counted_once() {
        let software = |version: &str, configuration: &str| RecordedSoftware {
            program: "nginx".into(),
            version: Some(version.into()),
            configuration: Some(configuration.into()),
        };
        let with = |case: RecordedCase, software: RecordedSoftware| RecordedCase {
            software: BTreeMap::from([("edge".to_owned(), software)]),
            ..case
        };
        let healthy = || case(&[], &["h"]);
        let old = software("1.22.1", "a");
        let before = run(&[("a", with(healthy(), old.clone())), ("b", with(healthy(), old.clone()))]);
        let broken = case(&[("h", finding(&[], 1))], &[]);
        let new = software("1.24.0", "a");
        let after = run(&[("a", with(broken, new.clone())), ("b", with(healthy(), new))]);
        let compared = Comparison::of(&before, &after);
        let change = |kind, before: &str, after: &str| Change {
            kind,
            program: "nginx".into(),
            before: before.into(),
            after: after.into(),
        };
        let upgraded = change(ChangeKind::Version, "1.22.1", "1.24.0");
        assert_eq!(compared.differences[0].changes, std::slice::from_ref(&upgraded));
        assert_eq!(compared.changes, BTreeMap::from([(upgraded, vec!["a".to_owned(), "b".to_owned()])]));
        let after = run(&[("a", with(healthy(), software("1.22.1", "b")))]);
        let changed = Comparison::of(&before, &after).changes;
        let reconfigured = change(ChangeKind::Configuration, "a", "b");
        assert_eq!(changed, BTreeMap::from([(reconfigured, vec!["a".to_owned()])]));
        let unknown = RecordedSoftware { version: None, ..old };
        let after = run(&[("a", with(healthy(), unknown))]);
        assert!(Comparison::of(&before, &after).changes.is_empty(), "what is not known has not changed");
    }

    #[test]
    fn what_does_not_occur_again_is_flaky() {
        let before = run(&[("a", case(&[], &["h"]))]);
        let after = run(&[("a", case(&[("h", finding(&[], 1))], &[]))]);
        let mut compared = Comparison::of(&before, &after);
        assert!(compared.is_alarming());
        compared.confirm(&after);
        assert_eq!(compared.count(DifferenceKind::New), 1);
        compared.confirm(&before);
        assert_eq!((compared.count(DifferenceKind::Flaky), compared.is_alarming()), (1, false));
    }
}
