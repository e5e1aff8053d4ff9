//! For GitHub Actions: an annotation for each requirement that does not hold, and the Markdown as a summary.

use super::{markdown, story};
use crate::conform::results::{ConformanceVerdict, RequirementResult, Results};
use crate::report::phrase;

/// GitHub refuses a summary of more than 1 MiB.
const LIMIT: usize = 900 * 1024;

/// Returns one line for each requirement that does not pass.
pub fn annotations(results: &Results) -> String {
    results.requirements.iter().filter_map(|result| annotation(results, result)).collect()
}

fn annotation(results: &Results, result: &RequirementResult) -> Option<String> {
    let new = result.vectors.iter().filter(|vector| vector.known.is_none());
    let verdict = new.clone().map(|vector| vector.verdict).max()?;
    let level = match verdict {
        ConformanceVerdict::Pass | ConformanceVerdict::Unsupported => return None,
        ConformanceVerdict::Deviates if !results.is_strict => "notice",
        ConformanceVerdict::Fail | ConformanceVerdict::Deviates => "error",
        ConformanceVerdict::Inconclusive => "warning",
    };
    let requirement = &result.requirement;
    let odd: Vec<String> = new
        .filter(|vector| vector.verdict == verdict)
        .map(|vector| format!("{}: {}", vector.title(), phrase::shown(&story::why(vector))))
        .collect();
    let title = format!("{} {} ({})", requirement.id, verdict.word(), requirement.strength.word());
    let text = format!("{}\n{}\n{}", requirement.says, odd.join("\n"), requirement.clause);
    Some(format!("::{level} title={}::{}\n", property(&title), data(&text)))
}

/// Returns the step summary.
pub fn summary(results: &Results) -> String {
    let text = markdown::render(results);
    if text.len() < LIMIT {
        return text;
    }
    let end = text[..text.floor_char_boundary(LIMIT)].rfind('\n').unwrap_or(0);
    format!("{}\n\n... and more; the JSON report has all requirements\n", &text[..end])
}

/// Escapes the text behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property, which also ends at `,` and `:`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
