//! One self-contained page: a table of the whole, and each requirement with its vectors behind it.
//!
//! Text becomes HTML only through `Markup::text`, which escapes it, so that bytes from a target are never markup. There
//! is no script.

use super::{by_suite, counted, named, outcomes, story};
use crate::conform::results::{ConformanceVerdict, RequirementResult, Results, VectorResult};
use crate::conform::suite::VERSION;
use crate::report::markup::{COLOURS, Markup};
use crate::report::phrase;

const STYLE: &str = include_str!("page.css");

pub fn render(results: &Results) -> String {
    let mut page = Markup::default();
    let title = format!("Propagation conformance of {}", named(&results.implementation));
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    page.text(&title);
    page.raw("</title>\n<style>\n");
    page.raw(COLOURS);
    page.raw(STYLE);
    page.raw("</style>\n</head>\n<body>\n<main>\n");
    page.element("h1", &title);
    page.element("p", &about(results));
    table(&mut page, results);
    for (suite, requirements) in by_suite(results) {
        page.element("h2", suite);
        for result in requirements {
            requirement(&mut page, results, result);
        }
    }
    page.raw("</main>\n</body>\n</html>\n");
    page.into_text()
}

fn about(results: &Results) -> String {
    let strict = if results.is_strict { ", strict" } else { "" };
    format!(
        "{}: {}. Suite {VERSION}, level {}{strict}, seed {}, {}.",
        results.implementation.target,
        counted(&results.vector_counts()),
        results.level,
        results.seed,
        phrase::duration(results.took)
    )
}

const COLUMNS: [ConformanceVerdict; 5] = [
    ConformanceVerdict::Pass,
    ConformanceVerdict::Fail,
    ConformanceVerdict::Deviates,
    ConformanceVerdict::Inconclusive,
    ConformanceVerdict::Unsupported,
];

fn table(page: &mut Markup, results: &Results) {
    page.raw("<table>\n<thead><tr><th scope=\"col\">requirements</th>");
    for verdict in COLUMNS {
        page.raw("<th scope=\"col\">");
        page.text(verdict.word());
        page.raw("</th>");
    }
    page.raw("</tr></thead>\n<tbody>\n");
    for (group, counts) in results.groups() {
        page.raw("<tr><th scope=\"row\">");
        page.text(&group.word());
        page.raw("</th>");
        for verdict in COLUMNS {
            let class = if counts.get(verdict) == 0 { "none" } else { verdict.word() };
            page.raw(&format!("<td class=\"{class}\">{}</td>", counts.get(verdict)));
        }
        page.raw("</tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
}

fn requirement(page: &mut Markup, results: &Results, result: &RequirementResult) {
    let (requirement, verdict) = (&result.requirement, result.verdict());
    let open =
        if matches!(verdict, ConformanceVerdict::Fail | ConformanceVerdict::Deviates) { " open" } else { "" };
    page.raw(&format!("<details{open}><summary><span class=\"verdict {0}\">{0}</span> ", verdict.word()));
    page.raw("<b>");
    page.text(&requirement.id);
    page.raw("</b> <i>");
    page.text(requirement.strength.word());
    page.raw("</i> ");
    page.text(&requirement.says);
    page.raw("</summary>\n<p>");
    page.link(&requirement.clause);
    page.raw("</p>\n");
    if let Some(note) = &requirement.note {
        page.element("p", note);
    }
    let outcomes = outcomes(result);
    if !outcomes.is_empty() {
        page.element("p", &format!("Outcomes: {}.", outcomes.join(", ")));
    }
    page.raw("<ul>\n");
    for vector in &result.vectors {
        self::vector(page, results, result, vector);
    }
    page.raw("</ul>\n</details>\n");
}

fn vector(page: &mut Markup, results: &Results, result: &RequirementResult, vector: &VectorResult) {
    page.raw(&format!("<li><span class=\"verdict {0}\">{0}</span> <b>", vector.verdict.word()));
    page.text(&vector.title());
    page.raw("</b> ");
    page.text(&story::why(vector));
    if let Some(known) = &vector.known {
        page.element("p", &format!("Known: {}", known.words()));
    }
    if !matches!(vector.verdict, ConformanceVerdict::Pass | ConformanceVerdict::Unsupported) {
        page.raw("<pre>");
        for line in story::lines(results, result, vector) {
            page.text(&format!("{:<9} {}\n", line.label, line.text));
            if let Some(caret) = line.caret {
                page.text(&format!("{:indent$}{}\n", "", "^".repeat(caret.len()), indent = 10 + caret.start));
            }
        }
        page.raw("</pre>");
    }
    page.raw("</li>\n");
}
