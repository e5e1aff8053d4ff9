//! The formats that carry a context, distinguished by the names of their fields.
//!
//! Only W3C Trace Context is parsed; the others are only detected, so that a finding can read "no `traceparent`, but
//! `b3`". Fields that carry baggage only (`baggage`, `uberctx-*`) are not a context.

/// A propagation format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// <https://www.w3.org/TR/trace-context-2/>
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
mod tests {
    use super::*;

    #[test]
    fn every_field_belongs_to_its_own_format_whatever_its_case() {
        for format in Format::ALL {
            for field in format.fields() {
                assert_eq!(Format::of_field(field.as_bytes()), Some(*format));
                assert_eq!(Format::of_field(field.to_ascii_uppercase().as_bytes()), Some(*format));
            }
        }
    }

    #[test]
    fn other_formats_are_named_once_and_baggage_is_not_a_format() {
        let names: [&[u8]; 6] =
            [b"X-B3-SpanId", b"traceparent", b"X-B3-TraceId", b"baggage", b"uberctx-user", b"b3"];
        assert_eq!(Format::among(names), [Format::TraceContext, Format::B3Single, Format::B3Multi]);
        assert_eq!(Format::others_among(names), [Format::B3Single, Format::B3Multi]);
    }

    /// TP-01, TS-01.
    #[test]
    fn names_with_delimiters_are_not_trace_context() {
        for name in
            ["trace-parent", "trace.parent", "trace_parent", "x-traceparent", "trace-state", "trace.state"]
        {
            assert_eq!(Format::of_field(name.as_bytes()), None, "{name}");
        }
    }
}
