//! AWS X-Ray: `X-Amzn-Trace-Id: Root=1-EPOCH-RANDOM;Parent=SPAN;Sampled=STATE`, in any order.
//!
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>

use super::{Mismatch, OutgoingContext, one, span_id, trace_id, unreadable};
use crate::evidence::RawFields;

const FIELD: &str = "x-amzn-trace-id";

pub(super) fn read(fields: &RawFields) -> Result<OutgoingContext, Mismatch> {
    let value = one(fields, FIELD)?;
    let text = String::from_utf8_lossy(&value).into_owned();
    let root = part(&text, "Root").ok_or_else(|| unreadable(FIELD, &value, "`Root` is missing"))?;
    let trace_id = match root.split('-').collect::<Vec<_>>()[..] {
        ["1", epoch, random] if epoch.len() == 8 => trace_id(&format!("{epoch}{random}")),
        _ => None,
    };
    let trace_id = trace_id.ok_or_else(|| {
        unreadable(FIELD, &value, "`Root` is not `1-`, 8 hex digits, `-` and 24 hex digits")
    })?;
    let parent_id = part(&text, "Parent").and_then(span_id);
    let parent_id =
        parent_id.ok_or_else(|| unreadable(FIELD, &value, "`Parent` is not 16 lower-case hex digits"))?;
    let sampled = match part(&text, "Sampled") {
        None | Some("?") => None,
        Some("0") => Some(false),
        Some("1") => Some(true),
        Some(_) => return Err(unreadable(FIELD, &value, "`Sampled` is not `0`, `1` or `?`")),
    };
    let start = text.find(root).unwrap_or_default();
    let trace_id_at = start..start + root.len();
    Ok(OutgoingContext { trace_id, parent_id, sampled, debug: false, field: FIELD, value, trace_id_at })
}

fn part<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = text.split(';').map(str::trim);
    parts.find_map(|part| part.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
}
