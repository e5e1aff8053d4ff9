//! An OTLP collector for tests: it takes traces, logs, metrics and profiles over gRPC and HTTP, keeps every span and
//! log record as it was exported, and tells a test when what it waits for has arrived.
//!
//! It is no pipeline: nothing is sampled, batched, forwarded or evicted. What it cannot keep it refuses.
//!
//! A request goes through these modules in this order:
//!
//! - `fault`: what is done wrong on demand
//! - `server`: connections, HTTP/1.1, HTTP/2, gRPC; limits; the answers
//! - `json`: OTLP/JSON to protobuf, by the tables of `schema`
//! - `scan`: validation, on `protobuf`
//! - `store`: what was accepted, and the index over it
//! - `decode`: the same without a connection
//! - `query`: waiting for it; `telemetry`: what a query answers with

mod clock;
mod collector;
pub mod decode;
mod endpoint;
mod fault;
mod json;
mod limits;
mod protobuf;
mod query;
mod scan;
mod schema;
mod server;
mod shared;
mod store;
mod telemetry;

pub use clock::{Clock, ManualClock};
pub use collector::{Builder, Collector, StartError};
pub use endpoint::{Endpoint, EndpointError};
pub use fault::{Fault, RetryAfter, When};
pub use limits::Limits;
pub use query::{Condition, Deadline, Missing, Moment, SpanPattern, TimeOut, TraceQuery, WaitError};
pub use server::cors::Cors;
pub use server::refusal::Refusal;
pub use store::insert::Full;
pub use store::{Compression, Encoding, Outcome, RequestRecord, Signal, StoreStats, Transport};
pub use telemetry::{
    Attributes, Event, Link, LogRecord, Origin, Resource, Scope, Span, SpanId, SpanKind, Status, StatusCode,
    TraceId, Value,
};
