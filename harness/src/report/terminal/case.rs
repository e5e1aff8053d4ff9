//! One case with all its repeats: its line, its hops, and its findings.

use std::collections::HashMap;
use std::time::Duration;

use super::page::Page;
use super::{Again, Detail, Ink, finding};
use crate::report::hop_map;
use crate::report::{Case, CaseResult, SharedError, command, phrase};
use crate::rules::Finding;
use crate::verdict::{CaseEnd, CaseError, CaseVerdict, GapVerdict, Verdict};

/// The indentation of the text below the line of a case.
const INDENT: usize = 8;

/// Titles shown of the cases that share an error.
const TITLES: usize = 10;

/// Writes one case. `group` holds its repeats, at least one.
pub(super) fn write(page: &mut Page, group: &[&Case]) {
    let worst = worst(group);
    let passed = worst.verdict() == Verdict::Pass;
    page.gap();
    headline(page, group, worst);
    match &worst.end {
        CaseEnd::Judged(case) => {
            about(page, case, passed);
            hops(page, case);
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
        CaseEnd::CouldNotRun(error) => could_not_run(page, error),
    }
    findings(page, group);
    if let Some(case) = worst.judged()
        && (!passed || page.detail() == Detail::Everything)
    {
        notes(page, case, true);
    }
    for (node, lines) in worst.judged().map_or(&[][..], |case| &case.outputs) {
        page.gap();
        page.field(INDENT, "output", &format!("last lines of `{node}`"));
        page.output(INDENT, lines);
    }
    if !passed {
        page.gap();
        let seed = worst.judged().map(|case| case.seed);
        again(page, worst, seed);
    }
}

/// Returns the repeat that represents the case: the first of the worst.
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
    let result = worst.result();
    let word = page.paint(Ink::of(result), result.word());
    let title = page.paint(Ink::Strong, &phrase::shown(&worst.title));
    let facts = page.paint(Ink::Faint, &facts.join(", "));
    page.raw(&format!("{word}  {title}  {facts}"));
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
            Verdict::Inconclusive => ("?", Ink::Inconclusive),
            Verdict::Fail => ("✗", Ink::Bad),
        };
        let remark = match (row.remark.as_str(), row.verdict) {
            ("", _) => page.paint(Ink::Good, "ok"),
            (remark, _) => page.paint(ink, remark),
        };
        let (mark, text) = (page.paint(ink, mark), page.paint(ink, &row.text));
        let judged = if row.judged.is_empty() { String::new() } else { format!(", {}", row.judged) };
        let judged = page.paint(Ink::Faint, &judged);
        page.raw(&format!("{:>1$}{mark} {text}  {remark}{judged}", "", INDENT - 2));
    }
}

/// Writes the rules, the gaps and the notes.
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
        write_gap(page, gap);
    }
    notes(page, case, false);
}

/// Writes the notes about the services, or those about their SDKs.
fn notes(page: &mut Page, case: &CaseVerdict, of_sdk: bool) {
    let notes: Vec<_> = case.notes.iter().filter(|note| note.of_sdk == of_sdk).collect();
    if !notes.is_empty() {
        page.gap();
    }
    for note in notes {
        let hop = note.hop.as_ref().map(|hop| format!("at `{hop}`: ")).unwrap_or_default();
        let seen = if note.seen > 1 { format!(" ({} times)", note.seen) } else { String::new() };
        page.field(INDENT, "note", &format!("{hop}{}{seen}", note.text));
    }
}

fn write_gap(page: &mut Page, gap: &GapVerdict) {
    page.hanging(INDENT - 2, Ink::Inconclusive, "? not judged", &gap.what);
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
        page.field(INDENT, "undeclared", &format!("{what}{times}: no hop of the scenario declares this"));
    }
}

fn could_not_run(page: &mut Page, error: &CaseError) {
    cause(page, &error.message, &error.caused_by);
    if !error.lines.is_empty() {
        page.field(INDENT, "output", "last lines");
        page.output(INDENT, &error.lines);
    }
}

fn cause(page: &mut Page, message: &str, caused_by: &[String]) {
    page.prose(INDENT, Ink::Plain, message);
    for cause in caused_by {
        page.field(INDENT, "caused by", cause);
    }
}

/// Writes one reason for which several cases could not run.
pub(super) fn write_shared(page: &mut Page, error: &SharedError<'_>) {
    page.gap();
    let result = CaseResult::CouldNotRun;
    let word = page.paint(Ink::of(result), result.word());
    let count = page.paint(Ink::Strong, &phrase::count(error.groups.len(), "case"));
    page.raw(&format!("{word}  {count}, for one reason"));
    cause(page, error.message, error.caused_by);
    let first = error.groups[0][0];
    if let Some(own) = first.error().filter(|own| !own.lines.is_empty()) {
        page.field(INDENT, "output", &format!("last lines, of `{}`", first.title));
        page.output(INDENT, &own.lines);
    }
    page.field(INDENT, "cases", &phrase::some_of(&error.titles(), TITLES));
    page.gap();
    again(page, first, None);
}

/// Writes each finding once, however many repeats have it.
fn findings(page: &mut Page, group: &[&Case]) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut distinct: Vec<(&Finding, &CaseVerdict)> = Vec::new();
    for case in group {
        for finding in case.new_findings() {
            let times = seen.entry(&finding.fingerprint).or_default();
            *times += 1;
            if let (1, Some(judged)) = (*times, case.judged()) {
                distinct.push((finding, judged));
            }
        }
    }
    for (found, case) in distinct {
        page.gap();
        finding::write(page, found, case);
        if let (times, 2..) = (seen[found.fingerprint.as_str()], group.len()) {
            page.field(finding::INDENT, "repeats", &format!("found in {times} of {}", group.len()));
        }
    }
}

fn again(page: &mut Page, case: &Case, seed: Option<u64>) {
    let command = match (page.again(), seed) {
        (Again::Command, Some(seed)) => command::again(case, seed),
        (Again::Command, None) => command::retry(case),
        (Again::Trial, seed) => command::test_again(&case.with, Some(&case.title), seed),
        (Again::Test, seed) => command::test_again(&case.with, None, seed),
    };
    page.command(INDENT, "run again", &command);
}
