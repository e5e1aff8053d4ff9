//! The context in an answer: the metric `trace` of `server-timing`, against what was sent and what went out.
//!
//! Follows the draft of level 3 (<https://github.com/w3c/trace-context/blob/main/spec/21-http_response_header_format.md>) and <https://www.w3.org/TR/server-timing/>.
//! Other metrics and parameters are ignored.

use super::VectorExchange;
use super::context::{TRACEPARENT, traceparent};
use super::fields::{first_difference, values};
use super::mismatch::{Mismatch, MismatchKind};
use super::response_defect::ResponseDefect;
use crate::conform::suite::{ContextFlag, FieldDifference, ResponseStatement};
use crate::wire::{Level, TraceParent};

const FIELD: &str = "server-timing";
const METRIC: &[u8] = b"trace";
const DESCRIPTION: &[u8] = b"desc";

/// The reason why an answer is not judged.
pub(super) const NOT_RETURNED: &str =
    "the target does not return its context in `server-timing`, which is optional";

/// Returns true when an answer has the metric.
pub(super) fn is_returned(exchange: &VectorExchange) -> bool {
    !contexts(exchange).is_empty()
}

/// Returns the context in an answer, if it is valid.
pub(super) fn returned(exchange: &VectorExchange) -> Option<TraceParent> {
    TraceParent::parse(contexts(exchange).first()?, Level::Two).ok()
}

/// Checks the metric of one answer.
pub(super) fn check(statements: &[ResponseStatement], exchange: &VectorExchange) -> Result<(), Mismatch> {
    let found = contexts(exchange);
    let [line] = found.as_slice() else {
        return Err(MismatchKind::Response(ResponseDefect::Repeated(found.len())).into());
    };
    let returned = match TraceParent::parse(line, Level::Two) {
        Ok(returned) if returned.version == 0 => returned,
        Ok(returned) => {
            let kind = MismatchKind::Response(ResponseDefect::Version(returned.version));
            return Err(Mismatch::with(kind, difference(None, line, 0..2)));
        }
        Err(refusal) => {
            let kind = MismatchKind::Response(ResponseDefect::Malformed(refusal.reason));
            return Err(Mismatch::with(kind, difference(None, line, refusal.at)));
        }
    };
    statements.iter().try_for_each(|statement| holds(*statement, line, &returned, exchange))
}

fn holds(
    statement: ResponseStatement,
    line: &[u8],
    returned: &TraceParent,
    exchange: &VectorExchange,
) -> Result<(), Mismatch> {
    let mut due = *returned;
    match statement {
        ResponseStatement::Valid => due.flags.0 &= !ContextFlag::Undefined.bits(),
        ResponseStatement::TraceOfCalls => {
            if let Some(call) = of_call(exchange) {
                due.trace_id = call.trace_id;
            }
        }
        ResponseStatement::OwnSpan => {
            if returned.parent_id.to_string() != exchange.minted.parent_id {
                return Ok(());
            }
            let kind = MismatchKind::Response(ResponseDefect::Contradicts(statement));
            return Err(Mismatch::with(kind, difference(None, line, 36..52)));
        }
        ResponseStatement::RandomAsSent => {
            let sent = values(&exchange.sent, TRACEPARENT);
            let sent = sent.first().and_then(|line| TraceParent::parse(line, Level::Two).ok());
            if let Some(sent) = sent {
                due.flags.0 = with_bit(due.flags.0, ContextFlag::Random, sent.flags.0);
            }
        }
        ResponseStatement::SampledAsCalls => {
            if let Some(call) = of_call(exchange) {
                due.flags.0 = with_bit(due.flags.0, ContextFlag::Sampled, call.flags.0);
            }
        }
    }
    let expected = due.to_string().into_bytes();
    if expected == line {
        return Ok(());
    }
    let caret = match statement {
        ResponseStatement::TraceOfCalls => 3..35,
        ResponseStatement::Valid
        | ResponseStatement::OwnSpan
        | ResponseStatement::RandomAsSent
        | ResponseStatement::SampledAsCalls => first_difference(&expected, line),
    };
    let kind = MismatchKind::Response(ResponseDefect::Contradicts(statement));
    Err(Mismatch::with(kind, difference(Some(expected), line, caret)))
}

/// Returns a byte of flags with one bit of another byte.
fn with_bit(flags: u8, flag: ContextFlag, other: u8) -> u8 {
    flags & !flag.bits() | other & flag.bits()
}

fn of_call(exchange: &VectorExchange) -> Option<TraceParent> {
    exchange.calls.first().and_then(|call| traceparent(&call.fields).ok()).map(|(_, parent)| parent)
}

fn difference(expected: Option<Vec<u8>>, line: &[u8], caret: std::ops::Range<usize>) -> FieldDifference {
    FieldDifference { field: format!("{FIELD}: trace;desc"), expected, actual: line.to_vec(), caret }
}

/// Returns the descriptions of the metrics with the name `trace`, in any case.
fn contexts(exchange: &VectorExchange) -> Vec<Vec<u8>> {
    let lines = values(&exchange.answer_fields, FIELD);
    let metrics = lines.into_iter().flat_map(|line| outside_quotes(line, b','));
    metrics.filter_map(description).collect()
}

/// Returns the description of a metric; `None` for one with another name.
fn description(metric: &[u8]) -> Option<Vec<u8>> {
    let mut parts = outside_quotes(metric, b';').into_iter().map(<[u8]>::trim_ascii);
    if !parts.next()?.eq_ignore_ascii_case(METRIC) {
        return None;
    }
    let description = parts.find_map(|part| {
        let at = part.iter().position(|byte| *byte == b'=')?;
        let name = part[..at].trim_ascii();
        name.eq_ignore_ascii_case(DESCRIPTION).then(|| unquoted(part[at + 1..].trim_ascii()))
    });
    Some(description.unwrap_or_default())
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let inside = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inside.unwrap_or(value).to_vec()
}

/// Splits at a separator that does not stand in a quoted string.
fn outside_quotes(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut is_quoted = false;
    let parts = text.split(|byte| {
        is_quoted ^= *byte == b'"';
        !is_quoted && *byte == separator
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::exchange_of;
    use super::*;

    const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn returned(line: &str) -> VectorExchange {
        let mut exchange = exchange_of(&[("traceparent", &format!("00-{T}-00f067aa0ba902b7-03"))]);
        let call = [("traceparent", format!("00-{T}-00f067aa0ba902b8-03"))];
        exchange.calls[0].fields =
            call.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.clone().into_bytes())).collect();
        exchange.answer_fields = vec![(b"Server-Timing".to_vec(), line.as_bytes().to_vec())];
        exchange
    }

    /// Returns the words of the first statement that does not hold, or nothing.
    fn judged(line: &str) -> String {
        let mismatch = check(ResponseStatement::ALL, &returned(line)).err();
        mismatch.map(|mismatch| mismatch.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_metric_is_found_beside_others_in_any_case_and_in_quotes() {
        let right = format!("00-{T}-1111111111111111-03");
        for line in [
            format!("trace;desc={right}"),
            format!("db;desc=\"a, trace;desc=x\";dur=5, Trace; Desc = \"{right}\" ;dur=1"),
        ] {
            assert_eq!(judged(&line), "", "{line}");
            assert!(is_returned(&returned(&line)));
        }
        assert!(!is_returned(&returned("db;dur=5, traces;desc=1")));
    }

    #[test]
    fn each_statement_finds_its_defect() {
        for (context, words) in [
            (format!("ff-{T}-1111111111111111-03"), "invalid"),
            (format!("01-{T}-1111111111111111-03"), "version 01"),
            (format!("00-{T}-0000000000000000-03"), "invalid"),
            (format!("00-{T}-1111111111111111-07"), "without a meaning"),
            ("00-0af7651916cd43dd8448eb211c80319c-1111111111111111-03".to_owned(), "trace id of the answer"),
            (format!("00-{T}-00f067aa0ba902b7-03"), "parent id that was sent"),
            (format!("00-{T}-1111111111111111-01"), "random flag"),
            (format!("00-{T}-1111111111111111-02"), "sampled flag"),
        ] {
            let found = judged(&format!("trace;desc={context}"));
            assert!(found.contains(words), "{context}: {found}");
        }
        let twice = judged(&format!("trace;desc=00-{T}-1111111111111111-03, trace"));
        assert!(twice.contains('2'), "{twice}");
    }
}
