//! Jaeger: `uber-trace-id: TRACE:SPAN:PARENT:FLAGS`; the parent is deprecated and sent as 0.
//!
//! <https://www.jaegertracing.io/sdk-migration/#propagation-format>. A correct sender pads its ids.

use super::{Mismatch, OutgoingContext, one, span_id, trace_id, unreadable};
use crate::evidence::RawFields;

const FIELD: &str = "uber-trace-id";
const SAMPLED: u8 = 0x01;
const DEBUG: u8 = 0x02;

pub(super) fn read(fields: &RawFields) -> Result<OutgoingContext, Mismatch> {
    let value = one(fields, FIELD)?;
    let text = String::from_utf8_lossy(&value).replace("%3A", ":");
    let parts: Vec<&str> = text.split(':').collect();
    let [trace, span, _, flags] = parts[..] else {
        return Err(unreadable(FIELD, &value, "it is not four parts with `:` between them"));
    };
    let trace_id = trace_id(trace)
        .ok_or_else(|| unreadable(FIELD, &value, "the trace id is not 16 or 32 lower-case hex digits"))?;
    let parent_id = span_id(span)
        .ok_or_else(|| unreadable(FIELD, &value, "the span id is not 16 lower-case hex digits"))?;
    let flags = u8::from_str_radix(flags, 16)
        .map_err(|_| unreadable(FIELD, &value, "the flags are not one or two hex digits"))?;
    let trace_id_at = 0..trace.len();
    let (sampled, debug) = (Some(flags & SAMPLED != 0), flags & DEBUG != 0);
    Ok(OutgoingContext { trace_id, parent_id, sampled, debug, field: FIELD, value, trace_id_at })
}
