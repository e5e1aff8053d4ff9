//! The `cargo test` door.

#[cfg(feature = "libtest")]
mod directory;
mod judged;
pub mod relay;
mod run;
mod service;
mod settings;

#[cfg(feature = "libtest")]
pub use directory::{Inconclusive, Tests, tests};
pub use judged::Judged;
pub use run::Run;
pub use service::{Service, Wiring};
