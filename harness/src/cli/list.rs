//! `unbroken list`: prints the cases, one line each, or as JSON for a matrix of jobs.

use serde::Serialize;

use super::arguments::{ListArguments, ListFormat};
use super::selection::select;
use super::{exit, print};
use crate::scenario::Scenario;

/// A case of a scenario file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ListedCase<'a> {
    file: &'a str,
    scenario: &'a str,
    /// The values of the matrix, such as `sampled=true`; empty when the file has one case.
    case: &'a str,
    /// The text that `--filter` selects this case by.
    title: String,
    about: Option<String>,
    nodes: Vec<ListedNode<'a>>,
    hops: Vec<ListedHop<'a>>,
}

#[derive(Debug, Serialize)]
struct ListedNode<'a> {
    name: &'a str,
    kind: &'static str,
}

#[derive(Debug, Serialize)]
struct ListedHop<'a> {
    id: &'a str,
    from: &'a str,
    to: &'a str,
    via: Option<&'a str>,
    transport: &'static str,
}

pub fn list(arguments: &ListArguments) -> u8 {
    let selected = match select(&arguments.selection) {
        Ok(selected) => selected,
        Err(status) => return status,
    };
    let cases = selected.cases.iter().map(|case| listed(&case.scenario));
    match arguments.format {
        ListFormat::Text => print::out(&cases.map(|case| line(&case)).collect::<String>()),
        ListFormat::Json => match serde_json::to_string_pretty(&cases.collect::<Vec<_>>()) {
            Ok(text) => print::out(&format!("{text}\n")),
            Err(error) => {
                print::error(&error);
                return exit::INTERNAL;
            }
        },
    }
    exit::PASS
}

fn listed(scenario: &Scenario) -> ListedCase<'_> {
    let nodes = scenario.nodes.iter().skip(1);
    ListedCase {
        file: scenario.source.name(),
        scenario: &scenario.name,
        case: &scenario.case,
        title: scenario.title(),
        about: scenario.about.as_ref().map(|about| about.split_whitespace().collect::<Vec<_>>().join(" ")),
        nodes: nodes.map(|node| ListedNode { name: &node.name, kind: node.kind.word() }).collect(),
        hops: scenario
            .hops
            .iter()
            .map(|hop| ListedHop {
                id: &hop.id,
                from: &scenario.node(hop.from).name,
                to: &scenario.node(hop.to).name,
                via: hop.transport.via().map(|broker| scenario.node(broker).name.as_str()),
                transport: hop.transport.word(),
            })
            .collect(),
    }
}

fn line(case: &ListedCase<'_>) -> String {
    let about = case.about.as_ref().map(|about| format!("  - {about}")).unwrap_or_default();
    format!("{}: {}{about}\n", case.file, case.title)
}
