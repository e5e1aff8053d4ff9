//! The addresses on which a node listens, one per protocol.

use std::net::SocketAddr;

use crate::plan::TapProtocol;

/// The addresses on which a node listens; `None` for a protocol that it does not serve.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeAddresses {
    pub http: Option<SocketAddr>,
    pub grpc: Option<SocketAddr>,
}

impl NodeAddresses {
    /// Returns the address for calls over `protocol`; brokers are reached by other addresses.
    pub(super) fn address(self, protocol: TapProtocol) -> Option<SocketAddr> {
        match protocol {
            TapProtocol::Http => self.http,
            TapProtocol::Grpc => self.grpc,
            TapProtocol::Kafka | TapProtocol::Amqp | TapProtocol::Sqs => None,
        }
    }
}

/// The addresses on which a relay is to listen, as its environment takes them.
#[derive(Clone, Debug)]
pub(super) struct ListenAddresses {
    pub(super) http: String,
    pub(super) grpc: String,
}

impl ListenAddresses {
    /// Returns any free port of the loopback interface.
    pub(super) fn any_port_on_loopback() -> Self {
        Self { http: "127.0.0.1:0".to_owned(), grpc: "127.0.0.1:0".to_owned() }
    }
}
