//! Misbehaviour on demand, to test exporters: what an endpoint does wrong, and to which requests.

pub mod fault;
pub mod plan;
pub mod when;

pub use fault::{Fault, RetryAfter};
pub use plan::FaultPlan;
pub use when::When;
