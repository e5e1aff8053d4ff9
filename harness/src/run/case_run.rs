//! A case that has ended: its end, its evidence, and what its nodes printed.

use crate::evidence::Evidence;
use crate::verdict::CaseEnd;

/// The end of a case, and its evidence if it could run.
#[derive(Debug)]
pub struct CaseRun {
    pub end: CaseEnd,
    pub evidence: Option<Evidence>,
    /// The name and the last lines of each node that printed something.
    pub logs: Vec<(String, Vec<String>)>,
}
