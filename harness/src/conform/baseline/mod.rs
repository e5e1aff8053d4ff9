//! A baseline of the reference suite: deviations that are known and accepted, each with a reason, in a file of its own
//! (JSON, version 1).
//!
//! An entry accepts vectors of one requirement that fail in one way. A vector that fails in another way is new. An
//! inconclusive vector is never accepted.

use serde::{Deserialize, Serialize};

use super::results::{ConformanceVerdict, KnownDeviation, Results, VectorResult};
use super::suite::Suite;
use super::transport::TransportRoute;

const VERSION: u32 = 1;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConformanceBaseline {
    pub accepted: Vec<AcceptedDeviation>,
}

/// Vectors of one requirement that are accepted for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedDeviation {
    pub requirement: String,
    /// The way in which they fail, as in the JSON report: `continued`.
    pub kind: String,
    /// The names of the vectors; empty for all of the requirement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vectors: Vec<String>,
    /// `kafka -> grpc`; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// The last day on which it is accepted, `2027-01-31`; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    pub reason: String,
    /// The page of the upstream issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A baseline that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceBaselineError {
    #[error("the baseline is not valid")]
    Syntax(#[from] serde_json::Error),
    #[error("the baseline has version {0}, expected {VERSION}: write it again with `--write-baseline`")]
    Version(u32),
    #[error("the baseline entry for `{kind}` of `{requirement}` has no reason: add one")]
    NoReason { requirement: String, kind: String },
    #[error("the baseline accepts `{0}`, which is not in the suite: remove the entry, or correct its name")]
    Unknown(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    accepted: Vec<AcceptedDeviation>,
}

impl ConformanceBaseline {
    pub fn read(text: &str, suites: &[Suite]) -> Result<ConformanceBaseline, ConformanceBaselineError> {
        let file: File = serde_json::from_str(text)?;
        if file.version != VERSION {
            return Err(ConformanceBaselineError::Version(file.version));
        }
        for entry in &file.accepted {
            if entry.reason.trim().is_empty() {
                let (requirement, kind) = (entry.requirement.clone(), entry.kind.clone());
                return Err(ConformanceBaselineError::NoReason { requirement, kind });
            }
            if let Some(unknown) = entry.unknown(suites) {
                return Err(ConformanceBaselineError::Unknown(unknown));
            }
        }
        Ok(ConformanceBaseline { accepted: file.accepted })
    }

    pub fn write(&self) -> String {
        let file = File { version: VERSION, accepted: self.accepted.clone() };
        let mut text = serde_json::to_string_pretty(&file).expect("strings and numbers are always JSON");
        text.push('\n');
        text
    }

    /// Removes the entries that are accepted until a day before `today`, `2026-11-30`, and returns them.
    pub fn take_expired(&mut self, today: &str) -> Vec<AcceptedDeviation> {
        let all = std::mem::take(&mut self.accepted).into_iter();
        let (expired, accepted) =
            all.partition(|entry| entry.until.as_deref().is_some_and(|until| until < today));
        self.accepted = accepted;
        expired
    }

    /// Marks the accepted deviations as known, and notes the accepted vectors that pass.
    pub fn apply(&self, results: &mut Results) {
        for result in &mut results.requirements {
            for vector in &mut result.vectors {
                let entry = self.acceptance(&result.requirement.id, vector);
                vector.known = entry.map(AcceptedDeviation::known);
            }
        }
        results.fixed = self.accepted.iter().flat_map(|entry| entry.fixed(results)).collect();
    }

    /// Returns the entry that accepts the result of a vector.
    fn acceptance(&self, id: &str, vector: &VectorResult) -> Option<&AcceptedDeviation> {
        self.accepted.iter().find(|entry| entry.accepts(id, vector))
    }

    /// Returns the deviations of a run as accepted. An entry of `known` keeps its reason; others get `reason`.
    pub fn of(results: &Results, known: &ConformanceBaseline, reason: &str) -> ConformanceBaseline {
        let mut new = ConformanceBaseline::default();
        for result in &results.requirements {
            let id = &result.requirement.id;
            for vector in &result.vectors {
                let Some(kind) = kind_of(vector) else { continue };
                if new.acceptance(id, vector).is_some() {
                    continue;
                }
                let entry = match known.acceptance(id, vector) {
                    Some(entry) if entry.vectors.is_empty() => entry.clone(),
                    Some(entry) => AcceptedDeviation { vectors: vec![vector.name.clone()], ..entry.clone() },
                    None => AcceptedDeviation::new(id, kind, vector, reason),
                };
                new.add(entry);
            }
        }
        new
    }

    fn add(&mut self, entry: AcceptedDeviation) {
        let alike = self.accepted.iter_mut().find(|other| {
            AcceptedDeviation { vectors: Vec::new(), ..(*other).clone() }
                == AcceptedDeviation { vectors: Vec::new(), ..entry.clone() }
        });
        match alike {
            Some(alike) => alike.vectors.extend(entry.vectors),
            None => self.accepted.push(entry),
        }
    }
}

/// Returns the way in which a vector fails; `None` where there is nothing to accept.
fn kind_of(vector: &VectorResult) -> Option<&'static str> {
    match vector.verdict {
        ConformanceVerdict::Fail | ConformanceVerdict::Deviates => {
            vector.mismatch.as_ref().map(|mismatch| mismatch.kind.word())
        }
        ConformanceVerdict::Pass | ConformanceVerdict::Unsupported | ConformanceVerdict::Inconclusive => None,
    }
}

impl AcceptedDeviation {
    fn new(requirement: &str, kind: &str, vector: &VectorResult, reason: &str) -> AcceptedDeviation {
        let is_usual = vector.transport == TransportRoute::HTTP.words();
        AcceptedDeviation {
            requirement: requirement.to_owned(),
            kind: kind.to_owned(),
            vectors: vec![vector.name.clone()],
            transport: (!is_usual).then(|| vector.transport.clone()),
            until: None,
            reason: reason.to_owned(),
            link: None,
        }
    }

    fn known(&self) -> KnownDeviation {
        KnownDeviation { reason: self.reason.clone(), link: self.link.clone() }
    }

    /// Returns true for a vector that this entry is about, however it ended.
    fn names(&self, id: &str, vector: &VectorResult) -> bool {
        self.requirement == id
            && (self.vectors.is_empty() || self.vectors.contains(&vector.name))
            && self.transport.as_ref().is_none_or(|transport| *transport == vector.transport)
    }

    /// Returns the vectors that pass by now. An entry without names of vectors is fixed when all of them pass.
    fn fixed(&self, results: &Results) -> Vec<String> {
        let result = results.requirements.iter().find(|result| result.requirement.id == self.requirement);
        let vectors = result.map(|result| result.vectors.as_slice()).unwrap_or_default();
        let named = || vectors.iter().filter(|vector| self.names(&self.requirement, vector));
        if self.vectors.is_empty() {
            let is_fixed =
                named().count() > 0 && named().all(|vector| vector.verdict == ConformanceVerdict::Pass);
            return is_fixed.then(|| self.requirement.clone()).into_iter().collect();
        }
        let passing = named().filter(|vector| vector.verdict == ConformanceVerdict::Pass);
        passing.map(|vector| format!("{}/{}", self.requirement, vector.title())).collect()
    }

    fn accepts(&self, id: &str, vector: &VectorResult) -> bool {
        self.names(id, vector) && kind_of(vector) == Some(self.kind.as_str())
    }

    /// Returns the requirement or the vector that the suites do not have.
    fn unknown(&self, suites: &[Suite]) -> Option<String> {
        let mut requirements = suites.iter().flat_map(|suite| &suite.requirements);
        let Some(requirement) = requirements.find(|one| one.id == self.requirement) else {
            return Some(self.requirement.clone());
        };
        let known: Vec<&String> = requirement.vectors.iter().map(|vector| &vector.name).collect();
        let missing = self.vectors.iter().find(|name| !known.contains(name))?;
        Some(format!("{}/{missing}", self.requirement))
    }
}

#[cfg(test)]
mod tests;
