//! Propagation conformance for distributed traces: the library behind the `unbroken` command.
//!
//! The modules stand in the order of the pipe that a scenario runs through:
//!
//! ```text
//! scenario.yaml -> scenario -> plan -> runtime, driver -> evidence -> crossings -> breaks -> rules ->
//! verdict -> report
//! ```

pub mod wire;

pub mod diagnostic;
pub mod source;

mod parallel;

pub mod scenario;

pub mod plan;

pub mod evidence;

pub mod crossings;

pub mod breaks;

pub mod rules;

pub mod verdict;

pub mod progress;

pub mod tap;

pub mod runtime;

pub mod driver;

pub mod run;

pub mod report;

pub mod testing;

#[cfg(feature = "cli")]
pub mod cli;
