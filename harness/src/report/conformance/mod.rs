//! Reports of the reference suite (`conform`), one file per format.

pub mod diff;
pub mod explain;
mod explain_vector;
pub mod github;
pub mod html;
pub mod json;
#[cfg(feature = "junit")]
pub mod junit;
pub mod markdown;
pub mod terminal;

mod story;

#[cfg(test)]
mod tests;

use crate::conform::results::{
    ConformanceVerdict, Implementation, KnownDeviation, RequirementResult, Results, VectorResult,
};

/// Returns `opentelemetry_sdk 0.33 (rust)`, or the name on the command line where the target reports no name.
fn named(implementation: &Implementation) -> String {
    let Some(name) = &implementation.name else { return implementation.target.clone() };
    let version = implementation.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let language =
        implementation.language.as_ref().map(|language| format!(" ({language})")).unwrap_or_default();
    format!("{name}{version}{language}")
}

/// Returns `1 fail, 12 pass`, the worst first.
pub(crate) fn counted(counts: &crate::conform::results::Counts) -> String {
    let some = ConformanceVerdict::ALL.iter().rev().filter(|verdict| counts.get(**verdict) > 0);
    let parts: Vec<String> =
        some.map(|verdict| format!("{} {}", counts.get(*verdict), verdict.word())).collect();
    if parts.is_empty() { "nothing was tried".to_owned() } else { parts.join(", ") }
}

fn sign(verdict: ConformanceVerdict) -> &'static str {
    match verdict {
        ConformanceVerdict::Pass => "✓",
        ConformanceVerdict::Unsupported => "-",
        ConformanceVerdict::Inconclusive => "?",
        ConformanceVerdict::Deviates => "!",
        ConformanceVerdict::Fail => "✗",
    }
}

/// Returns the actual outcomes of vectors that allow several, each once.
fn outcomes(result: &RequirementResult) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for vector in &result.vectors {
        let leaves_choice = result
            .requirement
            .vectors
            .iter()
            .any(|declared| declared.name == vector.name && declared.expect.len() > 1);
        if let Some(outcome) = vector.outcome.as_deref()
            && leaves_choice
            && !names.contains(&outcome)
        {
            names.push(outcome);
        }
    }
    names
}

/// Returns the reasons of the baseline that hold for this requirement, each with the vectors that it accepts.
fn known(result: &RequirementResult) -> Vec<(&KnownDeviation, Vec<&VectorResult>)> {
    let mut reasons: Vec<(&KnownDeviation, Vec<&VectorResult>)> = Vec::new();
    for vector in &result.vectors {
        let Some(known) = &vector.known else { continue };
        match reasons.iter_mut().find(|(reason, _)| *reason == known) {
            Some((_, vectors)) => vectors.push(vector),
            None => reasons.push((known, vec![vector])),
        }
    }
    reasons
}

/// Returns the remarks of a run, each with the vectors that have it, by requirement and name.
fn notes(results: &Results) -> Vec<(&str, Vec<String>)> {
    let mut notes: Vec<(&str, Vec<String>)> = Vec::new();
    for result in &results.requirements {
        for vector in &result.vectors {
            for note in &vector.notes {
                let name = format!("`{}/{}`", result.requirement.id, vector.title());
                match notes.iter_mut().find(|(known, _)| known == note) {
                    Some((_, names)) => names.push(name),
                    None => notes.push((note, vec![name])),
                }
            }
        }
    }
    notes
}

/// Returns the reasons why vectors are unsupported with the number of vectors, the most frequent one first.
fn unsupported(results: &Results) -> Vec<(&str, usize)> {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for vector in results.vectors().filter(|vector| vector.verdict == ConformanceVerdict::Unsupported) {
        let reason = vector.reason.as_deref().unwrap_or_default();
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons
}

/// The number of vectors that are named where a list is short.
const NAMED: usize = 3;

/// Returns `` `a`, `b`, `c` and 4 more ``.
fn names(vectors: &[&VectorResult]) -> String {
    let all: Vec<String> = vectors.iter().map(|one| format!("`{}`", one.title())).collect();
    few(&all)
}

/// Returns the first of them, and the number of the others.
fn few(all: &[String]) -> String {
    let some = all[..all.len().min(NAMED)].join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => some,
        more => format!("{some} and {more} more"),
    }
}

/// Returns the suites in order, each with its results.
fn by_suite(results: &Results) -> Vec<(&str, Vec<&RequirementResult>)> {
    let mut suites: Vec<(&str, Vec<&RequirementResult>)> = Vec::new();
    for result in &results.requirements {
        match suites.last_mut().filter(|(name, _)| *name == result.suite) {
            Some((_, some)) => some.push(result),
            None => suites.push((&result.suite, vec![result])),
        }
    }
    suites
}
