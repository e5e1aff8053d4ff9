//! B3 in one header, `b3: TRACE-SPAN[-STATE[-PARENT]]`, and in several.
//!
//! <https://github.com/openzipkin/b3-propagation>

use super::{Mismatch, OutgoingContext, at_most_one, one, span_id, trace_id, unreadable};
use crate::evidence::RawFields;

const SINGLE: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";

pub(super) fn single(fields: &RawFields) -> Result<OutgoingContext, Mismatch> {
    let value = one(fields, SINGLE)?;
    let text = String::from_utf8_lossy(&value).into_owned();
    let parts: Vec<&str> = text.split('-').collect();
    if !(2..=4).contains(&parts.len()) {
        return Err(unreadable(SINGLE, &value, "it is not two to four parts with `-` between them"));
    }
    let trace_id = trace_id(parts[0])
        .ok_or_else(|| unreadable(SINGLE, &value, "the trace id is not 16 or 32 lower-case hex digits"))?;
    let parent_id = span_id(parts[1])
        .ok_or_else(|| unreadable(SINGLE, &value, "the span id is not 16 lower-case hex digits"))?;
    let (sampled, debug) = match parts.get(2) {
        None => (None, false),
        Some(&"0") => (Some(false), false),
        Some(&"1") => (Some(true), false),
        Some(&"d") => (Some(true), true),
        Some(_) => return Err(unreadable(SINGLE, &value, "the sampling state is not `0`, `1` or `d`")),
    };
    if parts.get(3).is_some_and(|parent| span_id(parent).is_none()) {
        return Err(unreadable(SINGLE, &value, "the parent span id is not 16 lower-case hex digits"));
    }
    let trace_id_at = 0..parts[0].len();
    Ok(OutgoingContext { trace_id, parent_id, sampled, debug, field: SINGLE, value, trace_id_at })
}

pub(super) fn multi(fields: &RawFields) -> Result<OutgoingContext, Mismatch> {
    let value = one(fields, TRACE_ID)?;
    let trace_id = trace_id(&String::from_utf8_lossy(&value))
        .ok_or_else(|| unreadable(TRACE_ID, &value, "it is not 16 or 32 lower-case hex digits"))?;
    let span = one(fields, SPAN_ID)?;
    let parent_id = span_id(&String::from_utf8_lossy(&span))
        .ok_or_else(|| unreadable(SPAN_ID, &span, "it is not 16 lower-case hex digits"))?;
    let sampled = match at_most_one(fields, SAMPLED)?.as_deref() {
        None => None,
        Some("0") => Some(false),
        Some("1") => Some(true),
        Some(other) => return Err(unreadable(SAMPLED, other.as_bytes(), "it is not `0` or `1`")),
    };
    let debug = match at_most_one(fields, FLAGS)?.as_deref() {
        None | Some("0") => false,
        Some("1") => true,
        Some(other) => return Err(unreadable(FLAGS, other.as_bytes(), "it is not `1`")),
    };
    // Debug implies the decision to sample, which is then not sent.
    let sampled = if debug { Some(true) } else { sampled };
    let trace_id_at = 0..value.len();
    Ok(OutgoingContext { trace_id, parent_id, sampled, debug, field: TRACE_ID, value, trace_id_at })
}
