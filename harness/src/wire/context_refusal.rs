//! The reason why a parser of a format other than W3C Trace Context rejects bytes.

use std::fmt;

use super::Format;

/// A part of a context, a defect of it, and the format whose clause it violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextReason {
    pub format: Format,
    pub part: ContextPart,
    pub defect: PartDefect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContextPart {
    /// The whole value.
    Value,
    Version,
    TraceId,
    /// Datadog: the high 64 bits of the trace id, in `_dd.p.tid`.
    HighBits,
    SpanId,
    /// B3: the parent of the sender's span.
    ParentSpanId,
    Decision,
    Flags,
    /// X-Ray.
    Root,
    /// X-Ray: a `key=value` of the header. Datadog: one of `x-datadog-tags`, or of the member `dd` of tracestate.
    Pair,
}

impl ContextPart {
    pub fn word(self) -> &'static str {
        match self {
            ContextPart::Value => "value",
            ContextPart::Version => "version",
            ContextPart::TraceId => "trace id",
            ContextPart::HighBits => "high half of the trace id",
            ContextPart::SpanId => "span id",
            ContextPart::ParentSpanId => "parent span id",
            ContextPart::Decision => "sampling decision",
            ContextPart::Flags => "flags",
            ContextPart::Root => "root",
            ContextPart::Pair => "pair",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartDefect {
    Missing,
    Empty,
    /// It has so many characters or bytes.
    Length(usize),
    UpperCase,
    NotHex,
    NotDecimal,
    /// The number does not fit into the bits of the part.
    TooLarge,
    Zero,
    /// It is not one of the values that the format allows.
    NotAllowed,
    /// It has so many parts.
    PartCount(usize),
    WithoutEquals,
    /// Neither raw bytes nor base64.
    NotBase64,
    /// The bytes end inside the part.
    Truncated,
    /// The sampling decision travels alone, which B3 allows: nothing can be a child of it.
    Alone,
}

impl ContextReason {
    /// Returns whether the standard allows the fields, though they name no span that could be a parent.
    pub fn is_legal_without_parent(self) -> bool {
        match self.defect {
            PartDefect::Alone => true,
            PartDefect::Missing => {
                self.part == ContextPart::SpanId
                    && matches!(self.format, Format::XRay | Format::GoogleCloud | Format::GrpcTraceBin)
            }
            PartDefect::Zero => self.part == ContextPart::SpanId && self.format == Format::GoogleCloud,
            PartDefect::Empty
            | PartDefect::Length(_)
            | PartDefect::UpperCase
            | PartDefect::NotHex
            | PartDefect::NotDecimal
            | PartDefect::TooLarge
            | PartDefect::NotAllowed
            | PartDefect::PartCount(_)
            | PartDefect::WithoutEquals
            | PartDefect::NotBase64
            | PartDefect::Truncated => false,
        }
    }

    /// Returns the rule of the format in our words, with its link.
    pub fn clause(self) -> &'static str {
        self.format.clause()
    }

    /// Returns what the part must be.
    fn due(self) -> &'static str {
        match (self.format, self.part) {
            (Format::Jaeger, ContextPart::TraceId) => "1 to 32 hex digits",
            (Format::Jaeger, ContextPart::SpanId) => "1 to 16 hex digits",
            (Format::Jaeger, ContextPart::Flags) => "1 or 2 hex digits",
            (Format::Jaeger, ContextPart::Value) => "4 with `:` between them",
            (Format::B3Single, ContextPart::Value) => "2 to 4 with `-` between them, or a decision alone",
            (Format::B3Single, ContextPart::Decision) => "`0`, `1` or `d`",
            (Format::B3Multi, ContextPart::Decision) => "`0` or `1`",
            (Format::OtTrace, ContextPart::Decision) => "`true` or `false`",
            (Format::GoogleCloud, ContextPart::Decision) => "`o=0` or `o=1`",
            (Format::B3Single | Format::B3Multi | Format::OtTrace, ContextPart::TraceId) => {
                "16 or 32 lower-case hex digits"
            }
            (Format::Datadog | Format::GoogleCloud, ContextPart::SpanId)
            | (Format::Datadog, ContextPart::TraceId) => "a decimal number of 64 bits",
            (Format::Datadog, ContextPart::Decision) => "an integer",
            (Format::XRay, ContextPart::Decision) => "`0`, `1` or `?`",
            (Format::XRay, ContextPart::Root) => "`1-`, 8 hex digits, `-` and 24 hex digits",
            (Format::GrpcTraceBin, ContextPart::Version) => "0",
            (_, ContextPart::TraceId) => "32 lower-case hex digits",
            (_, ContextPart::SpanId | ContextPart::ParentSpanId | ContextPart::HighBits) => {
                "16 lower-case hex digits"
            }
            (
                _,
                ContextPart::Value
                | ContextPart::Version
                | ContextPart::Decision
                | ContextPart::Flags
                | ContextPart::Root
                | ContextPart::Pair,
            ) => "what the format allows",
        }
    }
}

impl Format {
    /// Returns the rule of the format in our words, with its link.
    pub fn clause(self) -> &'static str {
        match self {
            Format::TraceContext => TRACE_CONTEXT,
            Format::B3Single => B3_SINGLE,
            Format::B3Multi => B3_MULTI,
            Format::Jaeger => JAEGER,
            Format::XRay => X_RAY,
            Format::Datadog => DATADOG,
            Format::GoogleCloud => GOOGLE,
            Format::GrpcTraceBin => GRPC_TRACE_BIN,
            Format::OtTrace => OT_TRACE,
        }
    }
}

impl fmt::Display for ContextReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, due) = (self.part.word(), self.due());
        match self.defect {
            PartDefect::Missing => write!(out, "the {part} is missing"),
            PartDefect::Empty => write!(out, "the {part} is empty"),
            PartDefect::Length(found) => write!(out, "the {part} has {found} characters, expected {due}"),
            PartDefect::UpperCase => write!(out, "the {part} has upper-case hex digits"),
            PartDefect::NotHex => write!(out, "the {part} is not hex, expected {due}"),
            PartDefect::NotDecimal => write!(out, "the {part} is not a decimal number"),
            PartDefect::TooLarge => write!(out, "the {part} does not fit into 64 bits"),
            PartDefect::Zero => write!(out, "the {part} is zero"),
            PartDefect::NotAllowed => write!(out, "the {part} is not allowed, expected {due}"),
            PartDefect::PartCount(found) => write!(out, "the {part} has {found} parts, expected {due}"),
            PartDefect::WithoutEquals => write!(out, "a {part} of the value has no `=`"),
            PartDefect::NotBase64 => write!(out, "the {part} is neither base64 nor raw bytes"),
            PartDefect::Truncated => write!(out, "the bytes end inside the {part}"),
            PartDefect::Alone => write!(out, "the {part} stands alone, without a trace id and a span id"),
        }
    }
}

const TRACE_CONTEXT: &str = "a traceparent of version 00 is version, trace id, parent id and flags, separated by `-` \
    (https://www.w3.org/TR/trace-context-2/#traceparent-header-field-values)";
const B3_SINGLE: &str = "`b3` is a trace id of 16 or 32 lower-case hex digits, a span id of 16, optionally `0`, `1` or \
    `d`, and optionally the parent span id, separated by `-`; or the decision alone \
    (https://github.com/openzipkin/b3-propagation#single-header)";
const B3_MULTI: &str = "`X-B3-TraceId` has 16 or 32 lower-case hex digits, `X-B3-SpanId` and `X-B3-ParentSpanId` have \
    16, `X-B3-Sampled` is `0` or `1`, and `X-B3-Flags: 1` means debug \
    (https://github.com/openzipkin/b3-propagation#multiple-headers)";
const JAEGER: &str = "`uber-trace-id` is a trace id of up to 32 hex digits, a span id of up to 16, a parent that is \
    ignored, and flags of one byte, separated by `:`; ids are not zero \
    (https://www.jaegertracing.io/sdk-migration/#propagation-format)";
const X_RAY: &str = "`X-Amzn-Trace-Id` has `Root=1-` with 8 and 24 hex digits, `Parent=` with 16, and `Sampled=` with \
    `0`, `1` or `?`, in any order, separated by `;` \
    (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader)";
const DATADOG: &str = "`x-datadog-trace-id` and `x-datadog-parent-id` are decimal numbers of 64 bits, not zero; the \
    high half of a trace id of 128 bits stands in `_dd.p.tid` of `x-datadog-tags` as 16 lower-case hex digits \
    (https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/)";
const GOOGLE: &str = "`X-Cloud-Trace-Context` is a trace id of 32 hex digits, `/`, a span id as a decimal number of 64 \
    bits, and optionally `;o=0` or `;o=1` (https://cloud.google.com/trace/docs/trace-context#legacy-http-header)";
const GRPC_TRACE_BIN: &str = "`grpc-trace-bin` is the version 0, then field 0 with 16 bytes of trace id, field 1 with 8 \
    bytes of span id and field 2 with a byte of options; as base64 where the carrier holds text \
    (https://github.com/census-instrumentation/opencensus-specs/blob/master/encodings/BinaryEncoding.md)";
const OT_TRACE: &str = "`ot-tracer-traceid` has 16 or 32 hex digits, `ot-tracer-spanid` has 16, and `ot-tracer-sampled` \
    is `true` or `false` (OpenTracing's basic tracers; no published standard)";
