//! An answer before it is known how the connection carries it.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

#[derive(Debug)]
pub enum Reply {
    Http(HttpReply),
    Grpc(GrpcReply),
    /// RST_STREAM; over HTTP/1.1 as `Disconnect`.
    Reset(u32),
    /// GOAWAY; over HTTP/1.1 as `Disconnect`.
    GoAway(u32),
    /// The connection is closed.
    Disconnect,
}

#[derive(Debug)]
pub struct HttpReply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// With a message it is an answer, without one only a status.
#[derive(Debug)]
pub struct GrpcReply {
    pub message: Option<Bytes>,
    pub code: u32,
    pub text: String,
    /// An encoded `google.rpc.Status`.
    pub details: Option<Vec<u8>>,
    pub headers: HeaderMap,
}

impl HttpReply {
    pub fn new(status: u16) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}
