//! The nodes that need a canary, and the drive that sends it to each.

use crate::crossings::Crossings;
use crate::evidence::Answer;
use crate::scenario::{Drive, NodeIx};

/// For each node that took part in the story a drive whose requests reach it.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) drives: Vec<(NodeIx, usize)>,
}

impl Choice {
    /// Returns the first fit drive for each of `nodes`. A node without one is left out.
    pub(super) fn of(seen: &Crossings<'_>, nodes: &[NodeIx]) -> Choice {
        let drives = &seen.plan.scenario.drives;
        let mut chosen = Vec::new();
        for node in nodes.iter().copied().filter(|node| seen.exports(*node)) {
            let reached = seen
                .iter()
                .filter(|crossing| crossing.receiver() == node || crossing.sender() == node)
                .map(|crossing| crossing.stimulus().drive)
                .filter(|drive| may_send(&drives[*drive]));
            chosen.extend(reached.min().map(|drive| (node, drive)));
        }
        Choice { drives: chosen }
    }
}

/// Returns whether a drive may send a canary: its requests are answered, and with a success.
pub(super) fn may_send(drive: &Drive) -> bool {
    let succeeds = drive.answers.is_none_or(|status| status == 0 || (200..400).contains(&status));
    drive.canary && !drive.hangs_up && succeeds
}

/// Returns whether an answer is the one that the drive expects.
pub(super) fn is_expected(drive: &Drive, answer: &Answer) -> bool {
    match (drive.answers, answer) {
        (Some(status), Answer::Http(seen)) => status == u32::from(*seen),
        (_, answer) => answer.is_success(),
    }
}
