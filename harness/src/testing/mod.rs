//! The `cargo test` door: scenarios as tests of a Rust service.
//!
//! ```toml
//! [dev-dependencies]
//! unbroken = { version = "0.1", default-features = false, features = ["http", "stubs", "libtest"] }
//! ```
//!
//! # A directory of scenarios, one test each
//!
//! Three lines in `tests/propagation.rs`:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     unbroken::testing::tests("tests/scenarios")
//! }
//! ```
//!
//! and in `Cargo.toml`, because this `main` takes the place of the one that Rust's own test harness makes:
//!
//! ```toml
//! [[test]]
//! name = "propagation"
//! harness = false
//! ```
//!
//! Each case of each file is a test of the file's `scenario:` name, such as `order-is-booked [sampled=true]`, for
//! `cargo test` and `cargo nextest` alike. The message of a failed one is the story that the command tells: the hop
//! map, the bytes on both sides, the clause, what to try. A file that is no scenario is a failed test with a caret
//! under each mistake; a program that is missing or dies is one with its last lines.
//!
//! A service of the package itself is started as a program by `command: ["${env.CARGO_BIN_EXE_shop}"]`: cargo has
//! built it before it runs the tests, and names it so (since 1.94).
//!
//! **Inconclusive fails.** A case that nobody could decide, because a node exported nothing or could not be
//! started, is
//! no proof, and a green tick would be taken for one. Where it is expected, on a laptop without the dependency that a
//! `url:` names, say `UNBROKEN_INCONCLUSIVE=ignore`: it is an ignored test then, with its reason. The same can be
//! written into the test, with `Tests::inconclusive`; the environment wins, so CI can insist on `fail`.
//!
//! Findings that are known and accepted stand in the folder's `baseline.json`, each with its reason, as for the
//! command.
//!
//! # A service in the test's own process
//!
//! `Run` is for an ordinary asynchronous test. It starts taps, collector and stubs, calls the closure that starts the
//! service, drives the scenario and judges it:
//!
//! ```no_run
//! use unbroken::breaks::{Class, Side};
//! use unbroken::testing::{Run, Service, Wiring};
//! # type Provider = std::sync::Arc<dyn Fn() -> Result<(), std::fmt::Error> + Send + Sync>;
//! # fn provider(_otlp_endpoint: &str) -> Provider { std::sync::Arc::new(|| Ok(())) }
//! # async fn serve(_ledger: &str, _provider: &Provider) -> std::net::SocketAddr { ([127, 0, 0, 1], 0).into() }
//! # trait Flush { fn force_flush(&self) -> Result<(), std::fmt::Error>; }
//! # impl Flush for Provider { fn force_flush(&self) -> Result<(), std::fmt::Error> { self() } }
//!
//! /// The application's own code, on 127.0.0.1:0, with the addresses of this case.
//! async fn start(wiring: Wiring) -> Service {
//!     let provider = provider(wiring.otlp_endpoint());
//!     let address = serve(wiring.url("ledger"), &provider).await;
//!     Service::http(address).flush_blocking(move || provider.force_flush())
//! }
//!
//! # async fn tests() {
//! // #[tokio::test]
//! let judged = Run::file("tests/scenarios/shop.yaml").in_process("shop", start).judge().await;
//! judged.assert_pass();
//!
//! // Or, while a bug is known and not mended:
//! judged.assert_breaks("record", Class::Restarted, Side::Sender);
//! # }
//! ```
//!
//! A node that is always started so is written `shop: { in-process: true }`. But the closure wins whatever the file
//! says of the node, so that one file serves a test in the process and the command, which starts the program.
//! `Run::yaml` takes the scenario as text, and `Judged` gives every verdict and finding as values.
//!
//! The runtime of the test is used for everything but the collector, which has threads of its own: a flush
//! that blocks
//! is answered. A service that blocks its runtime blocks the taps, too; then it is
//! `#[tokio::test(flavor = "multi_thread")]`.
//!
//! # Tests side by side, and the process-wide tracer provider
//!
//! Each case has a collector endpoint and taps of its own, so any number of cases run at once in one process, as long
//! as **each service instance is given its own tracer provider** for the endpoint in its `Wiring`. A
//! service that takes
//! its provider as an argument, as it takes its configuration, needs nothing else. So does one that reads no
//! `opentelemetry::global` and installs no global `tracing` subscriber: `tracing::subscriber::set_default` or
//! `WithSubscriber::with_subscriber` give a service its own there.
//!
//! `opentelemetry::global::set_tracer_provider` and `tracing`'s global subscriber can be had once in a process:
//! whichever test comes first takes the spans of all, and the others are *inconclusive*, because no span of their
//! service arrived. For a service that depends on them, one of these:
//!
//! - `cargo nextest run`, which gives each test a process of its own. One `Run` a test then, with `Run::case`
//!   where the scenario has several;
//! - a program: `command:` instead of `in_process`. What is process-wide is then as real as in production;
//! - one file in `tests/` for each such test, since cargo makes each a program, with the one test in it.
//!
//! The global *propagator* is no such trouble: it holds no state of a service, and setting the same one twice is
//! harmless. Where services under test differ in their propagators, the same three answers hold.
//!
//! # Relays
//!
//! With the feature `relays`, a node may be `relay: model` or `relay: rust`. The relay is a process: the test program
//! starts itself as `PROGRAM relay model`, and `tests` answers that before it looks for tests. A test file with
//! `#[test]` functions has a `main` that cannot; there, `UNBROKEN_BIN` names the `unbroken` command. A `main` of your
//! own calls `relay::answer` first.
//!
//! # Real brokers
//!
//! With `UNBROKEN_RUNTIME=container`, or `.runtime(Kind::Container)` in the test, brokers and relays are containers:
//! real Apache Kafka, RabbitMQ and an SQS server, one of each for all tests of the process. The scenario stays as it
//! is.
//! `image:` nodes are containers in either runtime. Both want the feature `container`, which is off where default
//! features are off, and a container engine.
//!
//! # What the environment says
//!
//! | variable | |
//! |---|---|
//! | `UNBROKEN_SEED` | the seed of a run that failed, as it was printed: the same ids again |
//! | `UNBROKEN_KEEP_EVIDENCE` | a folder for the evidence of every case, for `unbroken judge` |
//! | `UNBROKEN_INCONCLUSIVE` | `fail` or `ignore`, for tests of a directory |
//! | `UNBROKEN_BIN` | the program that is asked for relays |
//! | `UNBROKEN_RUNTIME` | `embedded` (the default) or `container`: brokers and relays in containers |
//! | `UNBROKEN_IMAGE_KAFKA`, `_RABBITMQ`, `_SQS`, `_RELAY_MODEL`, `_RELAY_RUST` | other images |
//! | `UNBROKEN_KEEP_CONTAINERS` | leaves all containers running |

pub mod brokers;
#[cfg(feature = "libtest")]
mod directory;
mod judged;
pub mod relay;
mod run;
pub mod runtime;
mod service;
mod settings;

#[cfg(feature = "libtest")]
pub use directory::{Inconclusive, Tests, tests};
pub use judged::Judged;
pub use run::Run;
pub use service::{Service, Wiring};
