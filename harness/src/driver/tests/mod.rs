//! The driver against real sockets: what is on the wire, and what is said of what comes back.

mod drives;
mod fixture;
mod grpc;
mod http;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
mod raw;
#[cfg(feature = "sqs")]
mod sqs;
mod tls;
