//! The name of a request or message: method, path and status; topic, partition and offset; exchange, key and queue.

use super::{Example, answers};
use crate::crossings::Crossings;
use crate::evidence::{Capture, Message, MessageDirection, Protocol};
use crate::plan::TapProtocol;

/// Returns the request or message that a break speaks of.
pub(super) fn named(example: Example<'_>) -> String {
    let Some(capture) = example.broken.capture.map(|capture| example.all.capture(capture)) else {
        return format!("the request over `{}`", example.all.plan.scenario.hop(example.broken.hop).id);
    };
    match &capture.message {
        Some(message) if example.is_note => any_message(capture, message),
        Some(message) => one_message(capture, message),
        None if example.is_note => format!("`{}`", call(example.all, capture)),
        None => format!("`{}` ({})", call(example.all, capture), answers::end(&capture.end)),
    }
}

/// Returns the method and the path of a call, of gRPC the method alone, whose service is its path; and of a message
/// where it went or came from.
pub fn call(all: &Crossings<'_>, capture: &Capture) -> String {
    if let Some(message) = &capture.message {
        let what = match message.direction {
            MessageDirection::Published => "publish",
            MessageDirection::Delivered => "delivery",
        };
        return format!("{what} {}", place(capture, message));
    }
    match all.plan.tap(capture.tap).protocol {
        TapProtocol::Grpc => capture.path.trim_start_matches('/').to_owned(),
        TapProtocol::Http | TapProtocol::Kafka | TapProtocol::Amqp | TapProtocol::Sqs => {
            format!("{} {}", capture.method, capture.path)
        }
    }
}

fn one_message(capture: &Capture, message: &Message) -> String {
    match message.offset {
        Some((partition, offset)) => {
            format!("the record {offset} of partition {partition} of topic `{}`", message.destination)
        }
        None => match &message.id {
            Some(id) => format!("the message `{id}` {}", place(capture, message)),
            None => format!("the message {}", place(capture, message)),
        },
    }
}

fn any_message(capture: &Capture, message: &Message) -> String {
    match capture.protocol {
        Protocol::Kafka => format!("a record of topic `{}`", message.destination),
        Protocol::Http1 | Protocol::Http2 | Protocol::Amqp | Protocol::Sqs => {
            format!("a message {}", place(capture, message))
        }
    }
}

/// Returns where a message went, or where it came from.
fn place(capture: &Capture, message: &Message) -> String {
    let at = &message.destination;
    match (message.direction, capture.protocol) {
        (MessageDirection::Published, Protocol::Amqp) => {
            let key = message.routing_key.as_deref().unwrap_or_default();
            if at.is_empty() {
                format!("to queue `{key}`")
            } else {
                format!("to exchange `{at}` with key `{key}`")
            }
        }
        (MessageDirection::Published, Protocol::Kafka) => format!("to topic `{at}`"),
        (MessageDirection::Delivered, Protocol::Kafka) => format!("from topic `{at}`"),
        (MessageDirection::Published, Protocol::Http1 | Protocol::Http2 | Protocol::Sqs) => {
            format!("to queue `{at}`")
        }
        (MessageDirection::Delivered, Protocol::Http1 | Protocol::Http2 | Protocol::Amqp | Protocol::Sqs) => {
            format!("from queue `{at}`")
        }
    }
}
