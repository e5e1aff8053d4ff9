//! The labels and names of everything that a run makes at the engine.

use super::process_identity::ProcessIdentity;

/// Holds the `ProcessIdentity` of the process that made it.
pub(super) const OWNER: &str = "unbroken.owner";
/// Holds the id of the run.
pub(super) const RUN: &str = "unbroken.run";
/// Holds what it is in the run: a kind of broker, or the name of a node.
pub(super) const PART: &str = "unbroken.part";
/// Holds the title of the case whose node it is; absent where cases share it.
pub(super) const CASE: &str = "unbroken.case";
/// Present on what `--keep` leaves.
pub(super) const KEPT: &str = "unbroken.kept";

/// Returns the labels of everything that a run makes.
pub(super) fn of_run(run: &str, owner: &ProcessIdentity, keep: bool) -> Vec<(&'static str, String)> {
    let mut labels = vec![(RUN, run.to_owned()), (OWNER, owner.to_string())];
    if keep {
        labels.push((KEPT, "true".to_owned()));
    }
    labels
}

/// Returns the name of a run's network.
pub(super) fn network_name(run: &str) -> String {
    format!("unbroken-{run}")
}
