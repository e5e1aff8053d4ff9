//! `unbroken diff`: the differences of two runs, as people read them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::arguments::DiffArguments;
use super::{exit, print};
use crate::history::{Change, Comparison, Difference, DifferenceKind, RecordError, RunRecord};
use crate::input_file;
use crate::report::{command, phrase};

/// A report may have this many bytes.
pub const REPORT_BYTES: u64 = 1 << 30;

#[derive(Debug, thiserror::Error)]
pub enum ReportReadError {
    #[error("cannot read the report `{}`", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("cannot compare with `{}`", path.display())]
    Record { path: PathBuf, source: RecordError },
}

pub fn diff(arguments: &DiffArguments) -> u8 {
    let (before, after) = match (read(&arguments.before), read(&arguments.after)) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(error), _) | (_, Err(error)) => {
            print::error(&error);
            return exit::INCONCLUSIVE;
        }
    };
    let comparison = Comparison::of(&before, &after);
    print::out(&words(&comparison));
    if after.is_partial || before.is_partial {
        print::problem("error: one of the two runs was interrupted: run it again to compare all cases");
        return exit::INCONCLUSIVE;
    }
    if comparison.is_alarming() { exit::FAILED } else { exit::PASS }
}

pub fn read(path: &Path) -> Result<RunRecord, ReportReadError> {
    read_text(path).map(|(_, record)| record)
}

/// Returns a report as it stands, and as it is compared.
pub fn read_text(path: &Path) -> Result<(String, RunRecord), ReportReadError> {
    let text = input_file::read(path, REPORT_BYTES)
        .map_err(|source| ReportReadError::Io { path: path.to_owned(), source })?;
    let record =
        RunRecord::read(&text).map_err(|source| ReportReadError::Record { path: path.to_owned(), source })?;
    Ok((text, record))
}

/// Returns the differences, one paragraph each, and their numbers.
pub fn words(comparison: &Comparison) -> String {
    let mut text = String::new();
    for one in comparison.differences.iter().filter(|one| one.kind != DifferenceKind::StillThere) {
        paragraph(&mut text, one);
    }
    for (change, titles) in &comparison.changes {
        let Change { kind, program, before, after } = change;
        let cases = match titles.as_slice() {
            [] => String::new(),
            [one] => format!(", under {one}"),
            more => format!(", under {} cases", more.len()),
        };
        let _ = writeln!(text, "{} {program} {before} -> {after}{cases}", kind.word());
    }
    let counts: Vec<String> = DifferenceKind::ALL
        .iter()
        .filter(|kind| comparison.count(**kind) > 0)
        .map(|kind| format!("{} {}", comparison.count(*kind), kind.word()))
        .collect();
    text += &if counts.is_empty() { "no findings in either run".to_owned() } else { counts.join(", ") };
    text.push('\n');
    text
}

fn paragraph(text: &mut String, one: &Difference) {
    let kind = one.kind.word();
    let Some(id) = &one.finding else {
        let _ = writeln!(text, "{kind:<12} {}", one.title);
        return;
    };
    let _ = writeln!(text, "{kind:<12} {}  {} at {}, {}", one.title, id.class, id.hop, id.side);
    for (label, finding) in [("before", &one.before), ("now", &one.after)] {
        let Some(finding) = finding else { continue };
        let fields: Vec<&str> = finding.fields.iter().map(String::as_str).collect();
        let fields = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) };
        let (hit, of, message) = (finding.hit, finding.of, phrase::shown(&finding.message));
        let _ = writeln!(text, "{:12} {label:<12} {hit} of {of}{fields}: {message}", "");
        if label == "now" {
            let _ = writeln!(text, "{:12} {:<12} {}", "", "fingerprint", finding.fingerprint);
        }
    }
    for Change { kind, program, before, after } in &one.changes {
        let _ = writeln!(text, "{:12} {:<12} {program} {before} -> {after}", "", kind.word());
    }
    if one.kind.is_alarming() {
        let again =
            format!("unbroken run {} --filter {}", command::quoted(&one.file), command::quoted(&one.title));
        let _ = writeln!(text, "{:12} {:<12} {again}", "", "run again");
    }
}
