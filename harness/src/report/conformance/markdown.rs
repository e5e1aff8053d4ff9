//! The report for a README: a table of the suites, and a row for each requirement.

use super::{by_suite, few, known, named, names, notes, outcomes, story};
use crate::conform::results::{ConformanceVerdict, Counts, RequirementResult, Results};
use crate::conform::suite::VERSION;
use crate::report::phrase;

/// Returns the whole page, with headings from the third level on.
pub fn render(results: &Results) -> String {
    let mut text = format!(
        "### Propagation conformance of {}\n\nSuite {VERSION}, level {} of W3C Trace Context; \
         `unbroken conform {}`.\n\n",
        escaped(&named(&results.implementation)),
        results.level,
        results.implementation.target.replace('`', "'")
    );
    text += "| suite | requirements | pass | fail | deviates | inconclusive | unsupported | vectors |\n";
    text += "|---|---:|---:|---:|---:|---:|---:|---:|\n";
    for (suite, requirements) in by_suite(results) {
        let counts = Counts::of(requirements.iter().map(|one| one.verdict()));
        let vectors: usize = requirements.iter().map(|one| one.vectors.len()).sum();
        text += &format!(
            "| {suite} | {} | {} | {} | {} | {} | {} | {vectors} |\n",
            requirements.len(),
            counts.get(ConformanceVerdict::Pass),
            counts.get(ConformanceVerdict::Fail),
            counts.get(ConformanceVerdict::Deviates),
            counts.get(ConformanceVerdict::Inconclusive),
            counts.get(ConformanceVerdict::Unsupported)
        );
    }
    text += "\n| | strength | requirement | vectors | |\n|---|---|---|---:|---|\n";
    for result in &results.requirements {
        text += &row(result);
    }
    let notes = notes(results);
    if !notes.is_empty() {
        text += "\n";
        text.extend(notes.iter().map(|(note, vectors)| format!("- {note}: {}\n", few(vectors))));
    }
    text
}

fn row(result: &RequirementResult) -> String {
    let requirement = &result.requirement;
    let odd: Vec<String> = result
        .vectors
        .iter()
        .filter(|vector| vector.verdict != ConformanceVerdict::Pass && vector.known.is_none())
        .map(|vector| format!("`{}`: {}", vector.title(), escaped(&story::why(vector))))
        .collect();
    let new = match odd.len() {
        0..=3 => odd.join("<br>"),
        more => format!("{}<br>and {} more", odd[..3].join("<br>"), more - 3),
    };
    let accepted = known(result).into_iter().map(|(reason, vectors)| {
        let link = reason.link.as_ref().map(|link| format!(" ([upstream]({link}))")).unwrap_or_default();
        format!("{}: known: {}{link}", names(&vectors), escaped(&reason.reason))
    });
    let parts: Vec<String> = Some(new).filter(|new| !new.is_empty()).into_iter().chain(accepted).collect();
    let cell = if parts.is_empty() { outcomes(result).join(", ") } else { parts.join("<br>") };
    format!(
        "| {} {} | {} | [{}]({}) {} | {} | {cell} |\n",
        sign(result.verdict()),
        result.verdict().word(),
        requirement.strength.word(),
        requirement.id,
        requirement.clause,
        escaped(&requirement.says),
        result.vectors.len()
    )
}

fn sign(verdict: ConformanceVerdict) -> &'static str {
    match verdict {
        ConformanceVerdict::Pass => "✅",
        ConformanceVerdict::Unsupported => "➖",
        ConformanceVerdict::Inconclusive | ConformanceVerdict::Deviates => "⚠️",
        ConformanceVerdict::Fail => "❌",
    }
}

/// Escapes text for one cell of a table, so that only its code spans are markup.
fn escaped(text: &str) -> String {
    phrase::shown(&text.replace('\n', " ")).replace('&', "&amp;").replace('<', "&lt;").replace('|', "\\|")
}
