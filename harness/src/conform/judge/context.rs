//! One call against one outcome: ids, flags, and the lists that go with them.

use super::lists;
use super::mismatch::{Mismatch, MismatchKind};
use super::{Call, Exchange, Fields};
use crate::conform::suite::{Difference, Flag, Outcome, OutcomeKind, Text};
use crate::wire::{Format, Level, TraceParent, trim_ows};

pub(super) const TRACEPARENT: &str = "traceparent";

pub(super) fn check(outcome: &Outcome, exchange: &Exchange, call: &Call) -> Result<(), Mismatch> {
    match outcome.kind {
        OutcomeKind::Continue => {
            let (line, parent) = traceparent(&call.fields)?;
            continues(outcome, exchange, &line, &parent)?;
            flags(outcome, &line, &parent)?;
        }
        OutcomeKind::Restart => {
            let (line, parent) = traceparent(&call.fields)?;
            is_new(exchange, &line, &parent)?;
            flags(outcome, &line, &parent)?;
            if outcome.due.tracestate.is_none() {
                lists::none_of_sent(exchange, call)?;
            }
        }
        OutcomeKind::PassThrough => return unchanged(exchange, call),
        OutcomeKind::Nothing => nothing(call)?,
        OutcomeKind::Refuse => return Ok(()),
    }
    lists::check(&outcome.due, exchange, call)
}

/// The values of a field, whatever the case of its name.
pub(super) fn values<'a>(fields: &'a Fields, name: &str) -> Vec<&'a [u8]> {
    let named = fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| trim_ows(value)).collect()
}

/// The one `traceparent` of a call, of version 00.
pub(super) fn traceparent(fields: &Fields) -> Result<(Vec<u8>, TraceParent), Mismatch> {
    let lines = values(fields, TRACEPARENT);
    let line = match lines.as_slice() {
        [] => return Err(MismatchKind::Missing(TRACEPARENT).into()),
        [line] => *line,
        several => {
            let second = several[1].len();
            let kind = MismatchKind::Repeated(TRACEPARENT, several.len());
            return Err(Mismatch::with(kind, difference(None, several[1], 0..second)));
        }
    };
    match TraceParent::parse(line, Level::Two) {
        Ok(parent) if parent.version == 0 => Ok((line.to_vec(), parent)),
        Ok(parent) => {
            let kind = MismatchKind::Version(parent.version);
            Err(Mismatch::with(kind, difference(None, line, 0..2)))
        }
        Err(refusal) => {
            let kind = MismatchKind::Malformed(refusal.reason);
            Err(Mismatch::with(kind, difference(None, line, refusal.at)))
        }
    }
}

fn difference(due: Option<Vec<u8>>, line: &[u8], caret: std::ops::Range<usize>) -> Difference {
    Difference { field: TRACEPARENT.to_owned(), due, actual: line.to_vec(), caret }
}

fn continues(
    outcome: &Outcome,
    exchange: &Exchange,
    line: &[u8],
    parent: &TraceParent,
) -> Result<(), Mismatch> {
    let minted = &exchange.minted;
    let due = |text: &Option<Text>, minted: &str| match text {
        Some(text) => String::from_utf8_lossy(&text.fill(&exchange.minted)).into_owned(),
        None => minted.to_owned(),
    };
    let trace_id = due(&outcome.due.trace_id, &minted.trace_id);
    if parent.trace_id.to_string() != trace_id {
        let wanted = format!("00-{trace_id}-{}-{}", parent.parent_id, parent.flags);
        let kind = MismatchKind::TraceIdChanged;
        return Err(Mismatch::with(kind, difference(Some(wanted.into_bytes()), line, 3..35)));
    }
    if parent.parent_id.to_string() == due(&outcome.due.parent_id, &minted.parent_id) {
        return Err(Mismatch::with(MismatchKind::ParentIdKept, difference(None, line, 36..52)));
    }
    Ok(())
}

/// Shorter stretches of hex digits come out by chance.
const TELLING_DIGITS: usize = 24;

fn is_new(exchange: &Exchange, line: &[u8], parent: &TraceParent) -> Result<(), Mismatch> {
    let new = parent.trace_id.to_string();
    let kept = |kind| Err(Mismatch::with(kind, difference(None, line, 3..35)));
    if new == exchange.minted.trace_id {
        return kept(MismatchKind::TraceIdKept);
    }
    let carriers = exchange.sent.iter().filter(|(name, _)| is_context(name));
    for (_, value) in carriers {
        let text: String = value.iter().map(|byte| char::from(*byte).to_ascii_lowercase()).collect();
        for digits in text.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() >= TELLING_DIGITS) {
            if digits == new {
                return kept(MismatchKind::TraceIdKept);
            }
            if digits.contains(&new) || new.contains(digits) {
                return kept(MismatchKind::TraceIdDerived);
            }
        }
    }
    Ok(())
}

/// Fields that a trace id may have been taken from; names that are nearly right count, too.
fn is_context(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    Format::of_field(&name).is_some() || name.windows(6).any(|part| part == b"parent")
}

fn flags(outcome: &Outcome, line: &[u8], parent: &TraceParent) -> Result<(), Mismatch> {
    let wrong = |flag: &Flag, due| {
        let bits = if due { parent.flags.0 | flag.bits() } else { parent.flags.0 & !flag.bits() };
        let wanted = format!("00-{}-{}-{bits:02x}", parent.trace_id, parent.parent_id);
        let difference = difference(Some(wanted.into_bytes()), line, 53..55);
        Err(Mismatch::with(MismatchKind::Flag(*flag, due), difference))
    };
    for flag in &outcome.due.set {
        if parent.flags.0 & flag.bits() == 0 {
            return wrong(flag, true);
        }
    }
    for flag in &outcome.due.clear {
        if parent.flags.0 & flag.bits() != 0 {
            return wrong(flag, false);
        }
    }
    Ok(())
}

/// Every propagation field goes out as it came, in its order, and no other.
fn unchanged(exchange: &Exchange, call: &Call) -> Result<(), Mismatch> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in exchange.sent.iter().chain(&call.fields) {
        let name = String::from_utf8_lossy(&name.to_ascii_lowercase()).into_owned();
        if carries(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let (sent, actual) = (values(&exchange.sent, &name), values(&call.fields, &name));
        if sent == actual {
            continue;
        }
        if sent.is_empty() {
            return Err(MismatchKind::Unexpected(name).into());
        }
        let (due, actual) = (sent.join(&b", "[..]), actual.join(&b", "[..]));
        let caret = first_difference(&due, &actual);
        let difference = Difference { field: name.clone(), due: Some(due), actual, caret };
        return Err(Mismatch::with(MismatchKind::NotUnchanged(name), difference));
    }
    Ok(())
}

fn carries(name: &str) -> bool {
    Format::of_field(name.as_bytes()).is_some() || name == "baggage"
}

/// No context goes out; baggage is not a context.
fn nothing(call: &Call) -> Result<(), Mismatch> {
    match call.fields.iter().find(|(name, _)| Format::of_field(name).is_some()) {
        Some((name, _)) => {
            let name = String::from_utf8_lossy(&name.to_ascii_lowercase()).into_owned();
            Err(MismatchKind::Unexpected(name).into())
        }
        None => Ok(()),
    }
}

/// The first byte that differs, as a stretch of `actual`.
pub(super) fn first_difference(due: &[u8], actual: &[u8]) -> std::ops::Range<usize> {
    let same = due.iter().zip(actual).take_while(|(one, other)| one == other).count();
    same..(same + 1).min(actual.len()).max(same)
}
