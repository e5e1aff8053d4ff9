//! The destination and contents of the stimuli of one drive, prepared before the first of them is sent.

use std::net::SocketAddr;
use std::time::Duration;

use super::DriverError;
use super::filling::{Filling, Scope};
use crate::descriptors;
use crate::error_chain;
use crate::plan::fan_out::is_instructed;
use crate::scenario::{
    BodyCarrier, Drive, DriveBody, GrpcHop, Hop, HopIx, HttpVersion, Marker, Template, Transport,
};

pub(super) struct DriveRoute {
    pub hop: HopIx,
    /// The id of the hop, and the name of its broker or else of its receiver, as the user knows them.
    pub hop_name: String,
    pub node: String,
    pub address: SocketAddr,
    pub tls: bool,
    /// `host:port` of Kafka, or the URL of another broker; empty for a hop without a broker.
    pub broker: String,
    /// The `Host` or `:authority` to send, if no tap on the hop writes it.
    pub host: Option<String>,
    pub way: Way,
    /// In the order of the file.
    pub headers: Vec<(String, Filling)>,
    pub body: Payload,
    pub query: Vec<(String, Filling)>,
    /// The place in the body that carries the context.
    pub carrier: Option<BodyCarrier>,
    /// The origin of the page that sends the requests.
    pub origin: Option<String>,
    /// The request opens a WebSocket.
    pub upgrades: bool,
    /// The place to which the driver adds the mark, because nothing in the drive carries it.
    pub marker: Option<Marker>,
    pub deadline: Duration,
}

pub(super) enum Way {
    Http { version: HttpVersion, method: Option<String>, path: Option<String> },
    Grpc { path: String, stream: bool },
    Kafka { topic: String, key: Option<String> },
    RabbitMq { exchange: String, routing_key: String },
    Sqs { queue: String },
}

impl Way {
    /// Returns the version of HTTP.
    #[cfg(feature = "http")]
    pub(super) fn http_version(&self) -> HttpVersion {
        match self {
            Way::Http { version, .. } => *version,
            Way::Grpc { .. } | Way::Kafka { .. } | Way::RabbitMq { .. } | Way::Sqs { .. } => {
                HttpVersion::Http2
            }
        }
    }
}

pub(super) enum Payload {
    Empty,
    /// The receiver is a relay; the instruction is computed for each stimulus.
    Instruction,
    Bytes {
        content: Filling,
        content_type: String,
    },
}

impl DriveRoute {
    pub(super) fn new(drive: &Drive, scope: &Scope<'_>) -> Result<Self, DriverError> {
        let scenario = &scope.plan.scenario;
        let hop = scenario.hop(drive.send);
        let Some(address) = scope.addresses.hop(drive.send) else {
            return Err(DriverError::NoAddress { hop: hop.id.clone() });
        };
        let instructed = is_instructed(scenario, drive.send);
        let headers = fillings(&drive.headers, scope)?;
        let query = fillings(&drive.query, scope)?;
        let body = match &drive.body {
            _ if instructed => Payload::Instruction,
            DriveBody::Empty => Payload::Empty,
            DriveBody::Bytes { content, content_type } => {
                Payload::Bytes { content: Filling::new(content, scope)?, content_type: content_type.clone() }
            }
        };
        let marker = scenario.node(hop.to).marker.clone();
        let marker = marker.filter(|marker| !instructed && !is_marked(marker, &headers, &query, &body));
        Ok(Self {
            hop: drive.send,
            hop_name: hop.id.clone(),
            node: scenario.node(hop.transport.via().unwrap_or(hop.to)).name.clone(),
            address,
            tls: hop.tls,
            broker: scope.addresses.broker(drive.send).unwrap_or_default().to_owned(),
            host: if hop.tapped { None } else { hop.host.clone() },
            way: way(hop, instructed)?,
            headers,
            body,
            query,
            carrier: hop.carrier.clone(),
            origin: drive.origin.clone(),
            upgrades: drive.upgrades,
            marker,
            deadline: drive.within.unwrap_or(scenario.timeout),
        })
    }

    /// Returns `host:port`, or the `host` that a hop without a tap declares.
    pub(super) fn authority(&self) -> String {
        self.host.clone().unwrap_or_else(|| self.address.to_string())
    }

    /// Returns the error for a header that the transport cannot carry.
    #[cfg(any(feature = "rabbitmq", feature = "sqs"))]
    pub(super) fn unsendable(&self, name: &str, why: &'static str) -> DriverError {
        DriverError::Header { hop: self.hop_name.clone(), header: name.escape_debug().to_string(), why }
    }

    /// Describes an attempt that did not connect.
    pub(super) fn unreachable(&self, why: &str) -> String {
        format!("cannot connect to `{}` at {}: {why}", self.node, self.address)
    }

    /// Describes a message that a broker rejected.
    #[cfg(any(feature = "rabbitmq", feature = "sqs"))]
    pub(super) fn refused(&self, why: &str) -> String {
        format!("`{}` at {} rejected the message: {why}", self.node, self.address)
    }

    /// Describes a connection that ended without a complete answer.
    pub(super) fn broken_off(&self, why: &str) -> String {
        format!("`{}` at {} did not answer completely: {why}", self.node, self.address)
    }
}

/// Returns the last cause of an error, which is the one that says what happened.
pub(super) fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    descriptors::count_if_run_out(error);
    error_chain::root_cause(error).to_string()
}

/// Returns names and values, each value with its templates resolved but for the mark.
fn fillings(of: &[(String, Template)], scope: &Scope<'_>) -> Result<Vec<(String, Filling)>, DriverError> {
    of.iter().map(|(name, value)| Ok((name.clone(), Filling::new(value, scope)?))).collect()
}

/// Returns whether the drive carries the mark by itself.
fn is_marked(
    marker: &Marker,
    headers: &[(String, Filling)],
    query: &[(String, Filling)],
    body: &Payload,
) -> bool {
    let in_body = matches!(body, Payload::Bytes { content, .. } if content.places_mark());
    let in_query = query.iter().any(|(_, value)| value.places_mark());
    in_body || in_query || headers.iter().any(|(name, value)| value.places_mark() || is_header(marker, name))
}

fn is_header(marker: &Marker, name: &str) -> bool {
    matches!(marker, Marker::Header(header) if header.eq_ignore_ascii_case(name))
}

fn way(hop: &Hop, instructed: bool) -> Result<Way, DriverError> {
    match &hop.transport {
        Transport::Http(http) => Ok(Way::Http {
            version: http.version,
            method: http.method.clone(),
            path: http.path.as_ref().map(|path| path.0.clone()),
        }),
        Transport::Grpc(grpc) => {
            let path = grpc_path(grpc, instructed);
            let path = path.ok_or_else(|| DriverError::NoMethod { hop: hop.id.clone() })?;
            Ok(Way::Grpc { path, stream: grpc.stream })
        }
        Transport::Kafka(kafka) => Ok(Way::Kafka { topic: kafka.topic.clone(), key: kafka.key.clone() }),
        Transport::RabbitMq(rabbit) => {
            let (exchange, routing_key) = rabbit.published_to();
            Ok(Way::RabbitMq { exchange: exchange.to_owned(), routing_key })
        }
        Transport::Sqs(sqs) => Ok(Way::Sqs { queue: sqs.queue.clone() }),
    }
}

/// Returns the path of the method; relays have one service with two methods (relay contract, section 1).
fn grpc_path(grpc: &GrpcHop, instructed: bool) -> Option<String> {
    match (instructed, grpc.stream, &grpc.method) {
        (true, true, _) => Some("/unbroken.relay.v1.Relay/HandleStream".to_owned()),
        (true, false, _) => Some("/unbroken.relay.v1.Relay/Handle".to_owned()),
        (false, _, method) => method.as_ref().map(|method| format!("/{method}")),
    }
}
