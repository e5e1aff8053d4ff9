//! Validates a whole request without decoding it, and finds what the store needs: where each span and record lies,
//! its ids, its links, and which resource and scope it belongs to.
//!
//! It accepts exactly what a full decoder accepts (shown against `prost` in
//! `tests/scan_agrees_with_prost.rs`), so what
//! is decoded later, on demand, cannot fail. Attributes are not decoded here.

pub mod attribute;
pub mod count;
pub mod envelope;
pub mod log;
pub mod metric;
pub mod span;
pub mod validate;

pub use envelope::{Batch, Part};
pub use log::{LogFacts, logs};
pub use metric::metrics;
pub use span::{LinkFacts, SpanFacts, traces, written_traces};
