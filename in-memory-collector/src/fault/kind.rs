//! The kinds of faults. What was stored and what was not is in the record of the request.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::server::refusal::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refuses: with the gRPC code over gRPC, with the HTTP status over HTTP. Stores nothing.
    Status { grpc: u32, http: u16, message: String, retry: Option<RetryAfter> },
    /// Keeps all but the last `rejected` items, and says so. With 0 it is a warning, without a message an empty one.
    PartialSuccess { rejected: u64, message: String },
    /// Stores, and answers so much later.
    Delay(Duration),
    /// Stores, and closes the connection instead of answering.
    AckLost,
    /// Closes the connection after so many bytes of the body. Stores nothing.
    Disconnect { after_bytes: u64 },
    /// RST_STREAM with this code; over HTTP/1.1 the connection is closed. Stores nothing.
    Reset(u32),
    /// GOAWAY with this code, for the whole connection; over HTTP/1.1 it is closed. Stores nothing.
    GoAway(u32),
    /// Reads nothing and answers nothing until the client gives up. Over HTTP/2, connections that begin while such a
    /// fault is planned have windows of a few bytes, so that a client cannot even send.
    Stall,
    /// Stores, and answers with this media type.
    ContentType(String),
    /// Stores, and answers with a message of about so many bytes.
    LargeAnswer(usize),
    /// Stores, and answers with a gzip stream that is cut off.
    TruncatedGzip,
}

/// When to try again, in all forms that exporters meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// `RetryInfo` over gRPC, seconds in `Retry-After` over HTTP.
    Delay(Duration),
    /// An HTTP date; over gRPC what is left until then.
    Date(SystemTime),
    /// Not a valid value; over gRPC nothing.
    Malformed(String),
}

impl Fault {
    /// Creates a refusal with the gRPC code, and the HTTP status that the OpenTelemetry Collector uses for it.
    pub fn grpc(code: u32) -> Self {
        let http = match code {
            1 | 4 | 10 | 11 | 14 | 15 => 503,
            3 => 400,
            7 => 403,
            8 => 429,
            12 => 404,
            16 => 401,
            _ => 500,
        };
        Self::Status { grpc: code, http, message: "on demand".to_owned(), retry: None }
    }

    /// Creates a refusal with the HTTP status, and the gRPC code that gRPC clients derive from it.
    pub fn http(status: u16) -> Self {
        let grpc = match status {
            400 => 3,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502..=504 => 14,
            _ => 2,
        };
        Self::Status { grpc, http: status, message: "on demand".to_owned(), retry: None }
    }

    /// Creates a refusal with `UNAVAILABLE` and 503: try again.
    pub fn unavailable() -> Self {
        Self::grpc(14)
    }

    /// Says when to try again; only a status can.
    pub fn retry_after(mut self, after: RetryAfter) -> Self {
        if let Self::Status { retry, .. } = &mut self {
            *retry = Some(after);
        }
        self
    }

    pub(crate) fn stores(&self) -> bool {
        match self {
            Fault::PartialSuccess { .. }
            | Fault::Delay(_)
            | Fault::AckLost
            | Fault::ContentType(_)
            | Fault::LargeAnswer(_)
            | Fault::TruncatedGzip => true,
            Fault::Status { .. }
            | Fault::Disconnect { .. }
            | Fault::Reset(_)
            | Fault::GoAway(_)
            | Fault::Stall => false,
        }
    }

    /// Returns the number of items that are kept of so many.
    pub(crate) fn kept(&self, items: usize) -> usize {
        match self {
            Fault::PartialSuccess { rejected, .. } => {
                items.saturating_sub(usize::try_from(*rejected).unwrap_or(usize::MAX))
            }
            _ => items,
        }
    }
}

impl RetryAfter {
    /// Returns the delay for `RetryInfo`.
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self {
            RetryAfter::Delay(delay) => Some(*delay),
            RetryAfter::Date(date) => Some(date.duration_since(SystemTime::now()).unwrap_or_default()),
            RetryAfter::Malformed(_) => None,
        }
    }

    /// Returns the value for `Retry-After`.
    pub(crate) fn header(&self) -> String {
        match self {
            RetryAfter::Delay(delay) => delay.as_secs().to_string(),
            RetryAfter::Date(date) => httpdate::fmt_http_date(*date),
            RetryAfter::Malformed(text) => text.clone(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Status { grpc, http, .. } => write!(f, "gRPC status {grpc}, HTTP status {http}"),
            Fault::PartialSuccess { rejected, .. } => write!(f, "partial success with {rejected} rejected"),
            Fault::Delay(delay) => write!(f, "answer delayed by {} ms", delay.as_millis()),
            Fault::AckLost => f.write_str("acknowledgement lost"),
            Fault::Disconnect { after_bytes } => write!(f, "disconnected after {after_bytes} bytes"),
            Fault::Reset(code) => write!(f, "stream reset with code {code}"),
            Fault::GoAway(code) => write!(f, "GOAWAY with code {code}"),
            Fault::Stall => f.write_str("body not read"),
            Fault::ContentType(name) => write!(f, "answer with the media type `{name}`"),
            Fault::LargeAnswer(bytes) => write!(f, "answer of {bytes} bytes"),
            Fault::TruncatedGzip => f.write_str("answer with gzip that is cut off"),
        }
    }
}

/// The way in which a request ends that is not simply accepted.
#[derive(Debug)]
pub(crate) enum Ending {
    Refusal(Refusal),
    Fault(Fault),
    /// The client is gone; the record says why.
    Gone,
}

impl From<Refusal> for Ending {
    fn from(refusal: Refusal) -> Self {
        Ending::Refusal(refusal)
    }
}
