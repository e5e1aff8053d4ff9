//! SQS through the AWS SDK: one SendMessage for each stimulus, without retries.
//!
//! Header lines are String attributes; the lines of `tracestate` and of `baggage` are one attribute each, joined by
//! commas, because attribute names are unique. `AWSTraceHeader` is sent as the system attribute. SQS rejects an empty
//! body, so `{}` is sent instead. In a FIFO queue each message is its own group, so that no message waits for another.
//! API: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
};
use tokio::sync::OnceCell;

use super::DriverError;
use super::outgoing::OutgoingRequest;
use super::route::{DriveRoute, Way};
use crate::evidence::Answer;
use crate::runtime::broker_admin::sqs::{FIFO, SqsError, client, queue_url};

/// SQS API reference, `MessageAttributeValue` and "Amazon SQS message quotas".
const ATTRIBUTES: usize = 10;
const NAME_LENGTH: usize = 256;
const TRACE_HEADER: &str = "AWSTraceHeader";
/// Fields whose lines form one list (RFC 9110 section 5.3).
const LISTS: [&str; 2] = ["tracestate", "baggage"];

pub(super) struct Sqs {
    /// The queues by endpoint and name.
    queues: HashMap<(String, String), Queue>,
    /// A part of the ids of FIFO messages: a queue remembers ids for five minutes.
    started: u128,
    sent: AtomicU64,
}

struct Queue {
    client: Client,
    url: OnceCell<String>,
}

/// A message within the limits of SQS.
#[derive(Debug, PartialEq)]
struct SqsMessage {
    body: String,
    attributes: Vec<(String, String)>,
    trace_header: Option<String>,
}

/// Checks that the message can be sent.
pub(super) fn check(route: &DriveRoute, outgoing: &OutgoingRequest) -> Result<(), DriverError> {
    fit(route, outgoing).map(drop)
}

impl Sqs {
    pub(super) fn new(routes: &[DriveRoute]) -> Result<Self, DriverError> {
        let mut queues = HashMap::new();
        for route in routes {
            if let Way::Sqs { queue } = &route.way {
                if route.broker.is_empty() {
                    return Err(DriverError::NoAddress { hop: route.hop_name.clone() });
                }
                let known = queues.entry((route.broker.clone(), queue.clone()));
                known.or_insert_with(|| Queue { client: client(&route.broker), url: OnceCell::new() });
            }
        }
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Ok(Self { queues, started, sent: AtomicU64::new(0) })
    }

    pub(super) async fn send(&self, route: &DriveRoute, outgoing: OutgoingRequest) -> Answer {
        let Way::Sqs { queue: name } = &route.way else { unreachable!("the hop goes through SQS") };
        let queue = self.queues.get(&(route.broker.clone(), name.clone()));
        let queue = queue.expect("`new` has seen every route");
        let message = match fit(route, &outgoing) {
            Ok(message) => message,
            Err(error) => return Answer::Failed(error.to_string()),
        };
        let url = match queue.url.get_or_try_init(|| queue_url(&queue.client, name)).await {
            Ok(url) => url,
            Err(SqsError::Rejected(why)) => {
                return Answer::Failed(route.refused(&format!("queue `{name}`: {why}")));
            }
            Err(SqsError::Unanswered(why)) => return Answer::Failed(route.unreachable(&why)),
        };
        let mut sending = queue.client.send_message().queue_url(url).message_body(message.body);
        for (name, value) in message.attributes {
            sending = sending.message_attributes(name, string(value));
        }
        if let Some(value) = message.trace_header {
            let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
            sending = sending.message_system_attributes(name, system_string(value));
        }
        if name.ends_with(FIFO) {
            let id = format!("{}-{}", self.started, self.sent.fetch_add(1, Ordering::Relaxed));
            sending = sending.message_group_id(id.clone()).message_deduplication_id(id);
        }
        match sending.send().await.map_err(SqsError::from) {
            Ok(_) => Answer::Accepted,
            Err(SqsError::Rejected(why)) => Answer::Failed(route.refused(&why)),
            Err(SqsError::Unanswered(why)) => Answer::Failed(route.broken_off(&why)),
        }
    }
}

fn fit(route: &DriveRoute, outgoing: &OutgoingRequest) -> Result<SqsMessage, DriverError> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    let mut trace_header = None;
    for (name, value) in &outgoing.headers {
        let value = text(value).map_err(|why| route.unsendable(name, why))?;
        if name.eq_ignore_ascii_case(TRACE_HEADER) {
            if trace_header.replace(value.to_owned()).is_some() {
                return Err(route.unsendable(name, TWICE));
            }
            continue;
        }
        check_name(name).map_err(|why| route.unsendable(name, why))?;
        let known = attributes.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match known {
            Some((_, line)) if LISTS.iter().any(|list| name.eq_ignore_ascii_case(list)) => {
                line.push(',');
                line.push_str(value);
            }
            Some((known, _)) if known == name => return Err(route.unsendable(name, TWICE)),
            _ => attributes.push((name.clone(), value.to_owned())),
        }
    }
    if let Some((eleventh, _)) = attributes.get(ATTRIBUTES) {
        return Err(route.unsendable(eleventh, "an SQS message has at most ten attributes"));
    }
    let body = match outgoing.body.as_slice() {
        [] => "{}",
        body => text(body).map_err(|why| DriverError::Body { hop: route.hop_name.clone(), why })?,
    };
    Ok(SqsMessage { body: body.to_owned(), attributes, trace_header })
}

const TWICE: &str = "an SQS message has each attribute at most once";

/// Checks a name. SQS documents that it rejects other names, without more detail.
fn check_name(name: &str) -> Result<(), &'static str> {
    let lower = name.to_ascii_lowercase();
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if name.is_empty() || name.len() > NAME_LENGTH || !letters || dots {
        return Err("SQS does not allow this name");
    }
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return Err("SQS reserves names that begin with `aws.` and `amazon.`");
    }
    Ok(())
}

/// Returns a value as text: at least one character, and only those of XML.
fn text(value: &[u8]) -> Result<&str, &'static str> {
    let text = std::str::from_utf8(value).map_err(|_| "SQS requires UTF-8")?;
    match text {
        "" => Err("SQS rejects empty values"),
        text if text.contains(is_forbidden) => Err("SQS rejects control characters"),
        text => Ok(text),
    }
}

fn is_forbidden(letter: char) -> bool {
    let control = letter < ' ' && !matches!(letter, '\t' | '\n' | '\r');
    control || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

/// Returns a message attribute of type String.
pub(crate) fn string(value: String) -> MessageAttributeValue {
    let built = MessageAttributeValue::builder().data_type("String").string_value(value).build();
    built.expect("the data type is set")
}

/// Returns a system attribute of type String.
pub(crate) fn system_string(value: String) -> MessageSystemAttributeValue {
    let built = MessageSystemAttributeValue::builder().data_type("String").string_value(value).build();
    built.expect("the data type is set")
}
