//! Converts entries to evidence; the plan resolves names.

use compact_str::CompactString;

use super::bytes::{from_hex, from_text};
use super::entries::*;
use super::error::EvidenceError;
use super::text::FileText;
use crate::evidence::{
    Answer, Capture, CaptureEnd, CaptureMark, CollectorSpan, Completion, Exchange, Field, FieldKind, Gap,
    GapPlace, Link, LogRecord, Message, MessageDirection, Preflight, Protocol, Settlement, Span, SpanKind,
};
use crate::plan::{Mark, Plan, StimulusIx, TapIx, TapProtocol};
use crate::scenario::{ExportTarget, NameKind, NodeIx, OwnName, Scenario};

fn unknown(kind: &'static str, name: &str) -> EvidenceError {
    EvidenceError::Unknown { kind, name: name.to_owned() }
}

fn node(plan: &Plan, name: &str) -> Result<NodeIx, EvidenceError> {
    node_of(&plan.scenario, name)
}

fn node_of(scenario: &Scenario, name: &str) -> Result<NodeIx, EvidenceError> {
    let found = scenario.nodes.iter().position(|node| node.name == name);
    found.map(NodeIx).ok_or_else(|| unknown("node", name))
}

pub(super) fn name(scenario: &Scenario, entry: &NameEntry<'_>) -> Result<OwnName, EvidenceError> {
    let what = NameKind::ALL.into_iter().find(|what| what.word() == &*entry.what);
    Ok(OwnName {
        broker: node_of(scenario, &entry.broker)?,
        what: what.ok_or_else(|| unknown("kind of name", &entry.what))?,
        of: entry.of.to_string(),
        own: entry.own.to_string(),
    })
}

fn numbered_tap(plan: &Plan, at: usize) -> Result<TapIx, EvidenceError> {
    if at < plan.taps.len() { Ok(TapIx(at)) } else { Err(unknown("tap", &at.to_string())) }
}

fn stimulus(plan: &Plan, number: usize) -> Result<StimulusIx, EvidenceError> {
    let known = number < plan.stimuli.len();
    known.then_some(StimulusIx(number)).ok_or_else(|| unknown("stimulus", &number.to_string()))
}

fn mark(plan: &Plan, text: &str) -> Result<Mark, EvidenceError> {
    let found = Mark::find(text.as_bytes()).filter(|mark| mark.stimulus.0 < plan.stimuli.len());
    found.ok_or_else(|| unknown("mark", text))
}

fn marks(plan: &Plan, texts: &[FileText<'_>]) -> Result<Vec<Mark>, EvidenceError> {
    texts.iter().map(|text| mark(plan, text)).collect()
}

/// Returns the masked baggage of each stimulus of the plan.
pub(super) fn masked_baggage(
    plan: &Plan,
    lists: &[Vec<FileText<'_>>],
) -> Result<Vec<Vec<Vec<u8>>>, EvidenceError> {
    if lists.len() != plan.stimuli.len() {
        return Err(unknown("baggage of stimulus", &lists.len().to_string()));
    }
    lists.iter().map(|lines| lines.iter().map(|line| from_text(line)).collect()).collect()
}

fn answer(entry: &AnswerEntry<'_>) -> Answer {
    match entry {
        AnswerEntry::Http(status) => Answer::Http(*status),
        AnswerEntry::Grpc(code) => Answer::Grpc(*code),
        AnswerEntry::Accepted => Answer::Accepted,
        AnswerEntry::Failed(why) => Answer::Failed(why.to_string()),
        AnswerEntry::TimedOut => Answer::TimedOut,
    }
}

pub(super) fn preflight(plan: &Plan, entry: &PreflightEntry<'_>) -> Result<Preflight, EvidenceError> {
    if entry.drive >= plan.scenario.drives.len() {
        return Err(unknown("drive", &entry.drive.to_string()));
    }
    Ok(Preflight {
        drive: entry.drive,
        answer: answer(&entry.answer),
        allowed_origins: entry
            .allowed_origins
            .iter()
            .map(|line| from_text(line))
            .collect::<Result<_, _>>()?,
        allowed_headers: entry
            .allowed_headers
            .iter()
            .map(|line| from_text(line))
            .collect::<Result<_, _>>()?,
    })
}

pub(super) fn exchange(plan: &Plan, entry: &ExchangeEntry<'_>) -> Result<Exchange, EvidenceError> {
    let answer = answer(&entry.answer);
    let stimulus = stimulus(plan, entry.stimulus)?;
    Ok(Exchange { stimulus, sent_nanos: entry.sent_nanos, answered_nanos: entry.answered_nanos, answer })
}

fn fields(entries: &[(FileText<'_>, Option<FileText<'_>>)]) -> Result<Vec<Field>, EvidenceError> {
    let mut fields = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let value = value.as_deref().map(from_text).transpose()?;
        fields.push(Field { name: from_text(name)?, value, kind: FieldKind::Text });
    }
    Ok(fields)
}

fn tap(plan: &Plan, entry: &CaptureEntry<'_>) -> Result<TapIx, EvidenceError> {
    let (from, to) = (node(plan, &entry.from)?, node(plan, &entry.to)?);
    let protocol = &*entry.protocol;
    let mut taps = plan.taps.iter();
    let found = taps.position(|tap| tap.from == from && tap.to == to && tap.protocol.word() == protocol);
    found.map(TapIx).ok_or_else(|| unknown("tap", &format!("{} -> {} {protocol}", &*entry.from, &*entry.to)))
}

pub(super) fn captures(plan: &Plan, entries: &[CaptureEntry<'_>]) -> Result<Vec<Capture>, EvidenceError> {
    entries.iter().map(|entry| capture(plan, entry)).collect()
}

pub(super) fn spans(plan: &Plan, entries: &[SpanEntry<'_>]) -> Result<Vec<Span>, EvidenceError> {
    entries.iter().map(|entry| span(plan, entry)).collect()
}

fn capture(plan: &Plan, entry: &CaptureEntry<'_>) -> Result<Capture, EvidenceError> {
    let tap = tap(plan, entry)?;
    let mut headers = fields(&entry.headers)?;
    set_kinds(&mut headers, &entry.kinds)?;
    let message = entry.message.as_ref().map(|entry| message(entry, &mut headers)).transpose()?;
    Ok(Capture {
        tap,
        protocol: match (plan.tap(tap).protocol, entry.http) {
            (TapProtocol::Kafka, _) => Protocol::Kafka,
            (TapProtocol::Amqp, _) => Protocol::Amqp,
            (TapProtocol::Sqs, _) => Protocol::Sqs,
            (_, 1) => Protocol::Http1,
            _ => Protocol::Http2,
        },
        connection: entry.connection,
        stream: entry.stream,
        begun_nanos: entry.begun_nanos,
        ended_nanos: entry.ended_nanos,
        method: (&*entry.method).into(),
        path: (&*entry.path).into(),
        headers,
        trailers: fields(&entry.trailers)?,
        marked: match &entry.mark {
            MarkEntry::By(text) => CaptureMark::By(mark(plan, text)?),
            MarkEntry::Absent => CaptureMark::Absent,
            MarkEntry::Unreadable(why) => CaptureMark::Unreadable(why.to_string()),
        },
        further_marks: marks(plan, &entry.further_marks)?,
        end: match &entry.end {
            EndEntry::Answered { status, grpc_status } => {
                CaptureEnd::Answered { status: *status, grpc_status: *grpc_status }
            }
            EndEntry::Broken(how) => CaptureEnd::Broken(how.to_string()),
            EndEntry::Open => CaptureEnd::Open,
            EndEntry::Settled(word) => {
                let how = Settlement::ALL.into_iter().find(|how| how.word() == &**word);
                CaptureEnd::Settled(how.ok_or_else(|| unknown("settlement", word))?)
            }
        },
        message,
    })
}

fn set_kinds(headers: &mut [Field], words: &[FileText<'_>]) -> Result<(), EvidenceError> {
    for (field, word) in headers.iter_mut().zip(words) {
        let kind = FieldKind::ALL.into_iter().find(|kind| kind.word() == &**word);
        field.kind = kind.ok_or_else(|| unknown("kind of header", word))?;
    }
    Ok(())
}

/// Returns the properties of a message, and sets the types of its headers.
fn message(entry: &MessageEntry<'_>, headers: &mut [Field]) -> Result<Message, EvidenceError> {
    set_kinds(headers, &entry.kinds)?;
    let direction = [MessageDirection::Published, MessageDirection::Delivered]
        .into_iter()
        .find(|direction| direction.word() == &*entry.way);
    Ok(Message {
        direction: direction.ok_or_else(|| unknown("way of a message", &entry.way))?,
        destination: entry.destination.to_string(),
        routing_key: entry.routing_key.as_deref().map(str::to_owned),
        reader: entry.reader.as_deref().map(str::to_owned),
        id: entry.id.as_deref().map(str::to_owned),
        offset: entry.offset,
        deliveries: entry.deliveries,
        moved_from: entry.moved_from.as_deref().map(str::to_owned),
        receive: entry.receive,
        refused: entry.refused.as_deref().map(str::to_owned),
        not_requested: entry.not_requested.iter().map(|name| name.to_string()).collect(),
    })
}

fn link(entry: &LinkEntry<'_>) -> Result<Link, EvidenceError> {
    Ok(Link {
        trace_id: from_hex(&entry.trace_id)?,
        span_id: from_hex(&entry.span_id)?,
        flags: entry.flags,
        trace_state: (&*entry.trace_state).into(),
    })
}

fn span(plan: &Plan, entry: &SpanEntry<'_>) -> Result<Span, EvidenceError> {
    Ok(Span {
        node: node(plan, &entry.node)?,
        trace_id: from_hex(&entry.trace_id)?,
        span_id: from_hex(&entry.span_id)?,
        parent_id: from_hex(&entry.parent_id)?,
        flags: entry.flags,
        trace_state: (&*entry.trace_state).into(),
        name: (&*entry.name).into(),
        kind: SpanKind::from_word(&entry.kind).ok_or_else(|| unknown("span kind", &entry.kind))?,
        start_nanos: entry.start_nanos,
        end_nanos: entry.end_nanos,
        links: entry.links.iter().map(link).collect::<Result<_, _>>()?,
        attributes: attributes(&entry.attributes),
        marks: marks(plan, &entry.marks)?,
        failed: entry.failed,
        service_name: entry.service_name.as_deref().map(CompactString::from),
        duplicates: entry.duplicates,
        conflicting: entry.conflicting,
        arrived_nanos: entry.arrived_nanos,
    })
}

pub(super) fn collector_span(
    plan: &Plan,
    entry: &CollectorSpanEntry<'_>,
) -> Result<CollectorSpan, EvidenceError> {
    Ok(CollectorSpan {
        from: node(plan, &entry.from)?,
        to: match &entry.to {
            None => ExportTarget::Sink,
            Some(to) => ExportTarget::Collector(node(plan, to)?),
        },
        trace_id: from_hex(&entry.trace_id)?,
        span_id: from_hex(&entry.span_id)?,
        parent_id: from_hex(&entry.parent_id)?,
        flags: entry.flags,
        trace_state: (&*entry.trace_state).into(),
        name: (&*entry.name).into(),
        links: entry.links.iter().map(link).collect::<Result<_, _>>()?,
    })
}

fn attributes(entries: &[(FileText<'_>, FileText<'_>)]) -> Vec<(CompactString, CompactString)> {
    entries.iter().map(|(name, value)| ((&**name).into(), (&**value).into())).collect()
}

pub(super) fn log(plan: &Plan, entry: &LogEntry<'_>) -> Result<LogRecord, EvidenceError> {
    Ok(LogRecord {
        node: node(plan, &entry.node)?,
        trace_id: from_hex(&entry.trace_id)?,
        span_id: from_hex(&entry.span_id)?,
        flags: entry.flags,
        body: entry.body.to_string(),
        service_name: entry.service_name.as_deref().map(CompactString::from),
        written_nanos: entry.written_nanos,
    })
}

pub(super) fn completion(entry: &CompletionEntry<'_>) -> Completion {
    match entry {
        CompletionEntry::NothingDue => Completion::NothingDue,
        CompletionEntry::Flushed { asked_nanos, answered_nanos } => {
            Completion::Flushed { asked_nanos: *asked_nanos, answered_nanos: *answered_nanos }
        }
        CompletionEntry::Stopped { asked_nanos, status } => {
            Completion::Stopped { asked_nanos: *asked_nanos, status: status.to_string() }
        }
        CompletionEntry::Ordered { asked_nanos, answered_nanos, process } => Completion::Ordered {
            asked_nanos: *asked_nanos,
            answered_nanos: *answered_nanos,
            process: process.to_string(),
        },
        CompletionEntry::Quiet { since_nanos } => Completion::Quiet { since_nanos: *since_nanos },
        CompletionEntry::Unknown(why) => Completion::Unknown(why.to_string()),
    }
}

pub(super) fn gap(plan: &Plan, entry: &GapEntry<'_>) -> Result<Gap, EvidenceError> {
    let place = match &entry.at {
        GapAt::Run => GapPlace::Run,
        GapAt::Node(name) => GapPlace::Node(node(plan, name)?),
        GapAt::DeadNode(name) => GapPlace::DeadNode(node(plan, name)?),
        GapAt::Tap(at) => GapPlace::Tap(numbered_tap(plan, *at)?),
        GapAt::UnreachableReceiver(at) => GapPlace::UnreachableReceiver(numbered_tap(plan, *at)?),
        GapAt::Stimulus(number) => GapPlace::Stimulus(stimulus(plan, *number)?),
    };
    Ok(Gap {
        place,
        what: entry.what.to_string(),
        lines: entry.lines.iter().map(|line| line.to_string()).collect(),
    })
}
