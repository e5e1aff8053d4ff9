//! The nodes that ended during a run, and the gaps that say nothing more than that.

use crate::breaks::Unseen;
use crate::crossings::Crossings;
use crate::evidence::{Exchange, Gap, GapPlace};
use crate::scenario::{HopIx, NodeIx};
use crate::verdict::GapVerdict;

/// The nodes that ended during the run.
#[derive(Clone, Copy)]
pub(super) struct DeadNodes<'a>(&'a Crossings<'a>);

impl<'a> DeadNodes<'a> {
    pub(super) fn of(all: &'a Crossings<'a>) -> DeadNodes<'a> {
        DeadNodes(all)
    }

    pub(super) fn contains(&self, node: NodeIx) -> bool {
        self.0.evidence.has_died(node)
    }

    /// Returns whether a gap says only that a dead node took no connection.
    pub(super) fn explain_gap(&self, gap: &Gap) -> bool {
        match gap.place {
            GapPlace::UnreachableReceiver(tap) => self.contains(self.0.plan.tap(tap).to),
            GapPlace::Run
            | GapPlace::Node(_)
            | GapPlace::DeadNode(_)
            | GapPlace::Tap(_)
            | GapPlace::Stimulus(_) => false,
        }
    }

    /// Returns whether a request of the driver did not arrive because its receiver had ended.
    pub(super) fn explain_unseen(&self, hop: HopIx, why: &Unseen) -> bool {
        matches!(why, Unseen::NotArrived(_)) && self.contains(self.0.plan.scenario.hop(hop).to)
    }

    /// Returns whether a request of the driver got no answer because its receiver had ended.
    pub(super) fn explain_answer(&self, exchange: &Exchange) -> bool {
        let drive = &self.0.plan.scenario.drives[self.0.plan.stimulus(exchange.stimulus).drive];
        !exchange.answer.arrived() && self.contains(self.0.plan.scenario.hop(drive.send).to)
    }

    /// Adds the requests of the story that a death cost to its gap.
    pub(super) fn add_losses(&self, node: NodeIx, verdict: &mut GapVerdict) {
        let scenario = &self.0.plan.scenario;
        for (ix, drive) in scenario.drives.iter().enumerate() {
            let hop = scenario.hop(drive.send);
            let of_drive = self.0.evidence.exchanges.iter();
            let of_drive = of_drive.filter(|exchange| self.0.plan.stimulus(exchange.stimulus).drive == ix);
            let lost = of_drive.filter(|exchange| !exchange.answer.arrived()).count();
            if hop.to == node && lost > 0 {
                verdict.what +=
                    &format!("; {lost} of {} requests over `{}` were not answered", drive.times, hop.id);
            }
        }
    }
}
