//! What an answer says of each message of a call.

use super::attribute::{attributes, system_attributes_received};
use super::json::Json;
use crate::evidence::Field;

/// What became of one entry of a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With the id that a sent message was given.
    Done(Option<String>),
    /// With the broker's code and reason.
    Refused(String),
    /// The answer does not say.
    Untold,
}

impl Outcome {
    /// `id` is the entry's in its batch. A call that failed as a whole failed for each of its entries.
    pub fn of(id: Option<&str>, answer: &Json) -> Outcome {
        let given = |entry: &Json| Outcome::Done(entry.text_of("MessageId").map(str::to_owned));
        let Some(id) = id else { return given(answer) };
        let among = |member: &'static str| {
            let mut entries = answer.member(member).items().iter();
            entries.find(|entry| entry.text_of("Id") == Some(id))
        };
        match (among("Successful"), among("Failed")) {
            (Some(entry), _) => given(entry),
            (None, Some(entry)) => Outcome::Refused(reason(entry, "Code", "Message")),
            (None, None) => Outcome::Untold,
        }
    }
}

/// Why a call failed as a whole (AWS JSON 1.0: `__type` is a name, with its namespace in front).
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
pub struct Received {
    pub id: String,
    pub handle: String,
    pub fields: Vec<Field>,
    pub body: String,
    /// Where it was asked for.
    pub receive_count: Option<u32>,
}

impl Received {
    /// `None` for what is no message.
    pub fn of(message: &Json) -> Option<Received> {
        let count = message.member("Attributes").text_of("ApproximateReceiveCount");
        Some(Received {
            id: message.text_of("MessageId")?.to_owned(),
            handle: message.text_of("ReceiptHandle")?.to_owned(),
            fields: attributes(message).into_iter().chain(system_attributes_received(message)).collect(),
            body: message.text_of("Body").unwrap_or_default().to_owned(),
            receive_count: count.and_then(|count| count.parse().ok()),
        })
    }
}
