//! Sampling over the whole path: all or nothing for each trace, the flag honoured on each hop.
//!
//! The sampled flag changes only with a decision (W3C Trace Context 3.2.2.5); a child honours its parent's
//! decision by default (OpenTelemetry SDK, ParentBased); a span whose context is not sampled is not exported
//! (OpenTelemetry SDK, Sampling). Holds for participants. Where a trace begins (a link, a restart) the
//! decision is taken anew.

use super::Rule;
use crate::breaks::Class;
use crate::scenario::Expectation;

pub static WHOLE_PATH: Rule = Rule {
    expectation: Expectation::SamplingWholePath,
    classes: &[Class::FlagChanged, Class::SampledOut, Class::SampledIn, Class::NotExported],
    clause: "the sampled flag is passed on as it came, every span of a sampled trace is exported and none of an unsampled one \
             (W3C Trace Context 3.2.2.5, https://www.w3.org/TR/trace-context-2/#sampled-flag; OpenTelemetry SDK, \
             https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling)",
    looked_at: |all| u32::try_from(all.list.len()).unwrap_or(u32::MAX),
};
