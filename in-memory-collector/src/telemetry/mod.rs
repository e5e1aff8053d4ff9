//! The answers to queries: spans, log records and their parts, as they were exported.
//!
//! Attributes, events and the like are decoded when they are read; the bytes were validated before the ack.

pub mod attributes;
pub mod id;
pub mod link;
pub mod log;
pub mod metric;
pub mod origin;
pub mod span;

pub use attributes::{Attributes, Value};
pub use id::{SpanId, TraceId};
pub use link::{Event, Link};
pub use log::LogRecord;
pub use metric::{Exemplar, Metric};
pub use origin::{Origin, Resource, Scope};
pub use span::{Span, SpanKind, Status, StatusCode};
