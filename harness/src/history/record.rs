//! A run as its JSON report holds it, as far as runs are compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

/// The version of the report that is read.
const VERSION: u32 = 2;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunRecord {
    /// It was interrupted, or has not all of its cases.
    pub is_partial: bool,
    pub seed: String,
    /// The version of `unbroken` that wrote the report.
    pub tool: String,
    /// By title: `scenario [case]`.
    pub cases: BTreeMap<String, RecordedCase>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedCase {
    pub file: String,
    pub scenario: String,
    /// The values of its matrix; empty for a scenario of one case.
    pub case: String,
    /// The time that it took, of several repeats together.
    pub took_ms: u64,
    /// It was judged; otherwise it could not run.
    pub ran: bool,
    /// The hops that passed in every repeat.
    pub passed: BTreeSet<String>,
    pub findings: BTreeMap<FindingId, RecordedFinding>,
    /// By node; empty in the report of an earlier version of `unbroken`.
    pub software: BTreeMap<String, RecordedSoftware>,
}

/// The program of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedSoftware {
    pub program: String,
    pub version: Option<String>,
    /// A hash of its configuration.
    pub configuration: Option<String>,
}

/// The fields by which a finding is found again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingId {
    pub hop: String,
    pub class: String,
    pub side: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedFinding {
    pub fingerprint: String,
    /// The fields of the context that it is about.
    pub fields: BTreeSet<String>,
    /// The number of crossings that it hit, of those that were looked at.
    pub hit: u32,
    pub of: u32,
    pub is_known: bool,
    /// A baseline accepted it until a day that has passed.
    pub has_expired: bool,
    pub message: String,
}

#[derive(Debug, Error)]
pub enum RecordError {
    #[error("it is not a JSON report of `unbroken run`")]
    Syntax(#[from] serde_json::Error),
    #[error("it has version {0}, expected {VERSION}: it was written by another version of `unbroken`")]
    Version(u32),
}

#[derive(Deserialize)]
struct ReportVersion {
    version: u32,
}

#[derive(Deserialize)]
struct ReportText {
    interrupted: bool,
    partial: bool,
    seed: String,
    tool: ToolText,
    cases: Vec<CaseText>,
}

#[derive(Deserialize)]
struct ToolText {
    version: String,
}

#[derive(Deserialize)]
struct CaseText {
    title: String,
    file: String,
    scenario: String,
    #[serde(default)]
    case: String,
    #[serde(default)]
    took_ms: u64,
    #[serde(default)]
    software: Vec<SoftwareText>,
    judged: Option<JudgedText>,
}

#[derive(Deserialize)]
struct SoftwareText {
    node: String,
    program: String,
    version: Option<String>,
    configuration: Option<String>,
}

#[derive(Deserialize)]
struct JudgedText {
    hops: Vec<HopText>,
    findings: Vec<FindingText>,
}

#[derive(Deserialize)]
struct HopText {
    id: String,
    verdict: String,
}

#[derive(Deserialize)]
struct FindingText {
    fingerprint: String,
    class: String,
    side: String,
    hops: Vec<String>,
    #[serde(default)]
    fields: BTreeSet<String>,
    inconclusive: bool,
    known: Option<String>,
    accepted_until: Option<String>,
    hit: u32,
    of: u32,
    message: String,
}

impl RunRecord {
    /// Reads a JSON report.
    pub fn read(text: &str) -> Result<RunRecord, RecordError> {
        let ReportVersion { version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(RecordError::Version(version));
        }
        let report: ReportText = serde_json::from_str(text)?;
        let mut record = RunRecord {
            is_partial: report.interrupted || report.partial,
            seed: report.seed,
            tool: report.tool.version,
            cases: BTreeMap::new(),
        };
        for case in report.cases {
            let first = !record.cases.contains_key(&case.title);
            let known = record.cases.entry(case.title).or_default();
            (known.file, known.scenario, known.case) = (case.file, case.scenario, case.case);
            known.took_ms += case.took_ms;
            known.software.extend(case.software.into_iter().map(|text| {
                let SoftwareText { node, program, version, configuration } = text;
                (node, RecordedSoftware { program, version, configuration })
            }));
            let Some(judged) = case.judged else { continue };
            known.ran = true;
            let passed = judged.hops.into_iter().filter(|hop| hop.verdict == "pass").map(|hop| hop.id);
            let passed: BTreeSet<String> = passed.collect();
            known.passed = if first { passed } else { &known.passed & &passed };
            for finding in judged.findings.into_iter().filter(|finding| !finding.inconclusive) {
                known.add(finding);
            }
        }
        Ok(record)
    }
}

impl RunRecord {
    /// Returns how long each case took, by title.
    pub fn durations_ms(&self) -> BTreeMap<String, u64> {
        self.cases.iter().map(|(title, case)| (title.clone(), case.took_ms)).collect()
    }
}

impl RecordedCase {
    /// Adds a finding of one repeat; of several the one that hit most counts.
    fn add(&mut self, text: FindingText) {
        let hop = text.hops.into_iter().next().unwrap_or_default();
        let id = FindingId { hop, class: text.class, side: text.side };
        let found = RecordedFinding {
            fingerprint: text.fingerprint,
            fields: text.fields,
            hit: text.hit,
            of: text.of,
            is_known: text.known.is_some(),
            has_expired: text.accepted_until.is_some(),
            message: text.message,
        };
        match self.findings.get_mut(&id) {
            Some(known) if known.hit >= found.hit => {}
            Some(known) => *known = found,
            None => {
                self.findings.insert(id, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_another_version_or_kind_is_refused() {
        assert!(matches!(RunRecord::read(r#"{"version":3}"#), Err(RecordError::Version(3))));
        assert!(matches!(RunRecord::read("[]"), Err(RecordError::Syntax(_))));
        assert!(matches!(RunRecord::read(r#"{"version":2}"#), Err(RecordError::Syntax(_))));
    }
}
