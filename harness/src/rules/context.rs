//! Contexts that must not live on: over a hop that none may cross, baggage over a hop that drops it, and out of a
//! traceparent that is not valid.
//!
//! A receiver that cannot parse a traceparent creates a new one and discards tracestate (W3C Trace Context, level 2:
//! 4.1.2, level 1: 4.3).

use super::Rule;
use crate::breaks::Class;
use crate::crossings::expected::sent_invalid;
use crate::scenario::Expectation;

pub static NOT_LEAKED: Rule = Rule {
    expectation: Expectation::ContextNotLeaked,
    classes: &[Class::Leaked, Class::BaggageLeaked],
    clause: "a service assesses which systems may receive its context: a hop may be declared to carry none \
             (W3C Trace Context, Privacy Considerations, https://www.w3.org/TR/trace-context-2/#privacy-considerations)",
    looked_at: |all| {
        let none = all.iter().filter(|crossing| crossing.hop().drops_baggage());
        u32::try_from(none.count()).unwrap_or(u32::MAX)
    },
};

/// The clause of `baggage-leaked`: of this rule, and of a standard of its own.
pub const BAGGAGE_CLAUSE: &str = "baggage may hold private data: an application removes it before it reaches other systems \
                                  (W3C Baggage, Privacy, https://www.w3.org/TR/baggage/#privacy-of-the-baggage-header)";

pub static NOT_ADOPTED: Rule = Rule {
    expectation: Expectation::ContextNotAdopted,
    classes: &[Class::Adopted],
    clause: "a receiver ignores a traceparent that does not parse and starts a new trace \
             (W3C Trace Context, level 2: 4.1.2, https://www.w3.org/TR/trace-context-2/#a-traceparent-is-received)",
    looked_at: |all| {
        let invalid =
            all.iter().filter(|crossing| crossing.is_from_client() && sent_invalid(crossing.stimulus()));
        u32::try_from(invalid.count()).unwrap_or(u32::MAX)
    },
};
