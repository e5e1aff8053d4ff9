//! A relay does what the relay contract says; one that does not is no witness, so the case is inconclusive.

use super::Rule;
use crate::breaks::Class;
use crate::scenario::Expectation;

pub static KEEPS_CONTRACT: Rule = Rule {
    expectation: Expectation::RelayKeepsContract,
    classes: &[Class::ContractBroken],
    clause: "a relay keeps the relay contract (fixtures/CONTRACT.md)",
    looked_at: |all| {
        let relay = |node| all.plan.scenario.node(node).kind.keeps_relay_contract();
        let told = all.list.iter().filter(|crossing| relay(all.receiver(crossing)));
        u32::try_from(told.count()).unwrap_or(u32::MAX)
    },
};
