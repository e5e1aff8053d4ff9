//! One case, all its repeats together: its line, its hops, and what is wrong with it.

use std::collections::HashMap;
use std::time::Duration;

use super::page::Page;
use super::{Again, Detail, Ink, finding};
use crate::report::hop_map;
use crate::report::{Case, phrase};
use crate::rules::Finding;
use crate::verdict::{CaseEnd, CaseVerdict, GapVerdict, Trouble, Verdict};

/// Where the text below a case's line begins.
const INDENT: usize = 8;

/// `group` holds the repeats of one case, at least one.
pub(super) fn tell(page: &mut Page, group: &[&Case]) {
    let worst = worst(group);
    let passed = worst.verdict() == Verdict::Pass;
    if !passed || page.detail() > Detail::Quiet {
        page.gap();
    }
    headline(page, group, worst);
    match &worst.end {
        CaseEnd::Judged(case) => {
            if !passed || page.detail() >= Detail::Hops {
                about(page, case, passed);
                hops(page, case);
            }
            if !passed || page.detail() == Detail::Everything {
                remarks(page, case);
            }
            if passed && page.detail() == Detail::Hops && !case.notes.is_empty() {
                page.field(INDENT, "notes", &format!("{}, shown with `--verbose`", case.notes.len()));
            }
            if !passed && !case.undeclared.is_empty() {
                page.gap();
            }
            known(page, case);
            undeclared(page, case);
        }
        CaseEnd::CouldNotRun(trouble) => could_not_run(page, trouble),
    }
    findings(page, group);
    for (node, lines) in worst.judged().map_or(&[][..], |case| &case.outputs) {
        page.gap();
        page.field(INDENT, "output", &format!("the last lines of `{node}`"));
        page.output(INDENT, lines);
    }
    if !passed {
        page.gap();
        let seed = worst.judged().map(|case| case.seed);
        again(page, worst, seed);
    }
}

/// The repeat that the case is told by: the first of the worst.
pub(super) fn worst<'a>(group: &[&'a Case]) -> &'a Case {
    let mut worst = group[0];
    for case in &group[1..] {
        if case.verdict() > worst.verdict() {
            worst = case;
        }
    }
    worst
}

fn headline(page: &mut Page, group: &[&Case], worst: &Case) {
    let (word, ink) = word(worst);
    let mut facts = Vec::new();
    if let Some(case) = worst.judged() {
        facts.push(phrase::count(case.hops.len(), "hop"));
        if case.stimuli > 1 {
            facts.push(phrase::count(case.stimuli, "stimulus"));
            facts.push(phrase::count(case.crossings, "crossing"));
        }
    }
    if group.len() > 1 {
        facts.push(repeats(group, worst.verdict()));
    }
    facts.push(phrase::duration(group.iter().map(|case| case.took).sum::<Duration>()));
    let word = page.paint(ink, &format!("{word:>6}"));
    let title = phrase::shown(&worst.title);
    let title = page.paint(Ink::Strong, &format!("{title:<0$}", page.title_width()));
    let facts = page.paint(Ink::Faint, &facts.join(", "));
    page.raw(&format!("{word}  {title}  {facts}"));
}

/// At most six letters, so that titles stand in one column.
fn word(case: &Case) -> (&'static str, Ink) {
    match (&case.end, case.verdict()) {
        (CaseEnd::CouldNotRun(_), _) => ("error", Ink::Unsure),
        (_, Verdict::Pass) => ("pass", Ink::Good),
        (_, Verdict::Inconclusive) => ("unsure", Ink::Unsure),
        (_, Verdict::Fail) => ("FAIL", Ink::Bad),
    }
}

fn repeats(group: &[&Case], verdict: Verdict) -> String {
    let same = group.iter().filter(|case| case.verdict() == verdict).count();
    if same == group.len() {
        return format!("{} times", group.len());
    }
    format!("{same} of {} times, not stable", group.len())
}

fn about(page: &mut Page, case: &CaseVerdict, passed: bool) {
    if let (Some(about), false) = (&case.about, passed) {
        page.prose(INDENT, Ink::Faint, about);
        page.gap();
    }
}

fn hops(page: &mut Page, case: &CaseVerdict) {
    for row in hop_map::rows(case, page.room(INDENT)) {
        let (mark, ink) = match row.verdict {
            Verdict::Pass => (" ", Ink::Plain),
            Verdict::Inconclusive => ("?", Ink::Unsure),
            Verdict::Fail => ("✗", Ink::Bad),
        };
        let remark = match (row.remark.as_str(), row.verdict) {
            ("", _) => page.paint(Ink::Good, "ok"),
            (remark, _) => page.paint(ink, remark),
        };
        let (mark, text) = (page.paint(ink, mark), page.paint(ink, &row.text));
        page.raw(&format!("{:>1$}{mark} {text}  {remark}", "", INDENT - 2));
    }
}

/// Rules, notes and gaps.
fn remarks(page: &mut Page, case: &CaseVerdict) {
    if page.detail() == Detail::Everything && !case.rules.is_empty() {
        page.gap();
        for rule in &case.rules {
            let looked_at = phrase::count(rule.looked_at, phrase::unit(rule.rule));
            let line = format!("{:<24} {:<12} {looked_at}", rule.rule.id(), rule.verdict.word());
            page.columns(INDENT, Ink::Faint, &line);
        }
    }
    for gap in &case.gaps {
        page.gap();
        tell_gap(page, gap);
    }
    if !case.notes.is_empty() {
        page.gap();
    }
    for note in &case.notes {
        let hop = note.hop.as_ref().map(|hop| format!("at `{hop}`: ")).unwrap_or_default();
        let seen = if note.seen > 1 { format!(" ({} times)", note.seen) } else { String::new() };
        page.field(INDENT, "note", &format!("{hop}{}{seen}", note.text));
    }
}

fn tell_gap(page: &mut Page, gap: &GapVerdict) {
    page.hanging(INDENT - 2, Ink::Unsure, "? not seen", &gap.what);
    page.output(INDENT, &gap.lines);
}

fn known(page: &mut Page, case: &CaseVerdict) {
    for finding in &case.findings {
        if let Some(reason) = &finding.known {
            page.field(INDENT, "known", &format!("{}: {reason}", phrase::brief(finding)));
        }
    }
}

fn undeclared(page: &mut Page, case: &CaseVerdict) {
    for (what, times) in &case.undeclared {
        let times = if *times > 1 { format!(" ({times} times)") } else { String::new() };
        page.field(INDENT, "undeclared", &format!("{what}{times}: no hop of the scenario declares it"));
    }
}

fn could_not_run(page: &mut Page, trouble: &Trouble) {
    page.prose(INDENT, Ink::Plain, &trouble.message);
    for cause in &trouble.caused_by {
        page.field(INDENT, "caused by", cause);
    }
    if !trouble.lines.is_empty() {
        page.field(INDENT, "its output", "the last lines");
        page.output(INDENT, &trouble.lines);
    }
}

/// Each finding once, however many repeats it was found in.
fn findings(page: &mut Page, group: &[&Case]) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut told: Vec<(&Finding, &CaseVerdict)> = Vec::new();
    for case in group {
        for finding in case.new_findings() {
            let times = seen.entry(&finding.fingerprint).or_default();
            *times += 1;
            if let (1, Some(judged)) = (*times, case.judged()) {
                told.push((finding, judged));
            }
        }
    }
    for (found, case) in told {
        page.gap();
        finding::tell(page, found, case);
        if let (times, 2..) = (seen[found.fingerprint.as_str()], group.len()) {
            page.field(finding::INDENT, "repeats", &format!("found in {times} of {}", group.len()));
        }
    }
}

fn again(page: &mut Page, case: &Case, seed: Option<u64>) {
    let command = match (page.again(), seed) {
        (Again::Command, Some(seed)) => phrase::again(case, seed),
        (Again::Command, None) => phrase::retry(case),
        (Again::Trial, seed) => phrase::test_again(&case.with, Some(&case.title), seed),
        (Again::Test, seed) => phrase::test_again(&case.with, None, seed),
    };
    page.command(INDENT, "run again", &command);
}
