//! Reads the context that a call carries in a format other than W3C Trace Context, one file per format.
//!
//! It reads what a correct sender writes, which is less than what a receiver has to accept. `context` reads
//! `traceparent`.

use std::ops::Range;

use super::fields::values;
use super::mismatch::{Mismatch, MismatchKind};
use crate::conform::suite::Difference;
use crate::evidence::RawFields;
use crate::wire::Format;

mod b3;
mod datadog;
mod google;
mod jaeger;
mod x_ray;

/// The context of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutgoingContext {
    /// 32 lower-case hex digits; a shorter id is padded with zeros on the left.
    pub trace_id: String,
    /// 16 lower-case hex digits.
    pub parent_id: String,
    /// `None` where the decision is left to the receiver.
    pub sampled: Option<bool>,
    pub debug: bool,
    /// The field with the trace id, its value, and the bytes of the id in it.
    pub field: &'static str,
    pub value: Vec<u8>,
    pub trace_id_at: Range<usize>,
}

impl OutgoingContext {
    /// Returns a mismatch with a caret at the trace id.
    pub fn mismatch(&self, kind: MismatchKind) -> Mismatch {
        let (actual, caret) = (self.value.clone(), self.trace_id_at.clone());
        Mismatch::with(kind, Difference { field: self.field.to_owned(), expected: None, actual, caret })
    }
}

/// Reads the context in this format.
pub(super) fn read(format: Format, fields: &RawFields) -> Result<OutgoingContext, Mismatch> {
    match format {
        Format::B3Single => b3::single(fields),
        Format::B3Multi => b3::multi(fields),
        Format::Jaeger => jaeger::read(fields),
        Format::XRay => x_ray::read(fields),
        Format::Datadog => datadog::read(fields),
        Format::GoogleCloud => google::read(fields),
        Format::TraceContext | Format::GrpcTraceBin | Format::OtTrace => {
            unreachable!("no suite names the format {format:?} here")
        }
    }
}

/// Returns the value of a field that must be sent exactly once.
fn one(fields: &RawFields, name: &'static str) -> Result<Vec<u8>, Mismatch> {
    match values(fields, name).as_slice() {
        [] => Err(MismatchKind::Missing(name).into()),
        [value] => Ok(value.to_vec()),
        several => Err(MismatchKind::Repeated(name, several.len()).into()),
    }
}

/// Returns the value of a field that is sent at most once.
fn at_most_one(fields: &RawFields, name: &'static str) -> Result<Option<String>, Mismatch> {
    match values(fields, name).as_slice() {
        [] => Ok(None),
        [value] => Ok(Some(String::from_utf8_lossy(value).into_owned())),
        several => Err(MismatchKind::Repeated(name, several.len()).into()),
    }
}

fn unreadable(field: &'static str, value: &[u8], reason: &'static str) -> Mismatch {
    let (actual, caret) = (value.to_vec(), 0..value.len());
    let difference = Difference { field: field.to_owned(), expected: None, actual, caret };
    Mismatch::with(MismatchKind::Unreadable(field, reason), difference)
}

fn is_lower_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_zero(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

/// Returns a trace id of 16 or 32 digits as 32 digits.
fn trace_id(text: &str) -> Option<String> {
    let fits = is_lower_hex(text) && matches!(text.len(), 16 | 32) && !is_zero(text);
    fits.then(|| format!("{text:0>32}"))
}

/// Returns a span id of 16 digits.
fn span_id(text: &str) -> Option<String> {
    (is_lower_hex(text) && text.len() == 16 && !is_zero(text)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
