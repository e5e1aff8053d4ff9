//! The formats that carry a context, distinguished by the names of their fields.
//!
//! Fields that carry baggage only (`baggage`, `uberctx-*`, `ot-baggage-*`) are not a context. `propagation` reads and
//! writes the fields.

use super::Decision;

/// A propagation format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// <https://www.w3.org/TR/trace-context-2/>
    #[default]
    TraceContext,
    /// <https://github.com/openzipkin/b3-propagation#single-header>
    B3Single,
    /// <https://github.com/openzipkin/b3-propagation#multiple-headers>
    B3Multi,
    /// <https://www.jaegertracing.io/sdk-migration/#propagation-format>
    Jaeger,
    /// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
    XRay,
    /// <https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/>
    Datadog,
    /// <https://cloud.google.com/trace/docs/trace-context#legacy-http-header>
    GoogleCloud,
    /// <https://github.com/census-instrumentation/opencensus-specs/blob/master/encodings/BinaryEncoding.md>
    GrpcTraceBin,
    /// OpenTracing's basic tracers; deprecated.
    OtTrace,
}

impl Format {
    pub const ALL: &'static [Format] = &[
        Format::TraceContext,
        Format::B3Single,
        Format::B3Multi,
        Format::Jaeger,
        Format::XRay,
        Format::Datadog,
        Format::GoogleCloud,
        Format::GrpcTraceBin,
        Format::OtTrace,
    ];

    /// Returns the word in scenarios, which is that of `OTEL_PROPAGATORS` where OpenTelemetry has one.
    pub fn word(self) -> &'static str {
        match self {
            Format::TraceContext => "tracecontext",
            Format::B3Single => "b3",
            Format::B3Multi => "b3multi",
            Format::Jaeger => "jaeger",
            Format::XRay => "xray",
            Format::Datadog => "datadog",
            Format::GoogleCloud => "google",
            Format::GrpcTraceBin => "grpc-trace-bin",
            Format::OtTrace => "ottrace",
        }
    }

    pub fn from_word(word: &str) -> Option<Format> {
        Format::ALL.iter().copied().find(|format| format.word() == word)
    }

    /// Returns its usual name.
    pub fn name(self) -> &'static str {
        match self {
            Format::TraceContext => "W3C Trace Context",
            Format::B3Single => "B3 (one header)",
            Format::B3Multi => "B3 (several headers)",
            Format::Jaeger => "Jaeger",
            Format::XRay => "AWS X-Ray",
            Format::Datadog => "Datadog",
            Format::GoogleCloud => "Google Cloud Trace",
            Format::GrpcTraceBin => "OpenCensus (binary)",
            Format::OtTrace => "OpenTracing",
        }
    }

    /// Returns its fields, in lower case; each of them proves that the format was injected.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Format::TraceContext => &["traceparent", "tracestate"],
            Format::B3Single => &["b3"],
            Format::B3Multi => {
                &["x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags"]
            }
            Format::Jaeger => &["uber-trace-id"],
            // SQS carries it as the system attribute `AWSTraceHeader`.
            Format::XRay => &["x-amzn-trace-id", "awstraceheader"],
            Format::Datadog => &[
                "x-datadog-trace-id",
                "x-datadog-parent-id",
                "x-datadog-sampling-priority",
                "x-datadog-origin",
                "x-datadog-tags",
            ],
            Format::GoogleCloud => &["x-cloud-trace-context"],
            Format::GrpcTraceBin => &["grpc-trace-bin"],
            Format::OtTrace => &["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"],
        }
    }

    /// Returns the field with the trace id, in lower case.
    pub fn first_field(self) -> &'static str {
        self.fields()[0]
    }

    /// Returns whether the format has a word for the decision.
    pub fn carries(self, decision: Decision) -> bool {
        match decision {
            Decision::NotSampled | Decision::Sampled => true,
            Decision::Debug => match self {
                Format::B3Single | Format::B3Multi | Format::Jaeger => true,
                Format::TraceContext
                | Format::XRay
                | Format::Datadog
                | Format::GoogleCloud
                | Format::GrpcTraceBin
                | Format::OtTrace => false,
            },
            Decision::Deferred => match self {
                Format::B3Single
                | Format::B3Multi
                | Format::XRay
                | Format::Datadog
                | Format::GoogleCloud
                | Format::OtTrace => true,
                Format::TraceContext | Format::Jaeger | Format::GrpcTraceBin => false,
            },
        }
    }

    /// Returns the decision that a reader sees after a hop in this format.
    pub fn decision_after(self, decision: Decision) -> Decision {
        match decision {
            Decision::Debug if !self.carries(Decision::Debug) => Decision::Sampled,
            Decision::Deferred if !self.carries(Decision::Deferred) => Decision::NotSampled,
            Decision::NotSampled | Decision::Sampled | Decision::Debug | Decision::Deferred => decision,
        }
    }

    /// Returns the format that a field belongs to, case ignored.
    pub fn of_field(name: &[u8]) -> Option<Format> {
        let mut all = Format::ALL.iter().copied();
        all.find(|format| format.fields().iter().any(|own| own.as_bytes().eq_ignore_ascii_case(name)))
    }

    /// Returns the formats that fields of these names carry, each once, in the order of `ALL`.
    pub fn among<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Vec<Format> {
        let mut found: Vec<Format> = names.into_iter().filter_map(Format::of_field).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Returns these formats without W3C Trace Context, for a finding about a missing traceparent.
    pub fn others_among<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Vec<Format> {
        let mut found = Format::among(names);
        found.retain(|format| *format != Format::TraceContext);
        found
    }
}

#[cfg(test)]
mod tests;
