//! Spans and log records that are malformed, or that report something else than the wire shows; relays that break
//! their contract.

use super::Example;
use crate::breaks::break_kind::{ContractDefect, LogDefect, ReportedField, SpanDefect};
use crate::evidence::LogRecord;
use crate::wire::hex::encode as hex;

pub(super) fn telemetry_differs(example: Example<'_>, field: ReportedField) -> String {
    let (who, span, request) = (example.who(), example.span_name(), example.request());
    let field = reported(field);
    format!("the span {span} of {who} reports {field} differently from the wire, for {request}")
}

/// Returns the name of a field that a span reports.
pub(super) fn reported(field: ReportedField) -> &'static str {
    match field {
        ReportedField::TraceId => "the trace id",
        ReportedField::SampledFlag => "the sampled flag",
        ReportedField::TraceState => "the trace state",
        ReportedField::RemoteBit => "the remote bit of its parent",
        ReportedField::Link => "the flags or trace state of its link",
    }
}

pub(super) fn id_repeated(example: Example<'_>) -> String {
    let (who, span) = (example.who(), example.span_name());
    match example.broken.expected.span() {
        Some(first) => {
            let first = example.described(first);
            format!("{who} exported the span {span} with the id that another of its spans has: {first}")
        }
        None => format!("{who} exported two different spans {span} with one id"),
    }
}

pub(super) fn malformed(example: Example<'_>, defect: SpanDefect) -> String {
    let (who, span) = (example.who(), example.span_name());
    match defect {
        SpanDefect::TraceId => format!("{who} exported the span {span} with an invalid trace id"),
        SpanDefect::SpanId => format!("{who} exported the span {span} with an invalid span id"),
        SpanDefect::OwnParent => format!("{who} exported the span {span} as its own parent"),
        SpanDefect::ParentId => format!("{who} exported the span {span} with an invalid parent id"),
        SpanDefect::Cycle => {
            format!("{who} exported spans that are ancestors of each other, {span} among them")
        }
    }
}

pub(super) fn parent_missing(example: Example<'_>) -> String {
    format!("{} exported the span {} and not its parent", example.who(), example.span_name())
}

pub(super) fn kind_wrong(example: Example<'_>) -> String {
    let kind = example.span().map_or("", |span| span.kind.word());
    let (who, span, request) = (example.who(), example.span_name(), example.request());
    format!("{who} exported the span {span} with the kind {kind}, for {request}")
}

pub(super) fn time_inverted(example: Example<'_>) -> String {
    format!("{} exported the span {}, which ends before it starts", example.who(), example.span_name())
}

pub(super) fn resource_missing(example: Example<'_>) -> String {
    format!("{} exported the span {} without `service.name`", example.who(), example.span_name())
}

pub(super) fn log_uncorrelated(example: Example<'_>, defect: LogDefect) -> String {
    let body = log_record(example).map_or("", |record| &record.body);
    format!("{} wrote the log record `{body}` {}", example.who(), log_defect(example, defect))
}

/// Returns where a log record stands instead of in the span that it was written in.
pub(super) fn log_defect(example: Example<'_>, defect: LogDefect) -> String {
    match defect {
        LogDefect::ForeignTrace => match log_record(example) {
            Some(record) => format!("in trace {}, which is not a trace of the story", hex(&record.trace_id)),
            None => "in a trace that is not of the story".to_owned(),
        },
        LogDefect::ForeignSpan => "in the span of another request".to_owned(),
        LogDefect::NoIds => "without the ids of a span".to_owned(),
        LogDefect::UnexportedSpan => "under a span that was not exported".to_owned(),
    }
}

fn log_record(example: Example<'_>) -> Option<&LogRecord> {
    example.all.evidence.logs.get(example.broken.actual.log_record()?)
}

pub(super) fn contract_broken(example: Example<'_>, defect: ContractDefect) -> String {
    let who = example.who();
    match defect {
        ContractDefect::ServiceName => {
            let name = example.span().and_then(|span| span.service_name.as_deref()).unwrap_or_default();
            format!("{who} reports the `service.name` `{name}` instead of its own name")
        }
        ContractDefect::ExportAfterFlush => format!("{who} answered a flush and exported spans after it"),
        ContractDefect::VaryingValue => {
            format!("{who} does not always take the same one of several values of a field")
        }
    }
}
