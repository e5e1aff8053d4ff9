//! The context that a call carries in one format, read by the parsers of `wire`.
//!
//! A receiver accepts more than a correct sender writes: values that `wire` accepts and a sender must not write are
//! refused here.

use std::ops::Range;

use super::fields::{carried_as, values};
use super::mismatch::{Mismatch, MismatchKind};
use crate::conform::suite::FieldDifference;
use crate::evidence::RawFields;
use crate::wire::{
    Carrier, ContextPart, ContextReason, Format, PartDefect, Reason, Refusal, RemoteContext, TraceId,
};

/// The context of one call in a format other than W3C Trace Context.
#[derive(Clone, Debug)]
pub(super) struct OutgoingContext<'a> {
    pub context: RemoteContext,
    format: Format,
    fields: &'a RawFields,
}

/// Returns the contexts that fields carry, one for each of these formats that can be read.
pub fn contexts_of(formats: &[Format], fields: &RawFields) -> Vec<RemoteContext> {
    let carrier = carrier(fields);
    formats.iter().filter_map(|format| format.extract(&carrier).ok().flatten()).collect()
}

fn carrier(fields: &RawFields) -> Carrier<'_> {
    Carrier::new(fields.iter().map(|(name, value)| (&name[..], &value[..])))
}

impl<'a> OutgoingContext<'a> {
    /// Reads the context in this format.
    pub fn read(format: Format, fields: &'a RawFields) -> Result<OutgoingContext<'a>, Mismatch> {
        for field in format.fields() {
            let count = values(fields, field).len();
            if count > 1 {
                return Err(MismatchKind::Repeated(field, count).into());
            }
        }
        match format.extract(&carrier(fields)) {
            Ok(Some(context)) => {
                let read = OutgoingContext { context, format, fields };
                read.check_sender()?;
                Ok(read)
            }
            Ok(None) => Err(MismatchKind::Missing(format.first_field()).into()),
            Err(refusal) => match values(fields, refusal.field).first() {
                None => Err(MismatchKind::Missing(refusal.field).into()),
                Some(value) => Err(malformed(value, &refusal)),
            },
        }
    }

    /// Refuses what only old or lenient senders write.
    fn check_sender(&self) -> Result<(), Mismatch> {
        match self.format {
            Format::B3Multi => self.check_decision(&["0", "1"]),
            Format::XRay => self.check_decision(&["0", "1", "?"]),
            Format::Jaeger => {
                self.check_padding(ContextPart::TraceId, &[16, 32])?;
                self.check_padding(ContextPart::SpanId, &[16])
            }
            Format::TraceContext
            | Format::B3Single
            | Format::Datadog
            | Format::GoogleCloud
            | Format::GrpcTraceBin
            | Format::OtTrace => Ok(()),
        }
    }

    fn check_decision(&self, allowed: &[&str]) -> Result<(), Mismatch> {
        let place = self.place(ContextPart::Decision);
        let text = &place.value[place.at.clone()];
        if text.is_empty() || allowed.iter().any(|word| word.as_bytes() == text) {
            return Ok(());
        }
        let (part, defect) = (ContextPart::Decision, PartDefect::NotAllowed);
        let reason = Reason::Context(ContextReason { format: self.format, part, defect });
        Err(malformed(place.value, &Refusal { reason, field: place.field, line: 0, at: place.at }))
    }

    fn check_padding(&self, part: ContextPart, digits: &[usize]) -> Result<(), Mismatch> {
        let place = self.place(part);
        let length = place.at.len();
        // A value that is percent-encoded has no such place.
        if digits.contains(&length) || place.value.contains(&b'%') {
            return Ok(());
        }
        Err(self.mismatch(MismatchKind::NotPadded(place.field, part, length), part, None))
    }

    /// Returns a mismatch with a caret at a part, and the field as `expected` would be sent.
    pub fn mismatch(
        &self,
        kind: MismatchKind,
        part: ContextPart,
        expected: Option<RemoteContext>,
    ) -> Mismatch {
        let low = Some(self.context.low_trace_id());
        let part = match (self.format, part) {
            // The high half of a trace id has a field of its own.
            (Format::Datadog, ContextPart::TraceId) if expected.map(|due| due.low_trace_id()) == low => {
                ContextPart::HighBits
            }
            _ => part,
        };
        let place = self.place(part);
        let expected = expected.and_then(|context| {
            let fields = self.format.inject(&context);
            fields.into_iter().find(|(name, _)| *name == place.field).map(|(_, value)| value)
        });
        let (field, actual, caret) = (place.field.to_owned(), place.value.to_vec(), place.at);
        Mismatch::with(kind, FieldDifference { field, expected, actual, caret })
    }

    /// Returns the context with another trace id.
    pub fn with_trace_id(&self, trace_id: &str) -> Option<RemoteContext> {
        Some(RemoteContext { trace_id: TraceId::from_hex(trace_id.as_bytes())?, ..self.context })
    }

    /// Returns the place of a part in the fields; empty where it is missing.
    fn place(&self, part: ContextPart) -> Place<'a> {
        let field = carried_as(self.fields, field_of(self.format, part));
        let value = values(self.fields, field).first().copied().unwrap_or_default();
        Place { field, value, at: range_of(self.format, part, value) }
    }
}

struct Place<'a> {
    field: &'static str,
    value: &'a [u8],
    at: Range<usize>,
}

fn malformed(value: &[u8], refusal: &Refusal) -> Mismatch {
    let kind = MismatchKind::Malformed(refusal.field, refusal.reason);
    let field = refusal.field.to_owned();
    Mismatch::with(
        kind,
        FieldDifference { field, expected: None, actual: value.to_vec(), caret: refusal.at.clone() },
    )
}

/// Returns the field that has a part, in lower case.
pub(super) fn field_of(format: Format, part: ContextPart) -> &'static str {
    let fields = format.fields();
    let number = match (format, part) {
        (Format::B3Multi | Format::Datadog | Format::OtTrace, ContextPart::SpanId) => 1,
        (Format::Datadog | Format::OtTrace, ContextPart::Decision) => 2,
        (Format::B3Multi, ContextPart::Decision) => 3,
        (Format::B3Multi, ContextPart::Flags) | (Format::Datadog, ContextPart::HighBits) => 4,
        _ => 0,
    };
    fields[number]
}

/// Returns the bytes of a part in the value of its field: the whole value where it has no other part.
pub(super) fn range_of(format: Format, part: ContextPart, value: &[u8]) -> Range<usize> {
    let number = match part {
        ContextPart::TraceId => 0,
        ContextPart::SpanId => 1,
        _ => 2,
    };
    match format {
        Format::B3Single => nth(value, b'-', number),
        Format::Jaeger => nth(value, b':', if number == 2 { 3 } else { number }),
        Format::GoogleCloud => {
            let end = position(value, b';').unwrap_or(value.len());
            let slash = position(value, b'/').unwrap_or(end).min(end);
            match number {
                0 => 0..slash,
                1 => (slash + 1).min(end)..end,
                _ => (end + 1).min(value.len())..value.len(),
            }
        }
        Format::XRay => pair(value, [&b"Root="[..], b"Parent=", b"Sampled="][number]),
        Format::TraceContext => [3..35, 36..52, 53..55][number].clone(),
        Format::B3Multi | Format::Datadog | Format::GrpcTraceBin | Format::OtTrace => 0..value.len(),
    }
}

fn position(value: &[u8], wanted: u8) -> Option<usize> {
    value.iter().position(|byte| *byte == wanted)
}

/// Returns the bytes of a part between separators; the end of the value where there are fewer.
fn nth(value: &[u8], separator: u8, number: usize) -> Range<usize> {
    let mut start = 0;
    for (at, part) in value.split(|byte| *byte == separator).enumerate() {
        if at == number {
            return start..start + part.len();
        }
        start += part.len() + 1;
    }
    value.len()..value.len()
}

/// Returns the bytes behind `key` in a list of pairs.
fn pair(value: &[u8], key: &[u8]) -> Range<usize> {
    let mut start = 0;
    for part in value.split(|byte| *byte == b';') {
        let blank = part.iter().take_while(|byte| **byte == b' ').count();
        if part[blank..].starts_with(key) {
            return start + blank + key.len()..start + part.len();
        }
        start += part.len() + 1;
    }
    value.len()..value.len()
}

#[cfg(test)]
mod tests;
