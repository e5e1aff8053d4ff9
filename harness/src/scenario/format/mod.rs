//! The format of a scenario file, as tables: each key with its shape and what it is for.

mod collector;
mod drive;
mod expect_traces;
mod hop;
mod message;
mod node;
mod words;

use super::expectation::Expectation;
use super::pattern::{DURATION, LINE, LISTEN, NAME, TEXT};
use super::shape::{Object, Shape, Words, may, must};
use Shape::{List, Named};
use drive::DRIVE;
use expect_traces::TRACE_EXPECTATION;
use hop::HOP;
use node::NODE;
use words::FORMATS;

pub(super) static SCENARIO: Object = Object {
    what: "a scenario",
    keys: &[
        must("scenario", Shape::Text(&LINE), "its name, unique among the scenarios of a run"),
        may("about", Shape::Text(&TEXT), "what the story is, and why it matters"),
        must(
            "nodes",
            Named { names: &NAME, of: &Shape::Object(&NODE) },
            "the services of the story; `client`, the driver, always exists",
        ),
        must(
            "hops",
            Named { names: &NAME, of: &Shape::Object(&HOP) },
            "the crossings between nodes, each with the relation it must keep",
        ),
        must("drive", List(&Shape::Object(&DRIVE)), "what is sent to start the story"),
        may(
            "formats",
            FORMATS,
            "the formats in which every hop must carry the context, unless its sender or the hop says otherwise; \
             `tracecontext` by default",
        ),
        may(
            "otlp",
            Shape::Object(&OTLP),
            "`{ listen: 127.0.0.1:4318 }`: one OTLP endpoint, gRPC and HTTP alike, that is the same in every run",
        ),
        may(
            "expect",
            List(&Shape::Words(&RULES)),
            "which rules to judge; by default every rule that applies",
        ),
        may(
            "expect-traces",
            List(&Shape::Object(&TRACE_EXPECTATION)),
            "what must become of traces behind the collectors; the first that applies to a trace decides",
        ),
        may(
            "timeout",
            Shape::Text(&DURATION),
            "how long to wait for one answer, and after the last answer for what is missing; 10s by default",
        ),
    ],
    tag: None,
};

static OTLP: Object = Object {
    what: "`otlp`",
    keys: &[must(
        "listen",
        Shape::Text(&LISTEN),
        "where nodes that are configured once export; `service.name` says of which node a span is",
    )],
    tag: None,
};

static RULES: Words =
    Words { what: "rule", words: || Expectation::ALL.iter().map(|rule| rule.id()).collect(), later: &[] };
