//! Hops: crossed as often as declared, in the relation declared, and no other crossing where that is asked.
//!
//! A service that receives a traceparent MUST send one on outgoing requests (W3C Trace Context 3.4); it may start a
//! new trace, and only the scenario says whether that is meant. A participant uses the id of its current operation as
//! the parent id (level 2: 4.1.2, level 1: 4.3); instrumentation SHOULD call propagators on all remote calls
//! (OpenTelemetry, Propagators API). Holds for participants; a forwarder passes both fields unchanged (level 2: 4.1.1).

use super::Rule;
use crate::breaks::Class;
use crate::crossings::Crossings;
use crate::scenario::{Expectation, NodeIx, Relation};

pub static CROSSED: Rule = Rule {
    expectation: Expectation::HopsCrossed,
    classes: &[Class::NotCrossed],
    clause: "a hop is crossed as often as the scenario declares (`times`)",
    looked_at: |all| u32::try_from(all.list.len()).unwrap_or(u32::MAX),
};

pub static KEEP_RELATION: Rule = Rule {
    expectation: Expectation::HopsKeepRelation,
    classes: &[
        Class::NotInjected,
        Class::Malformed,
        Class::Duplicated,
        Class::Joined,
        Class::Restarted,
        Class::PassedThrough,
        Class::Reparented,
        Class::LinkMissing,
        Class::LinkWrong,
        Class::Stripped,
        Class::Altered,
        Class::NotExtracted,
    ],
    clause: "a service that receives a traceparent must send one on outgoing requests (W3C Trace Context 3.4, \
             https://www.w3.org/TR/trace-context-2/#mutating-the-traceparent-field), and a participant uses the id of \
             its current operation as the parent id (level 2: 4.1.2, level 1: 4.3)",
    looked_at: related,
};

pub static ONLY_DECLARED: Rule = Rule {
    expectation: Expectation::HopsOnlyDeclared,
    classes: &[Class::Undeclared],
    clause: "nothing crosses a tap that no hop of the scenario declares",
    looked_at: |all| u32::try_from(all.evidence.captures.len()).unwrap_or(u32::MAX),
};

fn related(all: &Crossings<'_>) -> u32 {
    let judged = all.iter().filter(|crossing| {
        let hop = crossing.hop();
        hop.relation != Relation::None && (hop.from != NodeIx::CLIENT || all.exports(hop.to))
    });
    u32::try_from(judged.count()).unwrap_or(u32::MAX)
}
