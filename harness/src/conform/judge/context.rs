//! One call against one outcome: ids, flags, and the lists that go with them.

use super::fields::{first_difference, values};
use super::lists;
use super::mismatch::{Mismatch, MismatchKind};
use super::{Call, VectorExchange};
use crate::conform::suite::{
    AllowedOutcome, ContextFlag, Demands, FieldDifference, OutcomeKind, RequestIds, Text,
};
use crate::evidence::RawFields;
use crate::wire::{Format, Level, TraceParent};

pub(super) const TRACEPARENT: &str = "traceparent";

pub(super) fn check(
    outcome: &AllowedOutcome,
    exchange: &VectorExchange,
    call: &Call,
) -> Result<(), Mismatch> {
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
            if outcome.demands.tracestate.is_none() {
                lists::none_of_sent(exchange, call)?;
            }
        }
        OutcomeKind::PassThrough => return unchanged(exchange, call),
        OutcomeKind::Nothing => nothing(call)?,
        OutcomeKind::Refuse => return Ok(()),
    }
    lists::check(&outcome.demands, exchange, call)
}

/// Returns the one `traceparent` of a call, which must have version 00.
pub(super) fn traceparent(fields: &RawFields) -> Result<(Vec<u8>, TraceParent), Mismatch> {
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
            let kind = MismatchKind::Malformed(TRACEPARENT, refusal.reason);
            Err(Mismatch::with(kind, difference(None, line, refusal.at)))
        }
    }
}

fn difference(expected: Option<Vec<u8>>, line: &[u8], caret: std::ops::Range<usize>) -> FieldDifference {
    FieldDifference { field: TRACEPARENT.to_owned(), expected, actual: line.to_vec(), caret }
}

fn continues(
    outcome: &AllowedOutcome,
    exchange: &VectorExchange,
    line: &[u8],
    parent: &TraceParent,
) -> Result<(), Mismatch> {
    let minted = &exchange.minted;
    let trace_id = expected_id(outcome.demands.trace_id.as_ref(), &minted.trace_id, minted);
    let parent_id = expected_id(outcome.demands.parent_id.as_ref(), &minted.parent_id, minted);
    if parent.trace_id.to_string() != trace_id {
        let wanted = format!("00-{trace_id}-{NEW_ID}-{}", flags_by_rule(&outcome.demands));
        let kind = MismatchKind::TraceIdChanged;
        return Err(Mismatch::with(kind, difference(Some(wanted.into_bytes()), line, 3..35)));
    }
    let is_kept = parent.parent_id.to_string() == parent_id;
    if outcome.demands.keeps_parent || exchange.is_without_span {
        let wanted = format!("00-{trace_id}-{parent_id}-{}", flags_by_rule(&outcome.demands)).into_bytes();
        let difference = difference(Some(wanted), line, 36..52);
        return if is_kept { Ok(()) } else { Err(Mismatch::with(MismatchKind::ParentIdChanged, difference)) };
    }
    if is_kept {
        return Err(Mismatch::with(MismatchKind::ParentIdKept, difference(None, line, 36..52)));
    }
    Ok(())
}

/// Returns the id that the outcome demands, or else the minted one.
pub(super) fn expected_id(demanded: Option<&Text>, id: &str, minted: &RequestIds) -> String {
    match demanded {
        Some(text) => String::from_utf8_lossy(&text.fill(minted)).into_owned(),
        None => id.to_owned(),
    }
}

/// Shorter runs of equal hex digits occur by chance.
const TELLING_DIGITS: usize = 15;

fn is_new(exchange: &VectorExchange, line: &[u8], parent: &TraceParent) -> Result<(), Mismatch> {
    let new = parent.trace_id.to_string();
    match origin(exchange, &new) {
        Some(kind) => Err(Mismatch::with(kind, difference(None, line, 3..35))),
        None => Ok(()),
    }
}

/// Returns the relation of a trace id to an id that was sent, if there is one.
pub(super) fn origin(exchange: &VectorExchange, new: &str) -> Option<MismatchKind> {
    if new == exchange.minted.trace_id {
        return Some(MismatchKind::TraceIdKept);
    }
    let carriers = exchange.sent.iter().filter(|(name, _)| is_context(name));
    for (_, value) in carriers {
        let text: String = value.iter().map(|byte| char::from(*byte).to_ascii_lowercase()).collect();
        for digits in text.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() >= TELLING_DIGITS) {
            if digits == new {
                return Some(MismatchKind::TraceIdKept);
            }
            if digits.contains(new) || new.contains(digits) {
                return Some(MismatchKind::TraceIdDerived);
            }
        }
    }
    None
}

/// Returns true for fields that a trace id may have been taken from, with names that are similar.
fn is_context(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    Format::of_field(&name).is_some() || name.windows(6).any(|part| part == b"parent")
}

fn flags(outcome: &AllowedOutcome, line: &[u8], parent: &TraceParent) -> Result<(), Mismatch> {
    let bits = parent.flags.0;
    let unset = outcome.demands.set.iter().find(|flag| bits & flag.bits() == 0);
    let set = outcome.demands.clear.iter().find(|flag| bits & flag.bits() != 0);
    let (flag, expected) = match (unset, set) {
        (Some(flag), _) => (*flag, true),
        (None, Some(flag)) => (*flag, false),
        (None, None) => return Ok(()),
    };
    let rule = flags_by_rule(&outcome.demands);
    let wanted = format!("00-{}-{}-{rule}", parent.trace_id, parent.parent_id);
    let difference = difference(Some(wanted.into_bytes()), line, 53..55);
    Err(Mismatch::with(MismatchKind::Flag(flag, expected), difference))
}

/// Stands for an id that the target chooses.
const NEW_ID: &str = "<new parent id>";

/// Returns the flags that an outcome demands: two digits where it decides each of them, otherwise their names.
pub(super) fn flags_by_rule(demands: &Demands) -> String {
    let bits = |flags: &[ContextFlag]| flags.iter().fold(0, |bits, flag| bits | flag.bits());
    let (set, clear) = (bits(&demands.set), bits(&demands.clear));
    if set | clear == u8::MAX {
        return format!("{set:02x}");
    }
    let names = |flags: &[ContextFlag], state: &str| {
        flags.iter().map(|flag| format!("{} {state}", flag.word())).collect::<Vec<_>>()
    };
    let rules = [names(&demands.set, "set"), names(&demands.clear, "not set")].concat();
    if rules.is_empty() { "<any flags>".to_owned() } else { format!("<{}>", rules.join(", ")) }
}

/// Checks that every propagation field is forwarded unchanged and in order, and that no other is sent.
fn unchanged(exchange: &VectorExchange, call: &Call) -> Result<(), Mismatch> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in exchange.sent.iter().chain(&call.fields) {
        let name = String::from_utf8_lossy(&name.to_ascii_lowercase()).into_owned();
        if carries(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let (sent, actual) = (values(&exchange.sent, &name), values(&call.fields, &name));
        // An empty list is as good as none.
        if sent == actual || sent.is_empty() && actual.iter().all(|value| value.is_empty()) {
            continue;
        }
        if sent.is_empty() {
            return Err(MismatchKind::Unexpected(name).into());
        }
        let (expected, actual) = (sent.join(&b", "[..]), actual.join(&b", "[..]));
        let caret = first_difference(&expected, &actual);
        let difference = FieldDifference { field: name.clone(), expected: Some(expected), actual, caret };
        return Err(Mismatch::with(MismatchKind::NotUnchanged(name), difference));
    }
    Ok(())
}

fn carries(name: &str) -> bool {
    Format::of_field(name.as_bytes()).is_some() || name == "baggage"
}

/// Checks that no context is sent. Baggage is not a context.
fn nothing(call: &Call) -> Result<(), Mismatch> {
    match call.fields.iter().find(|(name, _)| Format::of_field(name).is_some()) {
        Some((name, _)) => {
            let name = String::from_utf8_lossy(&name.to_ascii_lowercase()).into_owned();
            Err(MismatchKind::Unexpected(name).into())
        }
        None => Ok(()),
    }
}
