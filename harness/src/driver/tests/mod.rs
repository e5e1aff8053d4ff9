//! The driver against real sockets: the bytes on the wire, and the answers that it reports.

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
