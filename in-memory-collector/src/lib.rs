//! An OTLP collector for tests: it takes traces, logs, metrics and profiles over gRPC and HTTP, keeps every span and
//! log record as it was exported, and tells a test when what it waits for has arrived.
//!
//! It is no pipeline: nothing is sampled, batched or evicted. What it cannot keep it refuses. An endpoint may forward
//! what it has stored (`Forwarder`).
//!
//! ```
//! use std::time::Duration;
//! use in_memory_collector::{Collector, Condition, Limits, TraceQuery, WaitError};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let collector = Collector::start(Limits::default())?;
//! let shop = collector.block_on(collector.endpoint("shop"))?;
//! println!("OTEL_EXPORTER_OTLP_ENDPOINT={}", shop.url());
//!
//! let trace = [7; 16]; let waiting = collector.block_on(async {
//!     collector.wait(&TraceQuery::trace(trace), Condition::AtLeast(1), Duration::from_millis(10)).await
//! });
//! let Err(WaitError::TimedOut(time_out)) = waiting else { panic!("nobody sent anything") };
//! assert_eq!(time_out.missing[0].to_string(), "1 spans are wanted and 0 are here");
//! # Ok(())
//! # }
//! ```
//!
//! A request goes through these modules in this order:
//!
//! - `fault`: what is done wrong on demand
//! - `server`: connections, HTTP/1.1, HTTP/2, gRPC; limits; the answers
//! - `json`: OTLP/JSON to protobuf, by the tables of `schema`
//! - `scan`: validation, on `protobuf`
//! - `store`: what was accepted, and the index over it
//! - `forward`: handing it on
//! - `otlp_json`: the way back
//! - `decode`: the same without a connection
//! - `query`: waiting for it; `telemetry`: what a query answers with

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

mod clock;
mod collector;
pub mod decode;
mod endpoint;
mod fault;
mod forward;
mod json;
mod limits;
pub mod otlp_json;
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
pub use forward::{Forwarder, Forwarding, Rejection};
pub use limits::Limits;
pub use query::{Condition, Deadline, Missing, Moment, SpanPattern, TimeOut, TraceQuery, WaitError};
pub use server::cors::Cors;
pub use server::refusal::Refusal;
pub use store::insert::Full;
pub use store::{Compression, Encoding, Outcome, RequestRecord, Signal, StoreStats, Transport};
pub use telemetry::{
    Attributes, Event, Exemplar, Link, LogRecord, Metric, Origin, Resource, Scope, Span, SpanId, SpanKind,
    Status, StatusCode, TraceId, Value,
};
