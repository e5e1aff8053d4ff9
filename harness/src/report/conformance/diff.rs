//! Two JSON reports side by side: which vectors are better, worse, or end in another outcome.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::conform::results::Verdict;

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
    /// The same verdict by another outcome that is allowed.
    pub other: Vec<String>,
    pub added: Vec<String>,
    pub gone: Vec<String>,
}

/// Compares two reports as `--report json` writes them; an error says in words which cannot be read.
pub fn diff(old: &str, new: &str) -> Result<Diff, String> {
    let (old, new) = (
        vectors(old).map_err(|why| format!("the old report: {why}"))?,
        vectors(new).map_err(|why| format!("the new report: {why}"))?,
    );
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

    /// Every change, the worse ones first.
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

fn vectors(text: &str) -> Result<BTreeMap<String, Vector>, String> {
    let report: Report = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if report.version != 1 {
        return Err(format!("it has version {}, and this command reads version 1", report.version));
    }
    let of = |requirement: Requirement| {
        let id = requirement.id;
        let keyed = move |vector: Vector| (format!("{id}/{} over {}", vector.name, vector.transport), vector);
        requirement.vectors.into_iter().map(keyed)
    };
    Ok(report.requirements.into_iter().flat_map(of).collect())
}

fn words(vector: &Vector) -> String {
    match &vector.outcome {
        Some(outcome) => format!("{} ({outcome})", vector.verdict),
        None => vector.verdict.clone(),
    }
}

/// From the best to the worst.
fn rank(word: &str) -> usize {
    Verdict::ALL.iter().position(|verdict| verdict.word() == word).unwrap_or(Verdict::ALL.len())
}
