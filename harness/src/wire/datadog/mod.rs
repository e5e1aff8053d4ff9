//! Datadog: `x-datadog-trace-id`, `-parent-id`, `-sampling-priority`, `-origin` and `-tags`.
//!
//! Follows <https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/>. Ids are decimal numbers of
//! 64 bits; the tag `_dd.p.tid` has the high half of a trace id of 128 bits. A priority above 0 is sampled; without a
//! priority the decision is deferred. A high half that does not parse is refused, although Datadog's libraries continue
//! with the low half: the id on the wire is not the one that was meant. The member `dd` of tracestate is in `member`.

use super::value_part::{ContextCopy, ValuePart};
use super::{ContextPart, Decision, PartDefect, Refusal, RemoteContext, SpanId, TraceId, hex};

pub mod member;

pub(super) const TRACE_ID: &str = "x-datadog-trace-id";
pub(super) const PARENT_ID: &str = "x-datadog-parent-id";
pub(super) const PRIORITY: &str = "x-datadog-sampling-priority";
pub(super) const TAGS: &str = "x-datadog-tags";

/// The tag with the high half of the trace id.
const HIGH_BITS: &[u8] = b"_dd.p.tid";

/// Parses the fields; `None` where the carrier has neither of the two ids.
pub(super) fn extract(copy: ContextCopy<'_, '_>) -> Result<Option<RemoteContext>, Refusal> {
    if copy.find(TRACE_ID).or(copy.find(PARENT_ID)).is_none() {
        return Ok(None);
    }
    let low = copy.require(TRACE_ID, ContextPart::TraceId)?;
    let number = low.decimal(ContextPart::TraceId)?;
    if number == 0 {
        return Err(low.refused(ContextPart::TraceId, PartDefect::Zero));
    }
    let high = match copy.find(TAGS) {
        Some(tags) => high_bits(&tags)?,
        None => [0; 8],
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high);
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    let trace_id = TraceId::new(bytes).ok_or_else(|| low.refused(ContextPart::TraceId, PartDefect::Zero))?;
    let parent = copy.require(PARENT_ID, ContextPart::SpanId)?;
    let number = parent.decimal(ContextPart::SpanId)?;
    let span_id = SpanId::new(number.to_be_bytes())
        .ok_or_else(|| parent.refused(ContextPart::SpanId, PartDefect::Zero))?;
    let decision = match copy.find(PRIORITY) {
        Some(priority) => Decision::of(read_priority(&priority)? > 0),
        None => Decision::Deferred,
    };
    Ok(Some(RemoteContext::new(trace_id, span_id, decision)))
}

fn read_priority(value: &ValuePart<'_>) -> Result<i32, Refusal> {
    let text = std::str::from_utf8(value.bytes).ok().filter(|text| !text.starts_with('+'));
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| value.refused(ContextPart::Decision, PartDefect::NotAllowed))
}

fn high_bits(tags: &ValuePart<'_>) -> Result<[u8; 8], Refusal> {
    let mut high = [0; 8];
    for tag in tags.split(b',') {
        let tag = tag.trimmed();
        if tag.bytes.is_empty() {
            continue;
        }
        let Some((key, value)) = tag.split_once(b'=') else {
            return Err(tag.refused(ContextPart::Pair, PartDefect::WithoutEquals));
        };
        if key.bytes == HIGH_BITS {
            value.check_hex(ContextPart::HighBits, &[16])?;
            high.copy_from_slice(&hex::decode(value.bytes).unwrap_or_default());
        }
    }
    Ok(high)
}

/// Prints the ids, the priority, and the high half of the trace id if it has one.
pub(super) fn inject(context: &RemoteContext) -> Vec<(&'static str, Vec<u8>)> {
    let [high, low] = context.halves();
    let span = u64::from_be_bytes(*context.span_id.as_bytes());
    let mut fields = vec![
        (TRACE_ID, u64::from_be_bytes(low).to_string().into_bytes()),
        (PARENT_ID, span.to_string().into_bytes()),
    ];
    let priority: Option<&[u8]> = match context.decision {
        Decision::NotSampled => Some(b"0"),
        Decision::Sampled | Decision::Debug => Some(b"1"),
        Decision::Deferred => None,
    };
    fields.extend(priority.map(|priority| (PRIORITY, priority.to_vec())));
    if high != [0; 8] {
        fields.push((TAGS, [HIGH_BITS, hex::encode(&high).as_bytes()].join(&b'=')));
    }
    fields
}

#[cfg(test)]
mod tests;
