//! The keys of a hop, by its transport.

use super::message::{KAFKA, RABBITMQ, SQS};
use super::words::{FORMATS, NONE};
use crate::scenario::pattern::{DURATION, GRPC_METHOD, JSON_PATH, LINE, LISTEN, METHOD, NAME, PATH};
use crate::scenario::shape::{Object, Shape, Tag, TaggedKind, Words, may, must};
use Shape::{Either, List, True, Whole};

pub(super) static HOP: Object = Object {
    what: "a hop",
    keys: &[
        may("relation", Shape::Words(&RELATIONS), "what the hop must keep; `child` by default"),
        may(
            "at",
            Shape::Words(&SIDES),
            "who starts the new trace of `restart` and `restart-with-link`; by default `sender` over HTTP and gRPC, \
             and `receiver` through a broker",
        ),
        may(
            "times",
            Either(&[Whole { min: 0, max: 10_000 }, Shape::Object(&TIMES)]),
            "how many crossings one crossing of `within` causes; 1 by default",
        ),
        may(
            "within",
            Shape::Text(&NAME),
            "the hop that causes this one; by default the only hop that ends at `from`",
        ),
        may(
            "steps",
            List(&Either(&[Shape::Words(&PLAIN_STEPS), Shape::Object(&STEP)])),
            "what a relay does around this hop, outermost first",
        ),
        may(
            "baggage",
            Shape::Words(&BAGGAGE),
            "`kept`: baggage is kept although a new trace starts; `dropped`: no baggage may cross",
        ),
        may(
            "carrier",
            Shape::Object(&CARRIER),
            "where the context stands instead of in headers: `{ json: params._meta }` for an object in the JSON body",
        ),
        may("host", Shape::Text(&LINE), "the `Host` or `:authority` that the tap sends to the receiver"),
        may(
            "tap",
            Either(&[Shape::Words(&NONE), Shape::Object(&TAP)]),
            "`none`: no tap: the hop is judged by the receiver's spans alone; `{ listen: 127.0.0.1:18080 }`: the tap's \
             address in every run",
        ),
        may(
            "formats",
            FORMATS,
            "the formats in which its wire must carry the context, the first one judged; by default those of its sender",
        ),
        may(
            "dead-letter-of",
            Shape::Text(&NAME),
            "the hop whose rejected messages the broker moves to this queue",
        ),
    ],
    tag: Some(&Tag {
        what: "transport",
        kinds: &[
            TaggedKind { key: must("http", Shape::Object(&HTTP), "over HTTP/1.1 or HTTP/2"), with: &[] },
            TaggedKind { key: must("grpc", Shape::Object(&GRPC), "over gRPC"), with: &[] },
            TaggedKind { key: must("kafka", Shape::Object(&KAFKA), "through a topic of Kafka"), with: &[] },
            TaggedKind {
                key: must("rabbitmq", Shape::Object(&RABBITMQ), "through a queue of RabbitMQ"),
                with: &[],
            },
            TaggedKind { key: must("sqs", Shape::Object(&SQS), "through a queue of SQS"), with: &[] },
        ],
        later: &[],
    }),
};

static CARRIER: Object = Object {
    what: "`carrier`",
    keys: &[must(
        "json",
        Shape::Text(&JSON_PATH),
        "the JSON object with the members `traceparent`, `tracestate` and `baggage`; `.` for the document itself",
    )],
    tag: None,
};

static TAP: Object = Object {
    what: "`tap`",
    keys: &[
        may(
            "listen",
            Shape::Text(&LISTEN),
            "where the tap listens in every run, for a sender that is configured once; on 127.0.0.1 by a port alone",
        ),
        may(
            "reader",
            Shape::Text(&LISTEN),
            "the same for the reader of a queue of RabbitMQ or SQS, which has a tap of its own",
        ),
    ],
    tag: None,
};

static HTTP: Object = Object {
    what: "`http`",
    keys: &[
        must("from", Shape::Text(&NAME), "the node that calls"),
        must("to", Shape::Text(&NAME), "the node that is called"),
        may("method", Shape::Text(&METHOD), "any by default"),
        may(
            "path",
            Shape::Text(&PATH),
            "any by default; `{name}` stands for one segment, a last `*` for the rest",
        ),
        may(
            "version",
            Whole { min: 1, max: 2 },
            "how the driver speaks, or a `gateway` with the configuration that comes along: HTTP/1.1 (the default) or HTTP/2",
        ),
        may("tls", True, "the receiver speaks TLS"),
        may(
            "client-certificate",
            Shape::Text(&LINE),
            "a PEM file with the certificate and the key that the tap presents to a receiver that asks for one",
        ),
    ],
    tag: None,
};

static GRPC: Object = Object {
    what: "`grpc`",
    keys: &[
        must("from", Shape::Text(&NAME), "the node that calls"),
        must("to", Shape::Text(&NAME), "the node that is called"),
        may("method", Shape::Text(&GRPC_METHOD), "any by default"),
        may("stream", True, "a streaming call"),
        may("tls", True, "the receiver speaks TLS"),
        may(
            "client-certificate",
            Shape::Text(&LINE),
            "a PEM file with the certificate and the key that the tap presents to a receiver that asks for one",
        ),
    ],
    tag: None,
};

static RELATIONS: Words = Words {
    what: "relation",
    words: || vec!["child", "child-or-link", "link", "restart", "restart-with-link", "unchanged", "none"],
    later: &[],
};
static SIDES: Words = Words { what: "side", words: || vec!["sender", "receiver"], later: &[] };
static BAGGAGE: Words = Words { what: "word", words: || vec!["kept", "dropped"], later: &[] };
static PLAIN_STEPS: Words = Words { what: "step", words: || vec!["spawn", "restart"], later: &[] };
static FAILURES: Words =
    Words { what: "failure", words: || vec!["500", "panic", "nack", "reject"], later: &[] };

static TIMES: Object = Object {
    what: "`times`",
    keys: &[
        must("min", Whole { min: 0, max: 10_000 }, "the fewest"),
        must("max", Whole { min: 1, max: 10_000 }, "the most"),
    ],
    tag: None,
};

static STEP: Object = Object {
    what: "a step",
    keys: &[],
    tag: Some(&Tag {
        what: "step",
        kinds: &[
            TaggedKind {
                key: must("wait", Shape::Text(&DURATION), "the sender waits before it calls"),
                with: &[],
            },
            TaggedKind {
                key: must(
                    "retry",
                    Whole { min: 1, max: 100 },
                    "the sender calls up to so many times until it succeeds",
                ),
                with: &[],
            },
            TaggedKind { key: must("log", Shape::Text(&LINE), "the sender writes a log record"), with: &[] },
            TaggedKind {
                key: must(
                    "fail",
                    Shape::Words(&FAILURES),
                    "the receiver fails at the end; `nack` returns a message once, `reject` rejects it",
                ),
                with: &[],
            },
        ],
        later: &[],
    }),
};
