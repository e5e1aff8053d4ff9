//! Templates: text with `${...}` in it, each reference already resolved to what it means.

use super::export_target::ExportTarget;
use super::index::NodeIx;
use crate::source::Place;

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Template {
    pub parts: Vec<TemplatePart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplatePart {
    Text(String),
    /// `${NODE.url}`: `http://host:port` of the tap on the HTTP hop from the node that uses the template to NODE.
    Url(NodeIx),
    /// `${NODE.grpc}`: `host:port` of the tap on the gRPC hop to NODE.
    Grpc(NodeIx),
    /// `${NODE.host}` and `${NODE.port}`: host and port of the tap on the HTTP hop to NODE, or on the gRPC hop where
    /// that is the only one.
    Neighbour(NodeIx, AddressPart),
    /// `${NODE.grpc.host}` and `${NODE.grpc.port}`.
    GrpcNeighbour(NodeIx, AddressPart),
    /// `${BROKER.bootstrap}`, `host:port`; `${BROKER.amqp}`, `amqp://guest:guest@host:port/%2f`; `${BROKER.endpoint}`,
    /// `http://host:port`: where the node that uses the template reaches the broker, through its own tap.
    ///
    /// `${BROKER.host}` and `${BROKER.port}` are host and port of the same address.
    Broker(NodeIx, BrokerPart),
    /// `${otlp.endpoint}`: the node's own OTLP endpoint, `http://host:port`, gRPC and HTTP alike.
    OtlpEndpoint,
    /// `${otlp.host}` and `${otlp.port}`.
    OtlpAddress(AddressPart),
    /// `${sink.endpoint}` and `${COLLECTOR.endpoint}`, and their hosts and ports: where a collector exports to.
    Export(ExportTarget, OtlpPart),
    /// `${self.port}`.
    SelfPort,
    /// `${self.port.NAME}`, a further free port of the node.
    NamedPort(String),
    /// `${self.dir}`, a folder of the node's own, removed after the case.
    SelfDir,
    /// `${env.NAME}`: a setting of the machine that runs the scenario.
    Env(String),
    /// `${secret.NAME}`: an environment variable whose value no output shows.
    Secret(SecretName),
    /// `${mark}`: the stimulus's own mark (drives only).
    Mark,
    /// `${scenario.dir}`: the folder of the scenario file.
    ScenarioDir,
}

/// The environment variable that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName {
    pub name: String,
    /// The place of the template in the scenario file; `None` in a mounted file.
    pub place: Option<Place>,
}

/// A part of the address of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPart {
    Host,
    Port,
}

/// A part of the address of an OTLP receiver: gRPC and HTTP alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtlpPart {
    /// `http://host:port`.
    Endpoint,
    Host,
    Port,
}

/// The part of a broker's address that a template stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerPart {
    Address,
    Host,
    Port,
}

impl Template {
    /// Returns a template without references.
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![TemplatePart::Text(text.into())] }
    }
}
