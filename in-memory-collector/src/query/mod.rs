//! Waiting for spans without polling: which ones, for what, and what was missing if it did not come.

pub mod condition;
pub mod judge;
pub mod parked;
pub mod selection;
pub mod timeout;
pub mod wait;

pub use condition::{Condition, SpanPattern};
pub use selection::TraceQuery;
pub use timeout::{Missing, Moment, TimeOut};
pub use wait::{Deadline, WaitError};
