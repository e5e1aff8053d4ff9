//! `unbroken judge`: kept evidence judged again, without running anything.

use std::sync::Arc;
use std::time::Duration;

use super::arguments::Judge;
use super::report_file::ReportFile;
use super::{exit, print, selection};
use crate::evidence::file;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::report::terminal::{Detail, Layout};
use crate::report::{Outcome, terminal};
use crate::run::judge::{JudgeSettings, judge as judge_case};
use crate::verdict::CaseEnd;

pub fn judge(arguments: &Judge) -> u8 {
    let cases = match selection::read(&arguments.scenario) {
        Ok(cases) => cases,
        Err(status) => return status,
    };
    let text = match std::fs::read_to_string(&arguments.evidence) {
        Ok(text) => text,
        Err(error) => {
            print::problem(&format!("error: cannot read `{}`: {error}", arguments.evidence.display()));
            return exit::USAGE;
        }
    };
    todo_judge(arguments, cases, &text)
}

/// The terminal report on standard output, unless another one goes there, and the others into their files.
pub fn report(outcome: &Outcome, reports: &[ReportFile], verbose: bool) -> bool {
    if !reports.iter().any(ReportFile::is_on_standard_output) {
        let detail = if verbose { Detail::Everything } else { Detail::Hops };
        let layout = Layout { palette: print::palette(), detail, ..Layout::default() };
        print::out(&terminal::render(outcome, layout));
    }
    let mut all = true;
    for report in reports {
        if let Err(error) = report.write(outcome) {
            print::error(&error);
            all = false;
        }
    }
    all
}
