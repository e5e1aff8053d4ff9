//! `traceparent`: version, trace id, parent id and flags.
//!
//! Follows W3C Trace Context, <https://www.w3.org/TR/trace-context-2/#traceparent-header>. A higher version
//! is read as far as version 00 goes and printed as version 00. Where the standard leaves open how a higher
//! version writes hex (it says hex there, not lower-case hex), upper case is refused, as in version 00. White
//! space is not taken away here.

use std::fmt;
use std::ops::Range;

use super::ids::hex_byte;
use super::refusal::TraceParentPart;
use super::{Flags, Level, Reason, Refusal, SpanId, TraceId};

/// A traceparent that parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// As received; 00 is the highest that is known.
    pub version: u8,
    pub trace_id: TraceId,
    pub parent_id: SpanId,
    /// As received; of a higher version only the bits that are known here, the others mean nothing yet.
    pub flags: Flags,
}

impl TraceParent {
    /// Version 00.
    pub fn new(trace_id: TraceId, parent_id: SpanId, flags: Flags) -> Self {
        Self { version: 0, trace_id, parent_id, flags }
    }

    /// `level` says which flags of a higher version are known; the grammar is the same at both levels.
    pub fn parse(value: &[u8], level: Level) -> Result<TraceParent, Refusal> {
        if value.is_empty() {
            return Err(refused(Reason::Empty, 0..0));
        }
        let mut fields = Fields { value, next: Some(0) };
        let version_at = fields.take(TraceParentPart::Version)?;
        let version = hex_byte(&value[version_at.clone()]).unwrap_or_default();
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
        let flags = hex_byte(&value[flags_at.clone()]).unwrap_or_default();
        if version == 0 && fields.next.is_some() {
            return Err(refused(Reason::TrailingData, flags_at.end..value.len()));
        }
        let known = if version == 0 { 0xff } else { Flags::defined_bits(level) };
        Ok(TraceParent { version, trace_id, parent_id, flags: Flags(flags & known) })
    }
}

/// As it is to be sent: version 00, whatever version came in.
impl fmt::Display for TraceParent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "00-{}-{}-{}", self.trace_id, self.parent_id, self.flags)
    }
}

/// `bytes` as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What stands between the dashes, one after the other.
struct Fields<'a> {
    value: &'a [u8],
    /// Where the next one begins; `None` when no dash was left.
    next: Option<usize>,
}

impl Fields<'_> {
    /// The place of the next field, if it is as many lower-case hex digits as `part` has.
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
        let odd = |byte: &u8| !matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let Some(first) = digits.iter().position(odd) else { return Ok(at) };
        if digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(refused(Reason::UpperCase(part), at));
        }
        let first = start + first;
        Err(refused(Reason::NotHex(part), first..first + 1))
    }
}

fn refused(reason: Reason, at: Range<usize>) -> Refusal {
    Refusal { reason, line: 0, at }
}

#[cfg(test)]
mod tests;
