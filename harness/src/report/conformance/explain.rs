//! The page of a requirement, for `unbroken explain ID`, from the data of the suite.

use std::collections::BTreeSet;

use crate::conform::suite::{AllowedOutcome, Configuration, Requirement, Suite, Vector};

/// Returns the page of a requirement. Its id may be in upper or lower case.
pub fn explain(suites: &[Suite], id: &str) -> Option<String> {
    for suite in suites {
        let mut requirements = suite.requirements.iter();
        if let Some(requirement) = requirements.find(|one| one.id.eq_ignore_ascii_case(id.trim())) {
            return Some(page(suite, requirement));
        }
    }
    None
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
    text += &format!("\n    unbroken conform TARGET --only {}\n", requirement.id);
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
