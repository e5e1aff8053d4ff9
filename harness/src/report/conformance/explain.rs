//! The page of a requirement, for `unbroken explain ID`: out of the suite's own data.

use crate::conform::suite::{OutcomeKind, Requirement, Suite, Vector};

/// The page of a requirement; its id in any case.
pub fn explain(suites: &[Suite], id: &str) -> Option<String> {
    let all = || suites.iter().flat_map(|suite| suite.requirements.iter().map(move |one| (suite, one)));
    let (suite, requirement) = all().find(|(_, one)| one.id.eq_ignore_ascii_case(id.trim()))?;
    Some(page(suite, requirement))
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
    if !requirement.configuration.is_default() {
        text += &format!("\nIt is tried with {}.\n", requirement.configuration.words());
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
    let word = |kind: OutcomeKind, name: &str| match kind.word() == name {
        true => name.to_owned(),
        false => format!("{} ({name})", kind.word()),
    };
    let outcomes: Vec<String> = vector.expect.iter().map(|one| word(one.kind, &one.name)).collect();
    let times = if vector.requests > 1 { format!(", {} requests", vector.requests) } else { String::new() };
    let calls = if vector.calls > 1 { format!(", {} calls", vector.calls) } else { String::new() };
    format!("{}{calls}{times}", outcomes.join(" or "))
}

/// One line for each requirement, for `--list`.
pub fn list<'a>(requirements: impl Iterator<Item = (&'a str, &'a Requirement, usize)>) -> String {
    requirements
        .map(|(suite, requirement, vectors)| {
            let id = &requirement.id;
            let strength = requirement.strength.word();
            format!("{suite:<16} {id:<7} {strength:<7} {vectors:>4}  {}\n", requirement.says)
        })
        .collect()
}
