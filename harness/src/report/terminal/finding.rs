//! One finding in full: the hop and the side, the bytes, expected and actual value, and what to try.

use super::page::Page;
use super::{Ink, bytes};
use crate::report::phrase;
use crate::rules::Finding;
use crate::verdict::CaseVerdict;

/// The indentation of the text of a finding.
pub(super) const INDENT: usize = 8;

pub(super) fn write(page: &mut Page, finding: &Finding, case: &CaseVerdict) {
    let (mark, ink) = if finding.inconclusive { ("?", Ink::Inconclusive) } else { ("✗", Ink::Bad) };
    let heading = format!("{mark} {}", finding.class.word());
    let blame = format!("{} ({})", phrase::blame(finding), phrase::hits(finding));
    page.hanging(INDENT - 2, ink, &heading, &blame);
    page.prose(INDENT, Ink::Plain, &finding.message);
    if !finding.lines.is_empty() {
        page.gap();
        bytes::write(page, INDENT + 2, &finding.lines);
    }
    page.gap();
    values(page, finding);
    next(page, finding);
    place(page, finding, case);
}

fn values(page: &mut Page, finding: &Finding) {
    if !finding.expected.is_empty() {
        page.field(INDENT, "expected", &short(&finding.expected));
    }
    if !finding.actual.is_empty() {
        page.field(INDENT, "actual", &short(&finding.actual));
    }
    if let Some(witness) = &finding.missing_witness {
        page.field(INDENT, "missing", witness);
    }
    for (at, inside) in finding.inside.iter().enumerate() {
        page.field(INDENT, if at == 0 { "with it" } else { "" }, inside);
    }
    if !finding.clause.is_empty() {
        page.field(INDENT, "clause", finding.clause);
    }
}

fn next(page: &mut Page, finding: &Finding) {
    for (at, step) in finding.try_next.iter().enumerate() {
        page.field(INDENT, if at == 0 { "try" } else { "" }, &format!("- {step}"));
    }
    page.command(INDENT, "more", &format!("unbroken explain {}", finding.class.word()));
}

fn place(page: &mut Page, finding: &Finding, case: &CaseVerdict) {
    let (line, column) = case.source.line_column(finding.place.start);
    page.command(INDENT, "declared", &format!("{}:{line}:{column}", case.source.name()));
    if let Some(stimuli) = phrase::stimuli(finding) {
        page.field(INDENT, "example", &stimuli);
    }
    page.field(INDENT, "fingerprint", &finding.fingerprint);
}

/// Cuts a long value. The JSON report has all of it, and the caret above shows the place.
fn short(text: &str) -> String {
    const LIMIT: usize = 300;
    let length = text.chars().count();
    if length <= LIMIT {
        return text.to_owned();
    }
    format!(
        "{}… ({} in all)",
        text.chars().take(LIMIT).collect::<String>(),
        phrase::count(length, "character")
    )
}
