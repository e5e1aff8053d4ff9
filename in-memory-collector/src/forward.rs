//! Forwarding: an endpoint hands each request that it stored to a function before it answers, and answers with
//! its result.
//!
//! The function gets the message decompressed and in protobuf, whatever the exporter sent. Where it is sent is the
//! function's affair: this crate sends nothing.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::server::refusal::Refusal;
use crate::store::Signal;

/// The result of forwarding one request.
pub type Forwarding = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send>>;

/// Forwards each request of an endpoint.
#[derive(Clone)]
pub struct Forwarder(Arc<dyn Fn(Signal, Bytes) -> Forwarding + Send + Sync>);

/// The receiver behind an endpoint rejected a request, or could not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// The HTTP status to answer with: an exporter retries on 429, 502, 503 and 504 only.
    pub status: u16,
    pub message: String,
}

impl Forwarder {
    pub fn new(forward: impl Fn(Signal, Bytes) -> Forwarding + Send + Sync + 'static) -> Self {
        Self(Arc::new(forward))
    }

    pub(crate) async fn forward(&self, signal: Signal, message: Bytes) -> Result<(), Refusal> {
        (self.0)(signal, message).await.map_err(Refusal::Rejected)
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Forwarder")
    }
}

impl Rejection {
    /// Returns the gRPC status that means the same to an exporter.
    pub(crate) fn grpc_code(&self) -> u32 {
        match self.status {
            429 | 502 | 503 | 504 => 14,
            400 => 3,
            401 => 16,
            403 => 7,
            404 | 405 | 415 => 12,
            413 => 8,
            _ => 13,
        }
    }
}
