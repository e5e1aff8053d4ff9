//! The last lines: what did not pass, one line each, and the sum of it all.

use super::page::Page;
use super::{Detail, Ink, case};
use crate::report::{Case, Outcome, phrase};
use crate::verdict::{CaseEnd, Verdict};

pub(super) fn tell(page: &mut Page, outcome: &Outcome) {
    let quiet = page.detail() == Detail::Quiet && outcome.verdict() == Verdict::Pass;
    if !quiet {
        page.gap();
    }
    for fixed in &outcome.fixed {
        page.hanging(0, Ink::Good, " fixed", fixed);
    }
    if outcome.groups().len() > 1 {
        recap(page, outcome);
    }
    sum(page, outcome);
}

/// Worth repeating only where several cases stand above it.
fn recap(page: &mut Page, outcome: &Outcome) {
    for group in outcome.groups() {
        let worst = case::worst(&group);
        let (word, ink) = match (&worst.end, worst.verdict()) {
            (_, Verdict::Pass) => continue,
            (CaseEnd::CouldNotRun(_), _) => (" error", Ink::Unsure),
            (_, Verdict::Fail) => ("  FAIL", Ink::Bad),
            _ => ("unsure", Ink::Unsure),
        };
        let repeat = if group.len() > 1 { format!(" (repeat {})", worst.repeat) } else { String::new() };
        page.hanging(0, ink, word, &format!("{}{repeat}: {}", worst.title, worst.why().join("; ")));
    }
}

fn sum(page: &mut Page, outcome: &Outcome) {
    let judged: Vec<_> = outcome.cases.iter().filter_map(Case::judged).collect();
    let crossings: u64 = judged.iter().map(|case| u64::from(case.crossings)).sum();
    let spans: u64 = judged.iter().map(|case| u64::from(case.spans)).sum();
    let mut facts = Vec::new();
    for (verdict, ink) in
        [(Verdict::Pass, Ink::Good), (Verdict::Fail, Ink::Bad), (Verdict::Inconclusive, Ink::Unsure)]
    {
        let number = outcome.count(verdict);
        if number > 0 {
            facts.push(page.paint(ink, &format!("{number} {}", verdict.word())));
        }
    }
    let known =
        judged.iter().flat_map(|case| &case.findings).filter(|finding| finding.known.is_some()).count();
    if known > 0 {
        facts.push(format!("{known} known"));
    }
    let due = outcome.due * outcome.repeats.max(1) as usize;
    let number = match outcome.repeats {
        0 | 1 => phrase::count(outcome.cases.len(), "case"),
        repeats => format!("{}, {repeats} times", phrase::count(outcome.groups().len(), "case")),
    };
    let mut text = format!("{number}: {}", facts.join(", "));
    if facts.is_empty() {
        text = "no case was run".to_owned();
    }
    if outcome.interrupted {
        text += &format!("; interrupted, {} not run", due.saturating_sub(outcome.cases.len()));
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
