//! Converts evidence to entries.

use super::bytes::{to_hex, to_text};
use super::entries::*;
use super::text::FileText;
use crate::evidence::{
    Answer, Capture, CaptureEnd, CaptureMark, CollectorSpan, Completion, Exchange, Field, FieldKind, Gap,
    GapPlace, Link, LogRecord, Message, Preflight, Protocol, Span,
};
use crate::plan::Plan;
use crate::scenario::{ExportTarget, NodeIx, OwnName};

fn node(plan: &Plan, node: NodeIx) -> FileText<'_> {
    (&plan.scenario.node(node).name).into()
}

pub(super) fn name_entry<'t>(plan: &'t Plan, name: &'t OwnName) -> NameEntry<'t> {
    NameEntry {
        broker: node(plan, name.broker),
        what: name.what.word().into(),
        of: (&name.of).into(),
        own: (&name.own).into(),
    }
}

pub(super) fn masked_baggage(lists: &[Vec<Vec<u8>>]) -> Vec<Vec<FileText<'_>>> {
    lists.iter().map(|lines| lines.iter().map(|line| to_text(line)).collect()).collect()
}

fn answer(answer: &Answer) -> AnswerEntry<'_> {
    match answer {
        Answer::Http(status) => AnswerEntry::Http(*status),
        Answer::Grpc(code) => AnswerEntry::Grpc(*code),
        Answer::Accepted => AnswerEntry::Accepted,
        Answer::Failed(why) => AnswerEntry::Failed(why.into()),
        Answer::TimedOut => AnswerEntry::TimedOut,
    }
}

pub(super) fn preflight_entry(preflight: &Preflight) -> PreflightEntry<'_> {
    PreflightEntry {
        drive: preflight.drive,
        answer: answer(&preflight.answer),
        allowed_origins: preflight.allowed_origins.iter().map(|line| to_text(line)).collect(),
        allowed_headers: preflight.allowed_headers.iter().map(|line| to_text(line)).collect(),
    }
}

pub(super) fn exchange_entry(exchange: &Exchange) -> ExchangeEntry<'_> {
    ExchangeEntry {
        stimulus: exchange.stimulus.0,
        sent_nanos: exchange.sent_nanos,
        answered_nanos: exchange.answered_nanos,
        answer: answer(&exchange.answer),
    }
}

fn fields(fields: &[Field]) -> Vec<(FileText<'_>, Option<FileText<'_>>)> {
    fields.iter().map(|field| (to_text(&field.name), field.value.as_deref().map(to_text))).collect()
}

pub(super) fn capture_entry<'t>(plan: &'t Plan, capture: &'t Capture) -> CaptureEntry<'t> {
    let tap = plan.tap(capture.tap);
    let has_kinds = capture.headers.iter().any(|field| field.kind != FieldKind::Text);
    CaptureEntry {
        from: node(plan, tap.from),
        to: node(plan, tap.to),
        protocol: tap.protocol.word().into(),
        http: match capture.protocol {
            Protocol::Http1 => 1,
            Protocol::Http2 => 2,
            Protocol::Kafka | Protocol::Amqp | Protocol::Sqs => 0,
        },
        connection: capture.connection,
        stream: capture.stream,
        begun_nanos: capture.begun_nanos,
        ended_nanos: capture.ended_nanos,
        method: (&capture.method).into(),
        path: (&capture.path).into(),
        headers: fields(&capture.headers),
        trailers: fields(&capture.trailers),
        mark: match &capture.marked {
            CaptureMark::By(mark) => MarkEntry::By(mark.to_string().into()),
            CaptureMark::Absent => MarkEntry::Absent,
            CaptureMark::Unreadable(why) => MarkEntry::Unreadable(why.into()),
        },
        further_marks: capture.further_marks.iter().map(|mark| mark.to_string().into()).collect(),
        end: match &capture.end {
            CaptureEnd::Answered { status, grpc_status } => {
                EndEntry::Answered { status: *status, grpc_status: *grpc_status }
            }
            CaptureEnd::Broken(how) => EndEntry::Broken(how.into()),
            CaptureEnd::Open => EndEntry::Open,
            CaptureEnd::Settled(how) => EndEntry::Settled(how.word().into()),
        },
        message: capture.message.as_ref().map(|message| message_entry(message, &capture.headers)),
        kinds: if capture.message.is_none() && has_kinds { kinds(&capture.headers) } else { Vec::new() },
    }
}

fn kinds(headers: &[Field]) -> Vec<FileText<'static>> {
    headers.iter().map(|field| field.kind.word().into()).collect()
}

fn message_entry<'t>(message: &'t Message, headers: &'t [Field]) -> MessageEntry<'t> {
    MessageEntry {
        way: message.direction.word().into(),
        destination: (&message.destination).into(),
        routing_key: message.routing_key.as_ref().map(FileText::from),
        reader: message.reader.as_ref().map(FileText::from),
        id: message.id.as_ref().map(FileText::from),
        offset: message.offset,
        deliveries: message.deliveries,
        moved_from: message.moved_from.as_ref().map(FileText::from),
        receive: message.receive,
        refused: message.refused.as_ref().map(FileText::from),
        not_requested: message.not_requested.iter().map(FileText::from).collect(),
        kinds: kinds(headers),
    }
}

pub(super) fn collector_span_entry<'t>(plan: &'t Plan, span: &'t CollectorSpan) -> CollectorSpanEntry<'t> {
    CollectorSpanEntry {
        from: node(plan, span.from),
        to: match span.to {
            ExportTarget::Sink => None,
            ExportTarget::Collector(to) => Some(node(plan, to)),
        },
        trace_id: to_hex(&span.trace_id),
        span_id: to_hex(&span.span_id),
        parent_id: to_hex(&span.parent_id),
        flags: span.flags,
        trace_state: (&span.trace_state).into(),
        name: (&span.name).into(),
        links: span.links.iter().map(link_entry).collect(),
    }
}

fn link_entry(link: &Link) -> LinkEntry<'_> {
    LinkEntry {
        trace_id: to_hex(&link.trace_id),
        span_id: to_hex(&link.span_id),
        flags: link.flags,
        trace_state: (&link.trace_state).into(),
    }
}

pub(super) fn span_entry<'t>(plan: &'t Plan, span: &'t Span) -> SpanEntry<'t> {
    SpanEntry {
        node: node(plan, span.node),
        trace_id: to_hex(&span.trace_id),
        span_id: to_hex(&span.span_id),
        parent_id: to_hex(&span.parent_id),
        flags: span.flags,
        trace_state: (&span.trace_state).into(),
        name: (&span.name).into(),
        kind: span.kind.word().into(),
        start_nanos: span.start_nanos,
        end_nanos: span.end_nanos,
        links: span.links.iter().map(link_entry).collect(),
        attributes: span.attributes.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        marks: span.marks.iter().map(|mark| mark.to_string().into()).collect(),
        failed: span.failed,
        service_name: span.service_name.as_ref().map(FileText::from),
        duplicates: span.duplicates,
        conflicting: span.conflicting,
        arrived_nanos: span.arrived_nanos,
    }
}

pub(super) fn log_entry<'t>(plan: &'t Plan, record: &'t LogRecord) -> LogEntry<'t> {
    LogEntry {
        node: node(plan, record.node),
        trace_id: to_hex(&record.trace_id),
        span_id: to_hex(&record.span_id),
        flags: record.flags,
        body: (&record.body).into(),
        service_name: record.service_name.as_ref().map(FileText::from),
        written_nanos: record.written_nanos,
    }
}

pub(super) fn completion_entry(completion: &Completion) -> CompletionEntry<'_> {
    match completion {
        Completion::NothingDue => CompletionEntry::NothingDue,
        Completion::Flushed { asked_nanos, answered_nanos } => {
            CompletionEntry::Flushed { asked_nanos: *asked_nanos, answered_nanos: *answered_nanos }
        }
        Completion::Stopped { asked_nanos, status } => {
            CompletionEntry::Stopped { asked_nanos: *asked_nanos, status: status.into() }
        }
        Completion::Ordered { asked_nanos, answered_nanos, process } => CompletionEntry::Ordered {
            asked_nanos: *asked_nanos,
            answered_nanos: *answered_nanos,
            process: process.into(),
        },
        Completion::Quiet { since_nanos } => CompletionEntry::Quiet { since_nanos: *since_nanos },
        Completion::Unknown(why) => CompletionEntry::Unknown(why.into()),
    }
}

pub(super) fn gap_entry<'t>(plan: &'t Plan, gap: &'t Gap) -> GapEntry<'t> {
    let at = match gap.place {
        GapPlace::Run => GapAt::Run,
        GapPlace::Node(at) => GapAt::Node(node(plan, at)),
        GapPlace::DeadNode(at) => GapAt::DeadNode(node(plan, at)),
        GapPlace::Tap(tap) => GapAt::Tap(tap.0),
        GapPlace::UnreachableReceiver(tap) => GapAt::UnreachableReceiver(tap.0),
        GapPlace::Stimulus(stimulus) => GapAt::Stimulus(stimulus.0),
    };
    GapEntry { at, what: (&gap.what).into(), lines: gap.lines.iter().map(FileText::from).collect() }
}
