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
    pub accepted: Vec<Accepted>,
}

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    pub scenario: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub case: String,
    pub hop: String,
    pub class: String,
    pub side: String,
    /// Why it is accepted; a link to the upstream issue at best.
    pub reason: String,
}

#[derive(Debug, Error)]
pub enum BaselineError {
    #[error("the baseline is not valid")]
    Syntax(#[from] serde_json::Error),
    #[error("the baseline has version {0}, and this is version 1: write it again with `--write-baseline`")]
    Version(u32),
    #[error("the baseline accepts `{class}` at `{hop}` of `{scenario}` without a reason: say why")]
    NoReason { scenario: String, hop: String, class: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    accepted: Vec<Accepted>,
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

    /// The reason for which a finding is accepted.
    pub fn reason(&self, scenario: &str, case: &str, finding: &Finding) -> Option<&str> {
        let same = |accepted: &&Accepted| accepted.is(scenario, case, finding);
        self.accepted.iter().find(same).map(|accepted| accepted.reason.as_str())
    }

    /// What is accepted for this case and did not occur.
    pub fn fixed<'b>(
        &'b self,
        scenario: &'b str,
        case: &'b str,
        findings: &'b [Finding],
    ) -> impl Iterator<Item = &'b Accepted> {
        let here = move |accepted: &&Accepted| accepted.scenario == scenario && accepted.case == case;
        let gone =
            move |accepted: &&Accepted| !findings.iter().any(|finding| accepted.is(scenario, case, finding));
        self.accepted.iter().filter(here).filter(gone)
    }
}

impl Accepted {
    /// An entry for a finding.
    pub fn of(scenario: &str, case: &str, finding: &Finding, reason: &str) -> Accepted {
        Accepted {
            scenario: scenario.into(),
            case: case.into(),
            hop: finding.hops.first().cloned().unwrap_or_default(),
            class: finding.class.word().into(),
            side: finding.side.word().into(),
            reason: reason.into(),
        }
    }

    fn is(&self, scenario: &str, case: &str, finding: &Finding) -> bool {
        let own = Accepted::of(scenario, case, finding, &self.reason);
        Accepted { side: present_side(&self.side).to_owned(), ..self.clone() } == own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_read_back_as_written() {
        let entry = Accepted {
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
