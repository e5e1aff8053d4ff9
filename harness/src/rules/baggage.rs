//! baggage is propagated with every member, value and property, whether the trace is sampled or not.
//!
//! Up to 64 members of 8192 bytes together MUST be propagated (W3C Baggage 3.3.2); values are compared
//! percent-decoded and members as a set, because re-encoding and another order are legal. Holds for
//! participants.

use super::Rule;
use crate::breaks::Class;
use crate::scenario::Expectation;

pub static KEPT: Rule = Rule {
    expectation: Expectation::BaggageKept,
    classes: &[Class::BaggageLost, Class::BaggageAltered],
    clause: "a system must propagate all members of baggage, up to 64 members and 8192 bytes \
             (W3C Baggage, Limits, https://www.w3.org/TR/baggage/#limits)",
    looked_at: |all| {
        let carried = all.iter().filter(|crossing| {
            let due = crossing.due().entries.as_ref().is_some_and(|entries| !entries.is_empty());
            !crossing.is_from_client() && due
        });
        u32::try_from(carried.count()).unwrap_or(u32::MAX)
    },
};
