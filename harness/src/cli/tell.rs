//! The end of a run: reports, and the exit status.

use super::report_file::ReportFile;
use super::{exit, print};
use crate::report::Outcome;
use crate::report::terminal::{self, Detail, Layout};
use crate::verdict::Verdict;

/// The terminal report on standard output, unless another one goes there, the others into their files, and
/// the exit status. `written`: everything else that was asked for could be written.
pub fn tell(outcome: &Outcome, reports: &[ReportFile], verbose: bool, mut written: bool) -> u8 {
    if !reports.iter().any(ReportFile::is_on_standard_output) {
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
