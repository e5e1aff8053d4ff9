//! B3, in one header (`b3`) and in several (`x-b3-...`).
//!
//! Follows <https://github.com/openzipkin/b3-propagation>. Of several headers `true` and `false` are accepted as the
//! decision, as the first implementations sent them, and are never printed; flags other than 1 are ignored. The
//! parent span id is checked and not kept: OpenTelemetry never sends it. A decision that travels alone is refused
//! with a reason of its own, because no span can be a child of it.

use super::value_part::{ContextCopy, ValuePart};
use super::{ContextPart, Decision, PartDefect, Refusal, RemoteContext};

pub(super) const SINGLE: &str = "b3";
pub(super) const TRACE_ID: &str = "x-b3-traceid";
pub(super) const SPAN_ID: &str = "x-b3-spanid";
pub(super) const PARENT_SPAN_ID: &str = "x-b3-parentspanid";
pub(super) const SAMPLED: &str = "x-b3-sampled";
pub(super) const FLAGS: &str = "x-b3-flags";

/// Parses `b3`; `None` where the carrier does not have it.
pub(super) fn extract_single(copy: ContextCopy<'_, '_>) -> Result<Option<RemoteContext>, Refusal> {
    let Some(value) = copy.find(SINGLE) else { return Ok(None) };
    if value.bytes.is_empty() {
        return Err(value.refused(ContextPart::Value, PartDefect::Empty));
    }
    let parts = value.split(b'-');
    let [trace_id, span_id, rest @ ..] = parts.as_slice() else {
        read_state(&value)?;
        return Err(value.refused(ContextPart::Decision, PartDefect::Alone));
    };
    if rest.len() > 2 {
        return Err(value.refused(ContextPart::Value, PartDefect::PartCount(parts.len())));
    }
    let trace_id = trace_id.trace_id()?;
    let span_id = span_id.span_id(ContextPart::SpanId)?;
    let decision = rest.first().map_or(Ok(Decision::Deferred), read_state)?;
    if let Some(parent) = rest.get(1) {
        parent.span_id(ContextPart::ParentSpanId)?;
    }
    Ok(Some(RemoteContext::new(trace_id, span_id, decision)))
}

fn read_state(state: &ValuePart<'_>) -> Result<Decision, Refusal> {
    match state.bytes {
        b"0" => Ok(Decision::NotSampled),
        b"1" => Ok(Decision::Sampled),
        b"d" => Ok(Decision::Debug),
        _ => Err(state.refused(ContextPart::Decision, PartDefect::NotAllowed)),
    }
}

/// Parses `x-b3-...`; `None` where the carrier has no field of them.
pub(super) fn extract_multi(copy: ContextCopy<'_, '_>) -> Result<Option<RemoteContext>, Refusal> {
    let (sampled, flags) = (copy.find(SAMPLED), copy.find(FLAGS));
    let parent = copy.find(PARENT_SPAN_ID);
    let ids = copy.find(TRACE_ID).or(copy.find(SPAN_ID)).or(parent);
    let Some(any) = ids.or(sampled).or(flags) else { return Ok(None) };
    let stated = sampled.as_ref().map(read_sampled).transpose()?;
    let debug = flags.is_some_and(|flags| flags.bytes == b"1");
    let decision = if debug { Some(Decision::Debug) } else { stated };
    if ids.is_none() {
        return Err(any.refused(ContextPart::Decision, PartDefect::Alone));
    }
    let trace_id = copy.require(TRACE_ID, ContextPart::TraceId)?.trace_id()?;
    let span_id = copy.require(SPAN_ID, ContextPart::SpanId)?.span_id(ContextPart::SpanId)?;
    if let Some(parent) = parent {
        parent.span_id(ContextPart::ParentSpanId)?;
    }
    Ok(Some(RemoteContext::new(trace_id, span_id, decision.unwrap_or(Decision::Deferred))))
}

fn read_sampled(sampled: &ValuePart<'_>) -> Result<Decision, Refusal> {
    match sampled.bytes {
        b"1" | b"true" => Ok(Decision::Sampled),
        b"0" | b"false" => Ok(Decision::NotSampled),
        b"" => Err(sampled.refused(ContextPart::Decision, PartDefect::Empty)),
        _ => Err(sampled.refused(ContextPart::Decision, PartDefect::NotAllowed)),
    }
}

pub(super) fn inject_single(context: &RemoteContext) -> Vec<(&'static str, Vec<u8>)> {
    let state = match context.decision {
        Decision::NotSampled => "-0",
        Decision::Sampled => "-1",
        Decision::Debug => "-d",
        Decision::Deferred => "",
    };
    vec![(SINGLE, format!("{}-{}{state}", context.trace_id, context.span_id).into_bytes())]
}

/// Prints the ids and the decision; debug implies sampled, which is then not sent.
pub(super) fn inject_multi(context: &RemoteContext) -> Vec<(&'static str, Vec<u8>)> {
    let mut fields = vec![
        (TRACE_ID, context.trace_id.to_string().into_bytes()),
        (SPAN_ID, context.span_id.to_string().into_bytes()),
    ];
    match context.decision {
        Decision::NotSampled => fields.push((SAMPLED, b"0".to_vec())),
        Decision::Sampled => fields.push((SAMPLED, b"1".to_vec())),
        Decision::Debug => fields.push((FLAGS, b"1".to_vec())),
        Decision::Deferred => {}
    }
    fields
}

#[cfg(test)]
mod tests;
