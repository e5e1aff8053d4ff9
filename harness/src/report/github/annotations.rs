//! Workflow commands: <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>.

use crate::report::{Case, Outcome, phrase};
use crate::rules::Finding;
use crate::verdict::{CaseEnd, CaseVerdict, Trouble};

/// One line for each finding, gap and trouble; findings that repeats share stand once.
pub fn annotations(outcome: &Outcome) -> String {
    let mut lines: Vec<String> = Vec::new();
    for case in &outcome.cases {
        let told = match &case.end {
            CaseEnd::CouldNotRun(trouble) => vec![of_trouble(case, trouble)],
            CaseEnd::Judged(judged) => of_judged(case, judged),
        };
        for line in told {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn of_judged(case: &Case, judged: &CaseVerdict) -> Vec<String> {
    let mut lines: Vec<String> =
        judged.findings.iter().map(|finding| of_finding(case, judged, finding)).collect();
    for gap in &judged.gaps {
        lines.push(command(
            "warning",
            &case.file,
            (1, 1),
            [&format!("not seen in {}", case.title), &gap.what],
        ));
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
    command(level, &case.file, judged.source.line_column(finding.place.start), [&title, &text])
}

fn of_trouble(case: &Case, trouble: &Trouble) -> String {
    let causes: String = trouble.caused_by.iter().map(|cause| format!("\ncaused by: {cause}")).collect();
    let title = format!("could not run {}", case.title);
    command("error", &case.file, (1, 1), [&title, &format!("{}{causes}", trouble.message)])
}

fn command(level: &str, file: &str, (line, column): (usize, usize), [title, text]: [&str; 2]) -> String {
    let (file, title) = (property(file), property(&phrase::shown(title)));
    let text: Vec<String> = text.lines().map(phrase::shown).collect();
    format!("::{level} file={file},line={line},col={column},title={title}::{}", data(&text.join("\n")))
}

/// What follows the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which also ends at `,` and `:`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
