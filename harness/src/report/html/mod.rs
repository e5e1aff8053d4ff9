//! The report to look at: one page that needs no network, with everything in it.
//!
//! The data are the JSON report, and beside it what only a page can show: for each case the nodes, the output of nodes,
//! and a few stimuli with their spans. They are read when a case is shown, so that a page of many cases opens at once.
//! Its script makes text of what services wrote, never markup. Nothing is loaded, and nothing is sent.

use std::collections::BTreeMap;

use self::details::CaseDetails;
use super::markup::{COLOURS, Markup};
use super::{Outcome, command, explain, json};
use crate::verdict::Verdict;

mod details;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The parts of the script, which share one scope.
const SCRIPTS: [&str; 6] = [
    include_str!("elements.js"),
    include_str!("bytes.js"),
    include_str!("hop-map.js"),
    include_str!("waterfall.js"),
    include_str!("case.js"),
    include_str!("app.js"),
];

/// The room for stimuli in detail. The cases that did not pass are served first, and a page never grows far past it.
const EXAMPLE_BYTES: usize = 8 << 20;

/// The most cases that a reader without a script sees.
const FALLBACK_CASES: usize = 200;

/// Returns the page.
pub fn render(outcome: &Outcome) -> String {
    let mut page = Markup::default();
    let mut pieces = PAGE.split("<!--insert:");
    page.raw(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once("-->").expect("the page closes each of its comments");
        insert(&mut page, name, outcome);
        page.raw(rest);
    }
    page.into_text()
}

fn insert(page: &mut Markup, name: &str, outcome: &Outcome) {
    match name {
        "title" => page.text(&format!("unbroken: {}", outcome.verdict().word())),
        "style" => {
            page.raw(COLOURS);
            page.raw(STYLE);
        }
        "fallback" => fallback(page, outcome),
        "data" => data(page, outcome),
        "script" => SCRIPTS.iter().for_each(|script| page.raw(script)),
        other => unreachable!("the page has no part `{other}`"),
    }
}

/// Adds the cases that did not pass, for a reader without a script.
fn fallback(page: &mut Markup, outcome: &Outcome) {
    page.element("p", "This page needs JavaScript to show its cases; nothing is loaded from a network.");
    let open = outcome.cases.iter().filter(|case| case.verdict() != Verdict::Pass);
    page.raw("<ul>\n");
    for case in open.take(FALLBACK_CASES) {
        let why = case.why().into_iter().next().unwrap_or_default();
        page.element("li", &format!("{} {}: {why}", case.result().word(), case.title));
    }
    page.raw("</ul>\n");
}

fn data(page: &mut Markup, outcome: &Outcome) {
    page.data("report", &json::compact(outcome));
    page.data("explanations", &explanations(outcome));
    let mut details: Vec<CaseDetails<'_>> =
        outcome.cases.iter().map(|case| CaseDetails::of(case, command::again(case, outcome.seed))).collect();
    let mut examples: Vec<(Verdict, usize)> =
        outcome.cases.iter().enumerate().map(|(at, case)| (case.verdict(), at)).collect();
    examples.sort_by_key(|(verdict, at)| (std::cmp::Reverse(*verdict), *at));
    let mut left = EXAMPLE_BYTES;
    for (_, at) in examples {
        left = details[at].keep_examples_within(left);
    }
    for (at, details) in details.iter().enumerate() {
        page.data(&format!("details-{at}"), &details.json());
    }
}

/// Returns the pages of `explain` for the classes that occur.
fn explanations(outcome: &Outcome) -> String {
    let judged = outcome.cases.iter().filter_map(|case| case.judged());
    let classes = judged.flat_map(|case| &case.findings).map(|finding| finding.class.word());
    let pages: BTreeMap<_, _> = classes.filter_map(|class| Some((class, explain::explain(class)?))).collect();
    serde_json::to_string(&pages).expect("strings always serialise")
}

#[cfg(test)]
mod tests;
