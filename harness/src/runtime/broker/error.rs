//! Errors of the brokers of a case.

use std::io;

use crate::error_chain::BoxedError;
#[cfg(feature = "container")]
use crate::runtime::container::{EngineError, StartError};
#[cfg(feature = "container")]
use crate::runtime::turns::NameInUse;
use crate::scenario::BrokerKind;

/// The reason why a broker of a case cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error(
        "broker `{node}`: this build has no stand-in for {}: build with the feature `brokers`, or give the `address:` of a \
         running broker",
        name(*kind)
    )]
    NotBuiltIn { node: String, kind: BrokerKind },
    #[error("broker `{node}`: cannot start the stand-in for {}", name(*kind))]
    StandIn { node: String, kind: BrokerKind, source: BoxedError },
    #[cfg(feature = "container")]
    #[error("broker `{node}`: {in_use}")]
    InUse { node: String, in_use: NameInUse },
    #[cfg(feature = "container")]
    #[error("broker `{node}`: cannot start its container")]
    Engine { node: String, source: std::sync::Arc<EngineError> },
    #[cfg(feature = "container")]
    #[error("broker `{node}`: {error}")]
    Container { node: String, error: StartError },
    #[error(
        "broker `{node}`: `address:` must be a plaintext {} address, such as `{}`",
        name(*kind), example(*kind)
    )]
    Address { node: String, kind: BrokerKind },
    #[error("broker `{node}`: cannot connect to {} at {address}: start it, or correct `address:`", name(*kind))]
    Unreachable { node: String, kind: BrokerKind, address: String, source: io::Error },
    #[error(
        "broker `{node}`: cannot declare what the hops name at {} {address}: check that its user has the permission, and \
         that it is not declared with other settings",
        name(*kind)
    )]
    NotDeclared { node: String, kind: BrokerKind, address: String, source: BoxedError },
    #[error(
        "broker `{node}`: cannot read from {} at {address}: check that its user has the permission",
        name(*kind)
    )]
    NotRead { node: String, kind: BrokerKind, address: String, source: BoxedError },
}

impl BrokerError {
    /// Returns the broker and the last output lines of its container.
    pub fn log(&self) -> Option<(&str, &[String])> {
        match self {
            #[cfg(feature = "container")]
            BrokerError::Container { node, error } => Some((node, error.lines())),
            #[cfg(feature = "container")]
            BrokerError::InUse { .. } | BrokerError::Engine { .. } => None,
            BrokerError::NotBuiltIn { .. }
            | BrokerError::StandIn { .. }
            | BrokerError::Address { .. }
            | BrokerError::Unreachable { .. }
            | BrokerError::NotDeclared { .. }
            | BrokerError::NotRead { .. } => None,
        }
    }

    /// Builds the error of a broker whose container did not become ready.
    #[cfg(feature = "container")]
    pub fn container(node: &str, error: StartError) -> Self {
        let node = node.to_owned();
        match error {
            StartError::Engine(source) => BrokerError::Engine { node, source },
            error => BrokerError::Container { node, error },
        }
    }
}

/// Returns the name of a kind of broker as its documentation spells it.
pub fn name(kind: BrokerKind) -> &'static str {
    match kind {
        BrokerKind::Kafka => "Kafka",
        BrokerKind::RabbitMq => "RabbitMQ",
        BrokerKind::Sqs => "SQS",
    }
}

fn example(kind: BrokerKind) -> &'static str {
    match kind {
        BrokerKind::Kafka => "127.0.0.1:9092",
        BrokerKind::RabbitMq => "amqp://user:password@127.0.0.1:5672/vhost",
        BrokerKind::Sqs => "http://127.0.0.1:9324",
    }
}
