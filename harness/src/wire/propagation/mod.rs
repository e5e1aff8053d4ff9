//! One way to read and to write the context of each format.
//!
//! Lists of W3C Trace Context are not part of a [`RemoteContext`]: `tracestate` parses them.

use super::value_part::ContextCopy;
use super::{
    Carrier, Format, Level, Refusal, RemoteContext, TraceParent, b3, datadog, google, grpc_trace_bin, jaeger,
    ot_trace, x_ray,
};

impl Format {
    /// Returns the context that the fields carry; `Ok(None)` where none of this format is present. Of a field that is
    /// repeated the first value counts.
    pub fn extract(self, carrier: &Carrier<'_>) -> Result<Option<RemoteContext>, Refusal> {
        self.extract_copy(carrier, 0)
    }

    /// Returns every context that the fields carry: one for each value of the field that is repeated most.
    pub fn extract_all(self, carrier: &Carrier<'_>) -> Vec<Result<RemoteContext, Refusal>> {
        let copies =
            self.fields().iter().map(|field| carrier.values(field).count()).max().unwrap_or_default();
        (0..copies).filter_map(|copy| self.extract_copy(carrier, copy).transpose()).collect()
    }

    fn extract_copy(self, carrier: &Carrier<'_>, number: usize) -> Result<Option<RemoteContext>, Refusal> {
        let copy = ContextCopy { carrier, format: self, number };
        match self {
            Format::TraceContext => {
                let Some(value) = carrier.value("traceparent", number) else { return Ok(None) };
                let parsed = TraceParent::parse(value, Level::Two);
                parsed
                    .map(|parsed| Some(RemoteContext::from(&parsed)))
                    .map_err(|refusal| Refusal { line: number, ..refusal })
            }
            Format::B3Single => b3::extract_single(copy),
            Format::B3Multi => b3::extract_multi(copy),
            Format::Jaeger => jaeger::extract(copy),
            Format::XRay => x_ray::extract(copy),
            Format::Datadog => datadog::extract(copy),
            Format::GoogleCloud => google::extract(copy),
            Format::GrpcTraceBin => grpc_trace_bin::extract(copy),
            Format::OtTrace => ot_trace::extract(copy),
        }
    }

    /// Returns the fields that carry the context, with names in lower case. A decision that the format has no word for
    /// becomes that of [`Format::decision_after`].
    pub fn inject(self, context: &RemoteContext) -> Vec<(&'static str, Vec<u8>)> {
        match self {
            Format::TraceContext => vec![("traceparent", context.traceparent().to_string().into_bytes())],
            Format::B3Single => b3::inject_single(context),
            Format::B3Multi => b3::inject_multi(context),
            Format::Jaeger => jaeger::inject(context),
            Format::XRay => x_ray::inject(context),
            Format::Datadog => datadog::inject(context),
            Format::GoogleCloud => google::inject(context),
            Format::GrpcTraceBin => grpc_trace_bin::inject(context),
            Format::OtTrace => ot_trace::inject(context),
        }
    }
}

#[cfg(test)]
pub(in crate::wire) mod tests;
