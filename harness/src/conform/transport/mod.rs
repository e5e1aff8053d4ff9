//! The transports that carry a vector to the target and the calls of the target back.
//!
//! A vector is written for HTTP/1.1. Over another transport it is tried where the transport can carry it as it is: what
//! a protocol excludes, such as an upper-case name in HTTP/2 or a repeated header in AMQP, is not tried there.

mod brokers;
mod fit;
mod grpc;
mod http2;
#[cfg(feature = "kafka")]
mod kafka;
mod names;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
mod route;
mod send_failure;
#[cfg(feature = "sqs")]
mod sqs;

pub use brokers::{BrokerClients, TransportStartError};
pub(super) use fit::fit;
pub use grpc::GrpcListener;
pub(super) use grpc::send as send_grpc;
pub(super) use http2::{send_json as send_http2, speaks_http2};
pub(super) use names::OUTWARD;
pub use route::TransportRoute;
pub use send_failure::SendFailure;

/// One transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransportKind {
    Http1,
    Http2,
    Grpc,
    Kafka,
    RabbitMq,
    Sqs,
}

impl TransportKind {
    pub const ALL: &'static [TransportKind] = &[
        TransportKind::Http1,
        TransportKind::Http2,
        TransportKind::Grpc,
        TransportKind::Kafka,
        TransportKind::RabbitMq,
        TransportKind::Sqs,
    ];

    /// Returns its name on the command line and in reports.
    pub fn word(self) -> &'static str {
        match self {
            TransportKind::Http1 => "http/1.1",
            TransportKind::Http2 => "http/2",
            TransportKind::Grpc => "grpc",
            TransportKind::Kafka => "kafka",
            TransportKind::RabbitMq => "rabbitmq",
            TransportKind::Sqs => "sqs",
        }
    }

    /// Returns the word of `/-/capabilities` that a target needs; `None` for what each target has.
    pub fn capability(self) -> Option<&'static str> {
        match self {
            TransportKind::Http1 | TransportKind::Http2 => None,
            TransportKind::Grpc => Some("grpc"),
            TransportKind::Kafka => Some("kafka"),
            TransportKind::RabbitMq => Some("rabbitmq"),
            TransportKind::Sqs => Some("sqs"),
        }
    }

    /// Returns true when a broker is between sender and receiver, so that no answer comes back.
    pub fn is_message(self) -> bool {
        match self {
            TransportKind::Http1 | TransportKind::Http2 | TransportKind::Grpc => false,
            TransportKind::Kafka | TransportKind::RabbitMq | TransportKind::Sqs => true,
        }
    }

    /// Returns true when a target can be instructed to call over it. A `http://` address does not choose a version of HTTP.
    pub fn carries_calls(self) -> bool {
        self != TransportKind::Http2
    }
}

impl std::str::FromStr for TransportKind {
    type Err = UnknownTransport;

    fn from_str(text: &str) -> Result<TransportKind, UnknownTransport> {
        let known = TransportKind::ALL.iter().find(|carrier| carrier.word() == text);
        let known = known.copied().or(match text {
            "http" | "http1" => Some(TransportKind::Http1),
            "http2" | "h2" => Some(TransportKind::Http2),
            "amqp" => Some(TransportKind::RabbitMq),
            _ => None,
        });
        known.ok_or_else(|| UnknownTransport(text.to_owned()))
    }
}

/// A word that names no transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a transport: use http/1.1, http/2, grpc, kafka, rabbitmq, sqs or all")]
pub struct UnknownTransport(String);
