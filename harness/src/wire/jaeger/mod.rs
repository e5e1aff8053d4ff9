//! Jaeger: `uber-trace-id`, and baggage in `uberctx-...`.
//!
//! Follows <https://www.jaegertracing.io/sdk-migration/#propagation-format>. Ids may be shorter than they are printed
//! and have digits of either case; the parent is not looked at. Debug counts only together with sampled. Some clients
//! percent-encode the value, `:` included: both forms are accepted, which the document leaves open.

use super::hex;
use super::percent;
use super::value_part::{ContextCopy, ValuePart};
use super::{Carrier, ContextPart, Decision, PartDefect, Refusal, RemoteContext, SpanId, TraceId};

pub(super) const TRACE_ID: &str = "uber-trace-id";
/// The begin of the names of baggage fields.
pub const BAGGAGE_PREFIX: &str = "uberctx-";

const SAMPLED: u8 = 1;
const DEBUG: u8 = 2;
/// The longest value that is decoded: 54 characters with each `:` as three.
const LONGEST: usize = 128;

/// Parses `uber-trace-id`; `None` where the carrier does not have it.
pub(super) fn extract(copy: ContextCopy<'_, '_>) -> Result<Option<RemoteContext>, Refusal> {
    let Some(value) = copy.find(TRACE_ID) else { return Ok(None) };
    if value.bytes.is_empty() {
        return Err(value.refused(ContextPart::Value, PartDefect::Empty));
    }
    if value.bytes.contains(&b'%') && value.bytes.len() <= LONGEST {
        let decoded = percent::decode(value.bytes);
        let whole = value.standing_for(&decoded);
        // The places of the decoded value are not those of the wire.
        return read(&whole).map(Some).map_err(|refusal| Refusal { at: 0..value.bytes.len(), ..refusal });
    }
    read(&value).map(Some)
}

fn read(value: &ValuePart<'_>) -> Result<RemoteContext, Refusal> {
    let parts = value.split(b':');
    let [trace_id, span_id, _, flags] = parts.as_slice() else {
        return Err(value.refused(ContextPart::Value, PartDefect::PartCount(parts.len())));
    };
    let digits = padded(trace_id, ContextPart::TraceId, 32)?;
    let trace_id =
        TraceId::from_hex(&digits).ok_or_else(|| trace_id.refused(ContextPart::TraceId, PartDefect::Zero))?;
    let digits = padded(span_id, ContextPart::SpanId, 16)?;
    let span_id =
        SpanId::from_hex(&digits).ok_or_else(|| span_id.refused(ContextPart::SpanId, PartDefect::Zero))?;
    let digits = padded(flags, ContextPart::Flags, 2)?;
    let flags = hex::byte(&digits).unwrap_or_default();
    let decision = match (flags & SAMPLED != 0, flags & DEBUG != 0) {
        (true, true) => Decision::Debug,
        (true, false) => Decision::Sampled,
        (false, _) => Decision::NotSampled,
    };
    Ok(RemoteContext::new(trace_id, span_id, decision))
}

/// Returns up to `length` hex digits in lower case, with zeros on the left.
fn padded(digits: &ValuePart<'_>, part: ContextPart, length: usize) -> Result<Vec<u8>, Refusal> {
    if digits.bytes.is_empty() {
        return Err(digits.refused(part, PartDefect::Empty));
    }
    if let Some(odd) = digits.bytes.iter().position(|byte| !byte.is_ascii_hexdigit()) {
        return Err(digits.refused_at(part, PartDefect::NotHex, odd..odd + 1));
    }
    digits.padded(length).ok_or_else(|| digits.refused(part, PartDefect::Length(digits.bytes.len())))
}

/// Prints ids in full and the parent as 0.
pub(super) fn inject(context: &RemoteContext) -> Vec<(&'static str, Vec<u8>)> {
    let flags = match context.decision {
        Decision::NotSampled | Decision::Deferred => 0,
        Decision::Sampled => SAMPLED,
        Decision::Debug => SAMPLED | DEBUG,
    };
    vec![(TRACE_ID, format!("{}:{}:0:{flags}", context.trace_id, context.span_id).into_bytes())]
}

/// Returns the baggage: keys in lower case as HTTP carries them, and decoded values.
pub fn baggage(carrier: &Carrier<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let fields = carrier.prefixed(BAGGAGE_PREFIX);
    fields.map(|(key, value)| (key.to_ascii_lowercase(), percent::decode(value))).collect()
}

/// Returns the field of one entry of baggage.
pub fn baggage_field(key: &str, value: &[u8]) -> (String, Vec<u8>) {
    (format!("{BAGGAGE_PREFIX}{key}"), percent::encode(value))
}

#[cfg(test)]
mod tests;
