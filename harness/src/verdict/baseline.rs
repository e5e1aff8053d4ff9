//! A baseline: findings that are known and accepted, each with a reason, in a file of its own (JSON, version
//! 1).
//!
//! Keyed on scenario, case, hop, class and side, as fingerprints are.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::rules::Finding;
use crate::rules::fingerprint::present_side;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    pub accepted: Vec<AcceptedFinding>,
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
    /// The reason for accepting it; a link to the upstream issue at best.
    pub reason: String,
}

#[derive(Debug, Error)]
pub enum BaselineError {
    #[error("the baseline is not valid")]
    Syntax(#[from] serde_json::Error),
    #[error("the baseline has version {0}, expected 1: write it again with `--write-baseline`")]
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

impl Baseline {
    pub fn read(text: &str) -> Result<Baseline, BaselineError> {
        let file: File = serde_json::from_str(text)?;
        if file.version != 1 {
            return Err(BaselineError::Version(file.version));
        }
        if let Some(bare) = file.accepted.iter().find(|accepted| accepted.reason.trim().is_empty()) {
            let (scenario, hop, class) = (bare.scenario.clone(), bare.hop.clone(), bare.class.clone());
            return Err(BaselineError::NoReason { scenario, hop, class });
        }
        Ok(Baseline { accepted: file.accepted })
    }

    pub fn write(&self) -> String {
        let file = File { version: 1, accepted: self.accepted.clone() };
        let mut text = serde_json::to_string_pretty(&file).expect("strings and numbers are always JSON");
        text.push('\n');
        text
    }

    /// Returns the reason for which a finding is accepted.
    pub fn reason(&self, scenario: &str, case: &str, finding: &Finding) -> Option<&str> {
        let entry = self.accepted.iter().find(|entry| entry.is(scenario, case, finding))?;
        Some(entry.reason.as_str())
    }

    /// Returns the entries for this case whose finding did not occur.
    pub fn fixed<'b>(
        &'b self,
        scenario: &'b str,
        case: &'b str,
        findings: &'b [Finding],
    ) -> impl Iterator<Item = &'b AcceptedFinding> {
        self.accepted.iter().filter(move |entry| {
            let of_case = entry.scenario == scenario && entry.case == case;
            of_case && !findings.iter().any(|finding| entry.is(scenario, case, finding))
        })
    }
}

impl AcceptedFinding {
    /// Returns an entry for a finding.
    pub fn of(scenario: &str, case: &str, finding: &Finding, reason: &str) -> AcceptedFinding {
        AcceptedFinding {
            scenario: scenario.into(),
            case: case.into(),
            hop: finding.hops.first().cloned().unwrap_or_default(),
            class: finding.class.word().into(),
            side: finding.side.word().into(),
            reason: reason.into(),
        }
    }

    fn is(&self, scenario: &str, case: &str, finding: &Finding) -> bool {
        let own = AcceptedFinding::of(scenario, case, finding, &self.reason);
        AcceptedFinding { side: present_side(&self.side).to_owned(), ..self.clone() } == own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_read_back_as_written() {
        let entry = AcceptedFinding {
            scenario: "order".into(),
            case: "sampled=true".into(),
            hop: "record".into(),
            class: "not-injected".into(),
            side: "sender".into(),
            reason: "upstream #12".into(),
        };
        let baseline = Baseline { accepted: vec![entry] };
        assert_eq!(Baseline::read(&baseline.write()).unwrap(), baseline);
    }

    #[test]
    fn a_reason_is_required() {
        let text = r#"{"version":1,"accepted":[{"scenario":"a","hop":"b","class":"c","side":"sender","reason":" "}]}"#;
        assert!(matches!(Baseline::read(text), Err(BaselineError::NoReason { .. })));
    }
}
