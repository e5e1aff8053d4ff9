//! The differences between two JSON reports: vectors that are better, worse, or have a different outcome.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::conform::results::ConformanceVerdict;

#[derive(Deserialize)]
struct Report {
    version: u32,
    requirements: Vec<Requirement>,
}

#[derive(Deserialize)]
struct Requirement {
    id: String,
    vectors: Vec<Vector>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Vector {
    name: String,
    transport: String,
    verdict: String,
    #[serde(default)]
    outcome: Option<String>,
}

/// The changes from one report to the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Diff {
    pub worse: Vec<String>,
    pub better: Vec<String>,
    /// The same verdict with a different allowed outcome.
    pub other: Vec<String>,
    pub added: Vec<String>,
    pub gone: Vec<String>,
}

/// A report that cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    #[error("cannot read the {which} report: {source}")]
    Read { which: &'static str, source: serde_json::Error },
    #[error("the {which} report has version {version}, expected {VERSION}: write it again")]
    Version { which: &'static str, version: u32 },
}

const VERSION: u32 = 1;

/// Compares two reports of `--report json`.
pub fn diff(old: &str, new: &str) -> Result<Diff, DiffError> {
    let (old, new) = (vectors("old", old)?, vectors("new", new)?);
    let mut diff = Diff::default();
    for (key, after) in &new {
        let Some(before) = old.get(key) else {
            diff.added.push(format!("{key}: {}", words(after)));
            continue;
        };
        let line = format!("{key}: {} -> {}", words(before), words(after));
        match rank(&after.verdict).cmp(&rank(&before.verdict)) {
            std::cmp::Ordering::Greater => diff.worse.push(line),
            std::cmp::Ordering::Less => diff.better.push(line),
            std::cmp::Ordering::Equal if before.outcome != after.outcome => diff.other.push(line),
            std::cmp::Ordering::Equal => {}
        }
    }
    let gone = old.iter().filter(|(key, _)| !new.contains_key(*key));
    diff.gone.extend(gone.map(|(key, before)| format!("{key}: {}", words(before))));
    Ok(diff)
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        *self == Diff::default()
    }

    /// Returns every change as text, the worse ones first.
    pub fn render(&self) -> String {
        if self.is_empty() {
            return "nothing changed\n".to_owned();
        }
        let parts = [
            ("worse", &self.worse),
            ("better", &self.better),
            ("other outcome", &self.other),
            ("new", &self.added),
            ("gone", &self.gone),
        ];
        let mut text = String::new();
        for (heading, lines) in parts.into_iter().filter(|(_, lines)| !lines.is_empty()) {
            text += &format!("{heading} ({})\n", lines.len());
            text.extend(lines.iter().map(|line| format!("  {line}\n")));
        }
        text
    }
}

fn vectors(which: &'static str, text: &str) -> Result<BTreeMap<String, Vector>, DiffError> {
    let report: Report = serde_json::from_str(text).map_err(|source| DiffError::Read { which, source })?;
    if report.version != VERSION {
        return Err(DiffError::Version { which, version: report.version });
    }
    let mut vectors = BTreeMap::new();
    for Requirement { id, vectors: tried } in report.requirements {
        for vector in tried {
            vectors.insert(format!("{id}/{} over {}", vector.name, vector.transport), vector);
        }
    }
    Ok(vectors)
}

fn words(vector: &Vector) -> String {
    match &vector.outcome {
        Some(outcome) => format!("{} ({outcome})", vector.verdict),
        None => vector.verdict.clone(),
    }
}

/// Returns the rank of a verdict, from the best to the worst.
fn rank(word: &str) -> usize {
    ConformanceVerdict::ALL
        .iter()
        .position(|verdict| verdict.word() == word)
        .unwrap_or(ConformanceVerdict::ALL.len())
}
