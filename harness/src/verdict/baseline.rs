//! A baseline: findings that are known and accepted, each with a reason, in a file of its own (JSON, version 2).
//!
//! An entry accepts the finding of one scenario, case, hop, class and side, for the fields that it names and on as many
//! crossings as it counts. A further field or crossing is worse than what was accepted.
//!
//! Version 1 has neither fields nor counts. It is read, and accepts any.

use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{HopVerdict, Verdict};
use crate::rules::Finding;
use crate::rules::fingerprint::present_side;

const VERSION: u32 = 2;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    pub accepted: Vec<AcceptedFinding>,
    /// Entries whose last day has passed. They accept nothing, and stay in the file.
    pub expired: Vec<AcceptedFinding>,
}

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedFinding {
    pub scenario: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub case: String,
    pub hop: String,
    pub class: String,
    pub side: String,
    /// The fields of the context for which it is accepted; `None`, in version 1 only, for any.
    #[serde(default, skip_serializing_if = "is_none_or_empty")]
    pub fields: Option<Vec<String>>,
    /// The most crossings on which it is accepted; `None` for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The last day on which it is accepted, `2027-01-31`; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The reason for accepting it; a link to the upstream issue at best.
    pub reason: String,
}

/// The answer of a baseline to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance<'b> {
    New,
    Known(&'b AcceptedFinding),
    /// It has a further field or was on more crossings than the entry accepts.
    Worse(&'b AcceptedFinding),
}

#[derive(Debug, Error)]
pub enum BaselineError {
    #[error("the baseline is not valid")]
    Syntax(#[from] serde_json::Error),
    #[error("the baseline has version {0}, expected {VERSION}: write it again with `--write-baseline`")]
    Version(u32),
    #[error("the baseline entry for `{class}` at `{hop}` of `{scenario}` has no reason: add one")]
    NoReason { scenario: String, hop: String, class: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    accepted: Vec<AcceptedFinding>,
}

// The signature that `skip_serializing_if` calls it with.
#[expect(clippy::ref_option)]
fn is_none_or_empty(fields: &Option<Vec<String>>) -> bool {
    fields.as_ref().is_none_or(Vec::is_empty)
}

/// Returns the message about a file of version 1.
pub fn outdated_notice(path: &Path) -> String {
    let path = path.display();
    format!(
        "note: the baseline `{path}` has version 1, without fields and counts: an entry also accepts the same class for \
         another field or on more crossings; bring it up to date with `--baseline {path} --write-baseline {path}`, \
         which keeps the reasons"
    )
}

impl Baseline {
    pub fn read(text: &str) -> Result<Baseline, BaselineError> {
        let file: File = serde_json::from_str(text)?;
        if file.version == 0 || file.version > VERSION {
            return Err(BaselineError::Version(file.version));
        }
        if let Some(bare) = file.accepted.iter().find(|accepted| accepted.reason.trim().is_empty()) {
            let (scenario, hop, class) = (bare.scenario.clone(), bare.hop.clone(), bare.class.clone());
            return Err(BaselineError::NoReason { scenario, hop, class });
        }
        let mut accepted = file.accepted;
        for entry in &mut accepted {
            if file.version == 1 {
                entry.side = present_side(&entry.side).to_owned();
            } else {
                entry.fields.get_or_insert_default();
            }
        }
        Ok(Baseline { accepted, expired: Vec::new() })
    }

    pub fn write(&self) -> String {
        let accepted = self.accepted.iter().chain(&self.expired).cloned().collect();
        let file = File { version: VERSION, accepted };
        let mut text = serde_json::to_string_pretty(&file).expect("strings and numbers are always JSON");
        text.push('\n');
        text
    }

    /// Returns true for a baseline of version 1: its entries accept any field.
    pub fn is_outdated(&self) -> bool {
        self.accepted.iter().any(|entry| entry.fields.is_none())
    }

    /// Lets the entries expire that are accepted until a day before `today`, `2026-11-30`, and returns them.
    pub fn expire(&mut self, today: &str) -> &[AcceptedFinding] {
        let all = std::mem::take(&mut self.accepted).into_iter();
        (self.expired, self.accepted) =
            all.partition(|entry| entry.until.as_deref().is_some_and(|until| until < today));
        &self.expired
    }

    /// Adds the entries of another file.
    pub fn extend(&mut self, other: Baseline) {
        self.accepted.extend(other.accepted);
        self.expired.extend(other.expired);
    }

    /// Adds an entry in place of those about the same finding.
    pub fn replace(&mut self, entry: AcceptedFinding) {
        for entries in [&mut self.accepted, &mut self.expired] {
            entries.retain(|known| !known.is_of_the_same(&entry));
        }
        self.accepted.push(entry);
    }

    /// Returns the day until which a finding was accepted.
    pub fn last_day(&self, scenario: &str, case: &str, finding: &Finding) -> Option<&str> {
        let mut entries = self.expired.iter().filter(|entry| entry.is_about(scenario, case, finding));
        entries.find_map(|entry| entry.until.as_deref())
    }

    pub fn acceptance(&self, scenario: &str, case: &str, finding: &Finding) -> Acceptance<'_> {
        let mut acceptance = Acceptance::New;
        for entry in self.accepted.iter().filter(|entry| entry.is_about(scenario, case, finding)) {
            if entry.covers(finding) {
                return Acceptance::Known(entry);
            }
            acceptance = Acceptance::Worse(entry);
        }
        acceptance
    }

    /// Returns the entries for this case whose finding did not occur although the hop passed: where the hop could not
    /// be judged, nobody knows.
    pub fn fixed<'b>(
        &'b self,
        scenario: &'b str,
        case: &'b str,
        findings: &'b [Finding],
        hops: &'b [HopVerdict],
    ) -> impl Iterator<Item = &'b AcceptedFinding> {
        self.accepted.iter().filter(move |entry| {
            let of_case = entry.scenario == scenario && entry.case == case;
            let unclear = hops.iter().any(|hop| hop.id == entry.hop && hop.verdict != Verdict::Pass);
            of_case && !unclear && !findings.iter().any(|finding| entry.is_about(scenario, case, finding))
        })
    }
}

impl AcceptedFinding {
    /// Returns an entry for a finding.
    pub fn of(scenario: &str, case: &str, finding: &Finding, reason: &str) -> AcceptedFinding {
        AcceptedFinding {
            scenario: scenario.into(),
            case: case.into(),
            hop: place_of(finding).to_owned(),
            class: finding.class.word().into(),
            side: finding.side.word().into(),
            fields: Some(finding.fields.clone()),
            count: Some(finding.hit),
            until: None,
            reason: reason.into(),
        }
    }

    /// Returns whether another entry is about the same finding.
    pub fn is_of_the_same(&self, other: &AcceptedFinding) -> bool {
        (&self.scenario, &self.case, &self.hop) == (&other.scenario, &other.case, &other.hop)
            && (&self.class, &self.side) == (&other.class, &other.side)
    }

    /// Accepts what another entry about the same finding accepts, too.
    pub fn widen(&mut self, other: AcceptedFinding) {
        self.count = self.count.zip(other.count).map(|(one, other)| one.max(other));
        let fields = self.fields.get_or_insert_default();
        for field in other.fields.into_iter().flatten() {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields.sort();
    }

    fn is_about(&self, scenario: &str, case: &str, finding: &Finding) -> bool {
        self.scenario == scenario
            && self.case == case
            && self.hop == place_of(finding)
            && self.class == finding.class.word()
            && self.side == finding.side.word()
    }

    fn covers(&self, finding: &Finding) -> bool {
        self.further_fields(finding).next().is_none() && self.count.is_none_or(|count| finding.hit <= count)
    }

    /// Returns the fields of a finding for which it is not accepted.
    pub fn further_fields<'f>(&'f self, finding: &'f Finding) -> impl Iterator<Item = &'f str> {
        let known = self.fields.as_deref();
        let fields = finding.fields.iter().map(String::as_str);
        fields.filter(move |field| known.is_some_and(|known| !known.iter().any(|name| name == field)))
    }
}

/// Returns the hop of a finding; of a collector, which no hop reaches, its name.
fn place_of(finding: &Finding) -> &str {
    let hop = finding.hops.first().or(finding.node.as_ref());
    hop.map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> AcceptedFinding {
        AcceptedFinding {
            scenario: "order".into(),
            case: "sampled=true".into(),
            hop: "record".into(),
            class: "not-injected".into(),
            side: "sender".into(),
            fields: Some(vec!["traceparent".into()]),
            count: Some(2),
            until: Some("2027-01-31".into()),
            reason: "upstream #12".into(),
        }
    }

    #[test]
    fn a_baseline_is_read_back_as_written() {
        let of_a_span = AcceptedFinding { fields: Some(Vec::new()), count: None, ..entry() };
        let baseline = Baseline { accepted: vec![entry(), of_a_span], expired: Vec::new() };
        assert_eq!(Baseline::read(&baseline.write()).unwrap(), baseline);
        assert!(!baseline.is_outdated());
    }

    #[test]
    fn an_entry_expires_after_its_last_day() {
        let forever = AcceptedFinding { until: None, hop: "order".into(), ..entry() };
        let mut baseline = Baseline { accepted: vec![entry(), forever], expired: Vec::new() };
        assert_eq!(baseline.expire("2027-01-31"), []);
        assert_eq!(baseline.expire("2027-02-01"), [entry()]);
        assert_eq!(baseline.accepted.len(), 1);
        let kept = Baseline::read(&baseline.write()).unwrap();
        assert_eq!(kept.accepted.len(), 2, "an entry that has expired stays in the file");
        baseline.replace(AcceptedFinding { until: Some("2028-01-31".into()), ..entry() });
        assert_eq!((baseline.accepted.len(), baseline.expired.len()), (2, 0));
    }

    #[test]
    fn a_reason_is_required() {
        let text = r#"{"version":1,"accepted":[{"scenario":"a","hop":"b","class":"c","side":"sender","reason":" "}]}"#;
        assert!(matches!(Baseline::read(text), Err(BaselineError::NoReason { .. })));
    }

    #[test]
    fn a_version_of_the_future_is_refused() {
        assert!(matches!(Baseline::read(r#"{"version":3,"accepted":[]}"#), Err(BaselineError::Version(3))));
    }

    #[test]
    fn version_1_accepts_any_field_and_is_outdated() {
        let text = r#"{"version":1,"accepted":[
            {"scenario":"a","hop":"b","class":"c","side":"sender","reason":"r"}]}"#;
        let read = Baseline::read(text).unwrap();
        assert!(read.is_outdated());
        assert!(!Baseline::read(&read.write()).unwrap().is_outdated());
    }
}
