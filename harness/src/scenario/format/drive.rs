//! The keys of a drive.

use crate::scenario::pattern::{DURATION, FIELD_LINE, HEADER, LINE, NAME, ORIGIN, TEXT};
use crate::scenario::shape::{Object, Shape, Words, may, must};
use Shape::{Bool, Either, Json, Named, OneOrList, Whole};

pub(super) static DRIVE: Object = Object {
    what: "a drive",
    keys: &[
        must("send", Shape::Text(&NAME), "a hop from `client`"),
        may("times", Whole { min: 1, max: 1_000_000 }, "how many stimuli; 1 by default"),
        may("concurrency", Whole { min: 1, max: 10_000 }, "how many at once, at most; 1 by default"),
        may(
            "sampled",
            OneOrList(&Bool),
            "the sampled flag of the traceparent that is sent; true by default; a list is a matrix",
        ),
        may(
            "decision",
            Shape::Words(&OPEN_DECISIONS),
            "in place of `sampled`: `debug` is sampled whatever a sampler decides, `deferred` leaves the decision to the \
             receiver; in formats that have a word for it",
        ),
        may("random", Bool, "the random flag (level 2) of the traceparent that is sent; false by default"),
        may(
            "context",
            Either(&[Shape::Words(&CONTEXTS), Shape::Object(&INVALID)]),
            "`none`: no traceparent; `invalid`: one that does not parse; by default a valid one",
        ),
        may(
            "root",
            Shape::Words(&DECISIONS),
            "with `context`: what the root sampler of the receiver must decide",
        ),
        may(
            "headers",
            Named { names: &HEADER, of: &OneOrList(&Shape::Text(&TEXT)) },
            "in this order; a list sends a line for each value",
        ),
        may(
            "raw-headers",
            Shape::List(&Shape::Text(&FIELD_LINE)),
            "field lines such as `Traceparent: 00-${trace-id}-${parent-id}-01`, sent before `headers` as they are written: \
             in any case and number, and in place of `context`",
        ),
        may(
            "query",
            Named { names: &LINE, of: &OneOrList(&Shape::Text(&TEXT)) },
            "the query of the request, encoded as it is sent, in this order; a list repeats the parameter",
        ),
        may("body", Json, "text is sent as it is, a mapping or list as JSON"),
        may(
            "upgrade",
            Shape::Words(&UPGRADES),
            "over HTTP/1.1: `websocket` opens one, and sends `body` as a message, which the receiver is to send back",
        ),
        may(
            "origin",
            Shape::Text(&ORIGIN),
            "over HTTP: the requests come from a page of this origin, such as `https://shop.example`; a preflight is sent first, \
             and its answer must allow the headers of the context",
        ),
        may(
            "within",
            Shape::Text(&DURATION),
            "how long to wait for one answer; the scenario's timeout by default",
        ),
        may(
            "hangs-up-after",
            Shape::Text(&DURATION),
            "the client closes the connection after this time, without waiting for the answer",
        ),
        may(
            "answers",
            Whole { min: 0, max: 599 },
            "the HTTP status or gRPC code that is expected; by default any below 400, or OK",
        ),
        may(
            "canary",
            Bool,
            "false: no further request after the story shows that a service has exported its spans; true by default",
        ),
    ],
    tag: None,
};

static CONTEXTS: Words = Words { what: "context", words: || vec!["none", "invalid"], later: &[] };
static UPGRADES: Words = Words { what: "upgrade", words: || vec!["websocket"], later: &[] };
static OPEN_DECISIONS: Words = Words { what: "decision", words: || vec!["debug", "deferred"], later: &[] };
static DECISIONS: Words = Words { what: "decision", words: || vec!["sampled", "unsampled"], later: &[] };

static INVALID: Object = Object {
    what: "`context`",
    keys: &[must(
        "invalid",
        Shape::Text(&LINE),
        "the traceparent, `${trace-id}` and `${parent-id}` filled in",
    )],
    tag: None,
};
