//! Nodes that ended during a run, and the gaps that say nothing more than that.

use crate::breaks::Unseen;
use crate::crossings::Crossings;
use crate::evidence::{Exchange, Gap, GapPlace};
use crate::scenario::{HopIx, NodeIx};
use crate::verdict::GapVerdict;

/// Returns whether a gap says only that a dead node took no connection.
pub(super) fn explains_gap(all: &Crossings<'_>, gap: &Gap) -> bool {
    match gap.place {
        GapPlace::UnreachableReceiver(tap) => all.evidence.has_died(all.plan.tap(tap).to),
        GapPlace::Run
        | GapPlace::Node(_)
        | GapPlace::DeadNode(_)
        | GapPlace::Tap(_)
        | GapPlace::Stimulus(_) => false,
    }
}

/// Returns whether a request of the driver did not arrive because its receiver had ended.
pub(super) fn explains_unseen(all: &Crossings<'_>, hop: HopIx, why: &Unseen) -> bool {
    matches!(why, Unseen::NotArrived(_)) && all.evidence.has_died(all.plan.scenario.hop(hop).to)
}

/// Returns whether a request of the driver got no answer because its receiver had ended.
pub(super) fn explains_answer(all: &Crossings<'_>, exchange: &Exchange) -> bool {
    let drive = &all.plan.scenario.drives[all.plan.stimulus(exchange.stimulus).drive];
    !exchange.answer.arrived() && all.evidence.has_died(all.plan.scenario.hop(drive.send).to)
}

/// Adds the requests of the story that a death cost to its gap.
pub(super) fn add_losses(all: &Crossings<'_>, node: NodeIx, verdict: &mut GapVerdict) {
    let scenario = &all.plan.scenario;
    for (ix, drive) in scenario.drives.iter().enumerate() {
        let hop = scenario.hop(drive.send);
        let of_drive = all.evidence.exchanges.iter();
        let of_drive = of_drive.filter(|exchange| all.plan.stimulus(exchange.stimulus).drive == ix);
        let lost = of_drive.filter(|exchange| !exchange.answer.arrived()).count();
        if hop.to == node && lost > 0 {
            verdict.what +=
                &format!("; {lost} of {} requests over `{}` were not answered", drive.times, hop.id);
        }
    }
}
