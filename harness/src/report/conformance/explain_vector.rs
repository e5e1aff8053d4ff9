//! The page of a vector, for `unbroken explain ID/VECTOR`: the bytes with example ids, and the outcomes in words.

use super::story;
use crate::conform::suite::{
    AllowedOutcome, Demands, InstructionStep, ListDemand, OutcomeKind, RequestIds, Requirement, Suite, Text,
    Vector, instruction,
};

/// Longer values are cut.
const LONGEST: usize = 400;

fn example() -> RequestIds {
    RequestIds {
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
        parent_id: "b7ad6b7169203331".to_owned(),
    }
}

pub(super) fn page(suite: &Suite, requirement: &Requirement, vector: &Vector) -> String {
    let title = format!("{}/{}", requirement.id, vector.name);
    let mut text = format!(
        "# {title}: a vector of suite `{}`\n\n{} {}\n{}\n\n## Sent\n\n",
        suite.name,
        requirement.strength.word(),
        requirement.says,
        requirement.clause
    );
    text += &sent(vector);
    if vector.steps != [InstructionStep::call()] {
        let address =
            |number: Option<usize>, _: &str| serde_json::json!({ "url": address(number), "arguments": [] });
        text += &format!("\nwith the body {}\n", instruction(&vector.steps, &example(), &address));
    }
    if !vector.configuration.is_default() {
        text += &format!("\nto a target with {}\n", vector.configuration.words());
    }
    text += "\n## Must come out\n\n";
    for outcome in &vector.expect {
        text += &allowed(outcome);
    }
    if vector.requests > 1 {
        text += &format!("\nIn each of {} requests, each with ids of its own.\n", vector.requests);
    }
    if let Some(twin) = &vector.twin {
        text += &format!("\n`{twin}` must be continued, or a new trace proves nothing.\n");
    }
    let statements: Vec<&str> = vector.across.iter().map(|across| across.word()).collect();
    text += &listed("Over all calls: ", &statements);
    let statements: Vec<&str> = vector.telemetry.iter().map(|statement| statement.word()).collect();
    text += &listed("Of the exported spans: ", &statements);
    text + &format!("\n    unbroken conform TARGET --only {title}\n")
}

fn address(number: Option<usize>) -> String {
    format!("http://CALLBACK/{}", number.unwrap_or_default())
}

fn listed(before: &str, words: &[&str]) -> String {
    if words.is_empty() { String::new() } else { format!("\n{before}{}.\n", words.join(", ")) }
}

fn sent(vector: &Vector) -> String {
    if vector.send.is_empty() {
        return "    no field of a context\n".to_owned();
    }
    let lines = vector.send.iter().map(|(name, value)| format!("    {}: {}\n", filled(name), filled(value)));
    lines.collect()
}

fn filled(text: &Text) -> String {
    story::short(&text.fill(&example()), LONGEST)
}

fn allowed(outcome: &AllowedOutcome) -> String {
    let AllowedOutcome { name, kind, formats, demands } = outcome;
    let word = kind.word();
    let name = if name == word { word.to_owned() } else { format!("{word} (`{name}`)") };
    let formats: Vec<&str> = formats.iter().map(|format| format.word()).collect();
    let carried = match kind {
        OutcomeKind::Continue | OutcomeKind::Restart => format!(", as {}", formats.join(" and ")),
        OutcomeKind::PassThrough | OutcomeKind::Nothing | OutcomeKind::Refuse => String::new(),
    };
    let mut text = format!("- {name}: {}{carried}\n", meaning(*kind, demands));
    text.extend(demanded(demands).into_iter().map(|line| format!("  - {line}\n")));
    text
}

fn meaning(kind: OutcomeKind, demands: &Demands) -> &'static str {
    match kind {
        OutcomeKind::Continue if demands.keeps_parent => "the context that was sent, with its parent id",
        OutcomeKind::Continue => "the trace id that was sent, with a new parent id",
        OutcomeKind::Restart => {
            "a trace id that has nothing to do with what was sent, and no tracestate of it"
        }
        OutcomeKind::PassThrough => "every propagation field byte for byte, and no other",
        OutcomeKind::Nothing => "no propagation field",
        OutcomeKind::Refuse => "a status from 400 to 499, and no call",
    }
}

/// Returns the demands besides the kind, one line each.
fn demanded(demands: &Demands) -> Vec<String> {
    let mut lines = Vec::new();
    let ids = [("trace id", &demands.trace_id), ("parent id that was sent", &demands.parent_id)];
    lines.extend(ids.into_iter().filter_map(|(name, id)| Some(format!("{name} `{}`", filled(id.as_ref()?)))));
    for (name, list) in [("tracestate", &demands.tracestate), ("baggage", &demands.baggage)] {
        lines.extend(list.as_ref().map(|list| format!("{name}: {}", members(list))));
    }
    for (name, own) in [("tracestate", &demands.own_tracestate), ("baggage", &demands.own_baggage)] {
        lines.extend(own.iter().map(|member| format!("{name} has `{}`", filled(member))));
    }
    lines.extend(demands.lacks.iter().map(|key| format!("tracestate has no `{}`", filled(key))));
    lines.extend(demands.first.iter().map(|key| format!("`{}` is the first in tracestate", filled(key))));
    lines.extend(demands.set.iter().map(|flag| format!("the {} flag is set", flag.word())));
    lines.extend(demands.clear.iter().map(|flag| format!("the {} flag is not set", flag.word())));
    lines.extend(demands.without.iter().map(|name| format!("no field `{name}`")));
    if demands.alone {
        lines.push("no context in another format".to_owned());
    }
    for (name, value) in &demands.fields {
        lines.push(format!("`{}: {}`", filled(name), filled(value)));
    }
    for (name, part) in &demands.holds {
        lines.push(format!("`{}` contains `{}`", filled(name), filled(part)));
    }
    for (has, entries) in [("has", &demands.entries), ("does not have", &demands.lacks_entries)] {
        for (key, entries) in entries {
            let entries: Vec<String> = entries.iter().map(|entry| format!("`{}`", filled(entry))).collect();
            lines.push(format!("`{}` in tracestate {has} {}", filled(key), entries.join(", ")));
        }
    }
    lines
}

fn members(list: &ListDemand) -> String {
    match list {
        ListDemand::Exactly(members) if members.is_empty() => "none of what was sent".to_owned(),
        ListDemand::Exactly(members) => {
            let members: Vec<String> = members.iter().map(filled).collect();
            format!("of what was sent, exactly `{}`", members.join(","))
        }
        ListDemand::Some => "any of what was sent, each whole".to_owned(),
    }
}
