//! Isolation: no request carries the context of another request.
//!
//! A context belongs to one execution unit and its causes (OpenTelemetry, Context); taken from a process-wide
//! variable or a reused carrier it is swapped as soon as two requests are under way. Holds for participants.

use super::Rule;
use crate::breaks::Class;
use crate::scenario::Expectation;

pub static ISOLATION: Rule = Rule {
    expectation: Expectation::Isolation,
    classes: &[Class::Swapped],
    clause: "a context belongs to the execution that it was made for \
             (OpenTelemetry, Context, https://opentelemetry.io/docs/specs/otel/context/)",
    looked_at: |all| {
        let witnessed = all.iter().filter(|crossing| crossing.witness().is_some());
        if all.plan.stimuli.len() > 1 { u32::try_from(witnessed.count()).unwrap_or(u32::MAX) } else { 0 }
    },
};
