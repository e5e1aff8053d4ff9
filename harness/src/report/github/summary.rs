//! The step summary: a table of all cases, and the story of each that did not pass, in Markdown.

use crate::report::{Case, Outcome, SharedError, phrase, terminal};
use crate::verdict::Verdict;

/// GitHub refuses a summary of more than 1 MiB. Cases that do not fit are counted.
const LIMIT: usize = 900 * 1024;

/// Returns the whole summary.
pub fn summary(outcome: &Outcome) -> String {
    let groups = outcome.groups();
    let mut text = format!(
        "{}\n\n| | case | hops | judged | time | |\n|---|---|---:|---:|---:|---|\n",
        heading(outcome)
    );
    let mut left = 0;
    for group in &groups {
        let row = row(group);
        if text.len() + row.len() < LIMIT / 2 {
            text += &row;
        } else {
            left += 1;
        }
    }
    if left > 0 {
        text += &format!("\n… and {}\n", phrase::count(left, "more case"));
    }
    let shared = SharedError::find(&groups);
    for error in &shared {
        let title = format!("{} could not run", phrase::count(error.groups.len(), "case"));
        text += &details(&title, &terminal::shared_story(error));
    }
    let mut left = 0;
    let own = groups.iter().filter(|group| !shared.iter().any(|error| error.includes(group)));
    for group in own.filter(|group| verdict(group) != Verdict::Pass) {
        // After the first story that does not fit the others are only counted, since rendering thousands takes seconds.
        let story = if left == 0 { details(&group[0].title, &terminal::story(group)) } else { String::new() };
        if left == 0 && text.len() + story.len() < LIMIT {
            text += &story;
        } else {
            left += 1;
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
    for warning in &outcome.warnings {
        text += &format!("\n**Warning:** {}\n", escaped(warning));
    }
    text
}

fn heading(outcome: &Outcome) -> String {
    let counts = outcome.counts().into_iter();
    let mut parts: Vec<String> =
        counts.map(|(result, number)| format!("{number} {}", result.word())).collect();
    if parts.is_empty() {
        parts.push("no case ran".to_owned());
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
    let (hops, crossings) = worst.judged().map_or_else(Default::default, |case| {
        let judged: u32 = case.hops.iter().map(|hop| hop.judged).sum();
        let due: u32 = case.hops.iter().map(|hop| hop.crossings).sum();
        (case.hops.len().to_string(), format!("{judged} of {due}"))
    });
    let repeats = match group.iter().filter(|case| case.verdict() == verdict).count() {
        _ if group.len() == 1 => String::new(),
        same => format!(" ({same} of {} times)", group.len()),
    };
    let took = phrase::duration(group.iter().map(|case| case.took).sum());
    format!(
        "| {} {} | {}{repeats} | {hops} | {crossings} | {took} | {} |\n",
        sign(verdict),
        worst.result().word(),
        escaped(&worst.title),
        escaped(&why.join("; "))
    )
}

fn details(title: &str, text: &str) -> String {
    let (fence, title) = (fence(text), html(title));
    format!("\n<details open><summary><b>{title}</b></summary>\n\n{fence}text\n{text}{fence}\n\n</details>\n")
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

/// Returns a fence that is longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Escapes the text for one cell of a table, so that no part of it is markup.
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
