//! Datadog: the low 64 bits of the trace id and the span id as decimal numbers; the high 64 bits are the tag
//! `_dd.p.tid`.
//!
//! <https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/>

use super::{Mismatch, OutgoingContext, at_most_one, is_lower_hex, one, unreadable};
use crate::evidence::RawFields;

const TRACE_ID: &str = "x-datadog-trace-id";
const PARENT_ID: &str = "x-datadog-parent-id";
const PRIORITY: &str = "x-datadog-sampling-priority";
const TAGS: &str = "x-datadog-tags";
const HIGH_BITS: &str = "_dd.p.tid=";

pub(super) fn read(fields: &RawFields) -> Result<OutgoingContext, Mismatch> {
    let value = one(fields, TRACE_ID)?;
    let low = number(&value).ok_or_else(|| unreadable(TRACE_ID, &value, "it is not a decimal number"))?;
    let parent = one(fields, PARENT_ID)?;
    let parent_id =
        number(&parent).ok_or_else(|| unreadable(PARENT_ID, &parent, "it is not a decimal number"))?;
    let tags = at_most_one(fields, TAGS)?.unwrap_or_default();
    let high = match tags.split(',').find_map(|tag| tag.trim().strip_prefix(HIGH_BITS)) {
        None => "0".repeat(16),
        Some(high) if high.len() == 16 && is_lower_hex(high) => high.to_owned(),
        Some(_) => {
            return Err(unreadable(TAGS, tags.as_bytes(), "`_dd.p.tid` is not 16 lower-case hex digits"));
        }
    };
    let sampled = match at_most_one(fields, PRIORITY)? {
        None => None,
        Some(priority) => match priority.parse::<i8>() {
            Ok(priority) => Some(priority > 0),
            Err(_) => return Err(unreadable(PRIORITY, priority.as_bytes(), "it is not a whole number")),
        },
    };
    let trace_id_at = 0..value.len();
    Ok(OutgoingContext {
        trace_id: format!("{high}{low:016x}"),
        parent_id: format!("{parent_id:016x}"),
        sampled,
        debug: false,
        field: TRACE_ID,
        value,
        trace_id_at,
    })
}

fn number(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_decimal && *number > 0)
}
