//! The next steps after a finding, by class and side, the likeliest first. `explain CLASS` says more.

use crate::breaks::{Class, Side};

/// Returns the next steps, the likeliest first.
pub fn next_steps(class: Class, side: Side) -> &'static [&'static str] {
    match (class, side) {
        (Class::NotCrossed, _) => {
            &["read the last output of the node, and check that it calls the address of the tap"]
        }
        (Class::NotInjected, _) => &[
            "instrument the client library that makes this call, or inject the current context by hand",
            "check `OTEL_PROPAGATORS`, and that a propagator is set before the client is created",
        ],
        (Class::NotExtracted, _) | (Class::Restarted, Side::Receiver) => &[
            "instrument the server or consumer that receives this, or extract the context before the span starts",
        ],
        (Class::Restarted, _) => &["pass the context to the thread, task or queue that makes the call"],
        (Class::PassedThrough, _) => &["enable tracing in this node, or declare `role: forwarder`"],
        (Class::Reparented, Side::Sender) => {
            &["inject inside the CLIENT span, after it was started and made current"]
        }
        (Class::Reparented, _) => &["start the span from the context that was extracted from this request"],
        (Class::Malformed, _) => &["let the propagator of the SDK write the field"],
        (Class::Duplicated, _) => {
            &["set the field instead of adding it; look for two instrumentations of one call"]
        }
        (Class::Swapped, _) => {
            &["look for a context in a process-wide or reused variable; run with concurrency 1 to compare"]
        }
        (Class::FlagChanged | Class::SampledIn | Class::SampledOut, _) => {
            &["use a parent-based sampler (`OTEL_TRACES_SAMPLER=parentbased_always_on`)"]
        }
        (Class::NotExported, _) => {
            &["check the node's exporter, its endpoint, and that it flushes when it is stopped"]
        }
        (Class::Joined, _) => {
            &["start a new root span where the scenario says `restart` or `link`, or declare `child`"]
        }
        (Class::LinkMissing | Class::LinkWrong, _) => {
            &["add a link to the context that was received when the new root is started"]
        }
        (Class::Adopted, _) => &["do not use any part of a traceparent that does not parse"],
        (Class::Stripped | Class::Altered, _) => &["forward the field unchanged"],
        (Class::Leaked, _) => &["exclude this host from propagation in the client library"],
        (Class::BaggageLost | Class::BaggageAltered, _) => {
            &["add the baggage propagator, and keep the baggage in the current context"]
        }
        (
            Class::TracestateLost
            | Class::TracestateAltered
            | Class::TracestateCut
            | Class::TracestateReordered
            | Class::TracestateLeaked,
            _,
        ) => &["let the SDK propagate tracestate; do not rebuild it"],
        (Class::TelemetryDiffers, _) => &["compare the exporter's fields with the context that was injected"],
        (Class::ParentMissing, _) => &["end every span, and flush before the process ends"],
        (Class::ResourceMissing, _) => &["set `OTEL_SERVICE_NAME`"],
        (Class::LogUncorrelated, _) => &["write logs through an appender that reads the current span"],
        (Class::Undeclared, _) => &["declare a hop for it, or remove `hops.only-declared` from `expect:`"],
        (Class::ContractBroken, _) => {
            &["read fixtures/CONTRACT.md; the relay cannot be judged until it keeps it"]
        }
        (Class::SpanIdRepeated | Class::SpanMalformed | Class::KindWrong | Class::TimeInverted, _) => {
            &["let the SDK create the span"]
        }
    }
}
