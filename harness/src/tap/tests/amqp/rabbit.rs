//! The stand-in with a tap before it, and what tests do with `lapin` in a line each.

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::*;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use stand_in_brokers::amqp::{Config, RabbitBroker};

use super::*;
use crate::evidence::MessageDirection;

pub struct Rabbit {
    pub broker: RabbitBroker,
    pub seen: Seen,
}

impl Rabbit {
    /// With these queues.
    pub async fn with(queues: &[&str]) -> Rabbit {
        let broker = RabbitBroker::start(Config::on("127.0.0.1:0".parse().unwrap())).await.unwrap();
        for queue in queues {
            broker.declare_queue(queue, &[]).unwrap();
        }
        let seen = Seen::with(amqp(), broker.address()).await;
        Rabbit { broker, seen }
    }

    /// Through the tap.
    pub async fn connect(&self) -> Connection {
        let url = format!("amqp://guest:guest@{}/%2f", self.seen.address());
        Connection::connect(&url, ConnectionProperties::default()).await.unwrap()
    }

    pub async fn channel(&self) -> (Connection, Channel) {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    /// A channel with confirms.
    pub async fn confirmed(&self) -> (Connection, Channel) {
        let (connection, channel) = self.channel().await;
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        (connection, channel)
    }

    /// So many captures, all of them ended; and nothing that was not read.
    pub async fn captures(&self, count: usize) -> Vec<Capture> {
        let captures = self.seen.captures(count).await;
        assert_eq!(captures.len(), count, "{captures:#?}");
        assert_eq!(self.seen.recorder.freeze().1, []);
        captures
    }

    /// The ends of what was published, or delivered, in its order.
    pub async fn ends(&self, count: usize, direction: MessageDirection) -> Vec<CaptureEnd> {
        let captures = self.captures(count).await;
        captures.into_iter().filter(|one| message(one).direction == direction).map(|one| one.end).collect()
    }
}

pub fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

pub fn headers(entries: &[(&str, AMQPValue)]) -> BasicProperties {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert((*name).into(), value.clone());
    }
    BasicProperties::default().with_headers(table)
}

/// Waits for the confirm, where there are confirms.
pub async fn publish(
    channel: &Channel,
    to: (&str, &str),
    body: &[u8],
    properties: BasicProperties,
) -> Confirmation {
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let sent = channel.basic_publish(to.0.into(), to.1.into(), options, body, properties).await;
    sent.unwrap().await.unwrap()
}

pub async fn send(channel: &Channel, queue: &str, body: &str) {
    publish(channel, ("", queue), body.as_bytes(), BasicProperties::default()).await;
}

pub async fn consume(channel: &Channel, queue: &str) -> Consumer {
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel.basic_consume(queue.into(), "".into(), options, arguments).await.unwrap()
}

pub async fn next(consumer: &mut Consumer) -> Delivery {
    tokio::time::timeout(DEADLINE, consumer.next()).await.expect("a delivery").unwrap().unwrap()
}
