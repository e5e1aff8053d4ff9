//! One port that speaks HTTP/1.1, HTTP/2 without TLS, OTLP/HTTP and OTLP/gRPC.
//!
//! The order of a request: admit its bytes, read, decompress up to the limit, turn JSON into protobuf, validate,
//! store, wake, answer. Clause: opentelemetry-proto `docs/specification.md`.

pub mod accept;
pub mod admission;
pub mod body;
pub mod call;
pub mod compression;
pub mod cors;
pub mod grpc;
pub mod http;
pub mod http1;
pub mod http2;
pub mod intake;
pub mod refusal;
pub mod reply;
pub mod sniff;
pub mod status;
