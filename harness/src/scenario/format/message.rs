//! The keys of a hop through a broker, by its transport.

use crate::scenario::pattern::{AMQP_KEY, AMQP_NAME, AMQP_QUEUE, DURATION, LINE, NAME, SQS_QUEUE, TOPIC};
use crate::scenario::shape::{KeyShape, Object, Shape, Words, may, must};
use Shape::Whole;

const FROM: KeyShape = must("from", Shape::Text(&NAME), "the node that sends");
const TO: KeyShape = must("to", Shape::Text(&NAME), "the node that reads");
const BATCH: &str =
    "how many messages are processed at once, at most; a relay sends `times` messages in one batch";

pub(super) static KAFKA: Object = Object {
    what: "`kafka`",
    keys: &[
        FROM,
        TO,
        must("via", Shape::Text(&NAME), "the broker, a `kafka` node"),
        must("topic", Shape::Text(&TOPIC), "the topic, created before the nodes start"),
        may("group", Shape::Text(&LINE), "the receiver's consumer group; the receiver's name by default"),
        may("key", Shape::Text(&LINE), "of the record that the driver or a relay sends; none by default"),
        may("partitions", Whole { min: 1, max: 1_000 }, "of the topic; 1 by default"),
        may("batch", Whole { min: 1, max: 1_000 }, BATCH),
    ],
    tag: None,
};

pub(super) static RABBITMQ: Object = Object {
    what: "`rabbitmq`",
    keys: &[
        FROM,
        TO,
        must("via", Shape::Text(&NAME), "the broker, a `rabbitmq` node"),
        must(
            "queue",
            Shape::Text(&AMQP_QUEUE),
            "the queue that the receiver reads, created before the nodes start; `amq.rabbitmq.reply-to` for answers",
        ),
        may("exchange", Shape::Text(&AMQP_NAME), "published to it; the default exchange by default"),
        may("exchange-type", Shape::Words(&EXCHANGE_TYPES), "`direct` by default"),
        may(
            "routing-key",
            Shape::Text(&AMQP_KEY),
            "published with it, and the queue bound by it; the queue's name by default",
        ),
        may(
            "delay",
            Shape::Text(&DURATION),
            "how long messages wait in the queue `<queue>.delay` before the broker moves them",
        ),
        may("batch", Whole { min: 1, max: 1_000 }, BATCH),
    ],
    tag: None,
};

pub(super) static SQS: Object = Object {
    what: "`sqs`",
    keys: &[
        FROM,
        TO,
        must("via", Shape::Text(&NAME), "the broker, an `sqs` node"),
        must("queue", Shape::Text(&SQS_QUEUE), "the queue, created before the nodes start"),
        may("batch", Whole { min: 1, max: 10 }, BATCH),
    ],
    tag: None,
};

static EXCHANGE_TYPES: Words =
    Words { what: "exchange type", words: || vec!["direct", "fanout", "topic"], later: &[] };
