//! Hops through a broker: where a message goes, and who reads it there.

use std::time::Duration;

use super::index::NodeIx;

#[derive(Clone, Debug)]
pub struct KafkaHop {
    /// The broker's node.
    pub via: NodeIx,
    pub topic: String,
    /// The consumer group; default the receiver's name.
    pub group: String,
    /// The key of a record that the driver or a relay sends; without one any partition.
    pub key: Option<String>,
    /// Of the topic; default 1.
    pub partitions: u16,
    /// Up to so many records are processed at a time, and a relay sends several in one batch.
    pub batch: Option<u32>,
}

/// RabbitMQ, "Direct Reply-to": the queue that a client consumes to get answers without declaring one. Who answers
/// publishes to a name of the broker's that begins with it and a dot.
pub const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

#[derive(Clone, Debug)]
pub struct RabbitMqHop {
    pub via: NodeIx,
    /// `None` is the default exchange, whose routing key is the queue's name.
    pub exchange: Option<AmqpExchange>,
    /// The key that messages are published with and, except for a fanout, that the queue is bound by.
    pub routing_key: String,
    /// The queue that the receiver reads.
    pub queue: String,
    /// Messages wait so long in a queue that nobody reads, `<queue>.delay`, and are moved on by the broker.
    pub delay: Option<Duration>,
    pub batch: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmqpExchange {
    pub name: String,
    pub kind: ExchangeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeKind {
    Direct,
    Fanout,
    Topic,
}

impl ExchangeKind {
    pub fn word(self) -> &'static str {
        match self {
            ExchangeKind::Direct => "direct",
            ExchangeKind::Fanout => "fanout",
            ExchangeKind::Topic => "topic",
        }
    }
}

#[derive(Clone, Debug)]
pub struct SqsHop {
    pub via: NodeIx,
    pub queue: String,
    pub batch: Option<u32>,
}

impl RabbitMqHop {
    /// Returns whether its queue is the broker's own for answers, which nobody declares.
    pub fn is_direct_reply(&self) -> bool {
        self.queue == DIRECT_REPLY_TO
    }

    /// Returns where it is published: exchange (empty for the default one) and routing key.
    pub fn published_to(&self) -> (&str, String) {
        match (&self.exchange, self.delay) {
            (Some(exchange), _) => (&exchange.name, self.routing_key.clone()),
            (None, Some(_)) => ("", self.delay_queue()),
            (None, None) => ("", self.queue.clone()),
        }
    }

    /// Returns whether what is published for one of the two reaches the other's queue; a fanout ignores routing keys.
    pub fn sent_alike(&self, other: &Self) -> bool {
        match (&self.exchange, &other.exchange) {
            (Some(one), Some(two)) if one.kind == ExchangeKind::Fanout => one == two,
            _ => self.published_to() == other.published_to(),
        }
    }

    /// Returns whether messages of this hop wait out their delay in `queue`.
    pub fn delays_in(&self, queue: &str) -> bool {
        self.delay.is_some() && self.delay_queue() == queue
    }

    /// Returns the queue in which messages wait out their delay.
    pub fn delay_queue(&self) -> String {
        format!("{}.delay", self.queue)
    }
}
