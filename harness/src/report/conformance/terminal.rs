//! The report for people: the vectors that did not pass, and a table of all requirements.

use super::{by_suite, counted, few, known, named, names, notes, outcomes, sign, story, unsupported};
use crate::conform::results::{ConformanceVerdict, Counts, RequirementResult, Results, VectorResult};
use crate::conform::suite::VERSION;
use crate::report::phrase;
use crate::report::terminal::{Ink, Palette};

/// The number of vectors of a requirement that are shown with their bytes.
const SHOWN: usize = 3;

/// The number of reasons for unsupported vectors that the summary shows.
const REASONS: usize = 5;

/// Returns the whole report. `verbose` also shows requirements that passed.
pub fn render(results: &Results, palette: Palette, verbose: bool) -> String {
    let mut page = Page { palette, text: String::new() };
    page.heading(results);
    for (suite, requirements) in by_suite(results) {
        let shown: Vec<_> =
            requirements.into_iter().filter(|one| verbose || is_remarkable(one.verdict())).collect();
        if shown.is_empty() {
            continue;
        }
        page.line(&palette.paint(Ink::Strong, suite));
        for result in shown {
            page.requirement(results, result, verbose);
        }
        page.line("");
    }
    page.summary(results);
    page.text
}

/// Returns true when it is shown without `--verbose`.
fn is_remarkable(verdict: ConformanceVerdict) -> bool {
    matches!(
        verdict,
        ConformanceVerdict::Fail | ConformanceVerdict::Deviates | ConformanceVerdict::Inconclusive
    )
}

fn ink(verdict: ConformanceVerdict) -> Ink {
    match verdict {
        ConformanceVerdict::Pass => Ink::Good,
        ConformanceVerdict::Unsupported => Ink::Faint,
        ConformanceVerdict::Inconclusive | ConformanceVerdict::Deviates => Ink::Inconclusive,
        ConformanceVerdict::Fail => Ink::Bad,
    }
}

/// Returns `7 of 18 vectors, 4 of them known`; `4 of 18 vectors, 7 inconclusive` where others have a milder verdict.
fn vectors_in_words(result: &RequirementResult, odd: &[&VectorResult], accepted: usize) -> String {
    let all = phrase::count(result.vectors.len(), "vector");
    let verdict = result.verdict();
    let milder: Vec<_> = odd.iter().map(|vector| vector.verdict).filter(|other| *other != verdict).collect();
    if !milder.is_empty() && milder.len() < odd.len() {
        let worst = odd.len() - milder.len();
        let milder = counted(&Counts::of(milder.into_iter()));
        let known = if accepted == 0 { String::new() } else { format!(", {accepted} known") };
        return format!("{worst} of {all}, {milder}{known}");
    }
    match (odd.len(), accepted) {
        (0, 0) => all,
        (odd, 0) => format!("{odd} of {all}"),
        (0, accepted) => format!("{accepted} of {all}, known"),
        (odd, accepted) => format!("{} of {all}, {accepted} of them known", odd + accepted),
    }
}

struct Page {
    palette: Palette,
    text: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn heading(&mut self, results: &Results) {
        let name = self.palette.paint(Ink::Strong, &phrase::shown(&named(&results.implementation)));
        let strict = if results.is_strict { ", strict" } else { "" };
        self.line(&format!("{name}: conformance suite {VERSION}, level {}{strict}", results.level));
        self.line("");
    }

    fn requirement(&mut self, results: &Results, result: &RequirementResult, verbose: bool) {
        let (requirement, verdict) = (&result.requirement, result.verdict());
        let remarkable = result.vectors.iter().filter(|vector| is_remarkable(vector.verdict));
        let (odd, accepted): (Vec<&VectorResult>, Vec<&VectorResult>) =
            remarkable.partition(|vector| vector.known.is_none());
        let sign = self.palette.paint(ink(verdict), sign(verdict));
        let vectors = vectors_in_words(result, &odd, accepted.len());
        let outcomes = outcomes(result);
        let outcomes =
            if outcomes.is_empty() { String::new() } else { format!(" [{}]", outcomes.join(", ")) };
        let says = phrase::shown(&requirement.says);
        self.line(&format!("  {sign} {:<6} {:<6} {says}", requirement.id, requirement.strength.word()));
        if is_remarkable(verdict) || verbose {
            self.line(&format!("      {}: {vectors}{outcomes}", verdict.word()));
        }
        for (at, vector) in odd.iter().enumerate() {
            self.vector(results, result, vector, at < SHOWN);
        }
        for (reason, vectors) in known(result) {
            let text = format!("known: {}: {}", names(&vectors), phrase::shown(&reason.words()));
            self.line(&format!("      {}", self.palette.paint(Ink::Faint, &text)));
        }
        if verdict == ConformanceVerdict::Unsupported {
            let reason = result.vectors.first().map(story::why).unwrap_or_default();
            self.line(&format!("      {}", self.palette.paint(Ink::Faint, &phrase::shown(&reason))));
        }
    }

    fn vector(&mut self, results: &Results, result: &RequirementResult, vector: &VectorResult, whole: bool) {
        let name = self.palette.paint(ink(vector.verdict), &vector.title());
        self.line(&format!("      {name}: {}", phrase::shown(&story::why(vector))));
        if !whole {
            return;
        }
        for line in story::lines(results, result, vector) {
            let label = self.palette.paint(Ink::Faint, &format!("{:<9}", line.label));
            self.line(&format!("        {label} {}", phrase::shown(&line.text)));
            if let Some(caret) = line.caret {
                let carets = self.palette.paint(Ink::Caret, &"^".repeat(caret.len()));
                self.line(&format!("{:indent$}{carets}", "", indent = 18 + caret.start));
            }
        }
    }

    /// Prints the reasons why vectors are unsupported, the most frequent one first.
    fn unsupported(&mut self, results: &Results) {
        let reasons = unsupported(results);
        for (reason, count) in reasons.iter().take(REASONS) {
            let count = phrase::count(*count, "vector");
            self.line(&format!("unsupported: {}: {count}", phrase::shown(reason)));
        }
        if let Some(more) = reasons.len().checked_sub(REASONS).filter(|more| *more > 0) {
            self.line(&format!(
                "unsupported: {}; `--verbose` shows them",
                phrase::count(more, "other reason")
            ));
        }
    }

    fn summary(&mut self, results: &Results) {
        let words = [
            ConformanceVerdict::Pass,
            ConformanceVerdict::Fail,
            ConformanceVerdict::Deviates,
            ConformanceVerdict::Inconclusive,
            ConformanceVerdict::Unsupported,
        ];
        let head: String = words.iter().map(|verdict| format!("{:>14}", verdict.word())).collect();
        self.line(&format!("{:<16}{head}", "requirements"));
        for (group, counts) in results.groups() {
            let cells: String = words
                .iter()
                .map(|verdict| {
                    let cell = format!("{:>14}", counts.get(*verdict));
                    if counts.get(*verdict) == 0 { cell } else { self.palette.paint(ink(*verdict), &cell) }
                })
                .collect();
            self.line(&format!("{:<16}{cells}", group.word()));
        }
        self.line("");
        let interrupted = if results.is_interrupted { ", interrupted" } else { "" };
        let known = match results.known() {
            0 => String::new(),
            known => format!(", {known} of them known"),
        };
        self.line(&format!(
            "{}, {}: {}{known}{interrupted} ({}, seed {})",
            phrase::count(results.requirements.len(), "requirement"),
            phrase::count(results.vectors().count(), "vector"),
            counted(&results.vector_counts()),
            phrase::duration(results.took),
            results.seed
        ));
        self.unsupported(results);
        for (note, vectors) in notes(results) {
            self.line(&format!("note: {note}: {}", few(&vectors)));
        }
        for fixed in &results.fixed {
            self.line(&format!("fixed: {fixed} passes: remove it from the baseline"));
        }
        let odd = results.requirements.iter().find(|one| {
            one.vectors.iter().any(|vector| is_remarkable(vector.verdict) && vector.known.is_none())
        });
        if let Some(odd) = odd {
            self.line(&format!("`unbroken explain {}` explains the requirement", odd.requirement.id));
        }
    }
}
