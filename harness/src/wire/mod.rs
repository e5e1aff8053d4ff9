//! Propagation formats: bytes to fields and back, with the reason when refused. Knows nothing else of the crate.

pub mod traceparent;
