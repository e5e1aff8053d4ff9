//! `unbroken check`: checks scenario files without running them.

use super::arguments::CheckArguments;
use super::selection::select;
use super::{exit, print};
use crate::report::phrase;

pub fn check(arguments: &CheckArguments) -> u8 {
    let selected = match select(&arguments.selection) {
        Ok(selected) => selected,
        Err(status) => return status,
    };
    let files = phrase::count(selected.files, "file");
    let cases = phrase::count(selected.cases.len(), "case");
    print::out(&format!("{files} with {cases}: no errors\n"));
    exit::PASS
}
