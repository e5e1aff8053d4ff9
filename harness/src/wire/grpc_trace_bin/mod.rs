//! `grpc-trace-bin`: the binary encoding of OpenCensus.
//!
//! Follows
//! <https://github.com/census-instrumentation/opencensus-specs/blob/master/encodings/BinaryEncoding.md>. An unknown field
//! ends the parsing and is no error. Metadata that ends in `-bin` is base64 on HTTP/2, with or without padding, and raw
//! bytes in the API of gRPC (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>): a value that begins with
//! the version byte 0 is raw. Without the field of options nothing is sampled.

use super::value_part::{ContextCopy, ValuePart};
use super::{ContextPart, Decision, Format, PartDefect, Refusal, RemoteContext, SpanId, TraceId, base64};

pub(super) const HEADER: &str = "grpc-trace-bin";

const VERSION: u8 = 0;
const TRACE_ID: u8 = 0;
const SPAN_ID: u8 = 1;
const OPTIONS: u8 = 2;
const SAMPLED: u8 = 1;

/// Parses the value, raw or as base64; `None` where the carrier does not have it.
pub(super) fn extract(copy: ContextCopy<'_, '_>) -> Result<Option<RemoteContext>, Refusal> {
    let Some(value) = copy.find(HEADER) else { return Ok(None) };
    if value.bytes.first().is_none_or(|first| *first == VERSION) {
        return read(&value).map(Some);
    }
    let Some(decoded) = base64::decode(value.bytes) else {
        return Err(value.refused(ContextPart::Value, PartDefect::NotBase64));
    };
    let raw = value.standing_for(&decoded);
    // The places of the bytes are not those of the text.
    read(&raw).map(Some).map_err(|refusal| Refusal { at: 0..value.bytes.len(), ..refusal })
}

/// Parses raw bytes.
pub fn parse(bytes: &[u8]) -> Result<RemoteContext, Refusal> {
    let carrier = super::Carrier::default();
    let copy = ContextCopy { carrier: &carrier, format: Format::GrpcTraceBin, number: 0 };
    read(&copy.whole(HEADER, bytes))
}

fn read(value: &ValuePart<'_>) -> Result<RemoteContext, Refusal> {
    match value.bytes.first() {
        None => return Err(value.refused(ContextPart::Value, PartDefect::Empty)),
        Some(&VERSION) => {}
        Some(_) => return Err(value.cut(0..1).refused(ContextPart::Version, PartDefect::NotAllowed)),
    }
    let mut rest = value.cut(1..value.bytes.len());
    let (mut trace_id, mut span_id, mut options) = (None, None, 0);
    while let Some(field) = rest.bytes.first() {
        let (part, length) = match *field {
            TRACE_ID => (ContextPart::TraceId, 16),
            SPAN_ID => (ContextPart::SpanId, 8),
            OPTIONS => (ContextPart::Decision, 1),
            _ => break,
        };
        if rest.bytes.len() < 1 + length {
            return Err(rest.refused(part, PartDefect::Truncated));
        }
        let found = rest.cut(1..1 + length);
        match *field {
            TRACE_ID => trace_id = Some(id(TraceId::from_bytes(found.bytes), &found, part)?),
            SPAN_ID => span_id = Some(id(SpanId::from_bytes(found.bytes), &found, part)?),
            _ => options = found.bytes[0],
        }
        rest = rest.cut(1 + length..rest.bytes.len());
    }
    let trace_id = trace_id.ok_or_else(|| value.refused(ContextPart::TraceId, PartDefect::Missing))?;
    let span_id = span_id.ok_or_else(|| value.refused(ContextPart::SpanId, PartDefect::Missing))?;
    Ok(RemoteContext::new(trace_id, span_id, Decision::of(options & SAMPLED != 0)))
}

fn id<T>(parsed: Option<T>, found: &ValuePart<'_>, part: ContextPart) -> Result<T, Refusal> {
    parsed.ok_or_else(|| found.refused(part, PartDefect::Zero))
}

/// Prints the 29 bytes of a context.
pub fn print(context: &RemoteContext) -> Vec<u8> {
    let sampled = u8::from(context.decision.is_sampled().unwrap_or(false));
    let mut bytes = vec![VERSION, TRACE_ID];
    bytes.extend_from_slice(context.trace_id.as_bytes());
    bytes.push(SPAN_ID);
    bytes.extend_from_slice(context.span_id.as_bytes());
    bytes.extend_from_slice(&[OPTIONS, sampled]);
    bytes
}

/// Prints base64 without padding, as gRPC asks of senders.
pub(super) fn inject(context: &RemoteContext) -> Vec<(&'static str, Vec<u8>)> {
    vec![(HEADER, base64::encode(&print(context)).into_bytes())]
}

#[cfg(test)]
mod tests;
