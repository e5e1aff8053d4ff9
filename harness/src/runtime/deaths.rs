//! The nodes of a case that end during the run although the harness did not stop them.
//!
//! A death is an event: what was seen before it, and what other nodes do after it, is evidence as ever. It decides
//! nothing by itself.

use parking_lot::Mutex;
use tokio::sync::watch;

use super::node::{NodeDeath, output_hint};
use crate::evidence::{Completion, Gap, GapPlace};
use crate::scenario::NodeIx;

/// The deaths of a case so far.
#[derive(Debug, Default)]
pub struct Deaths {
    list: Mutex<Vec<DeadNode>>,
    count: watch::Sender<usize>,
}

#[derive(Clone, Debug)]
struct DeadNode {
    node: NodeIx,
    death: NodeDeath,
}

impl Deaths {
    pub(super) fn add(&self, node: NodeIx, death: NodeDeath) {
        let mut list = self.list.lock();
        list.push(DeadNode { node, death });
        self.count.send_replace(list.len());
    }

    /// Returns a watch that changes with each death.
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// Returns the first death, if there is one.
    pub fn first(&self) -> Option<NodeDeath> {
        self.list.lock().first().map(|dead| dead.death.clone())
    }

    /// Returns the nodes that have died.
    pub fn nodes(&self) -> Vec<NodeIx> {
        self.list.lock().iter().map(|dead| dead.node).collect()
    }

    /// Returns a gap for each death, with the last output of the node.
    pub fn gaps(&self) -> Vec<Gap> {
        let list = self.list.lock();
        let gaps = list.iter().map(|DeadNode { node, death }| Gap {
            place: GapPlace::DeadNode(*node),
            what: format!("{}{}", exited(death), output_hint(&death.lines)),
            lines: death.lines.clone(),
        });
        gaps.collect()
    }

    /// Replaces what is thought of the exports of dead nodes, unless a flush before their end is the proof.
    pub fn complete(&self, completions: &mut [Completion]) {
        for DeadNode { node, death } in self.list.lock().iter() {
            match &mut completions[node.0] {
                Completion::NothingDue
                | Completion::Flushed { .. }
                | Completion::Stopped { .. }
                | Completion::Ordered { .. } => {}
                unproven @ (Completion::Quiet { .. } | Completion::Unknown(_)) => {
                    *unproven = Completion::Unknown(exited(death));
                }
            }
        }
    }
}

fn exited(death: &NodeDeath) -> String {
    format!("it exited during the run ({})", death.end)
}
