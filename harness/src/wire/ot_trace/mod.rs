//! OpenTracing's basic tracers: `ot-tracer-traceid`, `-spanid`, `-sampled`, and baggage in `ot-baggage-...`.
//!
//! No standard is published. The propagator `ottrace` of OpenTelemetry (deprecated) reads trace ids of 16 or 32 digits
//! and `true` or `false`; a decision that is missing is deferred here.

use super::value_part::ContextCopy;
use super::{Carrier, ContextPart, Decision, PartDefect, Refusal, RemoteContext};

pub(super) const TRACE_ID: &str = "ot-tracer-traceid";
pub(super) const SPAN_ID: &str = "ot-tracer-spanid";
pub(super) const SAMPLED: &str = "ot-tracer-sampled";
/// The begin of the names of baggage fields.
pub const BAGGAGE_PREFIX: &str = "ot-baggage-";

/// Parses the fields; `None` where the carrier has neither of the two ids.
pub(super) fn extract(copy: ContextCopy<'_, '_>) -> Result<Option<RemoteContext>, Refusal> {
    if copy.find(TRACE_ID).or(copy.find(SPAN_ID)).is_none() {
        return Ok(None);
    }
    let trace_id = copy.require(TRACE_ID, ContextPart::TraceId)?.trace_id()?;
    let span_id = copy.require(SPAN_ID, ContextPart::SpanId)?.span_id(ContextPart::SpanId)?;
    let decision = match copy.find(SAMPLED) {
        None => Decision::Deferred,
        Some(value) => match value.bytes {
            b"true" => Decision::Sampled,
            b"false" => Decision::NotSampled,
            _ => return Err(value.refused(ContextPart::Decision, PartDefect::NotAllowed)),
        },
    };
    Ok(Some(RemoteContext::new(trace_id, span_id, decision)))
}

pub(super) fn inject(context: &RemoteContext) -> Vec<(&'static str, Vec<u8>)> {
    let mut fields = vec![
        (TRACE_ID, context.trace_id.to_string().into_bytes()),
        (SPAN_ID, context.span_id.to_string().into_bytes()),
    ];
    if let Some(sampled) = context.decision.is_sampled() {
        fields.push((SAMPLED, sampled.to_string().into_bytes()));
    }
    fields
}

/// Returns the baggage: keys in lower case as HTTP carries them, and values as they came.
pub fn baggage(carrier: &Carrier<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let fields = carrier.prefixed(BAGGAGE_PREFIX);
    fields.map(|(key, value)| (key.to_ascii_lowercase(), value.to_vec())).collect()
}

/// Returns the field of one entry of baggage; nothing is encoded.
pub fn baggage_field(key: &str, value: &[u8]) -> (String, Vec<u8>) {
    (format!("{BAGGAGE_PREFIX}{key}"), value.to_vec())
}

#[cfg(test)]
mod tests;
