//! Everything that is bounded, and by how much.

use std::time::Duration;

/// `Limits { store_bytes: 64 << 20, ..Limits::default() }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of one request, as it comes and after decompression. OTLP recommends 64 MiB.
    pub message_bytes: u64,
    /// Of one answer. OTLP recommends 4 MiB.
    pub response_bytes: u64,
    /// Of all requests that are being received, before and after decompression.
    pub receiving_bytes: usize,
    /// Of what is kept: spans, log records, their index and the records of requests. Beyond it requests are refused.
    pub store_bytes: usize,
    /// Records of accepted requests, and of others; the oldest of each go first, and are counted.
    pub request_records: usize,
    /// Concurrent requests on one HTTP/2 connection.
    pub streams_per_connection: u32,
    /// For the first bytes of a connection, and for the head of a request.
    pub head_timeout: Duration,
    /// For the body of a request.
    pub body_timeout: Duration,
    /// The time that `stop` waits for requests that are under way.
    pub stop_timeout: Duration,
    /// Threads that serve connections.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 << 20,
            response_bytes: 4 << 20,
            receiving_bytes: 512 << 20,
            store_bytes: 1 << 30,
            request_records: 16_384,
            streams_per_connection: 1024,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(5),
            threads: 2,
        }
    }
}
