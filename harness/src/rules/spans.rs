//! Spans and log records that form an unbroken chain, and that report what the wire shows.
//!
//! Ids are 16 and 8 bytes, not zero, unique (OTLP, trace.proto); kinds SERVER and CLIENT at an HTTP or gRPC hop
//! (OpenTelemetry semantic conventions); every resource has a `service.name` (same, MUST). Hold for
//! participants.

use super::Rule;
use crate::breaks::Class;
use crate::crossings::Crossings;
use crate::scenario::Expectation;

pub static MATCH_WIRE: Rule = Rule {
    expectation: Expectation::TelemetryMatchesWire,
    classes: &[Class::TelemetryDiffers],
    clause: "a span's ids, flags and trace state are those of the context that crossed \
             (OTLP, https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto)",
    looked_at: spans,
};

pub static WELL_FORMED: Rule = Rule {
    expectation: Expectation::SpansWellFormed,
    classes: &[Class::SpanIdRepeated, Class::SpanMalformed, Class::TimeInverted],
    clause: "ids are valid and unique, and a span does not end before it starts \
             (OTLP, https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto)",
    looked_at: spans,
};

pub static CONNECTED: Rule = Rule {
    expectation: Expectation::SpansConnected,
    classes: &[Class::ParentMissing],
    clause: "a span's parent is exported too, or is the remote parent that was received \
             (OpenTelemetry SDK, https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling)",
    looked_at: spans,
};

pub static KIND: Rule = Rule {
    expectation: Expectation::SpansKind,
    classes: &[Class::KindWrong],
    clause: "the span for an incoming request is SERVER, the span for a call CLIENT \
             (OpenTelemetry semantic conventions, https://opentelemetry.io/docs/specs/semconv/http/http-spans/)",
    looked_at: spans,
};

pub static RESOURCE_NAMED: Rule = Rule {
    expectation: Expectation::ResourceNamed,
    classes: &[Class::ResourceMissing],
    clause: "every resource has a `service.name` \
             (OpenTelemetry semantic conventions, https://opentelemetry.io/docs/specs/semconv/resource/#service)",
    looked_at: spans,
};

pub static LOGS_CORRELATED: Rule = Rule {
    expectation: Expectation::LogsCorrelated,
    classes: &[Class::LogUncorrelated],
    clause: "a log record has the trace id and span id of the context that it was written in \
             (OpenTelemetry, Logs, https://opentelemetry.io/docs/specs/otel/logs/#log-correlation)",
    looked_at: |all| {
        let records = all.evidence.logs.iter().filter(|record| !record.body.is_empty());
        u32::try_from(records.count()).unwrap_or(u32::MAX)
    },
};

fn spans(all: &Crossings<'_>) -> u32 {
    u32::try_from(all.evidence.spans.len()).unwrap_or(u32::MAX)
}
