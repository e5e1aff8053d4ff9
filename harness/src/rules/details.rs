//! The values of the example of a finding, for programs: what the words of the finding are made from.

use std::ops::Range;

use super::wording;
use crate::breaks::break_kind::AlteredPart;
use crate::breaks::{Break, Flag, List, Value};
use crate::crossings::Crossings;
use crate::evidence::{CaptureEnd, CaptureIx, LogRecord, Span, SpanIx, SpanParts};
use crate::plan::StimulusIx;
use crate::wire::hex::encode as hex;
use crate::wire::{Flags, TraceId, trim_ows};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// Id of the hop on which it broke.
    pub hop: String,
    /// The field of the context that it is about.
    pub field: Option<&'static str>,
    pub expected: ValueDetails,
    pub actual: ValueDetails,
    pub span: Option<SpanDetails>,
    pub capture: Option<CaptureDetails>,
    pub caret: Option<CaretDetails>,
}

/// One side of a break; what does not apply is `None` or empty. Ids and flags are hex digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueDetails {
    /// True where nothing is expected, or nothing was there.
    pub nothing: bool,
    pub new_trace: bool,
    pub trace_id: Option<String>,
    pub span_id: Option<String>,
    pub parent_id: Option<String>,
    pub flags: Option<String>,
    pub sampled: Option<bool>,
    pub random: Option<bool>,
    /// The stimulus whose value it is, counted from 1.
    pub stimulus: Option<u32>,
    /// The number of crossings, links or copies.
    pub count: Option<u64>,
    /// The members of a list, or the lines of a field.
    pub values: Vec<String>,
    /// Those of them that the break is about.
    pub concerned: Vec<String>,
    pub formats: Vec<&'static str>,
    /// The reason why the value is refused.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanDetails {
    pub node: String,
    pub kind: &'static str,
    pub name: String,
    pub trace_id: String,
    pub span_id: String,
    /// Empty for a root.
    pub parent_id: String,
}

/// A request, by method, path and status; or a message, by where it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureDetails {
    pub from: String,
    pub to: String,
    pub method: Option<String>,
    pub path: Option<String>,
    pub status: Option<u16>,
    pub grpc_status: Option<u32>,
    /// The topic, the exchange or the queue.
    pub destination: Option<String>,
    pub routing_key: Option<String>,
    pub partition: Option<i32>,
    pub offset: Option<i64>,
}

/// Bytes of a field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaretDetails {
    pub field: &'static str,
    /// The number of the field's line, from 0.
    pub line: usize,
    pub bytes: Range<usize>,
}

impl Details {
    /// Returns the values of a break.
    pub fn of(all: &Crossings<'_>, broken: &Break) -> Details {
        Details {
            hop: all.plan.scenario.hop(broken.hop).id.clone(),
            field: broken.caret.field().map(|field| broken.field_name(field)),
            expected: ValueDetails::of(all, broken, &broken.expected),
            actual: ValueDetails::of(all, broken, &broken.actual),
            span: broken.span.map(|span| SpanDetails::of(all, span)),
            capture: broken.capture.map(|capture| CaptureDetails::of(all, capture)),
            caret: CaretDetails::of(all, broken),
        }
    }
}

impl ValueDetails {
    fn of(all: &Crossings<'_>, broken: &Break, value: &Value) -> ValueDetails {
        let nothing = ValueDetails::default();
        match value {
            Value::Implied | Value::Request(_) => nothing,
            Value::NoField | Value::NoSpan => ValueDetails { nothing: true, ..nothing },
            Value::NewTrace => ValueDetails { new_trace: true, ..nothing },
            Value::Context(trace) => trace.map_or(nothing, ValueDetails::in_trace),
            Value::Trace(trace) | Value::SpanIn(trace) | Value::LinkToTrace(trace) => {
                ValueDetails::in_trace(*trace)
            }
            Value::TraceOf(trace, owner) => ValueDetails::in_trace(*trace).of_stimulus(*owner),
            Value::ListOf(owner) => nothing.of_stimulus(*owner),
            Value::ParentId(id) => ValueDetails { parent_id: Some(id.to_string()), ..nothing },
            Value::Id(id) if id.len() == 16 => ValueDetails { trace_id: Some(hex(id)), ..nothing },
            Value::Id(id) => ValueDetails { parent_id: Some(hex(id)), ..nothing },
            Value::Flag { flag: Flag::Sampled, set } => ValueDetails { sampled: Some(*set), ..nothing },
            Value::Flag { flag: Flag::Random, set } => ValueDetails { random: Some(*set), ..nothing },
            Value::Flag { flag: Flag::Undefined | Flag::Debug | Flag::Decision, .. } => nothing,
            Value::Decision(decision) => ValueDetails {
                sampled: decision.is_sampled(),
                reason: Some(decision.word().to_owned()),
                ..nothing
            },
            Value::DifferentContexts(one, other) => {
                ValueDetails { formats: vec![one.name(), other.name()], ..nothing }
            }
            Value::Flags(flags) => ValueDetails::of_flags(*flags),
            Value::Formats(formats) => {
                ValueDetails { formats: formats.iter().map(|format| format.name()).collect(), ..nothing }
            }
            Value::Misfit(misfit) => ValueDetails { reason: Some(wording::misfit(misfit)), ..nothing },
            Value::Refusal(refusal) => ValueDetails { reason: Some(refusal.to_string()), ..nothing },
            Value::Headers(names) => ValueDetails { values: names.clone(), ..nothing },
            Value::Preflight(ix) => {
                let allowed = all.evidence.preflights[*ix].allowed_headers.iter();
                ValueDetails { values: allowed.map(|line| printable(line)).collect(), ..nothing }
            }
            Value::Copies(count) | Value::Links { count, .. } => ValueDetails::of_count(*count),
            Value::Members(list) => ValueDetails::of_list(list, |member| &member.bytes),
            Value::Entries(list) => ValueDetails::of_list(list, |entry| &entry.raw),
            Value::AsIn(capture) => {
                let field = broken.caret.field().map_or("", |field| broken.field_name(field));
                let values = all.capture(*capture).values(field).map(printable).collect();
                ValueDetails { values, ..nothing }
            }
            Value::Span(span) | Value::LinkToSpan(span) => ValueDetails::of_span(all.spans.get(*span)),
            Value::SpanOf(span, owner) => ValueDetails::of_span(all.spans.get(*span)).of_stimulus(*owner),
            Value::SpanUnder(context) => ValueDetails {
                parent_id: Some(context.parent_id.to_string()),
                ..ValueDetails::in_trace(context.trace_id)
            },
            Value::LinksDue { count, to } => ValueDetails {
                span_id: Some(to.parent_id.to_string()),
                count: ValueDetails::of_count(*count).count,
                ..ValueDetails::in_trace(to.trace_id)
            },
            Value::Crossings(times) | Value::AtMost(times) => {
                ValueDetails { count: Some(u64::from(*times)), ..nothing }
            }
            Value::SpansArrived { arrived, .. } => ValueDetails::of_count(*arrived),
            Value::PartOf(part, span) => ValueDetails::of_part(*part, &all.spans.get(*span).into()),
            Value::PartBehindCollector(part, ix) => {
                ValueDetails::of_part(*part, &(&all.evidence.collector_spans[ix.0]).into())
            }
            Value::LogRecord(ix) => all.evidence.logs.get(*ix).map_or(nothing, ValueDetails::of_log),
        }
    }

    fn in_trace(trace: TraceId) -> ValueDetails {
        ValueDetails { trace_id: Some(trace.to_string()), ..ValueDetails::default() }
    }

    fn of_flags(flags: Flags) -> ValueDetails {
        ValueDetails {
            flags: Some(flags.to_string()),
            sampled: Some(flags.sampled()),
            random: Some(flags.random()),
            ..ValueDetails::default()
        }
    }

    fn of_list<M>(list: &List<M>, bytes: impl Fn(&M) -> &[u8]) -> ValueDetails {
        ValueDetails {
            values: list.members.iter().map(|member| printable(bytes(member))).collect(),
            concerned: list.concerned().map(|member| printable(bytes(member))).collect(),
            ..ValueDetails::default()
        }
    }

    fn of_log(record: &LogRecord) -> ValueDetails {
        ValueDetails {
            trace_id: Some(hex(&record.trace_id)),
            span_id: Some(hex(&record.span_id)),
            ..ValueDetails::default()
        }
    }

    fn of_stimulus(self, stimulus: StimulusIx) -> ValueDetails {
        let number = u32::try_from(stimulus.0 + 1).unwrap_or(u32::MAX);
        ValueDetails { stimulus: Some(number), ..self }
    }

    fn of_count(count: usize) -> ValueDetails {
        ValueDetails { count: Some(u64::try_from(count).unwrap_or(u64::MAX)), ..ValueDetails::default() }
    }

    fn of_part(part: AlteredPart, span: &SpanParts<'_>) -> ValueDetails {
        ValueDetails {
            values: vec![wording::collectors::part(part, span)],
            trace_id: Some(hex(span.trace_id)),
            span_id: Some(hex(span.span_id)),
            parent_id: Some(hex(span.parent_id)),
            ..ValueDetails::default()
        }
    }

    fn of_span(span: &Span) -> ValueDetails {
        ValueDetails {
            trace_id: Some(hex(&span.trace_id)),
            span_id: Some(hex(&span.span_id)),
            parent_id: Some(hex(&span.parent_id)),
            ..ValueDetails::default()
        }
    }
}

impl SpanDetails {
    fn of(all: &Crossings<'_>, span: SpanIx) -> SpanDetails {
        let span = all.spans.get(span);
        SpanDetails {
            node: all.node_name(span.node).to_owned(),
            kind: span.kind.word(),
            name: span.name.to_string(),
            trace_id: hex(&span.trace_id),
            span_id: hex(&span.span_id),
            parent_id: hex(&span.parent_id),
        }
    }
}

impl CaptureDetails {
    fn of(all: &Crossings<'_>, capture: CaptureIx) -> CaptureDetails {
        let capture = all.capture(capture);
        let tap = all.plan.tap(capture.tap);
        let (status, grpc_status) = match capture.end {
            CaptureEnd::Answered { status, grpc_status } => (Some(status), grpc_status),
            CaptureEnd::Broken(_) | CaptureEnd::Open | CaptureEnd::Settled(_) => (None, None),
        };
        let mut details = CaptureDetails {
            from: all.node_name(tap.from).to_owned(),
            to: all.node_name(tap.to).to_owned(),
            method: None,
            path: None,
            status,
            grpc_status,
            destination: None,
            routing_key: None,
            partition: None,
            offset: None,
        };
        match &capture.message {
            Some(message) => {
                details.destination = Some(message.destination.clone());
                details.routing_key.clone_from(&message.routing_key);
                (details.partition, details.offset) = message.offset.unzip();
            }
            None => {
                details.method = Some(capture.method.to_string());
                details.path = Some(capture.path.to_string());
            }
        }
        details
    }
}

impl CaretDetails {
    fn of(all: &Crossings<'_>, broken: &Break) -> Option<CaretDetails> {
        let field = broken.caret.field()?;
        let line = broken.caret.line();
        let field = broken.field_name(field);
        let value = all.capture(broken.capture?).values(field).nth(line)?;
        let bytes = broken.caret.range(broken.format, trim_ows(value).len())?;
        Some(CaretDetails { field, line, bytes })
    }
}

fn printable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
