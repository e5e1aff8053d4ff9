//! The format of a scenario file, as tables: each key with its shape and what it is for.

use super::expectation::Expectation;
use super::pattern::{DURATION, FAULT, GRPC_METHOD, HEADER, LINE, METHOD, NAME, PATH, TEXT, URL, VARIABLE};
use super::shape::{Key, Kind, Object, Shape, Tag, Words, may, must};
use Shape::{Bool, Either, Json, List, Named, OneOrList, True, Whole};

pub(super) static SCENARIO: Object = Object {
    what: "a scenario",
    keys: &[
        must("scenario", Shape::Text(&LINE), "its name, unique among the scenarios of a run"),
        may("about", Shape::Text(&TEXT), "what the story is, and why it matters"),
        must(
            "nodes",
            Named { names: &NAME, of: &Shape::Object(&NODE) },
            "the services of the story; `client` is always there",
        ),
        must(
            "hops",
            Named { names: &NAME, of: &Shape::Object(&HOP) },
            "the crossings between nodes, each with the relation it must keep",
        ),
        must("drive", List(&Shape::Object(&DRIVE)), "what is sent to start the story"),
        may("expect", List(&Shape::Words(&RULES)), "which rules count; left out, every rule that applies"),
        may(
            "timeout",
            Shape::Text(&DURATION),
            "how long one case may take before what is missing is judged missing; 10s when left out",
        ),
    ],
    tag: None,
};

static NODE: Object = Object {
    what: "a node",
    keys: &[],
    tag: Some(&Tag {
        what: "kind",
        kinds: &[
            Kind {
                key: must(
                    "relay",
                    OneOrList(&Shape::Words(&RELAYS)),
                    "a reference service that comes with unbroken; a list is a matrix",
                ),
                with: &[RELAY_KEYS, PROCESS_KEYS, SERVICE_KEYS, MARKER_KEYS],
            },
            Kind {
                key: must(
                    "command",
                    List(&Shape::Text(&TEXT)),
                    "your service as a process: program and arguments, with templates",
                ),
                with: &[COMMAND_KEYS, PROCESS_KEYS, SERVICE_KEYS, MARKER_KEYS],
            },
            Kind {
                key: must(
                    "url",
                    Either(&[Shape::Text(&URL), Shape::Object(&URLS)]),
                    "a service that already runs",
                ),
                with: &[SERVICE_KEYS, MARKER_KEYS],
            },
            Kind {
                key: must("stub", Shape::Object(&STUB), "the harness answers in place of a dependency"),
                with: &[MARKER_KEYS],
            },
        ],
        later: &["image", "gateway", "collector", "kafka", "rabbitmq", "sqs"],
    }),
};

static RELAYS: Words =
    Words { what: "relay", words: || vec!["model", "rust"], later: &["python", "go", "java", "node"] };

static RELAY_KEYS: &[Key] = &[
    may("fault", OneOrList(&Shape::Text(&FAULT)), "defects of the model relay that are switched on"),
    may("propagators", OneOrList(&Shape::Text(&LINE)), "`OTEL_PROPAGATORS` of the relay; a list is a matrix"),
];

static PROCESS_KEYS: &[Key] = &[
    may("env", Named { names: &VARIABLE, of: &Shape::Text(&TEXT) }, "environment variables, with templates"),
    may("stop", Shape::Words(&SIGNALS), "the signal that ends it; SIGTERM when left out"),
];

static COMMAND_KEYS: &[Key] = &[
    may(
        "cwd",
        Shape::Text(&LINE),
        "working directory, relative to the scenario file; its folder when left out",
    ),
    may("port", Whole { min: 1, max: 65_535 }, "a fixed port; left out, `${self.port}` is a free one"),
    may(
        "ready",
        Shape::Object(&READY),
        "how it shows that it is ready; left out, its port accepts a connection",
    ),
    may("ready-within", Shape::Text(&DURATION), "how long it may take to become ready; 30s when left out"),
];

static SERVICE_KEYS: &[Key] = &[
    may(
        "role",
        Shape::Words(&ROLES),
        "`participant` traces (the default); `forwarder` passes the context through unchanged",
    ),
    may(
        "service",
        Shape::Text(&LINE),
        "the `service.name` by which its spans are told apart where its endpoint does not",
    ),
    may("telemetry", Shape::Words(&NONE), "`none`: no spans are due from it"),
    may(
        "tracestate-key",
        Shape::Text(&LINE),
        "its own member of tracestate, which it may change and move to the front",
    ),
    may("sets-baggage", List(&Shape::Text(&LINE)), "the baggage keys that it adds or changes itself"),
    may("level", Whole { min: 1, max: 2 }, "the level of W3C Trace Context that it keeps; 1 when left out"),
];

static MARKER_KEYS: &[Key] = &[may("marker", Shape::Object(&MARKER), "where its requests carry `${mark}`")];

static SIGNALS: Words = Words { what: "signal", words: || vec!["SIGTERM", "SIGINT"], later: &[] };
static ROLES: Words = Words { what: "role", words: || vec!["participant", "forwarder"], later: &[] };
static NONE: Words = Words { what: "word", words: || vec!["none"], later: &[] };

static URLS: Object = Object {
    what: "`url`",
    keys: &[
        may("http", Shape::Text(&URL), "where it serves HTTP"),
        may("grpc", Shape::Text(&URL), "where it serves gRPC"),
    ],
    tag: None,
};

static READY: Object = Object {
    what: "`ready`",
    keys: &[],
    tag: Some(&Tag {
        what: "sign",
        kinds: &[
            Kind {
                key: must(
                    "http",
                    Shape::Text(&PATH),
                    "a GET of this path is answered with a status below 400",
                ),
                with: &[],
            },
            Kind { key: must("tcp", True, "its port accepts a connection"), with: &[] },
            Kind {
                key: must("grpc-health", Shape::Object(&HEALTH), "its gRPC health service says SERVING"),
                with: &[],
            },
            Kind {
                key: must("output", Shape::Text(&LINE), "a line of its output contains this text"),
                with: &[],
            },
        ],
        later: &[],
    }),
};

static HEALTH: Object = Object {
    what: "`grpc-health`",
    keys: &[may(
        "service",
        Shape::Text(&LINE),
        "the service that is asked for; the whole server when left out",
    )],
    tag: None,
};

static STUB: Object = Object {
    what: "`stub`",
    keys: &[may("answers", List(&ANSWER), "in order, the last one repeated; 200 and OK when left out")],
    tag: None,
};

static ANSWER: Shape =
    Either(&[Whole { min: 100, max: 599 }, Shape::Words(&HANG_UP), Shape::Object(&FULL_ANSWER)]);
static HANG_UP: Words = Words { what: "answer", words: || vec!["hang-up"], later: &[] };

static FULL_ANSWER: Object = Object {
    what: "an answer",
    keys: &[],
    tag: Some(&Tag {
        what: "kind",
        kinds: &[
            Kind {
                key: must("status", Whole { min: 100, max: 599 }, "an HTTP status"),
                with: &[&[
                    may("json", Json, "a body that is sent as JSON"),
                    may("body", Shape::Text(&TEXT), "a body that is sent as it is"),
                    may("content-type", Shape::Text(&LINE), "of `body`; text/plain when left out"),
                ]],
            },
            Kind { key: must("grpc", Whole { min: 0, max: 16 }, "a gRPC status code; 0 is OK"), with: &[] },
        ],
        later: &[],
    }),
};

static MARKER: Object = Object {
    what: "`marker`",
    keys: &[],
    tag: Some(&Tag {
        what: "place",
        kinds: &[
            Kind { key: must("header", Shape::Text(&HEADER), "the value of this header field"), with: &[] },
            Kind { key: must("path", True, "a segment of the path, wherever it stands"), with: &[] },
            Kind {
                key: must("body", Shape::Text(&LINE), "this member of a JSON body; dots go deeper"),
                with: &[],
            },
            Kind { key: must("query", Shape::Text(&LINE), "the value of this query parameter"), with: &[] },
        ],
        later: &[],
    }),
};

static HOP: Object = Object {
    what: "a hop",
    keys: &[
        may("relation", Shape::Words(&RELATIONS), "what the hop must keep; `child` when left out"),
        may(
            "at",
            Shape::Words(&SIDES),
            "who begins the new trace of `restart` and `restart-with-link`; `sender` when left out",
        ),
        may(
            "times",
            Either(&[Whole { min: 0, max: 10_000 }, Shape::Object(&TIMES)]),
            "how many crossings one crossing of `within` causes; 1 when left out",
        ),
        may(
            "within",
            Shape::Text(&NAME),
            "the hop that causes this one; left out, the only hop that ends at `from`",
        ),
        may(
            "steps",
            List(&Either(&[Shape::Words(&PLAIN_STEPS), Shape::Object(&STEP)])),
            "what a relay does on the way, outermost first",
        ),
        may("baggage", Shape::Words(&KEPT), "`kept`: baggage goes on although a new trace begins"),
        may("host", Shape::Text(&LINE), "the `Host` or `:authority` that the receiver is to see"),
        may("tap", Shape::Words(&NONE), "`none`: judged without a wire witness"),
    ],
    tag: Some(&Tag {
        what: "transport",
        kinds: &[
            Kind { key: must("http", Shape::Object(&HTTP), "over HTTP/1.1 or HTTP/2"), with: &[] },
            Kind { key: must("grpc", Shape::Object(&GRPC), "over gRPC"), with: &[] },
        ],
        later: &["kafka", "rabbitmq", "sqs"],
    }),
};

static HTTP: Object = Object {
    what: "`http`",
    keys: &[
        must("from", Shape::Text(&NAME), "the node that calls"),
        must("to", Shape::Text(&NAME), "the node that is called"),
        may("method", Shape::Text(&METHOD), "any when left out"),
        may(
            "path",
            Shape::Text(&PATH),
            "any when left out; `{name}` stands for one segment, a last `*` for the rest",
        ),
        may("version", Whole { min: 1, max: 2 }, "how the driver speaks: HTTP/1.1 (the default) or HTTP/2"),
        may("tls", True, "the receiver speaks TLS"),
    ],
    tag: None,
};

static GRPC: Object = Object {
    what: "`grpc`",
    keys: &[
        must("from", Shape::Text(&NAME), "the node that calls"),
        must("to", Shape::Text(&NAME), "the node that is called"),
        may("method", Shape::Text(&GRPC_METHOD), "any when left out"),
        may("stream", True, "a streaming call"),
        may("tls", True, "the receiver speaks TLS"),
    ],
    tag: None,
};

static RELATIONS: Words = Words {
    what: "relation",
    words: || vec!["child", "child-or-link", "link", "restart", "restart-with-link", "unchanged", "none"],
    later: &[],
};
static SIDES: Words = Words { what: "side", words: || vec!["sender", "receiver"], later: &[] };
static KEPT: Words = Words { what: "word", words: || vec!["kept"], later: &[] };
static PLAIN_STEPS: Words = Words { what: "step", words: || vec!["spawn", "restart"], later: &[] };
static FAILURES: Words =
    Words { what: "failure", words: || vec!["500", "panic"], later: &["nack", "reject"] };

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
            Kind { key: must("wait", Shape::Text(&DURATION), "the sender waits before it calls"), with: &[] },
            Kind {
                key: must(
                    "retry",
                    Whole { min: 1, max: 100 },
                    "the sender calls up to so many times until it succeeds",
                ),
                with: &[],
            },
            Kind { key: must("log", Shape::Text(&LINE), "the sender writes a log record"), with: &[] },
            Kind { key: must("fail", Shape::Words(&FAILURES), "the receiver fails at the end"), with: &[] },
        ],
        later: &[],
    }),
};

static DRIVE: Object = Object {
    what: "a drive",
    keys: &[
        must("send", Shape::Text(&NAME), "a hop from `client`"),
        may("times", Whole { min: 1, max: 1_000_000 }, "how many stimuli; 1 when left out"),
        may("concurrency", Whole { min: 1, max: 10_000 }, "how many at once, at most; 1 when left out"),
        may(
            "sampled",
            OneOrList(&Bool),
            "the sampled flag of the traceparent that is sent; true when left out; a list is a matrix",
        ),
        may("random", Bool, "the random flag (level 2) of the traceparent that is sent; false when left out"),
        may(
            "context",
            Either(&[Shape::Words(&CONTEXTS), Shape::Object(&INVALID)]),
            "`none`: no traceparent; `invalid`: one that does not parse; left out, a valid one",
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
        may("body", Json, "text is sent as it is, a mapping or list as JSON"),
        may(
            "within",
            Shape::Text(&DURATION),
            "how long one answer may take; the scenario's timeout when left out",
        ),
        may(
            "answers",
            Whole { min: 0, max: 599 },
            "the HTTP status or gRPC code that is expected; left out, any below 400, or OK",
        ),
    ],
    tag: None,
};

static CONTEXTS: Words = Words { what: "context", words: || vec!["none", "invalid"], later: &[] };
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

static RULES: Words =
    Words { what: "rule", words: || Expectation::ALL.iter().map(|rule| rule.id()).collect(), later: &[] };
