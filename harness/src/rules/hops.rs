//! Hops: crossed as often as declared, in the relation declared, and no other crossing where that is asked.
//!
//! A service that receives a traceparent MUST send one on outgoing requests (W3C Trace Context 3.4); it may start a
//! new trace, and only the scenario says whether that is meant. A participant uses the id of its current operation as
//! the parent id (level 2: 4.1.2, level 1: 4.3); instrumentation SHOULD call propagators on all remote calls
//! (OpenTelemetry, Propagators API). Holds for participants; a forwarder passes both fields unchanged (level 2: 4.1.1).

use super::Rule;
use crate::breaks::Class;
use crate::crossings::Crossings;
use crate::scenario::{Expectation, NodeIx, Relation, RestartSide};

pub static CROSSED: Rule = Rule {
    expectation: Expectation::HopsCrossed,
    classes: &[Class::NotCrossed, Class::Refused],
    clause: "a hop is crossed as often as the scenario declares (`times`)",
    looked_at: |all| {
        let witnessed = all.iter().filter(|crossing| crossing.witness().is_some());
        u32::try_from(witnessed.count()).unwrap_or(u32::MAX)
    },
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
        Class::NotAdded,
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

pub(super) const REFUSED_CLAUSE: &str = "a gateway forwards what the standards allow: baggage of 8192 bytes and 64 members (W3C Baggage, \
     https://www.w3.org/TR/baggage/#limits), tracestate of 512 characters (W3C Trace Context, \
     https://www.w3.org/TR/trace-context-2/#tracestate-limits)";

pub(super) const PREFLIGHT_CLAUSE: &str = "a browser sends a request to another origin only if the answer to its preflight allows the origin and each header (Fetch \
     standard, HTTP CORS protocol, https://fetch.spec.whatwg.org/#http-cors-protocol)";

pub(super) const NOT_ADDED_CLAUSE: &str =
    "the scenario declares what a gateway adds to each request that it forwards (`adds`)";

/// Returns the clause that fits what the hop declares: a new trace is no break where the relation starts one.
pub(super) fn clause(class: Class, relation: Relation) -> &'static str {
    const LINKS: &str = "the hop declares a new trace with a link: the span that receives links to the context that arrived \
                         (OpenTelemetry semantic conventions, https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/)";
    const NEW_TRACE: &str = "the hop declares a new trace: nothing continues the trace that arrived \
                             (W3C Trace Context 3.4, https://www.w3.org/TR/trace-context-2/#mutating-the-traceparent-field)";
    const FORWARDED: &str = "a forwarder passes traceparent and tracestate unchanged (W3C Trace Context, level 2: 4.1.1, \
                             https://www.w3.org/TR/trace-context-2/#no-traceparent-received)";
    match (class, relation) {
        (Class::LinkMissing | Class::LinkWrong, _) => LINKS,
        (Class::Joined, _) => NEW_TRACE,
        (Class::Stripped | Class::Altered, Relation::Unchanged) => FORWARDED,
        (Class::Reparented, Relation::Link | Relation::RestartWithLink(RestartSide::Receiver)) => LINKS,
        (_, _) => KEEP_RELATION.clause,
    }
}

fn related(all: &Crossings<'_>) -> u32 {
    let judged = all.iter().filter(|crossing| {
        let hop = crossing.hop();
        crossing.witness().is_some()
            && hop.relation != Relation::None
            && (hop.from != NodeIx::CLIENT || all.exports(hop.to))
    });
    u32::try_from(judged.count()).unwrap_or(u32::MAX)
}
