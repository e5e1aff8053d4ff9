//! Reads a copy of the calls of the SQS API: what is sent, what is received, and how it is settled.
//!
//! Only the JSON protocol is read (`X-Amz-Target: AmazonSQS.*`, `application/x-amz-json-1.0`). The older query
//! protocol, bodies of more than 1 MiB and encoded bodies are forwarded unread and are gaps. A message is recorded when
//! its request is complete, a delivery when its answer is, before the last bytes are forwarded. API:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/>

use std::sync::Arc;

use super::body_text::{BodyError, BodyText};
use super::scene::Scene;
use super::search::in_message;
use crate::evidence::{
    CaptureEnd, Field, Head, Message, MessageDirection, MessageHead, Protocol, Recording, Settlement,
};

mod attribute;
mod json;
mod messages;
mod operation;
mod outcome;
mod requested_attributes;

#[cfg(test)]
mod tests;

pub use messages::Messages;

use json::Json;
use operation::{ApiRequest, Operation, SentMessage};
use outcome::{EntryOutcome, ReceivedMessage, failure};
use requested_attributes::RequestedAttributes;

const TARGET_PREFIX: &str = "AmazonSQS.";

/// One request and its answer.
#[derive(Debug)]
pub struct ApiCall {
    scene: Arc<Scene>,
    connection: u32,
    /// The number of the request on its connection.
    stream: u32,
    operation: Option<Operation>,
    request: BodyText,
    answer: BodyText,
    status: Option<u16>,
    waiting: PendingAnswer,
}

/// The part of a request that waits for the answer.
#[derive(Debug)]
enum PendingAnswer {
    Nothing,
    Send(Vec<PendingPublication>),
    Receive {
        queue: String,
        asked: RequestedAttributes,
    },
    /// Entry of the batch and receipt handle of each, and the settlement that the answer confirms.
    Settle(Vec<(Option<String>, String)>, Settlement),
}

/// A message that the broker has not accepted yet.
#[derive(Debug)]
struct PendingPublication {
    entry: Option<String>,
    fields: Vec<Field>,
    recording: Recording,
}

impl PendingPublication {
    fn refused(self, why: &str) {
        self.recording.message(|message| message.refused = Some(why.to_owned()));
        self.recording.end(CaptureEnd::Settled(Settlement::Refused));
    }
}

impl ApiCall {
    pub fn begin(scene: &Arc<Scene>, head: &Head) -> ApiCall {
        let target = value(&head.headers, "x-amz-target");
        let name = target.as_deref().and_then(|target| target.strip_prefix(TARGET_PREFIX));
        let operation = name.and_then(Operation::named);
        let call = ApiCall {
            scene: scene.clone(),
            connection: head.connection,
            stream: head.stream,
            operation,
            request: BodyText::new(operation.is_some(), value(&head.headers, "content-encoding")),
            answer: BodyText::new(operation.is_some(), None),
            status: None,
            waiting: PendingAnswer::Nothing,
        };
        if name.is_none()
            && let Some(why) = unreadable_reason(head, target.as_deref())
        {
            call.gap(&format!("was not read: {why}"));
        }
        call
    }

    pub fn request_body(&mut self, bytes: &[u8]) {
        self.request.add(bytes);
    }

    pub fn request_complete(&mut self) {
        let Some(operation) = self.operation else { return };
        match json(self.request.take()) {
            Ok(request) => self.wait_for(ApiRequest::of(operation, &request)),
            Err(error) => self.gap(&format!("({}) was not read: {error}", operation.name())),
        }
    }

    fn wait_for(&mut self, asks: ApiRequest) {
        self.waiting = match asks {
            ApiRequest::Send { queue, entries } => {
                let pending = entries.into_iter().map(|entry| PendingPublication {
                    recording: self.published(&queue, &entry.content),
                    entry: entry.id,
                    fields: entry.content.fields,
                });
                PendingAnswer::Send(pending.collect())
            }
            ApiRequest::Receive { queue, asked } => PendingAnswer::Receive { queue, asked },
            ApiRequest::Delete(entries) => PendingAnswer::Settle(handles(entries), Settlement::Done),
            ApiRequest::GiveBack(entries) => PendingAnswer::Settle(handles(entries), Settlement::Returned),
        };
    }

    pub fn status(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Reads fields of the answer, from its head or its trailers.
    pub fn answer_fields(&mut self, fields: &[(Vec<u8>, Vec<u8>)]) {
        if let Some(encoding) = value(fields, "content-encoding") {
            self.answer.encoded(encoding);
        }
    }

    pub fn answer_body(&mut self, bytes: &[u8]) {
        self.answer.add(bytes);
    }

    /// Notes that the answer is complete.
    pub fn answered(mut self) {
        let accepted = self.status.is_some_and(|status| (200..300).contains(&status));
        match std::mem::replace(&mut self.waiting, PendingAnswer::Nothing) {
            PendingAnswer::Nothing => {}
            PendingAnswer::Send(messages) if !accepted => {
                let why = failure(&self.read_answer());
                messages.into_iter().for_each(|message| message.refused(&why));
            }
            PendingAnswer::Send(messages) => {
                let answer = self.read_answer();
                messages.into_iter().for_each(|message| self.taken(message, &answer));
            }
            PendingAnswer::Receive { .. } | PendingAnswer::Settle(..) if !accepted => {}
            PendingAnswer::Receive { queue, asked } => self.delivered(&queue, &asked),
            PendingAnswer::Settle(entries, how) => {
                // The answer to a single one is empty.
                let batch = entries.iter().any(|(entry, _)| entry.is_some());
                let answer = if batch { self.read_answer() } else { Json::Null };
                for (entry, handle) in &entries {
                    if matches!(EntryOutcome::of(entry.as_deref(), &answer), EntryOutcome::Done(_)) {
                        self.scene.sqs.settled(handle, how);
                    }
                }
            }
        }
    }

    /// Ends the captures of a request without a complete answer; `how` names who ended it.
    pub fn broken(self, how: &str) {
        if let PendingAnswer::Send(messages) = self.waiting {
            for message in messages {
                message.recording.end(CaptureEnd::Broken(how.to_owned()));
            }
        }
    }

    fn taken(&self, message: PendingPublication, answer: &Json) {
        let end = match EntryOutcome::of(message.entry.as_deref(), answer) {
            EntryOutcome::Done(id) => {
                if let Some(id) = id {
                    self.scene.sqs.sent(&self.scene.writer, &id, message.fields);
                    message.recording.message(|message| message.id = Some(id));
                }
                CaptureEnd::Settled(Settlement::Accepted)
            }
            EntryOutcome::Rejected(why) => return message.refused(&why),
            EntryOutcome::Unknown => CaptureEnd::Broken("the answer does not mention this entry".to_owned()),
        };
        message.recording.end(end);
    }

    fn delivered(&mut self, queue: &str, asked: &RequestedAttributes) {
        let answer = self.read_answer();
        let messages = answer.member("Messages").items();
        if messages.is_empty() {
            return;
        }
        let receive = self.scene.sqs.next_receive();
        for message in messages {
            let Some(received) = ReceivedMessage::of(message) else {
                self.gap("was answered with a message that lacks its id or its receipt handle");
                continue;
            };
            self.scene.sqs.delivered(&self.scene.writer, received, asked, |delivery| {
                let message = Message {
                    id: Some(delivery.received.id),
                    deliveries: delivery.number,
                    receive: Some(receive),
                    not_requested: delivery.not_requested,
                    ..Message::new(MessageDirection::Delivered, queue)
                };
                self.record(message, delivery.fields, delivery.received.body.as_bytes())
            });
        }
    }

    fn published(&self, queue: &str, sent: &SentMessage) -> Recording {
        self.record(
            Message::new(MessageDirection::Published, queue),
            sent.fields.clone(),
            sent.body.as_bytes(),
        )
    }

    fn record(&self, message: Message, fields: Vec<Field>, body: &[u8]) -> Recording {
        let headers: Vec<_> = fields
            .iter()
            .map(|field| (field.name.clone(), field.value.clone().unwrap_or_default()))
            .collect();
        let marked = in_message(&self.scene.plan.markers, self.scene.run, &headers, body);
        let queue = message.destination.clone();
        let recording = self.scene.writer.recorder.message(MessageHead {
            tap: self.scene.writer.tap,
            protocol: Protocol::Sqs,
            connection: self.connection,
            stream: self.stream,
            message,
            fields,
            kept: self.scene.writer.kept.clone(),
            marked,
        });
        self.scene.body_context(Some(&queue), body, &recording);
        recording
    }

    /// Returns the answer; null where it cannot be read.
    fn read_answer(&mut self) -> Json {
        json(self.answer.take()).unwrap_or_else(|error| {
            let name = self.operation.map_or("no call", Operation::name);
            self.gap(&format!("({name}) got an answer that was not read: {error}"));
            Json::Null
        })
    }

    fn gap(&self, what: &str) {
        self.scene.gap(format!("request {} on connection {} {what}", self.stream, self.connection));
    }
}

/// The reason why a call or its answer cannot be read.
#[derive(Debug, thiserror::Error)]
enum ContentError {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("its body is not valid JSON: {0}")]
    NotJson(#[from] serde_json::Error),
}

/// Parses a body; null where it is not needed.
fn json(body: BodyText) -> Result<Json, ContentError> {
    match body.bytes()? {
        Some(text) => Ok(Json::parse(&text)?),
        None => Ok(Json::Null),
    }
}

fn handles(entries: Vec<operation::Entry<String>>) -> Vec<(Option<String>, String)> {
    entries.into_iter().map(|entry| (entry.id, entry.content)).collect()
}

/// Returns the reason why a request that may move messages cannot be read; `None` for a mere probe.
fn unreadable_reason(head: &Head, target: Option<&str>) -> Option<String> {
    if let Some(target) = target {
        return Some(format!("`{target}` is not a call of SQS"));
    }
    let form = value(&head.headers, "content-type")
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
    if form || head.target.contains("Action=") {
        let newer = "the tap reads only the JSON protocol, which SDKs use since November 2023";
        return Some(format!("it uses the older query protocol, and {newer}"));
    }
    if head.method == "POST" { Some("it has no `X-Amz-Target`".to_owned()) } else { None }
}

fn value(fields: &[(Vec<u8>, Vec<u8>)], name: &str) -> Option<String> {
    let field = fields.iter().find(|(given, _)| given.eq_ignore_ascii_case(name.as_bytes()));
    field.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
}
