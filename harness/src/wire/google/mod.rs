//! Google Cloud Trace: `X-Cloud-Trace-Context`, `TRACE/SPAN;o=OPTIONS`.
//!
//! Follows <https://cloud.google.com/trace/docs/trace-context#legacy-http-header>. The span id is decimal and may be
//! missing or 0 in the first request of a trace: no span can be a child of that, so it is refused with a reason.
//! Without options, or with `o=` and nothing behind it, the decision is deferred. Digits of the trace id may have
//! either case.

use super::value_part::{ContextCopy, ValuePart};
use super::{ContextPart, Decision, PartDefect, Refusal, RemoteContext, SpanId, TraceId};

pub(super) const HEADER: &str = "x-cloud-trace-context";

/// Parses the header; `None` where the carrier does not have it.
pub(super) fn extract(copy: ContextCopy<'_, '_>) -> Result<Option<RemoteContext>, Refusal> {
    let Some(value) = copy.find(HEADER) else { return Ok(None) };
    if value.bytes.is_empty() {
        return Err(value.refused(ContextPart::Value, PartDefect::Empty));
    }
    let (ids, options) = match value.split_once(b';') {
        Some((ids, options)) => (ids, Some(options)),
        None => (value, None),
    };
    let (trace, span) = match ids.split_once(b'/') {
        Some((trace, span)) => (trace, Some(span)),
        None => (ids, None),
    };
    let trace_id = read_trace_id(&trace)?;
    let decision = options.as_ref().map_or(Ok(Decision::Deferred), read_options)?;
    let Some(span) = span.filter(|span| !span.bytes.is_empty()) else {
        return Err(value.refused(ContextPart::SpanId, PartDefect::Missing));
    };
    let number = span.decimal(ContextPart::SpanId)?;
    let span_id = SpanId::new(number.to_be_bytes())
        .ok_or_else(|| span.refused(ContextPart::SpanId, PartDefect::Zero))?;
    Ok(Some(RemoteContext::new(trace_id, span_id, decision)))
}

fn read_trace_id(trace: &ValuePart<'_>) -> Result<TraceId, Refusal> {
    let digits = trace.bytes.to_ascii_lowercase();
    let lower = trace.standing_for(&digits);
    lower.check_hex(ContextPart::TraceId, &[32])?;
    TraceId::from_hex(&digits).ok_or_else(|| trace.refused(ContextPart::TraceId, PartDefect::Zero))
}

fn read_options(options: &ValuePart<'_>) -> Result<Decision, Refusal> {
    match options.bytes {
        b"o=0" => Ok(Decision::NotSampled),
        b"o=1" => Ok(Decision::Sampled),
        b"o=" | b"" => Ok(Decision::Deferred),
        _ => Err(options.refused(ContextPart::Decision, PartDefect::NotAllowed)),
    }
}

pub(super) fn inject(context: &RemoteContext) -> Vec<(&'static str, Vec<u8>)> {
    let options = match context.decision {
        Decision::NotSampled => ";o=0",
        Decision::Sampled | Decision::Debug => ";o=1",
        Decision::Deferred => "",
    };
    let span = u64::from_be_bytes(*context.span_id.as_bytes());
    vec![(HEADER, format!("{}/{span}{options}", context.trace_id).into_bytes())]
}

#[cfg(test)]
mod tests;
