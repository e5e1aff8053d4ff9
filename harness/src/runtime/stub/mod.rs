//! `stub:` nodes: the harness answers in place of a dependency, so that one service can be tested alone.
//!
//! Answers are sent in the order of the scenario, the last one repeatedly. A stub exports no telemetry and ignores the
//! content of what it receives: the tap records that.

use std::io;

use thiserror::Error;

#[cfg(any(feature = "stubs", feature = "grpc"))]
mod connections;
#[cfg(feature = "stubs")]
mod front;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "stubs")]
mod http;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "sqs")]
mod sqs;
mod stub_node;

#[cfg(test)]
#[cfg(all(feature = "stubs", feature = "grpc"))]
pub(crate) mod tests;

#[cfg(feature = "grpc")]
pub use grpc::GrpcStub;
#[cfg(feature = "stubs")]
pub use http::HttpStub;
#[cfg(feature = "kafka")]
pub use kafka::KafkaStub;
#[cfg(feature = "rabbitmq")]
pub use rabbitmq::RabbitMqStub;
#[cfg(feature = "sqs")]
pub use sqs::SqsStub;
pub use stub_node::NodeStubs;

/// The reason why a stub cannot be started.
#[derive(Debug, Error)]
pub enum StubError {
    #[error("a stub cannot listen on 127.0.0.1")]
    Listen(#[source] io::Error),
    #[cfg(feature = "rabbitmq")]
    #[error("a stub cannot consume from the queue `{queue}`")]
    Queue { queue: String, source: lapin::Error },
}
