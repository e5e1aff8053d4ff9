//! The report for people: the vectors that did not pass, and a table of all requirements.

use super::{by_suite, counted, named, outcomes, sign, story};
use crate::conform::results::{ConformanceVerdict, RequirementResult, Results, VectorResult};
use crate::conform::suite::VERSION;
use crate::report::phrase;
use crate::report::terminal::{Ink, Palette};

/// The number of vectors of a requirement that are shown with their bytes.
const SHOWN: usize = 3;

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
        let odd: Vec<&VectorResult> =
            result.vectors.iter().filter(|vector| is_remarkable(vector.verdict)).collect();
        let sign = self.palette.paint(ink(verdict), sign(verdict));
        let vectors = phrase::count(result.vectors.len(), "vector");
        let vectors = if odd.is_empty() { vectors } else { format!("{} of {vectors}", odd.len()) };
        let outcomes = outcomes(result);
        let outcomes =
            if outcomes.is_empty() { String::new() } else { format!(" [{}]", outcomes.join(", ")) };
        let says = phrase::shown(&requirement.says);
        self.line(&format!("  {sign} {:<6} {:<6} {says}", requirement.id, requirement.strength.word()));
        if !odd.is_empty() || verbose {
            self.line(&format!("      {}: {vectors}{outcomes}", verdict.word()));
        }
        for (at, vector) in odd.iter().enumerate() {
            self.vector(results, result, vector, at < SHOWN);
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
        self.line(&format!(
            "{}, {}: {}{interrupted} ({}, seed {})",
            phrase::count(results.requirements.len(), "requirement"),
            phrase::count(results.vectors().count(), "vector"),
            counted(&results.vector_counts()),
            phrase::duration(results.took),
            results.seed
        ));
        if let Some(odd) = results.requirements.iter().find(|one| is_remarkable(one.verdict())) {
            self.line(&format!("`unbroken explain {}` explains the requirement", odd.requirement.id));
        }
    }
}
