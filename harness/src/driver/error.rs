//! The errors that prevent sending, reported before the first stimulus is sent. No message contains the value of a
//! header.

use crate::masking::SecretError;

#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error("the drive of hop `{hop}` uses the environment variable `{name}`, which is not set: set it")]
    MissingVariable { hop: String, name: String },
    #[error("the drive of hop `{hop}`: {error}")]
    Secret { hop: String, error: SecretError },
    #[error("the drive of hop `{hop}` uses {template}, which only nodes can use: remove it from the drive")]
    ForeignTemplate { hop: String, template: &'static str },
    #[error("hop `{hop}` has no address: its receiver does not listen; give it a `port` or an address")]
    NoAddress { hop: String },
    #[error("hop `{hop}` has no gRPC `method`, which only a hop to a relay may omit: add it")]
    NoMethod { hop: String },
    #[error("header `{header}` cannot be sent over `{hop}`: {why}")]
    Header { hop: String, header: String, why: &'static str },
    #[cfg(feature = "rabbitmq")]
    #[error("the {what} of hop `{hop}` is longer than 255 bytes, the maximum of AMQP: shorten it")]
    TooLong { hop: String, what: &'static str },
    #[error("the body cannot be sent over `{hop}`: {why}")]
    Body { hop: String, why: &'static str },
    #[error("the body that is sent over `{hop}` must be a JSON object, so that the mark can be added to it")]
    Marker { hop: String },
    #[error(
        "the body that is sent over `{hop}` must be JSON that has, or can get, an object at {place}, which carries the context"
    )]
    Carrier { hop: String, place: String },
    #[error("hop `{hop}` needs the cargo feature `{feature}`: build `unbroken` with it")]
    NotBuilt { hop: String, feature: &'static str },
    #[error("hop `{hop}` uses TLS, and this run has no certificate authority")]
    NoAuthority { hop: String },
    #[error("cannot use the certificate authority of the run")]
    Authority(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("cannot create the client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}
