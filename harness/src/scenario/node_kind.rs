//! Kinds of nodes: how each is started and found ready, and what can be asked of any of them.
//!
//! Questions are matched exhaustively: a new kind answers each of them, because the compiler asks for it.

use std::time::Duration;

use super::export_target::ExportTarget;
use super::gateway::GatewayProduct;
use super::template::Template;
use crate::source::Place;

#[derive(Clone, Debug)]
pub enum NodeKind {
    /// The harness itself.
    Client,
    Relay(Relay),
    Command(ServiceCommand),
    /// `image:`, your service as a container.
    Image(Image),
    Url(Url),
    Stub(Stub),
    /// A service that lives in the test's own process (the builder of `unbroken::testing`).
    InProcess,
    Broker(Broker),
    /// `collector:`, in the way of the telemetry and not in the graph of hops.
    Collector(CollectorProcess),
}

impl NodeKind {
    /// Returns whether a node of this kind can export spans and logs to an endpoint of ours.
    pub fn can_export_telemetry(&self) -> bool {
        match self {
            NodeKind::Client | NodeKind::Stub(_) | NodeKind::Broker(_) | NodeKind::Collector(_) => false,
            NodeKind::Relay(_)
            | NodeKind::Command(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::InProcess => true,
        }
    }

    /// Returns whether the node keeps the relay contract (`fixtures/CONTRACT.md`): it follows the instruction in each
    /// request, flushes when it is asked to and carries baggage across a restart.
    pub fn keeps_relay_contract(&self) -> bool {
        self.as_relay().is_some()
    }

    /// Returns whether the node is a service of the user's: its code, its topics and its logs are its own.
    pub fn is_users_service(&self) -> bool {
        match self {
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Stub(_)
            | NodeKind::Broker(_)
            | NodeKind::Collector(_) => false,
            NodeKind::Command(_) | NodeKind::Image(_) | NodeKind::Url(_) | NodeKind::InProcess => true,
        }
    }

    /// Returns whether what the node sends is decided by the plan: the driver's stimuli and a relay's calls.
    pub fn sends_by_plan(&self) -> bool {
        match self {
            NodeKind::Client | NodeKind::Relay(_) => true,
            NodeKind::Command(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_)
            | NodeKind::Collector(_) => false,
        }
    }

    /// Returns whether the node answers and reads, and never calls or sends.
    pub fn only_receives(&self) -> bool {
        match self {
            NodeKind::Stub(_) => true,
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Command(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_)
            | NodeKind::Collector(_) => false,
        }
    }

    /// Returns whether the node ran before the case began, so that the harness gives it no address and no endpoint.
    pub fn runs_already(&self) -> bool {
        match self {
            NodeKind::Url(_) => true,
            NodeKind::Broker(broker) => broker.address.is_some(),
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Command(_)
            | NodeKind::Image(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Collector(_) => false,
        }
    }

    /// Returns whether the node runs in a container; relays do where the runtime puts them into one.
    pub fn runs_in_container(&self, relays_in_containers: bool) -> bool {
        match self {
            NodeKind::Image(_) => true,
            NodeKind::Relay(_) => relays_in_containers,
            NodeKind::Client
            | NodeKind::Command(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_)
            | NodeKind::Collector(_) => false,
        }
    }

    /// Returns whether the node listens in plaintext only, so that the tap before it ends TLS itself.
    pub fn listens_in_plaintext_only(&self) -> bool {
        match self {
            NodeKind::Relay(_) | NodeKind::Stub(_) => true,
            NodeKind::Client
            | NodeKind::Command(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_)
            | NodeKind::Collector(_) => false,
        }
    }

    /// Returns whether `${self.port}` stands for a port: an image listens where it declares, all others are given one.
    pub fn has_port(&self) -> bool {
        match self {
            NodeKind::Image(image) => image.port.is_some(),
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Command(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_)
            | NodeKind::Collector(_) => true,
        }
    }

    /// Returns whether `${self.dir}` stands for a folder, and `${self.port.NAME}` for a port.
    pub fn has_folder(&self) -> bool {
        match self {
            NodeKind::Command(_) | NodeKind::Collector(_) => true,
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_) => false,
        }
    }

    /// Returns the word of the kind in reports: the key of the scenario file.
    pub fn word(&self) -> &'static str {
        match self {
            NodeKind::Client => "client",
            NodeKind::Relay(_) => "relay",
            NodeKind::Command(_) => "command",
            NodeKind::Image(_) => "image",
            NodeKind::Url(_) => "url",
            NodeKind::Stub(_) => "stub",
            NodeKind::InProcess => "in process",
            NodeKind::Broker(broker) => broker.kind.word(),
            NodeKind::Collector(_) => "collector",
        }
    }

    /// Returns the proxy that the node is, where it is one that comes with a configuration.
    pub fn gateway(&self) -> Option<GatewayProduct> {
        match self {
            NodeKind::Command(command) => command.gateway,
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_)
            | NodeKind::Collector(_) => None,
        }
    }

    /// Returns whether it is a proxy whose configuration is ours, which says what it speaks.
    pub fn has_our_configuration(&self) -> bool {
        matches!(self, NodeKind::Command(command) if command.gateway.is_some() && command.files.is_empty())
    }

    /// Returns whether the scenario sets an environment variable of the node.
    pub fn sets_variable(&self, name: &str) -> bool {
        let env = match self {
            NodeKind::Relay(relay) => &relay.env,
            NodeKind::Command(command) => &command.env,
            NodeKind::Image(image) => &image.env,
            NodeKind::Collector(collector) => &collector.command.env,
            NodeKind::Client
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_) => return false,
        };
        env.iter().any(|(set, _)| set == name)
    }

    /// Returns whether this is the harness itself.
    pub fn is_client(&self) -> bool {
        match self {
            NodeKind::Client => true,
            NodeKind::Relay(_)
            | NodeKind::Command(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_)
            | NodeKind::Collector(_) => false,
        }
    }

    pub fn as_relay(&self) -> Option<&Relay> {
        if let NodeKind::Relay(relay) = self { Some(relay) } else { None }
    }

    pub fn as_broker(&self) -> Option<&Broker> {
        match self {
            NodeKind::Broker(broker) => Some(broker),
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Command(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Collector(_) => None,
        }
    }
}

/// `kafka:`, `rabbitmq:` or `sqs:`, which hops go through.
#[derive(Clone, Debug)]
pub struct Broker {
    pub kind: BrokerKind,
    /// The address of one that runs already; otherwise the runtime starts one.
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

/// `relay:`, a service that keeps the relay contract.
#[derive(Clone, Debug)]
pub struct Relay {
    /// `model` or `rust`: the relays that come with unbroken.
    pub implementation: String,
    /// Faults of the model relay, switched on by name.
    pub faults: Vec<String>,
    pub env: Vec<(String, Template)>,
}

impl Relay {
    /// Returns whether it is the relay with a propagation code of its own, in which faults can be switched on.
    pub fn has_faults(&self) -> bool {
        self.implementation == "model"
    }
}

/// `command:`, your service as a process.
#[derive(Clone, Debug)]
pub struct ServiceCommand {
    /// Program and arguments; a relative program or path argument is looked up from the scenario's folder.
    pub argv: Vec<Template>,
    pub env: Vec<(String, Template)>,
    /// Working directory, relative to the scenario file; default the scenario's folder.
    pub cwd: Option<String>,
    pub ready: Readiness,
    /// The time that the program may take to become ready; default 30 s.
    pub ready_within: Duration,
    /// `port:`, a fixed port; otherwise `${self.port}` is a free one.
    pub port: Option<u16>,
    /// `files:`, written into `${self.dir}` before the program starts.
    pub files: Vec<OwnFile>,
    /// The proxy that it is, where program, arguments and configuration come along.
    pub gateway: Option<GatewayProduct>,
    pub place: Place,
}

/// `collector:`, a Collector with a configuration of the user's: the one file of its command.
#[derive(Clone, Debug)]
pub struct CollectorProcess {
    pub command: ServiceCommand,
    /// `to:`; the sink where the file does not say.
    pub to: Vec<ExportTarget>,
}

/// A file in a node's own folder, made of one whose templates are filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// The name in `${self.dir}`.
    pub name: String,
    /// The file, relative to the scenario file.
    pub from: String,
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
    /// The port on which it listens inside its container, HTTP and gRPC alike, and what `${self.port}` is; `None`
    /// where nothing calls it.
    pub port: Option<u16>,
    /// By its port; always `Output` without a port.
    pub ready: Readiness,
    /// The time that it may take to become ready; default 30 s.
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
    /// True when the templates in the text file are filled (`Template::read`).
    pub templates: bool,
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
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
