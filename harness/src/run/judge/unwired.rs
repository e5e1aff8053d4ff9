//! Hops whose tap saw no connection, because their sender already ran and was never configured to call it.
//!
//! They are judged as with `tap: none`, by spans alone, and stay inconclusive: no bytes were seen; nobody is blamed.
//!
//! The tap of a Kafka topic is beside its clients, so that nothing is configured for it.

use std::sync::Arc;

use crate::evidence::Evidence;
use crate::plan::{Plan, TapIx, TapProtocol};
use crate::scenario::{HopIx, Scenario};

/// A hop whose tap saw no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnwiredHop {
    pub hop: HopIx,
    pub tap: TapIx,
}

/// Returns the hops whose taps were not called, in the order of the scenario.
pub(super) fn hops(plan: &Plan, evidence: &Evidence) -> Vec<UnwiredHop> {
    let mut unwired: Vec<UnwiredHop> = Vec::new();
    // A hop may be written before the one that causes it.
    loop {
        let before = unwired.len();
        for hop in (0..plan.scenario.hops.len()).map(HopIx) {
            let known = unwired.iter().any(|known| known.hop == hop);
            if let (false, Some(tap)) = (known, tap_without_connection(plan, evidence, hop, &unwired)) {
                unwired.push(UnwiredHop { hop, tap });
            }
        }
        if unwired.len() == before {
            break;
        }
    }
    unwired.sort_by_key(|one| one.hop);
    unwired
}

/// Returns the tap of a hop, if its sender has to be configured with it, what causes the hop was seen, and the tap was
/// not called.
fn tap_without_connection(
    plan: &Plan,
    evidence: &Evidence,
    hop: HopIx,
    unwired: &[UnwiredHop],
) -> Option<TapIx> {
    let declared = plan.scenario.hop(hop);
    let tap = plan.hop_taps[hop.0].filter(|tap| plan.tap(*tap).protocol != TapProtocol::Kafka)?;
    let cause = declared.within?;
    let cause_seen = match plan.hop_taps[cause.0] {
        Some(before) => evidence.was_called(before) || unwired.iter().any(|known| known.hop == cause),
        None => true,
    };
    let read = plan.arrival_taps[hop.0].is_some_and(|arrival| evidence.was_called(arrival));
    let is_unwired = plan.scenario.node(declared.from).kind.runs_already()
        && declared.dead_letter_of.is_none()
        && cause_seen
        && !evidence.was_called(tap)
        && !read;
    is_unwired.then_some(tap)
}

/// Returns the plan with these hops as if they had no tap.
pub(super) fn untapped(plan: &Plan, unwired: &[UnwiredHop]) -> Plan {
    let mut plan = plan.clone();
    for UnwiredHop { hop, .. } in unwired {
        plan.hop_taps[hop.0] = None;
        plan.arrival_taps[hop.0] = None;
        Arc::<Scenario>::make_mut(&mut plan.scenario).hops[hop.0].tapped = false;
    }
    plan
}

/// Returns the reason for which a hop is not decided.
pub(super) fn reason(plan: &Plan, unwired: UnwiredHop) -> String {
    let declared = plan.scenario.hop(unwired.hop);
    let (from, tap) = (&plan.scenario.node(declared.from).name, plan.tap(unwired.tap));
    let at = tap.listen.map(|at| format!(" at {at}")).unwrap_or_default();
    let to = &plan.scenario.node(tap.to).name;
    let seen = if declared.transport.via().is_some() { "message" } else { "connection" };
    format!(
        "`{}`: the tap{at} saw no {seen}: is `{from}` configured to reach `{to}` there? It is judged by spans alone; no \
         bytes were seen",
        declared.id
    )
}
