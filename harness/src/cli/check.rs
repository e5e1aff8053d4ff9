//! `unbroken check`: are these files scenarios?

use super::arguments::Check;
use super::selection::select;
use super::{exit, print};

pub fn check(arguments: &Check) -> u8 {
    let selected = match select(&arguments.selection) {
        Ok(selected) => selected,
        Err(status) => return status,
    };
    let (cases, files) = (selected.cases.len(), selected.files);
    let (case, file) = (if cases == 1 { "case" } else { "cases" }, if files == 1 { "file" } else { "files" });
    print::out(&format!("{files} {file} with {cases} {case}: nothing wrong\n"));
    exit::PASS
}
