//! Workflow commands: <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>.

use crate::report::{Case, Outcome, SharedError, phrase};
use crate::rules::Finding;
use crate::verdict::{CaseEnd, CaseError, CaseVerdict};

/// Returns one line for each finding, gap and case that could not run. A finding of several repeats has one line, and
/// so has a reason for which several cases could not run.
pub fn annotations(outcome: &Outcome) -> String {
    let groups = outcome.groups();
    let shared = SharedError::find(&groups);
    let mut lines: Vec<String> = shared.iter().map(of_shared_error).collect();
    let own = groups.iter().filter(|group| !shared.iter().any(|error| error.includes(group)));
    for case in own.flatten() {
        let of_case = match &case.end {
            CaseEnd::CouldNotRun(error) => vec![of_error(case, error)],
            CaseEnd::Judged(judged) => of_judged(case, judged),
        };
        for line in of_case {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    let warnings =
        outcome.warnings.iter().map(|warning| format!("::warning title=unbroken::{}", data(&shown(warning))));
    lines.extend(warnings);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn of_judged(case: &Case, judged: &CaseVerdict) -> Vec<String> {
    let mut lines: Vec<String> =
        judged.findings.iter().map(|finding| of_finding(case, judged, finding)).collect();
    for gap in &judged.gaps {
        let annotation = Annotation { level: "warning", file: &case.file, line: 1, column: 1 };
        lines.push(annotation.command(&format!("not judged in {}", case.title), &gap.what));
    }
    lines
}

fn of_finding(case: &Case, judged: &CaseVerdict, finding: &Finding) -> String {
    let level = match (&finding.known, finding.inconclusive) {
        (Some(_), _) => "notice",
        (None, true) => "warning",
        (None, false) => "error",
    };
    let known = finding.known.as_ref().map(|reason| format!("known: {reason}\n")).unwrap_or_default();
    let tries: String = finding.try_next.iter().map(|step| format!("\ntry: {step}")).collect();
    let text = format!(
        "{known}{} {} ({})\n{}\nexpected: {}\nactual: {}{tries}",
        finding.class.word(),
        phrase::blame(finding),
        phrase::hits(finding),
        finding.message,
        finding.expected,
        finding.actual,
    );
    let title = format!("{} in {}", phrase::brief(finding), case.title);
    let (line, column) = judged.source.line_column(finding.place.start);
    Annotation { level, file: &case.file, line, column }.command(&title, &text)
}

fn of_error(case: &Case, error: &CaseError) -> String {
    let title = format!("could not run {}", case.title);
    Annotation { level: "error", file: &case.file, line: 1, column: 1 }
        .command(&title, &with_causes(&error.message, &error.caused_by))
}

fn of_shared_error(error: &SharedError<'_>) -> String {
    const TITLES: usize = 10;
    let title = format!("could not run {}", phrase::count(error.groups.len(), "case"));
    let titles = phrase::some_of(&error.titles(), TITLES);
    let text = format!("{}\ncases: {titles}", with_causes(error.message, error.caused_by));
    Annotation { level: "error", file: &error.groups[0][0].file, line: 1, column: 1 }.command(&title, &text)
}

fn with_causes(message: &str, caused_by: &[String]) -> String {
    let causes: String = caused_by.iter().map(|cause| format!("\ncaused by: {cause}")).collect();
    format!("{message}{causes}")
}

/// The level of an annotation, and the place that it stands beside.
struct Annotation<'a> {
    level: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
}

impl Annotation<'_> {
    /// Returns the workflow command.
    fn command(&self, title: &str, text: &str) -> String {
        let Annotation { level, file, line, column } = self;
        let (file, title) = (property(&phrase::shown(file)), property(&phrase::shown(title)));
        format!("::{level} file={file},line={line},col={column},title={title}::{}", data(&shown(text)))
    }
}

/// Returns the lines with their control characters made visible.
fn shown(text: &str) -> String {
    text.lines().map(phrase::shown).collect::<Vec<_>>().join("\n")
}

/// Escapes the text after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property, which also ends at `,` and `:`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
