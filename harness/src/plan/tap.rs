//! The taps of a plan: one for each (from, to, protocol), whatever number of hops goes through it.

use std::net::SocketAddr;

use crate::scenario::{BodyCarrier, Marker, NodeIx};

/// Between a caller and the node it calls; or between a node and a broker, for all that the node sends there and
/// reads from there. A Kafka broker has one tap for everything, whose ends are both the broker.
#[derive(Clone, Debug)]
pub struct TapPlan {
    pub from: NodeIx,
    pub to: NodeIx,
    pub protocol: TapProtocol,
    /// The receiver speaks TLS; the tap terminates it and speaks TLS to the receiver.
    pub tls: bool,
    /// The PEM file, from the folder of the scenario, of the certificate and the key that the tap presents to a
    /// receiver that asks for them.
    pub client_certificate: Option<String>,
    /// `host:`, written in place of the tap's own address.
    pub host: Option<String>,
    /// `tap: { listen: ... }`; otherwise the system chooses a port.
    pub listen: Option<SocketAddr>,
    /// The places of marks besides a relay's instruction.
    pub markers: Vec<Marker>,
    /// The places in bodies that carry the context.
    pub carriers: Vec<TapCarrier>,
}

/// The body of what a tap sees that carries the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapCarrier {
    /// The topic or queue; `None` where one place holds for all that the tap sees.
    pub source: Option<String>,
    pub carrier: BodyCarrier,
}

impl TapPlan {
    /// Returns where the body of a call, or of a message of this topic or queue, carries the context.
    pub fn carrier(&self, source: Option<&str>) -> Option<&BodyCarrier> {
        let mut carriers = self.carriers.iter();
        let found = carriers.find(|one| one.source.is_none() || one.source.as_deref() == source);
        found.map(|one| &one.carrier)
    }

    /// Returns a plaintext tap without settings, at a port that the system chooses.
    pub fn between(from: NodeIx, to: NodeIx, protocol: TapProtocol) -> TapPlan {
        TapPlan {
            from,
            to,
            protocol,
            tls: false,
            client_certificate: None,
            host: None,
            listen: None,
            markers: Vec::new(),
            carriers: Vec::new(),
        }
    }
}

/// The protocol of a tap. The bytes distinguish HTTP/1.1 and HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TapProtocol {
    Http,
    Grpc,
    Kafka,
    Amqp,
    Sqs,
}

impl TapProtocol {
    pub fn word(self) -> &'static str {
        match self {
            TapProtocol::Http => "http",
            TapProtocol::Grpc => "grpc",
            TapProtocol::Kafka => "kafka",
            TapProtocol::Amqp => "amqp",
            TapProtocol::Sqs => "sqs",
        }
    }
}
