//! A part of a field's value with its place, so that each refusal has its caret.

use std::ops::Range;

use super::hex::is_lower_case_digit;
use super::{Carrier, ContextPart, ContextReason, Format, PartDefect, Reason, Refusal, SpanId, TraceId};

/// Bytes of a value, and where they stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValuePart<'a> {
    pub bytes: &'a [u8],
    format: Format,
    field: &'static str,
    line: usize,
    start: usize,
}

/// One copy of a context in a carrier: fields with one value each, or one of the values of a field that is repeated.
#[derive(Clone, Copy, Debug)]
pub(super) struct ContextCopy<'c, 'a> {
    pub carrier: &'c Carrier<'a>,
    pub format: Format,
    /// From 0.
    pub number: usize,
}

impl<'a> ContextCopy<'_, 'a> {
    /// Returns the whole value of a field, if the carrier has it.
    pub fn find(&self, field: &'static str) -> Option<ValuePart<'a>> {
        let bytes = self.carrier.value(field, self.number)?;
        Some(self.whole(field, bytes))
    }

    /// Returns the whole value of a field that must be present; `part` names what is missing with it.
    pub fn require(&self, field: &'static str, part: ContextPart) -> Result<ValuePart<'a>, Refusal> {
        self.find(field).ok_or_else(|| self.whole(field, b"").refused(part, PartDefect::Missing))
    }

    pub fn whole(&self, field: &'static str, bytes: &'a [u8]) -> ValuePart<'a> {
        ValuePart { bytes, format: self.format, field, line: self.number, start: 0 }
    }
}

impl<'a> ValuePart<'a> {
    pub fn refused(&self, part: ContextPart, defect: PartDefect) -> Refusal {
        self.refused_at(part, defect, 0..self.bytes.len())
    }

    /// Returns a refusal with its caret at bytes of this part.
    pub fn refused_at(&self, part: ContextPart, defect: PartDefect, at: Range<usize>) -> Refusal {
        let reason = Reason::Context(ContextReason { format: self.format, part, defect });
        let at = self.start + at.start..self.start + at.end;
        Refusal { reason, field: self.field, line: self.line, at }
    }

    /// Returns the parts between separators.
    pub fn split(&self, separator: u8) -> Vec<ValuePart<'a>> {
        let mut parts = Vec::new();
        let mut start = self.start;
        for bytes in self.bytes.split(|byte| *byte == separator) {
            parts.push(ValuePart { bytes, start, ..*self });
            start += bytes.len() + 1;
        }
        parts
    }

    /// Returns the parts before and after the first separator.
    pub fn split_once(&self, separator: u8) -> Option<(ValuePart<'a>, ValuePart<'a>)> {
        let at = self.bytes.iter().position(|byte| *byte == separator)?;
        Some((self.cut(0..at), self.cut(at + 1..self.bytes.len())))
    }

    /// Returns the same place with other bytes: what the bytes there stand for.
    pub fn standing_for<'b>(&self, bytes: &'b [u8]) -> ValuePart<'b> {
        ValuePart { bytes, format: self.format, field: self.field, line: self.line, start: self.start }
    }

    /// Returns the bytes of this range, which must lie inside.
    pub fn cut(&self, at: Range<usize>) -> ValuePart<'a> {
        ValuePart { start: self.start + at.start, bytes: &self.bytes[at], ..*self }
    }

    /// Returns the part without spaces and tabs around it.
    pub fn trimmed(&self) -> ValuePart<'a> {
        let bytes = super::trim_ows(self.bytes);
        let blank = self.bytes.iter().take_while(|byte| super::is_ows(**byte)).count();
        ValuePart { bytes, start: self.start + blank.min(self.bytes.len()), ..*self }
    }

    /// Checks that the part has one of these numbers of lower-case hex digits.
    pub fn check_hex(&self, part: ContextPart, lengths: &[usize]) -> Result<(), Refusal> {
        if self.bytes.is_empty() {
            return Err(self.refused(part, PartDefect::Empty));
        }
        if !lengths.contains(&self.bytes.len()) {
            return Err(self.refused(part, PartDefect::Length(self.bytes.len())));
        }
        let Some(odd) = self.bytes.iter().position(|byte| !is_lower_case_digit(*byte)) else { return Ok(()) };
        if self.bytes.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.refused(part, PartDefect::UpperCase));
        }
        Err(self.refused_at(part, PartDefect::NotHex, odd..odd + 1))
    }

    /// Parses 32 digits, or 16 with zeros on the left.
    pub fn trace_id(&self) -> Result<TraceId, Refusal> {
        self.check_hex(ContextPart::TraceId, &[16, 32])?;
        self.padded(32)
            .and_then(|digits| TraceId::from_hex(&digits))
            .ok_or_else(|| self.refused(ContextPart::TraceId, PartDefect::Zero))
    }

    /// Parses 16 digits.
    pub fn span_id(&self, part: ContextPart) -> Result<SpanId, Refusal> {
        self.check_hex(part, &[16])?;
        SpanId::from_hex(self.bytes).ok_or_else(|| self.refused(part, PartDefect::Zero))
    }

    /// Returns the digits in lower case with zeros on the left; `None` if there are more than `length`.
    pub fn padded(&self, length: usize) -> Option<Vec<u8>> {
        let mut digits = vec![b'0'; length.checked_sub(self.bytes.len())?];
        digits.extend(self.bytes.iter().map(u8::to_ascii_lowercase));
        Some(digits)
    }

    /// Parses a decimal number that fits into 64 bits.
    pub fn decimal(&self, part: ContextPart) -> Result<u64, Refusal> {
        if self.bytes.is_empty() {
            return Err(self.refused(part, PartDefect::Empty));
        }
        if let Some(odd) = self.bytes.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(self.refused_at(part, PartDefect::NotDecimal, odd..odd + 1));
        }
        let mut number: u64 = 0;
        for digit in self.bytes {
            let next = number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0')));
            number = next.ok_or_else(|| self.refused(part, PartDefect::TooLarge))?;
        }
        Ok(number)
    }
}
