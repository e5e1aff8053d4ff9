//! The calls of the API that move messages, as their requests describe them; a call for one message is a batch of one.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html>

use super::attribute::{attributes, system_attributes_sent};
use super::json::Json;
use super::requested_attributes::RequestedAttributes;
use crate::evidence::Field;

/// The calls that are read; calls for queues and their settings are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    SendMessage,
    SendMessageBatch,
    ReceiveMessage,
    DeleteMessage,
    DeleteMessageBatch,
    ChangeMessageVisibility,
    ChangeMessageVisibilityBatch,
}

impl Operation {
    const ALL: [Operation; 7] = [
        Operation::SendMessage,
        Operation::SendMessageBatch,
        Operation::ReceiveMessage,
        Operation::DeleteMessage,
        Operation::DeleteMessageBatch,
        Operation::ChangeMessageVisibility,
        Operation::ChangeMessageVisibilityBatch,
    ];

    pub fn named(name: &str) -> Option<Operation> {
        Operation::ALL.into_iter().find(|operation| operation.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Operation::SendMessage => "SendMessage",
            Operation::SendMessageBatch => "SendMessageBatch",
            Operation::ReceiveMessage => "ReceiveMessage",
            Operation::DeleteMessage => "DeleteMessage",
            Operation::DeleteMessageBatch => "DeleteMessageBatch",
            Operation::ChangeMessageVisibility => "ChangeMessageVisibility",
            Operation::ChangeMessageVisibilityBatch => "ChangeMessageVisibilityBatch",
        }
    }
}

#[derive(Debug)]
pub enum ApiRequest {
    Send {
        queue: String,
        entries: Vec<Entry<SentMessage>>,
    },
    Receive {
        queue: String,
        asked: RequestedAttributes,
    },
    /// Receipt handles.
    Delete(Vec<Entry<String>>),
    /// Receipt handles of messages that are returned at once; with another timeout a message stays with its reader.
    GiveBack(Vec<Entry<String>>),
}

/// One message of a call; `id` matches it with its part of a batch's answer.
#[derive(Debug)]
pub struct Entry<T> {
    pub id: Option<String>,
    pub content: T,
}

#[derive(Debug)]
pub struct SentMessage {
    pub fields: Vec<Field>,
    pub body: String,
}

impl ApiRequest {
    pub fn of(operation: Operation, request: &Json) -> ApiRequest {
        match operation {
            Operation::SendMessage | Operation::SendMessageBatch => {
                let entries = entries(operation, request).map(|entry| entry.with(sent(entry.content)));
                ApiRequest::Send { queue: queue(request), entries: entries.collect() }
            }
            Operation::ReceiveMessage => {
                ApiRequest::Receive { queue: queue(request), asked: RequestedAttributes::of(request) }
            }
            Operation::DeleteMessage | Operation::DeleteMessageBatch => ApiRequest::Delete(
                entries(operation, request).map(|entry| entry.with(handle(entry.content))).collect(),
            ),
            Operation::ChangeMessageVisibility | Operation::ChangeMessageVisibilityBatch => {
                let at_once =
                    |entry: &Entry<&Json>| *entry.content.member("VisibilityTimeout") == Json::Number(0.0);
                let entries = entries(operation, request).filter(at_once);
                ApiRequest::GiveBack(entries.map(|entry| entry.with(handle(entry.content))).collect())
            }
        }
    }
}

impl<T> Entry<T> {
    fn with<U>(&self, content: U) -> Entry<U> {
        Entry { id: self.id.clone(), content }
    }
}

fn entries(operation: Operation, request: &Json) -> impl Iterator<Item = Entry<&Json>> {
    let batch = matches!(
        operation,
        Operation::SendMessageBatch | Operation::DeleteMessageBatch | Operation::ChangeMessageVisibilityBatch
    );
    let single = (!batch).then_some(Entry { id: None, content: request });
    let listed = if batch { request.member("Entries").items() } else { &[] };
    let listed = listed.iter().map(|entry| {
        let id = entry.text_of("Id").unwrap_or_default().to_owned();
        Entry { id: Some(id), content: entry }
    });
    single.into_iter().chain(listed)
}

fn sent(message: &Json) -> SentMessage {
    let fields = attributes(message).into_iter().chain(system_attributes_sent(message)).collect();
    SentMessage { fields, body: message.text_of("MessageBody").unwrap_or_default().to_owned() }
}

fn handle(entry: &Json) -> String {
    entry.text_of("ReceiptHandle").unwrap_or_default().to_owned()
}

/// Returns the name of the queue: the last segment of its URL.
fn queue(request: &Json) -> String {
    let url = request.text_of("QueueUrl").unwrap_or_default();
    url.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}
