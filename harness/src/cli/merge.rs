//! `unbroken merge`: one report of the reports of all shards.

use std::path::Path;

use super::arguments::MergeArguments;
use super::comparison::{REPORT_BYTES, ReportReadError};
use super::report_target::{ReportError, replace};
use super::{exit, print};
use crate::history::merge::{self, MergeError, ShardReport, WholeReport};
use crate::input_file;
use crate::report::phrase::count;

pub fn merge(arguments: &MergeArguments) -> u8 {
    let mut reports = Vec::new();
    for path in &arguments.reports {
        match input_file::read(path, REPORT_BYTES) {
            Ok(text) => reports.push(ShardReport { name: path.display().to_string(), text }),
            Err(source) => {
                print::error(&ReportReadError::Io { path: path.clone(), source });
                return exit::USAGE;
            }
        }
    }
    let merged = match merged(&reports) {
        Ok(merged) => merged,
        Err(error) => {
            print::error(&error);
            return exit::USAGE;
        }
    };
    if let Err(error) = write(&arguments.output, &merged) {
        print::error(&error);
        return exit::INCONCLUSIVE;
    }
    for warning in &merged.warnings {
        print::problem(&format!("warning: {warning}"));
    }
    if arguments.output != Path::new("-") {
        let (shards, verdict) = (count(reports.len(), "shard"), &merged.verdict);
        print::out(&format!("merged {shards} into `{}`: {verdict}\n", arguments.output.display()));
    }
    match merged.verdict.as_str() {
        "pass" | "deviates" => exit::PASS,
        "fail" => exit::FAILED,
        _ => exit::INCONCLUSIVE,
    }
}

/// Reports that begin with a `<` are JUnit.
fn merged(reports: &[ShardReport]) -> Result<WholeReport, MergeError> {
    if reports.iter().any(|report| report.text.trim_start().starts_with('<')) {
        merge::junit::merge(reports)
    } else {
        merge::merge(reports)
    }
}

fn write(path: &Path, merged: &WholeReport) -> Result<(), ReportError> {
    if path == Path::new("-") {
        print::document(&merged.text);
        return Ok(());
    }
    replace(path, &merged.text)
}
