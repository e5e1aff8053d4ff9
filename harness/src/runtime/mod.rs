//! Starts the nodes, brokers, taps and the collector of a case, and ends them again; nothing stays behind.
//!
//! `tidy.rs` holds the arrows between the folders: `process` and `broker_admin` name no other, `container` names these
//! two, `broker` names `container` and `broker_admin`, `node` names all of them but `stub`. What two folders share is
//! in a file beside them.

pub mod addresses;
mod broker;
pub mod broker_admin;
pub mod client_settings;
#[cfg(feature = "container")]
pub mod container;
pub mod deaths;
pub mod error;
mod fixed_addresses;
mod fixed_listeners;
mod host_address;
mod node;
mod node_addresses;
pub mod options;
mod process;
pub mod running;
mod setting;
pub mod start;
pub mod stub;
mod taps;
mod telemetry_path;
#[cfg(feature = "tls")]
mod trust;
#[cfg(not(feature = "tls"))]
#[path = "no_trust.rs"]
mod trust;
mod turns;
mod wiring;

pub use addresses::Addresses;
pub use error::RuntimeError;
pub use node::{NodeError, find_collector, gateway, standalone};
pub use node_addresses::NodeAddresses;
pub use options::{
    BoxError, BoxFuture, BrokerStarter, InProcessService, RunningBroker, RunningService, RuntimeKind,
    RuntimeOptions, ServiceEnvironment, TopicCreator, UNBROKEN_BIN,
};
