//! The last lines: the cases that did not pass, one line each, and the counts of all.

use super::page::Page;
use super::{Ink, case};
use crate::report::{Case, CaseResult, Outcome, SharedError, phrase};
use crate::verdict::Verdict;

/// The number of reasons in the line of a case.
const REASONS_LISTED: usize = 3;

pub(super) fn write(page: &mut Page, outcome: &Outcome) {
    page.gap();
    for fixed in &outcome.fixed {
        page.hanging(0, Ink::Good, "fixed", fixed);
    }
    for warning in &outcome.warnings {
        page.hanging(0, Ink::Inconclusive, "warning", warning);
    }
    if outcome.groups().len() > 1 {
        recap(page, outcome);
    }
    total(page, outcome);
}

/// Repeats the cases that did not pass, where several cases stand above.
fn recap(page: &mut Page, outcome: &Outcome) {
    let groups = outcome.groups();
    let shared = SharedError::find(&groups);
    for error in &shared {
        let text = format!("{}: {}", phrase::count(error.groups.len(), "case"), error.message);
        line(page, CaseResult::CouldNotRun, &text);
    }
    for group in groups.iter().filter(|group| !shared.iter().any(|error| error.includes(group))) {
        let worst = case::worst(group);
        if worst.verdict() == Verdict::Pass {
            continue;
        }
        let repeat = if group.len() > 1 { format!(" (repeat {})", worst.repeat) } else { String::new() };
        line(page, worst.result(), &format!("{}{repeat}: {}", worst.title, reasons(&worst.why())));
    }
}

/// Returns the first reasons why a case did not pass; all of them stand with the case.
fn reasons(all: &[String]) -> String {
    let listed = all[..all.len().min(REASONS_LISTED)].join("; ");
    match all.len().saturating_sub(REASONS_LISTED) {
        0 => listed,
        more => format!("{listed}; and {}", phrase::count(more, "further reason")),
    }
}

fn line(page: &mut Page, result: CaseResult, text: &str) {
    page.hanging(0, Ink::of(result), &format!("{:<13}", result.word()), text);
}

fn total(page: &mut Page, outcome: &Outcome) {
    let judged: Vec<_> = outcome.cases.iter().filter_map(Case::judged).collect();
    let crossings: u64 = judged.iter().map(|case| u64::from(case.crossings)).sum();
    let spans: u64 = judged.iter().map(|case| u64::from(case.spans)).sum();
    let mut facts: Vec<String> = outcome
        .counts()
        .into_iter()
        .map(|(result, number)| page.paint(Ink::of(result), &format!("{number} {}", result.word())))
        .collect();
    let known =
        judged.iter().flat_map(|case| &case.findings).filter(|finding| finding.known.is_some()).count();
    if known > 0 {
        facts.push(format!("{known} known"));
    }
    let number = match outcome.repeats {
        0 | 1 => phrase::count(outcome.cases.len(), "case"),
        repeats => format!("{}, {repeats} times", phrase::count(outcome.groups().len(), "case")),
    };
    let mut text = format!("{number}: {}", facts.join(", "));
    if facts.is_empty() {
        text = "no case ran".to_owned();
    }
    let missing = outcome.total().saturating_sub(outcome.cases.len());
    if outcome.interrupted && missing == 0 {
        text += "; interrupted";
    } else if outcome.interrupted {
        text += &format!("; interrupted, {missing} did not run");
    } else if outcome.under_way {
        text += &format!("; partial report, {missing} have not ended");
    }
    let rest = format!(
        "  {}, {}, {}, seed {}",
        phrase::count(crossings, "crossing"),
        phrase::count(spans, "span"),
        phrase::duration(outcome.took),
        outcome.seed
    );
    let rest = page.paint(Ink::Faint, &rest);
    page.raw(&format!("{text}{rest}"));
}
