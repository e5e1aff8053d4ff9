//! The page of a requirement, for `unbroken explain ID`, from the data of the suite.

use std::collections::BTreeSet;

use super::explain_vector;
use crate::conform::suite::{AllowedOutcome, Configuration, Requirement, Suite, Vector};

/// Returns the page of a requirement (`TP-12`) or a vector (`TP-12/no-dash`). The id may be in upper or lower case.
pub fn explain(suites: &[Suite], word: &str) -> Option<String> {
    let (id, name) = parts(word);
    let (suite, requirement) = requirement(suites, id)?;
    let Some(name) = name else { return Some(page(suite, requirement)) };
    let vector = requirement.vectors.iter().find(|vector| vector.name == name)?;
    Some(explain_vector::page(suite, requirement, vector))
}

/// Returns the message for a word that has no page, if it is like an id: an unknown vector, or a family.
pub fn unknown(suites: &[Suite], word: &str) -> Option<String> {
    let (id, name) = parts(word);
    if let (Some((_, requirement)), Some(name)) = (requirement(suites, id), name) {
        let id = &requirement.id;
        return Some(format!("{id} has no vector `{name}`; `unbroken explain {id}` lists its vectors"));
    }
    let family = id.split('-').next()?.to_ascii_uppercase();
    let mut requirements = suites.iter().flat_map(|suite| &suite.requirements);
    requirements.find(|one| one.id.split('-').next() == Some(&family))?;
    Some(format!(
        "there is no requirement `{id}`; `unbroken conform --list --only {family}` lists those of {family}"
    ))
}

fn parts(word: &str) -> (&str, Option<&str>) {
    match word.trim().split_once('/') {
        Some((id, name)) => (id, Some(name)),
        None => (word.trim(), None),
    }
}

fn requirement<'a>(suites: &'a [Suite], id: &str) -> Option<(&'a Suite, &'a Requirement)> {
    suites.iter().find_map(|suite| {
        let requirement = suite.requirements.iter().find(|one| one.id.eq_ignore_ascii_case(id))?;
        Some((suite, requirement))
    })
}

fn page(suite: &Suite, requirement: &Requirement) -> String {
    let mut text = format!("# {}: {}\n\n", requirement.id, requirement.says);
    text += &format!(
        "{} for a {}, level {} of the W3C documents; suite `{}`\n{}\n",
        requirement.strength.word(),
        requirement.role.word(),
        requirement.level,
        suite.name,
        requirement.clause
    );
    if let Some(note) = &requirement.note {
        text += &format!("\n{note}\n");
    }
    if !requirement.needs.is_empty() {
        text += &format!("\nIt needs the capabilities {}.\n", requirement.needs.join(", "));
    }
    let configurations: BTreeSet<String> =
        requirement.vectors.iter().map(|vector| vector.configuration.words()).collect();
    if configurations.iter().any(|words| *words != Configuration::default().words()) {
        let all: Vec<String> = configurations.into_iter().collect();
        text += &format!("\nIt is tried with {}.\n", all.join("; "));
    }
    if suite.is_on_request {
        text += "\nIt is tried only when `--suite` or `--only` names it.\n";
    }
    if !requirement.w3c.is_empty() {
        text += "\n## In the W3C suite\n\n";
        text.extend(requirement.w3c.iter().map(|test| format!("- `{test}`\n")));
    }
    text += "\n## Vectors\n\n";
    text.extend(
        requirement.vectors.iter().map(|vector| format!("- `{}`: {}\n", vector.name, outcome(vector))),
    );
    if let Some(vector) = requirement.vectors.last() {
        text += &format!("\n    unbroken explain {}/{}\n", requirement.id, vector.name);
    }
    text += &format!("    unbroken conform TARGET --only {}\n", requirement.id);
    text
}

fn outcome(vector: &Vector) -> String {
    let mut outcomes: Vec<String> = Vec::new();
    for AllowedOutcome { kind, name, .. } in &vector.expect {
        let word = kind.word();
        outcomes.push(if word == name { name.clone() } else { format!("{word} ({name})") });
    }
    let times = if vector.requests > 1 { format!(", {} requests", vector.requests) } else { String::new() };
    let calls = if vector.calls > 1 { format!(", {} calls", vector.calls) } else { String::new() };
    format!("{}{calls}{times}", outcomes.join(" or "))
}

/// Returns one line for each requirement, for `--list`.
pub fn list<'a>(requirements: impl Iterator<Item = (&'a str, &'a Requirement, usize)>) -> String {
    requirements
        .map(|(suite, requirement, vectors)| {
            let id = &requirement.id;
            let strength = requirement.strength.word();
            format!("{suite:<16} {id:<7} {strength:<7} {vectors:>4}  {}\n", requirement.says)
        })
        .collect()
}
