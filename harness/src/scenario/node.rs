//! Nodes: the services of a story, and how each is started, found ready and stopped.

use std::time::Duration;

use super::Template;
use crate::source::Place;

/// Index into `Scenario::nodes`; 0 is `client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIx(pub usize);

impl NodeIx {
    pub const CLIENT: NodeIx = NodeIx(0);
}

#[derive(Clone, Debug)]
pub struct Node {
    pub name: String,
    pub place: Place,
    pub kind: NodeKind,
    pub role: Role,
    /// `service:`, the `service.name` by which spans are told apart where a Collector or a `url:` node hides
    /// the endpoint.
    pub service: Option<String>,
    /// False for `telemetry: none`: no spans are due from this node.
    pub telemetry: bool,
    /// `tracestate-key:`, the node's own member, which it may change and move to the front.
    pub tracestate_key: Option<String>,
    /// `sets-baggage:`, the keys that the node adds or changes itself.
    pub sets_baggage: Vec<String>,
    pub stop: StopSignal,
    /// How a capture sent by or arriving at this node shows which stimulus it belongs to.
    pub marker: Option<Marker>,
    /// W3C Trace Context level that the node keeps; level 1 is the default for services.
    pub level: SpecLevel,
}

#[derive(Clone, Debug)]
pub enum NodeKind {
    /// The harness itself.
    Client,
    Relay(Relay),
    Command(Command),
    /// `image:`, your service as a container.
    Image(Image),
    Url(Url),
    Stub(Stub),
    /// A service that lives in the test's own process (the builder of the `cargo test` door).
    InProcess,
    Broker(Broker),
}

/// `kafka:`, `rabbitmq:` or `sqs:`, which hops go through.
#[derive(Clone, Debug)]
pub struct Broker {
    pub kind: BrokerKind,
    /// Where one of yours runs already; otherwise the runtime starts one.
    pub address: Option<Template>,
    /// The image that is started where brokers run in containers; otherwise the runtime's own choice. Never together
    /// with `address`.
    pub image: Option<Template>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BrokerKind {
    Kafka,
    RabbitMq,
    Sqs,
}

impl BrokerKind {
    pub fn word(self) -> &'static str {
        match self {
            BrokerKind::Kafka => "kafka",
            BrokerKind::RabbitMq => "rabbitmq",
            BrokerKind::Sqs => "sqs",
        }
    }
}

/// Participant: traces. Forwarder: passes the context through unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Participant,
    Forwarder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpecLevel {
    One,
    Two,
}

/// `relay:`, a service that keeps the relay contract.
#[derive(Clone, Debug)]
pub struct Relay {
    /// `model` or `rust`: the relays that come with unbroken.
    pub implementation: String,
    /// Faults of the model relay, switched on by name.
    pub faults: Vec<String>,
    pub env: Vec<(String, Template)>,
}

/// `command:`, your service as a process.
#[derive(Clone, Debug)]
pub struct Command {
    /// Program and arguments; a relative program or path argument is looked up from the scenario's folder.
    pub argv: Vec<Template>,
    pub env: Vec<(String, Template)>,
    /// Working directory, relative to the scenario file; default the scenario's folder.
    pub cwd: Option<String>,
    pub ready: Ready,
    /// How long the program may take to become ready; default 30 s.
    pub ready_within: Duration,
    /// `port:`, a fixed port; otherwise `${self.port}` is a free one.
    pub port: Option<u16>,
    pub place: Place,
}

/// `image:`, your service as a container.
#[derive(Clone, Debug)]
pub struct Image {
    /// Text and `${env.NAME}` only.
    pub name: Template,
    /// In place of the image's own command; its entry point stays.
    pub args: Vec<Template>,
    pub env: Vec<(String, Template)>,
    pub mounts: Vec<Mount>,
    /// Where it listens inside its container, HTTP and gRPC alike, and what `${self.port}` is; `None` where nothing
    /// calls it.
    pub port: Option<u16>,
    /// By its port; always `Output` where there is none.
    pub ready: Ready,
    /// How long it may take to become ready; default 30 s.
    pub ready_within: Duration,
    pub place: Place,
}

/// A file or folder that a container finds in its own tree.
#[derive(Clone, Debug)]
pub struct Mount {
    /// File or folder, relative to the scenario file.
    pub from: String,
    /// Absolute path in the container.
    pub to: String,
    /// Whether the templates in the text file are filled (`Template::read`).
    pub templates: bool,
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// A GET of this path on `${self.port}` is answered with a status below 400.
    Http(String),
    /// `${self.port}` accepts a connection.
    Tcp,
    /// `grpc.health.v1.Health/Check` for this service (empty: the server) answers SERVING on `${self.port}`.
    GrpcHealth(String),
    /// A line of standard output or standard error contains this text.
    Output(String),
}

/// `url:`, a service that already runs.
#[derive(Clone, Debug)]
pub struct Url {
    /// `http://host:port`, without a path.
    pub http: Option<String>,
    /// `http://host:port` of the gRPC server.
    pub grpc: Option<String>,
}

/// `stub:`, the harness answers in place of a dependency.
#[derive(Clone, Debug, Default)]
pub struct Stub {
    /// In order, the last one repeated; empty means 200 with an empty JSON object (gRPC: OK with an empty
    /// message).
    pub answers: Vec<StubAnswer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StubAnswer {
    /// An HTTP status with a body and its content type.
    Http { status: u16, body: Vec<u8>, content_type: String },
    /// A gRPC status code (0 is OK) with the bytes of one message.
    Grpc { code: u32, message: Vec<u8> },
    /// The connection is closed without an answer.
    HangUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    Terminate,
    Interrupt,
}

/// Where a capture carries the stimulus's mark when the body is not a relay instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marker {
    /// The value of this header field.
    Header(String),
    /// A segment of the path, wherever it stands.
    Path,
    /// This member of a JSON body (dots go deeper).
    Body(String),
    /// The value of this query parameter.
    Query(String),
}
