//! Google Cloud: `X-Cloud-Trace-Context: TRACE/SPAN;o=OPTIONS`, the span id as a decimal number.
//!
//! <https://cloud.google.com/trace/docs/trace-context#legacy-http-header>

use super::{Mismatch, OutgoingContext, one, trace_id, unreadable};
use crate::evidence::RawFields;

const FIELD: &str = "x-cloud-trace-context";

pub(super) fn read(fields: &RawFields) -> Result<OutgoingContext, Mismatch> {
    let value = one(fields, FIELD)?;
    let text = String::from_utf8_lossy(&value).into_owned();
    let (ids, options) = text.split_once(";o=").map_or((text.as_str(), None), |(ids, o)| (ids, Some(o)));
    let (trace, span) =
        ids.split_once('/').ok_or_else(|| unreadable(FIELD, &value, "it has no `/` before the span id"))?;
    let trace_id = if trace.len() == 32 { trace_id(trace) } else { None };
    let trace_id =
        trace_id.ok_or_else(|| unreadable(FIELD, &value, "the trace id is not 32 lower-case hex digits"))?;
    let span: Option<u64> = span.parse().ok().filter(|span| *span > 0);
    let span = span.ok_or_else(|| unreadable(FIELD, &value, "the span id is not a decimal number"))?;
    let sampled = match options {
        None => None,
        Some("0") => Some(false),
        Some("1") => Some(true),
        Some(_) => return Err(unreadable(FIELD, &value, "`o` is not `0` or `1`")),
    };
    let trace_id_at = 0..trace.len();
    let parent_id = format!("{span:016x}");
    Ok(OutgoingContext { trace_id, parent_id, sampled, debug: false, field: FIELD, value, trace_id_at })
}
