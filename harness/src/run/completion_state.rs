//! The state of the exports of nodes while their completion is awaited.

use crate::evidence::Completion;
use crate::scenario::NodeIx;

/// Returns what is known of a node after its flush. A flush proves more than a canary, and a flush that failed takes
/// nothing back from it.
pub(super) fn with_canary(completion: Completion, proof: Option<&Completion>) -> Completion {
    match (completion, proof) {
        (Completion::Unknown(_), Some(ordered @ Completion::Ordered { .. })) => ordered.clone(),
        (Completion::Unknown(why), Some(Completion::Unknown(doubt))) => {
            Completion::Unknown(format!("{why}; {doubt}"))
        }
        (completion, _) => completion,
    }
}

/// Returns the nodes whose exports are not known to be complete.
pub(super) fn unknown(nodes: &[NodeIx], completions: &[Completion]) -> Vec<NodeIx> {
    let unknown = nodes.iter().filter(|node| matches!(completions[node.0], Completion::Unknown(_)));
    unknown.copied().collect()
}

/// Returns whether the process of a node has ended.
pub(super) fn has_ended(completions: &[Completion], node: NodeIx) -> bool {
    matches!(completions[node.0], Completion::Stopped { .. })
}
