//! Traces behind collectors: kept or dropped whole, and otherwise as they came in.
//!
//! A sampler that decides late needs all spans of a trace (OpenTelemetry Collector, scaling). Holds for collectors.

use super::Rule;
use crate::breaks::Class;
use crate::breaks::collectors::judged_traces;
use crate::scenario::Expectation;

pub static KEPT: Rule = Rule {
    expectation: Expectation::TracesKept,
    classes: &[Class::TraceSplit, Class::TraceDropped, Class::TraceKept],
    clause: "the spans of a trace share one sampling decision, also one that is made behind the services \
             (OpenTelemetry, Probability Sampling, https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/#consistent-sampling-decision)",
    looked_at: |all| {
        let asked = !all.plan.scenario.expect_traces.is_empty();
        let traces = if asked { judged_traces(all).len() } else { 0 };
        u32::try_from(traces).unwrap_or(u32::MAX)
    },
};

pub static UNCHANGED: Rule = Rule {
    expectation: Expectation::CollectorsUnchanged,
    classes: &[Class::CollectorAltered],
    clause: "a span's ids, flags, links and trace state are those of its context, which is immutable \
             (OTLP, https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto)",
    looked_at: |all| u32::try_from(all.evidence.collector_spans.len()).unwrap_or(u32::MAX),
};
