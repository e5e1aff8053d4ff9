//! Sampling over the whole path: a trace is exported completely or not at all, and each hop keeps the sampled flag.
//!
//! A component SHOULD respect the sampled flag, and may change it only with the parent id (W3C Trace Context, level 2:
//! 3.2.2.5.1); a child keeps its parent's decision by default (OpenTelemetry SDK, ParentBased); a span whose context is
//! not sampled is not exported (OpenTelemetry SDK, Sampling). Holds for participants. Where a trace begins (a link, a
//! restart) the receiver decides again.

use super::Rule;
use crate::breaks::Class;
use crate::scenario::Expectation;

pub static WHOLE_PATH: Rule = Rule {
    expectation: Expectation::SamplingWholePath,
    classes: &[Class::FlagChanged, Class::SampledOut, Class::SampledIn, Class::NotExported],
    clause: "a component should respect the sampled flag, and may change it only with the parent id; a span of a sampled \
             trace is exported, and one of an unsampled trace is not (W3C Trace Context, level 2: 3.2.2.5.1, https://www.w3.org/TR/trace-context-2/#sampled-flag; OpenTelemetry SDK, \
             https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling)",
    looked_at: |all| {
        let witnessed = all.iter().filter(|crossing| crossing.witness().is_some());
        u32::try_from(witnessed.count()).unwrap_or(u32::MAX)
    },
};
