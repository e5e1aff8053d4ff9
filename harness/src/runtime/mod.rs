//! Starts nodes, taps and the collector, and ends them again; nothing of it is left behind.

pub mod addresses;
pub mod broker;
mod capabilities;
mod command;
#[cfg(feature = "container")]
pub mod container;
mod environment;
pub mod error;
mod guard;
mod host_address;
mod messaging;
mod node;
pub mod options;
mod output;
mod port;
mod process;
mod ready;
mod relay;
mod request;
pub mod running;
mod spawner;
mod stand_in;
pub mod start;
#[cfg(any(feature = "stubs", feature = "grpc", feature = "kafka", feature = "rabbitmq", feature = "sqs"))]
pub mod stub;
mod taps;
#[cfg(feature = "tls")]
mod trust;
#[cfg(not(feature = "tls"))]
#[path = "no_trust.rs"]
mod trust;
mod wiring;
mod workload;

#[cfg(test)]
mod tests;

pub use addresses::Addresses;
pub use error::RuntimeError;
pub use options::{
    Answer, Given, InProcess, Kind, Listening, RuntimeOptions, Served, StartBroker, StartedBroker,
    UNBROKEN_BIN,
};
