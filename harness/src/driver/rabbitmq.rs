//! RabbitMQ through `lapin`: one connection for each broker and one channel for each hop, with publisher confirms.
//!
//! Every message is mandatory, which distinguishes an unroutable message from a lost one. Headers are long strings; the
//! table of the client sorts names and keeps each once, so duplicates are rejected before anything is sent.

use std::collections::HashMap;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ErrorKind};
use tokio::sync::Mutex;

use super::DriverError;
use super::outgoing::OutgoingRequest;
use super::route::{DriveRoute, Payload, Way};
use crate::evidence::Answer;
use crate::scenario::HopIx;

/// AMQP 0-9-1 section 4.2.5.3.
const LONGEST_NAME: usize = 255;
/// Frames of RabbitMQ have 128 KiB unless configured otherwise, and one frame carries all properties of a message.
const LARGEST_HEADERS: usize = 128 * 1024 - 1024;

pub(super) struct RabbitMq {
    /// By URL.
    connections: HashMap<String, Mutex<Option<Connection>>>,
    channels: HashMap<HopIx, Mutex<Option<Channel>>>,
}

/// Checks that the message can be sent.
pub(super) fn check(route: &DriveRoute, outgoing: &OutgoingRequest) -> Result<(), DriverError> {
    let (exchange, routing_key) = destination(route);
    for (what, name) in [("exchange", exchange), ("routing key", routing_key)] {
        if name.len() > LONGEST_NAME {
            return Err(DriverError::TooLong { hop: route.hop_name.clone(), what });
        }
    }
    let mut size = 0;
    for (ix, (name, value)) in outgoing.headers.iter().enumerate() {
        if name.len() > LONGEST_NAME {
            return Err(route.unsendable(name, "the name of an AMQP header has at most 255 bytes"));
        }
        if outgoing.headers[..ix].iter().any(|(earlier, _)| earlier == name) {
            return Err(route.unsendable(name, "the AMQP client sends each name once"));
        }
        // Both have a length, and the value a type.
        size += name.len() + value.len() + 6;
        if size > LARGEST_HEADERS {
            return Err(route.unsendable(name, "the headers exceed the frame of RabbitMQ, 128 KiB"));
        }
    }
    Ok(())
}

impl RabbitMq {
    pub(super) fn new(routes: &[DriveRoute]) -> Result<Self, DriverError> {
        let mut all = Self { connections: HashMap::new(), channels: HashMap::new() };
        for route in routes.iter().filter(|route| matches!(route.way, Way::RabbitMq { .. })) {
            all.connections.insert(route.broker.clone(), Mutex::default());
            all.channels.insert(route.hop, Mutex::default());
        }
        Ok(all)
    }

    pub(super) async fn send(&self, route: &DriveRoute, outgoing: OutgoingRequest) -> Answer {
        let channel = match self.channel(route).await {
            Ok(channel) => channel,
            Err(error) => return Answer::Failed(route.unreachable(&words(&error))),
        };
        match publish(&channel, route, outgoing).await {
            Ok(Confirmation::Nack(_)) => {
                Answer::Failed(route.refused("the broker answered with basic.nack; its queue may be full"))
            }
            Ok(confirmation) => match confirmation.take_message() {
                Some(returned) => {
                    let why = format!("{} {}", returned.reply_code, returned.reply_text);
                    Answer::Failed(route.refused(&unroutable(route, &why)))
                }
                None => Answer::Accepted,
            },
            Err(error) if error.is_amqp_error() => Answer::Failed(route.refused(&words(&error))),
            Err(error) => Answer::Failed(route.broken_off(&words(&error))),
        }
    }

    /// Returns the channel of the hop, a new one if it is missing or the broker has closed it.
    async fn channel(&self, route: &DriveRoute) -> lapin::Result<Channel> {
        let mut slot = self.channels[&route.hop].lock().await;
        if let Some(channel) = slot.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.opened(route).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(slot.insert(channel).clone())
    }

    async fn opened(&self, route: &DriveRoute) -> lapin::Result<Channel> {
        let mut slot = self.connections[&route.broker].lock().await;
        let alive = slot.take_if(|connection| connection.status().connected());
        let connection = match alive {
            Some(connection) => connection,
            None => Connection::connect(&route.broker, ConnectionProperties::default()).await?,
        };
        slot.insert(connection).create_channel().await
    }
}

async fn publish(
    channel: &Channel,
    route: &DriveRoute,
    outgoing: OutgoingRequest,
) -> lapin::Result<Confirmation> {
    let mut headers = FieldTable::default();
    for (name, value) in outgoing.headers {
        headers.insert(short(&name), AMQPValue::LongString(value.into()));
    }
    let mut properties = BasicProperties::default().with_headers(headers);
    properties = match &route.body {
        Payload::Empty => properties,
        Payload::Instruction => properties.with_content_type("application/json".into()),
        Payload::Bytes { content_type, .. } => properties.with_content_type(short(content_type)),
    };
    let (exchange, routing_key) = destination(route);
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let sent =
        channel.basic_publish(short(exchange), short(routing_key), options, &outgoing.body, properties);
    sent.await?.await
}

fn destination(route: &DriveRoute) -> (&str, &str) {
    match &route.way {
        Way::RabbitMq { exchange, routing_key } => (exchange, routing_key),
        Way::Http { .. } | Way::Grpc { .. } | Way::Kafka { .. } | Way::Sqs { .. } => {
            unreachable!("only hops through RabbitMQ are sent here")
        }
    }
}

/// Converts a checked name; a content type that is too long becomes empty.
fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
}

fn unroutable(route: &DriveRoute, why: &str) -> String {
    match destination(route) {
        ("", queue) => format!("there is no queue `{queue}` ({why}); name the queue that the consumer reads"),
        (exchange, routing_key) => format!(
            "no queue is bound to exchange `{exchange}` with routing key `{routing_key}` ({why}); bind the queue of the \
             consumer, or correct `exchange` and `routing-key` of the hop"
        ),
    }
}

/// Returns the error that the broker reports, otherwise that of the client or the machine.
fn words(error: &lapin::Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(said) => format!("{} {}", said.get_id(), said.get_message()),
        ErrorKind::IOError(cause) => cause.to_string(),
        _ => error.to_string(),
    }
}
