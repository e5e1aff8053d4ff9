//! Misbehaviour on demand, to test exporters: what an endpoint does wrong, and to which requests.

pub mod kind;
pub mod plan;
pub mod when;

pub use kind::{Fault, RetryAfter};
pub use plan::FaultPlan;
pub use when::When;
