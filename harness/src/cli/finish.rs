//! The end of a run: the reports and the exit status.

use super::report_file::ReportFile;
use super::{exit, print};
use crate::report::Outcome;
use crate::report::terminal::{self, Detail, Layout};
use crate::verdict::Verdict;

/// Prints the terminal report unless another one goes to standard output, writes the others, and returns the exit
/// status. `written` says whether every other file of the run could be written.
pub fn finish(outcome: &Outcome, reports: &[ReportFile], verbose: bool, mut written: bool) -> u8 {
    if !reports.iter().any(ReportFile::replaces_terminal) {
        let detail = if verbose { Detail::Everything } else { Detail::Hops };
        let layout = Layout { palette: print::palette(), detail, ..Layout::default() };
        print::out(&terminal::render(outcome, layout));
    }
    for report in reports {
        if let Err(error) = report.write(outcome) {
            print::error(&error);
            written = false;
        }
    }
    let floor = if written { Verdict::Pass } else { Verdict::Inconclusive };
    exit::of(outcome.verdict().and(floor))
}
