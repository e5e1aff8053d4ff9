//! A scenario as checked values; the only module that knows YAML.
//!
//! A `Scenario` here is one *case*: lists in the file that stand for a matrix are already expanded, names are
//! resolved to indices, and every item keeps its place in the file. Every error of a file is reported
//! here; nothing after this module can fail because of the file.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::source::{Place, Source};

pub mod body_carrier;
pub mod collector;
pub mod drive;
pub mod expect_traces;
pub mod expectation;
pub mod export_target;
pub mod gateway;
pub mod hop;
pub mod index;
pub mod message;
pub mod node;
pub mod node_kind;
pub mod own_names;
pub mod program_language;
pub mod relation;
pub mod template;

mod build;
mod check;
pub(crate) mod complaints;
mod format;
mod json;
mod matrix;
mod mounted_file;
mod offsets;
mod parse;
pub(crate) mod pattern;
mod read;
mod reference;
pub(crate) mod schema;
pub(crate) mod shape;
pub(crate) mod shape_check;
pub(crate) mod spelling;
pub(crate) mod tree;
pub(crate) mod yaml;

pub use body_carrier::BodyCarrier;
pub use drive::{Drive, DriveBody, DriveContext};
pub use expect_traces::{TraceExpectation, TraceFate};
pub use expectation::{Expectation, Expectations};
pub use export_target::ExportTarget;
pub use gateway::GatewayProduct;
pub use hop::{
    FixedTap, GrpcHop, Hop, HopBaggage, HttpHop, HttpVersion, PathPattern, Step, Times, Transport,
};
pub use index::{HopIx, NodeIx};
pub use message::{AmqpExchange, ExchangeKind, KafkaHop, RabbitMqHop, SqsHop};
pub use mounted_file::MountedFileError;
pub use node::{Marker, Node, Role, StopSignal, StrippedField, Trust};
pub use node_kind::{
    Broker, BrokerKind, CollectorProcess, Image, Mount, NodeKind, OwnFile, Readiness, Relay, ServiceCommand,
    Stub, StubAnswer, Url,
};
pub use own_names::{KeptName, NameKind, OwnName, OwnNames};
pub use parse::parse;
pub use program_language::ProgramLanguage;
pub use read::{ScenarioReadError, read};
pub use relation::{Relation, RestartSide};
pub use schema::schema;
pub use template::{AddressPart, BrokerPart, OtlpPart, SecretName, Template, TemplatePart};

/// One checked case of a scenario file.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub source: Arc<Source>,
    /// The file's `scenario:`; unique in a run together with `case`.
    pub name: String,
    pub name_place: Place,
    /// The case of the matrix, such as `sampled=true`; empty when the file has one case.
    pub case: String,
    pub about: Option<String>,
    /// `nodes[0]` is always the implicit `client`.
    pub nodes: Vec<Node>,
    pub hops: Vec<Hop>,
    pub drives: Vec<Drive>,
    pub expect: Expectations,
    /// `otlp: { listen: ... }`, one endpoint for the telemetry of nodes that are configured once.
    pub otlp_listen: Option<SocketAddr>,
    /// `expect-traces:`, in the order of the file; only with collectors.
    pub expect_traces: Vec<TraceExpectation>,
    /// The time that one answer may take, and after the last answer what is missing; default 10 s.
    pub timeout: Duration,
    /// Names at brokers that stand for those of the file; none as it is read.
    pub own_names: Vec<OwnName>,
}

impl Scenario {
    pub fn node(&self, node: NodeIx) -> &Node {
        &self.nodes[node.0]
    }

    /// Returns whether a hop between the two is HTTP.
    pub fn calls_over_http(&self, from: NodeIx, to: NodeIx) -> bool {
        self.hops.iter().any(|hop| hop.from == from && hop.to == to && hop.transport.is_http())
    }

    pub fn hop(&self, hop: HopIx) -> &Hop {
        &self.hops[hop.0]
    }

    /// Returns the hops that `hop` causes, in the order of the file.
    pub fn hops_within(&self, hop: HopIx) -> impl Iterator<Item = HopIx> {
        let hops = self.hops.iter().enumerate();
        hops.filter(move |(_, inner)| inner.within == Some(hop)).map(|(ix, _)| HopIx(ix))
    }

    /// Returns the hop from `client` that causes `hop` in the end.
    pub fn first_cause(&self, hop: HopIx) -> HopIx {
        let mut at = hop;
        // A checked scenario has no circle of causes.
        while let Some(cause) = self.hop(at).within {
            at = cause;
        }
        at
    }

    /// Returns `name`, or `name [case]`.
    pub fn title(&self) -> String {
        if self.case.is_empty() { self.name.clone() } else { format!("{} [{}]", self.name, self.case) }
    }

    /// Returns a place as `FILE:LINE:COLUMN`.
    pub fn position(&self, place: Option<Place>) -> Option<String> {
        let (line, column) = self.source.line_column(place?.start);
        Some(format!("{}:{line}:{column}", self.source.name()))
    }
}
