//! The hops that one message crosses: several groups of a topic, several queues behind an exchange, and dead letters.

use crate::scenario::{HopIx, Scenario};

/// Returns the hops that share what is sent over `hop`, itself included, in the order of the file. What a broker moves
/// to a dead-letter queue is sent by nobody, so that such a hop stands alone.
pub fn fan_out(scenario: &Scenario, hop: HopIx) -> Vec<HopIx> {
    let this = scenario.hop(hop);
    let hops = scenario.hops.iter().enumerate().map(|(ix, other)| (HopIx(ix), other));
    hops.filter(|(ix, other)| *ix == hop || other.shares_message(this)).map(|(ix, _)| ix).collect()
}

/// Returns the hops over which a body arrives that is sent over `hop`: its fan-out, and where a broker moves what their
/// receivers give up.
pub fn readers(scenario: &Scenario, hop: HopIx) -> Vec<HopIx> {
    let mut readers = fan_out(scenario, hop);
    let mut at = 0;
    while let Some(reader) = readers.get(at).copied() {
        let moved =
            scenario.hops_within(reader).filter(|below| scenario.hop(*below).dead_letter_of.is_some());
        let new: Vec<HopIx> = moved.filter(|moved| !readers.contains(moved)).collect();
        readers.extend(new);
        at += 1;
    }
    readers
}

/// Returns whether a relay reads what is sent over a hop, be it behind forwarders, in a further group or queue, or
/// after the broker has moved it.
pub fn is_instructed(scenario: &Scenario, hop: HopIx) -> bool {
    readers(scenario, hop).into_iter().any(|reader| ends_at_a_relay(scenario, reader))
}

/// Returns whether the receiver of this one hop is a relay, be it behind forwarders.
pub(super) fn ends_at_a_relay(scenario: &Scenario, hop: HopIx) -> bool {
    let to = scenario.node(scenario.hop(hop).to);
    if !to.passes_bodies() {
        return to.kind.keeps_relay_contract();
    }
    scenario.hops_within(hop).any(|below| is_instructed(scenario, below))
}
