//! The reference suite: requirements of the standards, tried on one service, with a verdict for each.
//!
//! A requirement is data (`scenarios/conformance/*.yaml`, built in): its clause, its strength, and vectors. A vector
//! says what is sent byte for byte and what must come out. The target is any service that keeps the smallest part of
//! `fixtures/CONTRACT.md`, which is the service of the W3C test suite: it calls back the addresses that it is given.
//!
//! A vector is judged by what its author wrote (`judge`), not by the table of breaks and not by a grammar. Nothing is
//! printed here.

pub mod baseline;
mod collector_fault;
mod document;
pub mod engine;
pub mod judge;
pub mod listener;
pub mod progress;
pub mod results;
pub mod selection;
mod span_sink;
pub mod suite;
pub mod target;
pub mod transport;

pub use engine::{Options, run};
pub use progress::{OnProgress, SuiteProgress};
pub use results::{ConformanceVerdict, Results};
pub use selection::{RequirementSelection, SelectedRequirement};
pub use suite::{Suite, suites};
pub use target::Target;
pub use transport::{TransportKind, TransportRoute};
