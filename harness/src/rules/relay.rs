//! A relay does what the relay contract says; one that does not is no witness, so the case is inconclusive.

use super::Rule;
use crate::breaks::Class;
use crate::scenario::Expectation;

pub static KEEPS_CONTRACT: Rule = Rule {
    expectation: Expectation::RelayKeepsContract,
    classes: &[Class::ContractBroken],
    clause: "a relay keeps the relay contract (fixtures/CONTRACT.md)",
    looked_at: |all| {
        let relays = all.iter().filter(|crossing| crossing.receiver_node().kind.keeps_relay_contract());
        u32::try_from(relays.count()).unwrap_or(u32::MAX)
    },
};
