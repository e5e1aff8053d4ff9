//! One request or message as a tap saw it: raw bytes, order and duplicates kept.

use crate::plan::{Mark, TapIx};

/// Index into `Evidence::captures`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureIx(pub usize);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    pub tap: TapIx,
    pub protocol: Protocol,
    /// Counts the connections of one tap, from 0.
    pub connection: u32,
    /// HTTP/2 stream id; for HTTP/1.1 the number of the request on its connection, from 0.
    pub stream: u32,
    /// Since the start of the case; when the head was complete.
    pub begun_nanos: u64,
    /// When the answer was complete, or the request ended otherwise.
    pub ended_nanos: Option<u64>,
    pub method: String,
    /// The path without its query; what is not UTF-8 is shown as U+FFFD.
    pub path: String,
    /// Field lines as they stood on the wire; on HTTP/2 without the pseudo-header fields.
    pub headers: Vec<Field>,
    pub trailers: Vec<Field>,
    pub marked: Marked,
    pub end: CaptureEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// One field line. A value that must not leave memory is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: Vec<u8>,
    pub value: Option<Vec<u8>>,
}

/// Whether the capture shows which stimulus it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    By(Mark),
    Absent,
    /// The marker may be there and could not be read: beyond the first 64 KiB, or in an encoding.
    Unreadable(String),
}

/// How the request ended, as the wire shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureEnd {
    /// An answer with this HTTP status; for gRPC also its status from the trailers.
    Answered { status: u16, grpc_status: Option<u32> },
    /// The connection or stream ended without a complete answer; by whom and how.
    Broken(String),
    /// Still under way when the evidence was frozen.
    Open,
}

impl CaptureEnd {
    /// Answered as a success: below 400, and gRPC OK where there is a gRPC status.
    pub fn is_success(&self) -> bool {
        match self {
            CaptureEnd::Answered { status, grpc_status } => {
                *status < 400 && grpc_status.is_none_or(|code| code == 0)
            }
            CaptureEnd::Broken(_) | CaptureEnd::Open => false,
        }
    }
}

impl Capture {
    /// The values of the field lines with this name, case ignored, in their order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .filter_map(|field| field.value.as_deref())
    }
}
