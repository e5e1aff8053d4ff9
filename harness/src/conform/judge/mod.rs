//! A vector's verdict: compares the calls of the target with the outcomes that the vector allows.
//!
//! Pure: the same exchanges give the same verdict. A vector on which the target hangs, ends or answers with an error
//! fails; a vector that could not be tried is inconclusive.

use std::time::Duration;

use super::suite::{AllowedOutcome, FieldDifference, OutcomeKind, PreparedAnswer, RequestIds, Vector};

use crate::evidence::RawFields;
use crate::wire::Format;

mod across;
mod advice;
mod context;
mod entries;
mod expected_field;
mod exported_span;
mod fields;
mod foreign;
mod lists;
mod mismatch;
mod outgoing;
mod response;
mod response_defect;
mod spans;

pub use exported_span::{ExchangeTelemetry, ExportedLink, ExportedMetric, ExportedSpan, SpanGap};
pub use mismatch::{Mismatch, MismatchKind};
pub use outgoing::contexts_of;
pub use response_defect::ResponseDefect;

/// One request to the target, its answer and the calls that it caused.
#[derive(Clone, Debug)]
pub struct VectorExchange {
    pub minted: RequestIds,
    /// The fields of the vector, as they were sent.
    pub sent: RawFields,
    pub answer: TargetAnswer,
    /// In the order of arrival.
    pub calls: Vec<Call>,
    /// The propagators alone were tried: a context that is continued keeps its parent id.
    pub is_without_span: bool,
    /// The fields of the answer; empty over other transports than HTTP/1.1.
    pub answer_fields: RawFields,
    /// Empty where nothing is stated about spans.
    pub telemetry: ExchangeTelemetry,
    /// The last output lines of the target after an answer that is an error, or none; empty otherwise.
    pub output: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetAnswer {
    Status(u16),
    /// A broker took the message; no answer comes back.
    Delivered,
    /// No answer within this time.
    None(Duration),
    /// The connection was closed without an answer, in words.
    BrokenOff(String),
    /// The target's process ended meanwhile: how, and its last lines.
    Ended(String, Vec<String>),
    /// The request was never sent, in words: a problem of the machine.
    NotSent(String),
}

/// One call that the target made.
#[derive(Clone, Debug)]
pub struct Call {
    /// The number among the requested calls, from 0.
    pub number: usize,
    pub fields: RawFields,
    /// It arrived after the answer of the target.
    pub is_late: bool,
}

/// The verdict on one vector.
#[derive(Clone, Debug)]
pub struct VectorJudgement {
    pub end: End,
    /// Remarks for the reader: calls that came late or twice.
    pub notes: Vec<String>,
}

impl VectorJudgement {
    pub(super) fn fits(&self) -> bool {
        matches!(self.end, End::Fits(_))
    }
}

#[derive(Clone, Debug)]
pub enum End {
    /// The name of the outcome, one of those allowed.
    Fits(String),
    Misfits(Box<Mismatch>),
    Inconclusive(String),
    /// The target cannot do this, in words.
    Unsupported(String),
}

const NOTHING_EXPORTED: &str = "the target exported no span to `OTEL_EXPORTER_OTLP_ENDPOINT`";

const NOT_SENT: &str = "the request could not be sent (if the target ended: with `--jobs 1`, the vector that failed \
                        last before the first of these ended it)";

/// Judges one vector by all its exchanges.
pub fn judge(vector: &Vector, exchanges: &[VectorExchange]) -> VectorJudgement {
    VectorJudgement { end: end(vector, exchanges), notes: notes(vector, exchanges) }
}

fn end(vector: &Vector, exchanges: &[VectorExchange]) -> End {
    for exchange in exchanges {
        if let TargetAnswer::NotSent(why) = &exchange.answer {
            return End::Inconclusive(why.clone());
        }
    }
    if exchanges.is_empty() {
        return End::Inconclusive("nothing was sent".to_owned());
    }
    let mut first = None;
    for outcome in &vector.expect {
        match fits(vector, outcome, exchanges) {
            Ok(()) => return with_answers(vector, outcome, exchanges),
            Err(mismatch) => {
                first.get_or_insert(mismatch);
            }
        }
    }
    match first {
        Some(mismatch) => End::Misfits(Box::new(mismatch)),
        None => End::Inconclusive("the vector expects nothing".to_owned()),
    }
}

/// Returns the verdict of a vector whose calls fit: what its answers and its spans say.
fn with_answers(vector: &Vector, outcome: &AllowedOutcome, exchanges: &[VectorExchange]) -> End {
    if vector.response.is_empty() {
        return with_telemetry(vector, outcome, exchanges);
    }
    for exchange in exchanges {
        if !response::is_returned(exchange) {
            return End::Unsupported(response::NOT_RETURNED.to_owned());
        }
        if let Err(mismatch) = response::check(&vector.response, exchange) {
            return End::Misfits(Box::new(mismatch));
        }
    }
    with_telemetry(vector, outcome, exchanges)
}

/// Returns the verdict of a vector that fits on the wire: what its spans say.
fn with_telemetry(vector: &Vector, outcome: &AllowedOutcome, exchanges: &[VectorExchange]) -> End {
    if vector.telemetry.is_empty() {
        return End::Fits(outcome.name.clone());
    }
    for exchange in exchanges {
        match &exchange.telemetry.gap {
            Some(SpanGap::NothingExported) => return End::Unsupported(NOTHING_EXPORTED.to_owned()),
            Some(SpanGap::Lost(why)) => return End::Inconclusive(why.clone()),
            None => {}
        }
        if let Err(mismatch) = spans::check(&vector.telemetry, &outcome.formats, exchange) {
            return End::Misfits(Box::new(mismatch));
        }
    }
    End::Fits(outcome.name.clone())
}

fn fits(vector: &Vector, outcome: &AllowedOutcome, exchanges: &[VectorExchange]) -> Result<(), Mismatch> {
    for exchange in exchanges {
        exchange_fits(vector, outcome, exchange)?;
    }
    if outcome.kind == OutcomeKind::Refuse {
        Ok(())
    } else {
        across::check(vector, &outcome.formats, exchanges)
    }
}

fn exchange_fits(
    vector: &Vector,
    outcome: &AllowedOutcome,
    exchange: &VectorExchange,
) -> Result<(), Mismatch> {
    let status = match &exchange.answer {
        TargetAnswer::Status(status) => Some(*status),
        TargetAnswer::Delivered => None,
        TargetAnswer::None(within) => return Err(MismatchKind::NoAnswer(*within).into()),
        TargetAnswer::BrokenOff(how) => return Err(MismatchKind::BrokenOff(how.clone()).into()),
        TargetAnswer::Ended(how, lines) => {
            return Err(MismatchKind::Ended { how: how.clone(), lines: lines.clone() }.into());
        }
        TargetAnswer::NotSent(why) => return Err(MismatchKind::BrokenOff(why.clone()).into()),
    };
    if outcome.kind == OutcomeKind::Refuse {
        let is_refused = status.is_none_or(|status| (400..500).contains(&status));
        let is_refusal = is_refused && exchange.calls.is_empty();
        return if is_refusal { Ok(()) } else { Err(MismatchKind::NotRefused(status).into()) };
    }
    let may_fail = vector.upstream.as_ref().is_some_and(|upstream| upstream.failures > 0);
    if let Some(status) = status.filter(|status| (*status >= 400) != vector.fails && !may_fail) {
        return Err(MismatchKind::Answered(status).into());
    }
    if let Some(upstream) = &vector.upstream {
        answer_fits(upstream, exchange)?;
    }
    for number in 0..vector.calls {
        if !exchange.calls.iter().any(|call| call.number == number) {
            let kind = MismatchKind::NotCalledBack { number, calls: vector.calls, status };
            return Err(kind.into());
        }
    }
    exchange.calls.iter().try_for_each(|call| {
        call_fits(outcome, exchange, call).map_err(|mismatch| {
            let mismatch = advice::with_advice(mismatch, vector, exchange, call);
            mismatch.at_call(call.number, vector.calls)
        })
    })
}

/// Checks that what the service behind a forwarder answered has arrived unchanged.
fn answer_fits(upstream: &PreparedAnswer, exchange: &VectorExchange) -> Result<(), Mismatch> {
    let mut expected: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
    for (name, value) in &upstream.fields {
        let name = String::from_utf8_lossy(&name.fill(&exchange.minted)).into_owned();
        let value = value.fill(&exchange.minted);
        match expected.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => expected.push((name, vec![value])),
        }
    }
    for (name, expected) in expected {
        let actual = fields::values(&exchange.answer_fields, &name);
        if actual != expected {
            let (expected, actual) = (expected.join(&b", "[..]), actual.join(&b", "[..]));
            let caret = fields::first_difference(&expected, &actual);
            let field = name.clone();
            let difference = FieldDifference { field, expected: Some(expected), actual, caret };
            return Err(Mismatch::with(MismatchKind::AnswerChanged(name), difference));
        }
    }
    Ok(())
}

fn call_fits(outcome: &AllowedOutcome, exchange: &VectorExchange, call: &Call) -> Result<(), Mismatch> {
    for name in &outcome.demands.without {
        if !fields::values(&call.fields, name).is_empty() {
            return Err(MismatchKind::Forbidden(name.clone()).into());
        }
    }
    if !matches!(outcome.kind, OutcomeKind::Continue | OutcomeKind::Restart) {
        return context::check(outcome, exchange, call);
    }
    for format in &outcome.formats {
        let fits = match format {
            Format::TraceContext => context::check(outcome, exchange, call),
            format => foreign::check(*format, outcome, exchange, call).map_err(|mut mismatch| {
                mismatch.format.get_or_insert(*format);
                mismatch
            }),
        };
        fits.map_err(|mismatch| expected_field::with_expected(mismatch, *format, outcome, exchange))?;
    }
    if outcome.demands.alone
        && let Some(name) = fields::of_other_formats(&call.fields, &outcome.formats)
    {
        return Err(MismatchKind::Forbidden(name).into());
    }
    foreign::one_context(&outcome.formats, call)
}

fn notes(vector: &Vector, exchanges: &[VectorExchange]) -> Vec<String> {
    let mut notes = Vec::new();
    let late = exchanges.iter().flat_map(|exchange| &exchange.calls).filter(|call| call.is_late).count();
    if late > 0 {
        notes.push("the target called back after it had answered".to_owned());
    }
    if exchanges.iter().any(|exchange| matches!(exchange.answer, TargetAnswer::NotSent(_))) {
        notes.push(NOT_SENT.to_owned());
    }
    let twice = exchanges.iter().any(|exchange| {
        (0..vector.calls).any(|number| exchange.calls.iter().filter(|call| call.number == number).count() > 1)
    });
    if twice {
        notes.push("the target called one address back more than once".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests;
