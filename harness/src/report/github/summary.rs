//! The step summary: a table of all cases, and the story of each that did not pass, in Markdown.

use crate::report::{Case, Outcome, phrase, terminal};
use crate::verdict::Verdict;

/// GitHub refuses a summary of more than 1 MiB; what does not fit is counted.
const LIMIT: usize = 900 * 1024;

/// The whole summary.
pub fn summary(outcome: &Outcome) -> String {
    let groups = outcome.groups();
    let mut text = format!(
        "{}\n\n| | case | hops | crossings | time | |\n|---|---|---:|---:|---:|---|\n",
        heading(outcome)
    );
    let mut left = 0;
    for group in &groups {
        let row = row(group);
        match text.len() + row.len() < LIMIT / 2 {
            true => text += &row,
            false => left += 1,
        }
    }
    if left > 0 {
        text += &format!("\n… and {}\n", phrase::count(left, "more case"));
    }
    let mut left = 0;
    for group in groups.iter().filter(|group| verdict(group) != Verdict::Pass) {
        // Once one does not fit, the rest is counted only: rendering thousands to throw them away takes
        // seconds.
        let story = if left == 0 { story(group) } else { String::new() };
        match left == 0 && text.len() + story.len() < LIMIT {
            true => text += &story,
            false => left += 1,
        }
    }
    if left > 0 {
        text += &format!(
            "\n… and the stories of {}, which the JSON report has\n",
            phrase::count(left, "more case")
        );
    }
    if !outcome.fixed.is_empty() {
        text += "\n**Fixed**, and still in the baseline:\n\n";
        text.extend(outcome.fixed.iter().map(|fixed| format!("- {}\n", escaped(fixed))));
    }
    text
}

fn heading(outcome: &Outcome) -> String {
    let mut parts = Vec::new();
    for verdict in [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass] {
        if let number @ 1.. = outcome.count(verdict) {
            parts.push(format!("{number} {}", verdict.word()));
        }
    }
    if parts.is_empty() {
        parts.push("no case was run".to_owned());
    }
    let interrupted = if outcome.interrupted { ", interrupted" } else { "" };
    let took = phrase::duration(outcome.took);
    format!("### {} unbroken: {}{interrupted} ({took})", sign(outcome.verdict()), parts.join(", "))
}

fn row(group: &[&Case]) -> String {
    let verdict = verdict(group);
    let worst = group.iter().find(|case| case.verdict() == verdict).copied().unwrap_or(group[0]);
    let mut why = worst.why();
    let known =
        worst.judged().into_iter().flat_map(|case| &case.findings).filter(|finding| finding.known.is_some());
    why.extend(known.map(|finding| format!("known: {}", phrase::brief(finding))));
    let (hops, crossings) = worst
        .judged()
        .map(|case| (case.hops.len().to_string(), case.crossings.to_string()))
        .unwrap_or_default();
    let repeats = match group.iter().filter(|case| case.verdict() == verdict).count() {
        _ if group.len() == 1 => String::new(),
        same => format!(" ({same} of {} times)", group.len()),
    };
    let took = phrase::duration(group.iter().map(|case| case.took).sum());
    format!(
        "| {} | {}{repeats} | {hops} | {crossings} | {took} | {} |\n",
        sign(verdict),
        escaped(&worst.title),
        escaped(&why.join("; "))
    )
}

fn story(group: &[&Case]) -> String {
    let text = terminal::story(group);
    let fence = fence(&text);
    format!(
        "\n<details open><summary><b>{}</b></summary>\n\n{fence}text\n{text}{fence}\n\n</details>\n",
        html(&group[0].title)
    )
}

fn verdict(group: &[&Case]) -> Verdict {
    group.iter().fold(Verdict::Pass, |worst, case| worst.and(case.verdict()))
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Inconclusive => "⚠️",
        Verdict::Fail => "❌",
    }
}

/// Longer than any run of backticks in what it holds.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Text in one cell of a table, nothing of it taken for markup.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in phrase::shown(&text.replace('\n', " ")).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => safe.extend(['\\', c]),
            c => safe.push(c),
        }
    }
    safe
}

fn html(text: &str) -> String {
    phrase::shown(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
