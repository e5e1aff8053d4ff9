//! The exit statuses of the command. Scripts may rely on these numbers.

use crate::verdict::Verdict;

/// Every case passed.
pub const PASS: u8 = 0;
/// An error of unbroken itself.
pub const INTERNAL: u8 = 1;
/// The command line is wrong: an unknown option, a path that does not exist.
pub const USAGE: u8 = 2;
/// A scenario file is wrong. Each error was printed with its place.
pub const INVALID_SCENARIO: u8 = 3;
/// At least one case failed.
pub const FAILED: u8 = 4;
/// No case failed, and at least one is inconclusive or could not run. An interrupted run, too.
pub const INCONCLUSIVE: u8 = 5;
/// Nothing was selected: the folder has no scenario, or the filter selects no case.
pub const NOTHING_SELECTED: u8 = 6;

/// The table for `--help`.
pub const HELP: &str = "\
Exit status:
  0  every case passed
  1  an error of unbroken itself
  2  the command line is wrong
  3  a scenario file is wrong
  4  at least one case failed
  5  inconclusive, could not run, or interrupted
  6  nothing was selected";

/// Returns the status of a run with this verdict.
pub fn of(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => PASS,
        Verdict::Inconclusive => INCONCLUSIVE,
        Verdict::Fail => FAILED,
    }
}
