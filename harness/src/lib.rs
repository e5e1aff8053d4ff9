//! Checks that trace context survives every hop between services, and names the hop, the cause and the side that broke
//! it.
//!
//! A *scenario* (YAML) names services, brokers and the hops between them, and for each hop the relation that it must
//! keep: child, link, restart and so on. A run starts the services, drives requests or messages through them, reads
//! what crosses every hop with taps of its own, collects the spans that the services export, and judges each hop. The
//! `unbroken` command and [`testing`] run the same scenarios.
//!
//! # A directory of scenarios, one test each
//!
//! ```toml
//! [dev-dependencies]
//! unbroken = { version = "0.1", default-features = false, features = ["http", "stubs", "libtest"] }
//!
//! [[test]]
//! name = "propagation"
//! harness = false
//! ```
//!
//! In `tests/propagation.rs`:
//!
//! ```no_run
//! # #[cfg(feature = "libtest")]
//! fn main() -> std::process::ExitCode {
//!     unbroken::testing::tests("tests/scenarios")
//! }
//! # #[cfg(not(feature = "libtest"))]
//! # fn main() {}
//! ```
//!
//! # One scenario against a service in the process of the test
//!
//! ```no_run
//! use unbroken::testing::{Class, Run, Service, Side, Wiring};
//! # type Provider = std::sync::Arc<dyn Fn() -> Result<(), std::fmt::Error> + Send + Sync>;
//! # fn provider(_otlp_endpoint: &str) -> Provider { std::sync::Arc::new(|| Ok(())) }
//! # async fn serve(_ledger: &str, _provider: &Provider) -> std::net::SocketAddr { ([127, 0, 0, 1], 0).into() }
//! # trait Flush { fn force_flush(&self) -> Result<(), std::fmt::Error>; }
//! # impl Flush for Provider { fn force_flush(&self) -> Result<(), std::fmt::Error> { self() } }
//!
//! const SCENARIO: &str = "
//! scenario: order-is-recorded
//! nodes:
//!   shop: { in-process: true }
//!   ledger: { stub: { answers: [{ status: 200 }] } }
//! hops:
//!   order: { http: { from: client, to: shop, method: POST, path: /orders } }
//!   record: { http: { from: shop, to: ledger } }
//! drive:
//!   - { send: order, times: 10, sampled: [true, false] }
//! ";
//!
//! /// Starts the application on a free port of 127.0.0.1, with the addresses of this case.
//! async fn start(wiring: Wiring) -> Service {
//!     let provider = provider(wiring.otlp_endpoint());
//!     let address = serve(wiring.url("ledger"), &provider).await;
//!     Service::http(address).flush_blocking(move || provider.force_flush())
//! }
//!
//! # async fn tests() {
//! // In a `#[tokio::test]`:
//! let judged = Run::yaml(SCENARIO).in_process("shop", start).judge().await;
//! judged.assert_pass();
//!
//! // Or, while a bug is known and not fixed:
//! judged.assert_breaks("record", Class::Restarted, Side::Sender);
//! # }
//! ```
//!
//! The module [`testing`] describes the rest: inconclusive cases, tests in parallel, relays, brokers, variables.
//!
//! # Everything else is internal
//!
//! The modules behind the two are public only for the command and the tests of this package. They are hidden from this
//! documentation and change without notice. They stand in the order in which a scenario runs through them:
//!
//! ```text
//! scenario.yaml -> scenario -> plan -> runtime, driver -> evidence -> crossings -> breaks -> rules ->
//! verdict -> report
//! ```

#![warn(missing_docs)]

#[doc(hidden)]
pub mod wire;

#[doc(hidden)]
pub mod masking;

#[doc(hidden)]
pub mod diagnostic;
#[doc(hidden)]
pub mod source;

#[cfg(feature = "kafka")]
mod client_end;
mod descriptors;
mod error_chain;
mod input_file;
mod parallel;

#[doc(hidden)]
pub mod scenario;

#[doc(hidden)]
pub mod plan;

#[doc(hidden)]
pub mod evidence;

#[doc(hidden)]
pub mod crossings;

#[doc(hidden)]
pub mod breaks;

#[doc(hidden)]
pub mod rules;

#[doc(hidden)]
pub mod verdict;

#[doc(hidden)]
pub mod progress;

#[doc(hidden)]
pub mod tap;

#[doc(hidden)]
pub mod runtime;

#[doc(hidden)]
pub mod driver;

#[doc(hidden)]
pub mod conform;

#[doc(hidden)]
pub mod run;

#[doc(hidden)]
pub mod history;

#[doc(hidden)]
pub mod report;

pub mod testing;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
