//! `traceparent`: version, trace id, parent id and flags.
//!
//! Follows W3C Trace Context, <https://www.w3.org/TR/trace-context-2/#traceparent-header>. Of a higher version only the
//! fields of version 00 are parsed, and it is printed as version 00. The standard does not define whether a higher
//! version may use upper-case hex (it requires hex, not lower-case hex): it is rejected, as in version 00. White space
//! is not removed here.

use std::fmt;
use std::ops::Range;

use super::hex::{is_lower_case_digit, lower_case_byte};
use super::refusal::TraceParentPart;
use super::{Flags, Level, Reason, Refusal, SpanId, TraceId};

/// A traceparent that parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// As received; 00 is the highest defined version.
    pub version: u8,
    pub trace_id: TraceId,
    pub parent_id: SpanId,
    /// As received; of a higher version only the defined bits, because the others have no meaning yet.
    pub flags: Flags,
}

impl TraceParent {
    /// Creates a traceparent of version 00.
    pub fn new(trace_id: TraceId, parent_id: SpanId, flags: Flags) -> Self {
        Self { version: 0, trace_id, parent_id, flags }
    }

    /// Parses a value. `level` defines which flags of a higher version are kept; the grammar is the same at both
    /// levels.
    pub fn parse(value: &[u8], level: Level) -> Result<TraceParent, Refusal> {
        if value.is_empty() {
            return Err(refused(Reason::Empty, 0..0));
        }
        let mut fields = Fields { value, next: Some(0) };
        let version_at = fields.take(TraceParentPart::Version)?;
        let version = lower_case_byte(&value[version_at.clone()]).unwrap_or_default();
        if version == 0xff {
            return Err(refused(Reason::ForbiddenVersion, version_at));
        }
        let trace_at = fields.take(TraceParentPart::TraceId)?;
        let Some(trace_id) = TraceId::from_hex(&value[trace_at.clone()]) else {
            return Err(refused(Reason::Zero(TraceParentPart::TraceId), trace_at));
        };
        let parent_at = fields.take(TraceParentPart::ParentId)?;
        let Some(parent_id) = SpanId::from_hex(&value[parent_at.clone()]) else {
            return Err(refused(Reason::Zero(TraceParentPart::ParentId), parent_at));
        };
        let flags_at = fields.take(TraceParentPart::Flags)?;
        let flags = lower_case_byte(&value[flags_at.clone()]).unwrap_or_default();
        if version == 0 && fields.next.is_some() {
            return Err(refused(Reason::TrailingData, flags_at.end..value.len()));
        }
        let known = if version == 0 { 0xff } else { Flags::defined_bits(level) };
        Ok(TraceParent { version, trace_id, parent_id, flags: Flags(flags & known) })
    }
}

/// The value to send: version 00, whatever version was received.
impl fmt::Display for TraceParent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "00-{}-{}-{}", self.trace_id, self.parent_id, self.flags)
    }
}

/// The parts between the dashes, one after the other.
struct Fields<'a> {
    value: &'a [u8],
    /// The start of the next part; `None` when no dash is left.
    next: Option<usize>,
}

impl Fields<'_> {
    /// Returns the range of the next part, if it has as many lower-case hex digits as `part` requires.
    fn take(&mut self, part: TraceParentPart) -> Result<Range<usize>, Refusal> {
        let end = self.value.len();
        let Some(start) = self.next else { return Err(refused(Reason::Missing(part), end..end)) };
        let dash = self.value[start..].iter().position(|byte| *byte == b'-').map(|at| start + at);
        self.next = dash.map(|dash| dash + 1);
        let at = start..dash.unwrap_or(end);
        let digits = &self.value[at.clone()];
        if digits.len() != part.digits() {
            return Err(refused(Reason::Length(part, digits.len()), at));
        }
        let Some(first) = digits.iter().position(|byte| !is_lower_case_digit(*byte)) else { return Ok(at) };
        if digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(refused(Reason::UpperCase(part), at));
        }
        let first = start + first;
        Err(refused(Reason::NotHex(part), first..first + 1))
    }
}

fn refused(reason: Reason, at: Range<usize>) -> Refusal {
    Refusal { reason, field: "traceparent", line: 0, at }
}

#[cfg(test)]
mod tests;
