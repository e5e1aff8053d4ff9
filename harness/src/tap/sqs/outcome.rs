//! The result of each message of a call, from the answer.

use super::attribute::{attributes, system_attributes_received};
use super::json::Json;
use crate::evidence::Field;

/// The result of one entry of a call.
#[derive(Debug, PartialEq, Eq)]
pub enum EntryOutcome {
    /// With the id that a sent message got.
    Done(Option<String>),
    /// With the broker's code and reason.
    Rejected(String),
    /// The answer does not mention it.
    Unknown,
}

impl EntryOutcome {
    /// Returns the result of the entry with this id in its batch. A call that failed as a whole failed for each entry.
    pub fn of(id: Option<&str>, answer: &Json) -> EntryOutcome {
        let Some(id) = id else { return EntryOutcome::done(answer) };
        match (entry_of(answer, "Successful", id), entry_of(answer, "Failed", id)) {
            (Some(entry), _) => EntryOutcome::done(entry),
            (None, Some(entry)) => EntryOutcome::Rejected(reason(entry, "Code", "Message")),
            (None, None) => EntryOutcome::Unknown,
        }
    }

    fn done(entry: &Json) -> EntryOutcome {
        EntryOutcome::Done(entry.text_of("MessageId").map(str::to_owned))
    }
}

fn entry_of<'a>(answer: &'a Json, list: &'static str, id: &str) -> Option<&'a Json> {
    answer.member(list).items().iter().find(|entry| entry.text_of("Id") == Some(id))
}

/// Returns the reason why a call failed as a whole (AWS JSON 1.0: `__type` is a name behind its namespace).
pub fn failure(answer: &Json) -> String {
    reason(answer, "__type", "message")
}

fn reason(said: &Json, code: &str, why: &str) -> String {
    let code = said.text_of(code).unwrap_or("no code");
    let code = code.rsplit('#').next().unwrap_or(code);
    match said.text_of(why) {
        Some(why) => format!("{code}: {why}"),
        None => code.to_owned(),
    }
}

/// One message of a ReceiveMessage's answer.
#[derive(Debug)]
pub struct ReceivedMessage {
    pub id: String,
    pub handle: String,
    pub fields: Vec<Field>,
    pub body: String,
    /// Present where it was requested.
    pub receive_count: Option<u32>,
}

impl ReceivedMessage {
    /// Parses a message; `None` where it lacks its id or receipt handle.
    pub fn of(message: &Json) -> Option<ReceivedMessage> {
        let count = message.member("Attributes").text_of("ApproximateReceiveCount");
        Some(ReceivedMessage {
            id: message.text_of("MessageId")?.to_owned(),
            handle: message.text_of("ReceiptHandle")?.to_owned(),
            fields: attributes(message).into_iter().chain(system_attributes_received(message)).collect(),
            body: message.text_of("Body").unwrap_or_default().to_owned(),
            receive_count: count.and_then(|count| count.parse().ok()),
        })
    }
}
