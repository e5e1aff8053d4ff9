//! Expected and actual values in words or bytes.

use super::context::all_of;
use super::{Example, collectors, described, hops, placed, preflights, request, spans, stimulus};
use crate::breaks::break_kind::{
    ContractDefect, Duplication, LeakedField, Malformation, Reparent, Silence, UnexportedSpan, WrongSpan,
};
use crate::breaks::{BreakKind, Flag, Value};
use crate::crossings::Misfit;
use crate::wire::Format;
use crate::wire::baggage::BaggageEntry;
use crate::wire::hex::encode as hex;
use crate::wire::tracestate::RawMember;

pub(super) fn expected(example: Example<'_>) -> String {
    match &example.broken.expected {
        Value::Implied => implied(example),
        Value::AsIn(_) => format!("{} as it came in", fields(example)),
        Value::Span(_) if example.broken.kind == BreakKind::SpanIdRepeated => implied(example),
        Value::Crossings(times) => {
            let hop = &example.all.plan.scenario.hop(example.broken.hop).id;
            format!("{} of `{hop}`", crossings(*times))
        }
        other => value(example, other),
    }
}

pub(super) fn actual(example: Example<'_>) -> String {
    let who = example.who();
    match (example.broken.kind, &example.broken.actual) {
        (BreakKind::Restarted(_), Value::Trace(trace)) => {
            format!("trace {trace}, which {who} did not receive")
        }
        (BreakKind::PassedThrough, Value::ParentId(id)) => format!("parent id {id}, as received"),
        (
            BreakKind::Reparented(Reparent::WrongSpan(WrongSpan::Unknown)) | BreakKind::SampledOut(_),
            Value::ParentId(id),
        ) => {
            format!("parent id {id}, which no span of {who} has")
        }
        (BreakKind::PreflightRefused, Value::Preflight(ix)) => preflights::answered(example, *ix),
        (BreakKind::NotAdded, _) => format!("no {}", hops::additions(example).join(" and no ")),
        (BreakKind::Stripped(_), Value::AsIn(_)) => format!("no {}", fields(example)),
        (BreakKind::Altered(_), Value::AsIn(_)) => format!("a different {}", fields(example)),
        (BreakKind::Duplicated(_), Value::AsIn(_)) => format!("{} twice", fields(example)),
        (BreakKind::Leaked(leak), Value::Implied) => leaked(example, leak),
        (BreakKind::LogUncorrelated(defect), _) => spans::log_defect(example, defect),
        (BreakKind::ContractBroken(ContractDefect::ExportAfterFlush), Value::Implied) => {
            "spans that came later".to_owned()
        }
        (BreakKind::ContractBroken(ContractDefect::VaryingValue), Value::Implied) => {
            "not always the same value".to_owned()
        }
        (BreakKind::NotExtracted(_) | BreakKind::LinkMissing(_), Value::Span(span))
        | (BreakKind::Restarted(_), Value::Span(span))
        | (BreakKind::Reparented(Reparent::WrongParent | Reparent::RootWithParent), Value::Span(span)) => {
            placed(example.all.spans.get(*span))
        }
        // Each other value reads the same for every kind of break; `value` has an arm for each.
        (_, other) => value(example, other),
    }
}

/// Returns a value that reads alike on both sides.
fn value(example: Example<'_>, value: &Value) -> String {
    match value {
        Value::Implied => String::new(),
        Value::NoField => "no propagation field".to_owned(),
        Value::NoSpan => "no span".to_owned(),
        Value::Context(Some(trace)) => {
            format!("a `{}` in trace {trace}", example.broken.format.first_field())
        }
        Value::Context(None) => format!("a `{}`", example.broken.format.first_field()),
        Value::NewTrace => "a new trace".to_owned(),
        Value::Trace(trace) => format!("trace {trace}"),
        Value::TraceOf(trace, owner) => format!("trace {trace} of {}", stimulus(*owner)),
        Value::ParentId(id) => format!("parent id {id}"),
        Value::Id(id) => format!("id {} of the stimulus", hex(id)),
        Value::Flag { flag, set } => flag_text(*flag, *set).to_owned(),
        Value::Flags(flags) => format!("flags {flags}"),
        Value::Decision(decision) => format!("the decision `{}`", decision.word()),
        Value::DifferentContexts(one, other) => {
            format!("different contexts in `{}` and in `{}`", one.first_field(), other.first_field())
        }
        Value::ListOf(owner) => format!("the {} of {}", field(example), stimulus(*owner)),
        Value::Formats(formats) => only(formats),
        Value::Misfit(how) => misfit(how),
        Value::Refusal(refusal) => refusal.to_string(),
        Value::Copies(copies) => copies_text(example, *copies),
        Value::Members(list) => members(&list.members),
        Value::Entries(list) => entries(&list.members),
        Value::Headers(names) if example.broken.kind == BreakKind::PreflightRefused => {
            preflights::expected(example, names)
        }
        Value::Preflight(_) => "the answer to the preflight".to_owned(),
        Value::Headers(_) => format!("the {}", hops::additions(example).join(" and the ")),
        Value::AsIn(_) => fields(example),
        Value::Span(span) => example.described(*span),
        Value::SpanOf(span, owner) => {
            let span = example.all.spans.get(*span);
            format!(
                "{} in trace {}, which is of {} or linked to it",
                described(span),
                hex(&span.trace_id),
                stimulus(*owner)
            )
        }
        Value::SpanUnder(context) => {
            format!("a span under {} in trace {}", context.parent_id, context.trace_id)
        }
        Value::SpanIn(trace) => format!("a span of {} in trace {trace}", example.who()),
        Value::LinkToSpan(span) => format!("a link to {}", example.described(*span)),
        Value::LinkToTrace(trace) => format!("a link to trace {trace}"),
        Value::LinksDue { count: 1, to } => format!("one link to {} in trace {}", to.parent_id, to.trace_id),
        Value::LinksDue { count, to } => {
            format!("{count} links, one of them to {} in trace {}", to.parent_id, to.trace_id)
        }
        Value::Links { count, due } => {
            format!("{}, {due} of them to this context{}", links(*count), shown_links(example))
        }
        Value::Crossings(times) => crossings(*times),
        Value::AtMost(times) => format!("at most {}", crossings(*times)),
        Value::Request(capture) => request::call(example.all, example.all.capture(*capture)),
        Value::LogRecord(_) => "a log record".to_owned(),
        Value::SpansArrived { arrived, of } => collectors::arrived(*arrived, *of),
        Value::PartOf(part, span) => collectors::part_of(example, *part, *span),
        Value::PartBehindCollector(part, span) => collectors::part_behind(example, *part, *span),
    }
}

/// Returns what a kind of break expects where it needs no value.
fn implied(example: Example<'_>) -> String {
    let who = example.who();
    match example.broken.kind {
        BreakKind::Malformed { field, how: Malformation::Unreadable } => {
            format!("`{}` as text under its own key", example.broken.field_name(field))
        }
        BreakKind::Malformed { field, how: Malformation::Unparsable } => {
            format!("a `{}` that parses", example.broken.field_name(field))
        }
        BreakKind::PassedThrough => format!("the id of a span of {who}"),
        BreakKind::Reparented(how) => right_parent(how).to_owned(),
        BreakKind::BaggageLeaked => "no `baggage` on this hop".to_owned(),
        BreakKind::Swapped(_) => "its own trace".to_owned(),
        BreakKind::SampledOut(UnexportedSpan::OnTheWire) => format!("the span of {who} that is on the wire"),
        BreakKind::SampledOut(UnexportedSpan::Incoming)
        | BreakKind::NotExported(Silence::NoIncomingSpan | Silence::Untapped) => {
            "a span for what it received, which was sampled".to_owned()
        }
        BreakKind::SampledIn(_) => "no span in an unsampled trace".to_owned(),
        BreakKind::TelemetryDiffers(_) => "the value on the wire".to_owned(),
        BreakKind::SpanMalformed(_) => "ids of 16 and 8 bytes, not zero, no span its own parent".to_owned(),
        BreakKind::SpanIdRepeated => "one span for each id".to_owned(),
        BreakKind::TimeInverted => "an end at or after the start".to_owned(),
        BreakKind::ResourceMissing => "a `service.name` on the resource".to_owned(),
        BreakKind::ParentMissing => "the parent among the exported spans".to_owned(),
        BreakKind::KindWrong => KINDS.to_owned(),
        BreakKind::LogUncorrelated(_) => "the trace id and span id of the span it was written in".to_owned(),
        BreakKind::ContractBroken(defect) => match defect {
            ContractDefect::ServiceName => format!("the `service.name` {who}"),
            ContractDefect::ExportAfterFlush => "nothing left to export".to_owned(),
            ContractDefect::VaryingValue => "always the same value".to_owned(),
        },
        BreakKind::Undeclared => "only declared crossings".to_owned(),
        BreakKind::TraceSplit(fate) => fate.words().to_owned(),
        BreakKind::NotCrossed(_)
        | BreakKind::TraceDropped
        | BreakKind::TraceKept
        | BreakKind::CollectorAltered(_)
        | BreakKind::Refused
        | BreakKind::PreflightRefused
        | BreakKind::Leaked(_)
        | BreakKind::NotInjected
        | BreakKind::Duplicated(_)
        | BreakKind::Joined(_)
        | BreakKind::Restarted(_)
        | BreakKind::FlagChanged { .. }
        | BreakKind::TracestateLeaked
        | BreakKind::TracestateAltered(_)
        | BreakKind::TracestateCut
        | BreakKind::TracestateLost
        | BreakKind::TracestateReordered(_)
        | BreakKind::BaggageLost(_)
        | BreakKind::BaggageAltered(_)
        | BreakKind::LinkMissing(_)
        | BreakKind::LinkWrong(_)
        | BreakKind::Stripped(_)
        | BreakKind::Altered(_)
        | BreakKind::NotAdded
        | BreakKind::Adopted
        | BreakKind::NotExtracted(_) => String::new(),
    }
}

/// Returns what a span under the wrong parent, or the id on the wire, had to be.
fn right_parent(how: Reparent) -> &'static str {
    match how {
        Reparent::WrongSpan(_) | Reparent::NoCallSpan | Reparent::BeforeInnerSpan => {
            "a CLIENT or PRODUCER span for the call"
        }
        Reparent::Detached => "a span below the incoming one",
        Reparent::RetryUnderOneSpan => "a span for each attempt",
        Reparent::CallsUnderOneSpan => "a span for each call",
        Reparent::WrongParent => "the parent that was received",
        Reparent::RootWithParent => "a root",
    }
}

const KINDS: &str = "SERVER or CONSUMER for what is received, CLIENT or PRODUCER for a call";

fn flag_text(flag: Flag, set: bool) -> &'static str {
    match (flag, set) {
        (Flag::Sampled, true) => "sampled",
        (Flag::Sampled, false) => "not sampled",
        (Flag::Random, true) => "the random flag set, as received",
        (Flag::Random, false) => "the random flag clear, as received",
        (Flag::Undefined, _) => "no undefined flags",
        (Flag::Debug, true) => "the decision `debug`, as received",
        (Flag::Debug, false) => "a decision without debug, as received",
        (Flag::Decision, _) => "a decision",
    }
}

/// Returns the fields that an intermediary changed.
fn fields(example: Example<'_>) -> String {
    let fields = example.broken.kind.fields();
    fields.map_or_else(|| "the fields".to_owned(), |fields| all_of(example, fields))
}

fn field(example: Example<'_>) -> String {
    let field = example.broken.caret.field();
    field.map_or_else(|| "list".to_owned(), |field| format!("`{}`", example.broken.field_name(field)))
}

fn leaked(example: Example<'_>, leak: LeakedField) -> String {
    match leak {
        LeakedField::Other(format) => format.name().to_owned(),
        LeakedField::Context(_) => field(example),
    }
}

fn only(formats: &[Format]) -> String {
    let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
    format!("only {}", names.join(", "))
}

fn copies_text(example: Example<'_>, copies: usize) -> String {
    let field = field(example);
    let identical = matches!(example.broken.kind, BreakKind::Duplicated(Duplication::Identical(_)));
    match (copies, identical) {
        (1, _) => format!("one {field}"),
        (_, true) => format!("{copies} identical {field} fields"),
        (_, false) => format!("{copies} different {field} fields"),
    }
}

fn members(members: &[RawMember]) -> String {
    let texts: Vec<_> = members.iter().map(|member| String::from_utf8_lossy(&member.bytes)).collect();
    if texts.is_empty() { "no tracestate".to_owned() } else { texts.join(",") }
}

fn entries(entries: &[BaggageEntry]) -> String {
    let texts: Vec<_> = entries.iter().map(|entry| String::from_utf8_lossy(&entry.raw)).collect();
    if texts.is_empty() { "no baggage".to_owned() } else { texts.join(",") }
}

fn crossings(times: u32) -> String {
    if times == 1 { "1 crossing".to_owned() } else { format!("{times} crossings") }
}

/// Returns the first links of the span that a break speaks of.
fn shown_links(example: Example<'_>) -> String {
    const SHOWN: usize = 3;
    let all = example.span().map_or(&[][..], |span| &span.links);
    let shown: Vec<String> = all
        .iter()
        .take(SHOWN)
        .map(|link| format!("{} in trace {}", hex(&link.span_id), hex(&link.trace_id)))
        .collect();
    let more = if all.len() > SHOWN { ", ..." } else { "" };
    if shown.is_empty() { String::new() } else { format!(": to {}{more}", shown.join(", ")) }
}

fn links(count: usize) -> String {
    if count == 1 { "1 link".to_owned() } else { format!("{count} links") }
}

/// Returns why the readers of a transport do not take a field.
pub(in crate::rules) fn misfit(misfit: &Misfit) -> String {
    match misfit {
        Misfit::Key(key) => {
            let key = String::from_utf8_lossy(key);
            return format!("its key is `{key}`, and keys of messages are compared byte for byte");
        }
        Misfit::NotUtf8 => "its value is not UTF-8",
        Misfit::BinaryAttribute => "it is a Binary attribute, not a String",
        Misfit::NumberAttribute => "it is a Number attribute, not a String",
        Misfit::ByteArray => "it is a byte array, not a long string",
        Misfit::Number => "it is a number, not a long string",
        Misfit::Null => "its value is null",
        Misfit::NotText => "its value is not a string",
    }
    .to_owned()
}
