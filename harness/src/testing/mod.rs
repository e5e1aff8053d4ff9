//! Scenarios as tests of a Rust service: a directory of them, or one against a service in the process of the test.
//!
//! # A directory of scenarios
//!
//! [`tests`] is the `main` of a test with `harness = false` (the crate's first page shows the three lines). Each case
//! of each file is a test by the file's `scenario:` name, such as `order-is-booked [sampled=true]`, for `cargo test`
//! and `cargo nextest`. A failed test prints the report of the command: the hops, the bytes on both sides, the clause,
//! what to try. A file that is not a scenario is a failed test with a caret at each error. A program that is missing
//! or dies is a failed test with its last output.
//!
//! A program of the package itself is started by `command: ["${env.CARGO_BIN_EXE_shop}"]`: cargo builds it before the
//! tests and sets the variable (since 1.94).
//!
//! **An inconclusive case fails.** A case is inconclusive when a node exported nothing or could not start, for
//! example. It proves nothing, and a green test would hide that. Where it is expected, such as on a laptop without the
//! dependency that a `url:` names, set `UNBROKEN_INCONCLUSIVE=ignore`: the test is then ignored, with the reason.
//! [`Tests::inconclusive`] sets the same in the test. The variable overrides it, so CI can insist on `fail`.
//!
//! Accepted findings stand in the `baseline.json` of the folder, each with its reason, as for the command.
//!
//! # A service in the process of the test
//!
//! [`Run`] is for an ordinary asynchronous test. It starts taps, collector and stubs, calls the closure that starts the
//! service, drives the scenario and judges it (the crate's first page has an example). A node that always runs in the
//! process is written `shop: { in-process: true }`. The closure takes precedence over any other kind of node, so one
//! file serves a test in the process and the command, which starts the program. [`Run::yaml`] takes the scenario as
//! text, and [`Judgement`] has every verdict and finding as values.
//!
//! Everything runs on the runtime of the test except the collector, which has its own threads: it answers a flush that
//! blocks. A service that blocks its runtime also blocks the taps; such a test needs
//! `#[tokio::test(flavor = "multi_thread")]`.
//!
//! # Tests in parallel, and the process-wide tracer provider
//!
//! Each case has its own collector endpoint and taps, so any number of cases run at once in one process, as long as
//! **each instance of a service gets its own tracer provider** for the endpoint in its [`Wiring`]. That holds for a
//! service that takes its provider as an argument, and for one that uses neither `opentelemetry::global` nor a global
//! `tracing` subscriber: `tracing::subscriber::set_default` or `WithSubscriber::with_subscriber` give it its own.
//!
//! `opentelemetry::global::set_tracer_provider` and the global subscriber of `tracing` exist once in a process. The
//! first test takes the spans of all others, and those are *inconclusive*, because no span of their service arrives. A
//! service that depends on them needs one of these:
//!
//! - `cargo nextest run`, which gives each test its own process, with one [`Run`] for each test ([`Run::case`] selects
//!   one of several cases);
//! - a program: `command:` in place of `in_process`, with process-wide state as in production;
//! - one file in `tests/` with one test, for each such service: cargo makes each file a program.
//!
//! The global *propagator* is not a problem: it holds no state of a service, and setting it twice is harmless. Where
//! services under test need different propagators, the same three solutions apply.
//!
//! # Relays
//!
//! With the feature `relays`, a node may be `relay: model` or `relay: rust`. A relay is a process: the test program
//! starts itself as `PROGRAM relay model`, and [`tests`] recognises that before it looks for tests. The `main` of a
//! file with `#[test]` functions does not; there, `UNBROKEN_BIN` names the `unbroken` command. A `main` of your own
//! calls [`relay::answer`] first.
//!
//! # Real brokers
//!
//! With `UNBROKEN_RUNTIME=container`, or `.runtime(RuntimeKind::Container)` in the test, brokers and relays run in
//! containers: real Apache Kafka, RabbitMQ and an SQS server, one of each for all tests of the process. The scenario
//! does not change. `image:` nodes run in containers in either runtime. Both need a container engine and the feature
//! `container`, which is off where default features are off. A `main` of your own calls [`remove_containers`] last.
//!
//! # Variables of the environment
//!
//! | variable | |
//! |---|---|
//! | `UNBROKEN_SEED` | the seed that a failed run printed, to get the same ids again |
//! | `UNBROKEN_KEEP_EVIDENCE` | a folder for the evidence of every case, for `unbroken judge` |
//! | `UNBROKEN_INCONCLUSIVE` | `fail` or `ignore`, for tests of a directory |
//! | `UNBROKEN_BIN` | the program that is started as a relay |
//! | `UNBROKEN_RUNTIME` | `embedded` (the default) or `container`, for brokers and relays |
//! | `UNBROKEN_IMAGE_KAFKA`, `_RABBITMQ`, `_SQS`, `_RELAY_MODEL`, `_RELAY_RUST` | other images |
//! | `UNBROKEN_KEEP_CONTAINERS` | keeps all containers running |

#[doc(hidden)]
pub mod brokers;
#[cfg(feature = "libtest")]
mod directory;
mod judgement;
pub mod relay;
mod run;
#[doc(hidden)]
pub mod runtime;
mod service;
mod settings;

#[cfg(feature = "libtest")]
pub use directory::{Inconclusive, Tests, tests};
pub use judgement::Judgement;
pub use run::Run;
pub use runtime::end as remove_containers;
pub use service::{Service, Wiring};

pub use crate::breaks::{Class, Side};
pub use crate::rules::{Finding, Line, Note};
pub use crate::runtime::RuntimeKind;
pub use crate::scenario::{Expectation, Relation, RestartSide};
pub use crate::source::{Place, Source};
pub use crate::verdict::{CaseVerdict, GapVerdict, HopVerdict, RuleVerdict, Verdict};
