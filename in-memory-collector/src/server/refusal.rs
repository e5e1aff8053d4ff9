//! The reasons why a request was not accepted, and their codes.
//!
//! Clause: OTLP "Failures" for both transports. Too large is `RESOURCE_EXHAUSTED` without `RetryInfo` and
//! 413, so that nobody sends it again; bad bytes are `INVALID_ARGUMENT` and 400 with a `BadRequest`.

use std::time::Duration;

use crate::forward::Rejection;
use crate::store::insert::Full;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a valid message, or one that was cut off.
    #[error("{0}")]
    Malformed(String),
    #[error("the message is larger than the limit of {limit} bytes, {}", if *.decompressed { "decompressed" } else { "as it came" })]
    TooLarge { limit: u64, decompressed: bool },
    #[error("the body is not valid {0}")]
    Corrupt(&'static str),
    #[error("the compression `{0}` is not supported")]
    UnknownCompression(String),
    #[error("the media type `{0}` is not one of OTLP's")]
    UnknownMediaType(String),
    #[error("there is nothing at `{0}`")]
    UnknownPath(String),
    #[error("`{0}` is not a method for this path")]
    WrongMethod(String),
    /// Too many bytes are being received at once.
    #[error("more than {0} bytes are being received at once")]
    Busy(usize),
    #[error(transparent)]
    Full(#[from] Full),
    /// The body did not arrive in time.
    #[error("the body did not arrive within {} ms", .0.as_millis())]
    Slow(Duration),
    /// The deadline that the client set.
    #[error("the deadline of {} ms that the client set has passed", .0.as_millis())]
    Deadline(Duration),
    #[error("the collector is stopping")]
    Stopping,
    /// The receiver to which the endpoint forwards did not accept it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

impl Refusal {
    /// Returns the gRPC status code.
    pub fn grpc_code(&self) -> u32 {
        match self {
            Refusal::Malformed(_) | Refusal::Corrupt(_) => 3,
            Refusal::Deadline(_) | Refusal::Slow(_) => 4,
            Refusal::TooLarge { .. } => 8,
            Refusal::UnknownCompression(_)
            | Refusal::UnknownMediaType(_)
            | Refusal::UnknownPath(_)
            | Refusal::WrongMethod(_) => 12,
            Refusal::Busy(_) | Refusal::Full(_) | Refusal::Stopping => 14,
            Refusal::Rejected(rejection) => rejection.grpc_code(),
        }
    }

    pub fn http_status(&self) -> u16 {
        match self {
            Refusal::Malformed(_) | Refusal::Corrupt(_) => 400,
            Refusal::UnknownPath(_) => 404,
            Refusal::WrongMethod(_) => 405,
            Refusal::Slow(_) => 408,
            Refusal::TooLarge { .. } => 413,
            Refusal::UnknownCompression(_) | Refusal::UnknownMediaType(_) => 415,
            Refusal::Busy(_) | Refusal::Full(_) => 429,
            Refusal::Stopping => 503,
            Refusal::Deadline(_) => 504,
            Refusal::Rejected(rejection) => rejection.status,
        }
    }

    /// Returns whether the status carries a `BadRequest`.
    pub fn is_bad_request(&self) -> bool {
        matches!(self, Refusal::Malformed(_) | Refusal::Corrupt(_))
    }

    /// Returns when to try again, where that is worth reporting.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Refusal::Busy(_) | Refusal::Full(_) | Refusal::Stopping => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}
