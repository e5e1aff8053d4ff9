//! The keys of a node, by its kind.

use super::collector::{COLLECTOR, COLLECTOR_KEYS, EXPORT_KEYS};
use super::words::{FORMATS, NONE};
use crate::scenario::gateway::GatewayProduct;
use crate::scenario::node::{Role, StrippedField, Trust};
use crate::scenario::pattern::{
    ABSOLUTE, DURATION, FAULT, FILE_NAME, HEADER, IMAGE, LINE, PATH, TEXT, URL, VARIABLE,
};
use crate::scenario::shape::{KeyShape, Object, Shape, Tag, TaggedKind, Words, may, must};
use Shape::{Either, Json, List, Named, OneOrList, True, Whole};

pub(super) static NODE: Object = Object {
    what: "a node",
    keys: &[],
    tag: Some(&Tag {
        what: "kind",
        kinds: &[
            TaggedKind {
                key: must(
                    "relay",
                    OneOrList(&Shape::Words(&RELAYS)),
                    "a reference service that comes with unbroken; a list is a matrix",
                ),
                with: &[RELAY_KEYS, PROCESS_KEYS, EXPORT_KEYS, SERVICE_KEYS, MARKER_KEYS],
            },
            TaggedKind {
                key: must(
                    "command",
                    List(&Shape::Text(&TEXT)),
                    "your service as a process: program and arguments, with templates",
                ),
                with: &[COMMAND_KEYS, READY_KEYS, PROCESS_KEYS, EXPORT_KEYS, SERVICE_KEYS, MARKER_KEYS],
            },
            TaggedKind {
                key: must(
                    "gateway",
                    Either(&[
                        Shape::Words(&GATEWAYS),
                        List(&Shape::Words(&GATEWAYS)),
                        Shape::Object(&OWN_GATEWAY),
                    ]),
                    "a proxy as a process, with a configuration that comes along or with yours; a list is a matrix",
                ),
                with: &[GATEWAY_KEYS, READY_KEYS, PROCESS_KEYS, EXPORT_KEYS, SERVICE_KEYS, MARKER_KEYS],
            },
            TaggedKind {
                key: must(
                    "image",
                    Shape::Text(&IMAGE),
                    "your service as a container: the name of its image, in which `${env.NAME}` and `${secret.NAME}` may stand",
                ),
                with: &[IMAGE_KEYS, READY_KEYS, PROCESS_KEYS, EXPORT_KEYS, SERVICE_KEYS, MARKER_KEYS],
            },
            TaggedKind {
                key: must(
                    "url",
                    Either(&[Shape::Text(&URL), Shape::Object(&URLS)]),
                    "a service that already runs",
                ),
                with: &[SERVICE_KEYS, MARKER_KEYS],
            },
            TaggedKind {
                key: must("stub", Shape::Object(&STUB), "the harness answers in place of a dependency"),
                with: &[MARKER_KEYS],
            },
            TaggedKind {
                key: must(
                    "in-process",
                    True,
                    "a service that the test starts in its own process (`cargo test`)",
                ),
                with: &[EXPORT_KEYS, SERVICE_KEYS, MARKER_KEYS],
            },
            TaggedKind {
                key: must(
                    "collector",
                    Shape::Object(&COLLECTOR),
                    "an OpenTelemetry Collector as a process, between nodes with `exports-to` and the sink",
                ),
                with: &[COLLECTOR_KEYS, READY_KEYS, PROCESS_KEYS],
            },
            TaggedKind { key: must("kafka", Shape::Object(&KAFKA), "a Kafka broker"), with: &[] },
            TaggedKind { key: must("rabbitmq", Shape::Object(&RABBITMQ), "a RabbitMQ broker"), with: &[] },
            TaggedKind { key: must("sqs", Shape::Object(&SQS), "an SQS endpoint"), with: &[] },
        ],
        later: &[],
    }),
};

const BROKER_IMAGE: KeyShape =
    may("image", Shape::Text(&IMAGE), "the image that is started where brokers run in containers");

static KAFKA: Object = Object {
    what: "`kafka`",
    keys: &[
        may("address", Shape::Text(&LINE), "`host:port` of one that runs already; by default one is started"),
        BROKER_IMAGE,
    ],
    tag: None,
};
static RABBITMQ: Object = Object {
    what: "`rabbitmq`",
    keys: &[
        may(
            "address",
            Shape::Text(&LINE),
            "`amqp://user:password@host:port/vhost` of one that runs already; by default one is started",
        ),
        BROKER_IMAGE,
    ],
    tag: None,
};
static SQS: Object = Object {
    what: "`sqs`",
    keys: &[
        may(
            "address",
            Shape::Text(&LINE),
            "`http://host:port` of one that runs already; by default one is started",
        ),
        BROKER_IMAGE,
    ],
    tag: None,
};

static RELAYS: Words =
    Words { what: "relay", words: || vec!["model", "rust"], later: &["python", "go", "java", "node"] };

static RELAY_KEYS: &[KeyShape] = &[
    may("fault", OneOrList(&Shape::Text(&FAULT)), "faults of the model relay to switch on"),
    may("propagators", OneOrList(&Shape::Text(&LINE)), "`OTEL_PROPAGATORS` of the relay; a list is a matrix"),
];

static PROCESS_KEYS: &[KeyShape] = &[
    may("env", Named { names: &VARIABLE, of: &Shape::Text(&TEXT) }, "environment variables, with templates"),
    may("stop", Shape::Words(&SIGNALS), "the signal that ends it; SIGTERM by default"),
    may(
        "needs",
        List(&Shape::Text(&LINE)),
        "nodes that must be ready before it is started, such as a database that no hop reaches",
    ),
];

static GATEWAYS: Words = Words {
    what: "gateway",
    words: || GatewayProduct::ALL.iter().map(|product| product.word()).collect(),
    later: &["trafficserver", "h2o", "sozu"],
};

/// One product with a configuration of the user's.
static OWN_GATEWAY: Object = Object {
    what: "`gateway`",
    keys: &[],
    tag: Some(&Tag {
        what: "product",
        kinds: &[
            own_gateway("nginx"),
            own_gateway("haproxy"),
            own_gateway("apache"),
            own_gateway("envoy"),
            own_gateway("traefik"),
            own_gateway("caddy"),
            own_gateway("varnish"),
            own_gateway("squid"),
        ],
        later: &[],
    }),
};

static OWN_CONFIG: Object = Object {
    what: "a configuration",
    keys: &[must("config", Shape::Text(&LINE), "a file with templates, relative to the scenario file")],
    tag: None,
};

const fn own_gateway(product: &'static str) -> TaggedKind {
    TaggedKind {
        key: must(product, Shape::Object(&OWN_CONFIG), "your configuration of this product"),
        with: &[],
    }
}

static GATEWAY_KEYS: &[KeyShape] =
    &[may("program", Shape::Text(&LINE), "its program, in place of the one in `PATH`")];

static STRIPPED: Words = Words {
    what: "field",
    words: || StrippedField::ALL.iter().map(|field| field.word()).collect(),
    later: &["traceparent", "tracestate"],
};

static COMMAND_KEYS: &[KeyShape] = &[
    may(
        "files",
        Named { names: &FILE_NAME, of: &Shape::Text(&LINE) },
        "files that are written into `${self.dir}`: name, and the file with templates, relative to the scenario file",
    ),
    may("cwd", Shape::Text(&LINE), "working directory, relative to the scenario file; its folder by default"),
    may("port", Whole { min: 1, max: 65_535 }, "a fixed port; by default `${self.port}` is a free one"),
];

static IMAGE_KEYS: &[KeyShape] = &[
    may(
        "args",
        List(&Shape::Text(&TEXT)),
        "arguments in place of the image's own command, with templates; its entry point stays",
    ),
    may("mounts", List(&Shape::Object(&MOUNT)), "files and folders that it finds in its container"),
    may(
        "port",
        Whole { min: 1, max: 65_535 },
        "where it listens inside its container, HTTP and gRPC alike; omit it where nothing calls it",
    ),
];

static MOUNT: Object = Object {
    what: "a mount",
    keys: &[
        must("from", Shape::Text(&LINE), "a file or folder, relative to the scenario file"),
        must("to", Shape::Text(&ABSOLUTE), "where the container finds it"),
        may("templates", Shape::Bool, "`true`: the templates in the text file are filled"),
    ],
    tag: None,
};

static READY_KEYS: &[KeyShape] = &[
    may(
        "ready",
        Shape::Object(&READY),
        "how to detect that it is ready; by default its port accepts a connection",
    ),
    may("ready-within", Shape::Text(&DURATION), "how long it may take to become ready; 30s by default"),
];

static SERVICE_KEYS: &[KeyShape] = &[
    may(
        "role",
        Shape::Words(&ROLES),
        "of a proxy: `participant` traces, `forwarder` passes the context through unchanged (the default of `gateway`)",
    ),
    may(
        "service",
        Shape::Text(&LINE),
        "the `service.name` by which its spans are recognised where its endpoint is not ours",
    ),
    may("telemetry", Shape::Words(&NONE), "`none`: it exports no spans"),
    may(
        "tracestate-key",
        Shape::Text(&LINE),
        "its own member of tracestate, which it may change and move to the front",
    ),
    may("formats", FORMATS, "the formats in which it injects the context; by default those of the scenario"),
    may(
        "strips",
        List(&Shape::Words(&STRIPPED)),
        "the fields that it is there to remove; baggage that passes is `baggage-leaked`",
    ),
    may(
        "adds",
        List(&Shape::Text(&HEADER)),
        "the headers that a gateway is there to add: without one of them a request behind it is `not-added`; `tracestate` is the \
         member of `tracestate-key`",
    ),
    may(
        "trust",
        Shape::Words(&TRUST),
        "of a gateway with `role: participant`: `continue` continues the trace that comes in (the default), `restart` starts a \
         new one, `ignore` passes the context through unread",
    ),
    may("limits", Shape::Object(&LIMITS), "what a gateway may refuse"),
    may("sets-baggage", List(&Shape::Text(&LINE)), "the baggage keys that it adds or changes itself"),
    may(
        "adds-baggage",
        Named { names: &HEADER, of: &Shape::Text(&TEXT) },
        "the baggage members that it adds to all that it sends: a value, or `any`; one that is missing is `baggage-lost`",
    ),
    may("level", Whole { min: 1, max: 2 }, "the level of W3C Trace Context that it keeps; 1 by default"),
];

static TRUST: Words =
    Words { what: "trust", words: || Trust::ALL.iter().map(|trust| trust.word()).collect(), later: &[] };

static LIMITS: Object = Object {
    what: "`limits`",
    keys: &[must(
        "header-bytes",
        Whole { min: 1, max: 1 << 20 },
        "the longest field line that it takes, name included: a longer one may be refused, and any other must not",
    )],
    tag: None,
};

static MARKER_KEYS: &[KeyShape] =
    &[may("marker", Shape::Object(&MARKER), "where its requests carry `${mark}`")];

static SIGNALS: Words = Words { what: "signal", words: || vec!["SIGTERM", "SIGINT"], later: &[] };
static ROLES: Words =
    Words { what: "role", words: || Role::ALL.iter().map(|role| role.word()).collect(), later: &[] };

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
            TaggedKind {
                key: must(
                    "http",
                    Shape::Text(&PATH),
                    "a GET of this path is answered with a status below 400",
                ),
                with: &[],
            },
            TaggedKind { key: must("tcp", True, "its port accepts a connection"), with: &[] },
            TaggedKind {
                key: must("grpc-health", Shape::Object(&HEALTH), "its gRPC health service answers SERVING"),
                with: &[],
            },
            TaggedKind {
                key: must("output", Shape::Text(&LINE), "a line of its output contains this text"),
                with: &[],
            },
        ],
        later: &[],
    }),
};

static HEALTH: Object = Object {
    what: "`grpc-health`",
    keys: &[may("service", Shape::Text(&LINE), "the service to check; the whole server by default")],
    tag: None,
};

static STUB: Object = Object {
    what: "`stub`",
    keys: &[may("answers", List(&ANSWER), "in order, the last one repeated; 200 and OK by default")],
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
            TaggedKind {
                key: must("status", Whole { min: 100, max: 599 }, "an HTTP status"),
                with: &[&[
                    may("json", Json, "a body that is sent as JSON"),
                    may("body", Shape::Text(&TEXT), "a body that is sent as it is"),
                    may("content-type", Shape::Text(&LINE), "of `body`; text/plain by default"),
                ]],
            },
            TaggedKind {
                key: must("grpc", Whole { min: 0, max: 16 }, "a gRPC status code; 0 is OK"),
                with: &[],
            },
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
            TaggedKind {
                key: must("header", Shape::Text(&HEADER), "the value of this header field"),
                with: &[],
            },
            TaggedKind { key: must("path", True, "a segment of the path, wherever it stands"), with: &[] },
            TaggedKind {
                key: must("body", Shape::Text(&LINE), "this member of a JSON body; dots go deeper"),
                with: &[],
            },
            TaggedKind {
                key: must("query", Shape::Text(&LINE), "the value of this query parameter"),
                with: &[],
            },
        ],
        later: &[],
    }),
};
