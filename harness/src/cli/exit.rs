//! What the command's exit status says; scripts may rely on these numbers.

use crate::verdict::Verdict;

/// Every case passed.
pub const PASS: u8 = 0;
/// A fault of unbroken itself.
pub const INTERNAL: u8 = 1;
/// The command line is wrong: an unknown flag, a path that is not there.
pub const USAGE: u8 = 2;
/// A scenario file is wrong; each mistake was shown with its place.
pub const INVALID_SCENARIO: u8 = 3;
/// At least one case failed.
pub const FAILED: u8 = 4;
/// No case failed, and at least one is inconclusive or could not be run; an interrupted run, too.
pub const INCONCLUSIVE: u8 = 5;
/// Nothing was selected: no file in the folder, or nothing that the filter lets through.
pub const NOTHING_SELECTED: u8 = 6;

/// The table for `--help`.
pub const HELP: &str = "\
Exit status:
  0  every case passed
  1  a fault of unbroken itself
  2  the command line is wrong
  3  a scenario file is wrong
  4  at least one case failed
  5  inconclusive, could not be run, or interrupted
  6  nothing was selected";

/// The status of a run that ended with this verdict.
pub fn of(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => PASS,
        Verdict::Inconclusive => INCONCLUSIVE,
        Verdict::Fail => FAILED,
    }
}
