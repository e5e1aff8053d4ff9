//! Nodes of a case: each kind is started in its own file, and answers the same questions while it runs.

mod capabilities;
mod collector;
mod command;
mod death;
mod environment;
mod error;
mod flush_advice;
pub mod gateway;
#[cfg(feature = "container")]
mod image;
mod in_process;
mod messaging;
mod own_resources;
mod ready;
mod ready_line;
mod relay;
mod request;
mod running;
pub mod standalone;
mod start;
mod url;
mod workload;

#[cfg(test)]
mod tests;

pub use collector::find as find_collector;
pub(super) use collector::{end as end_collector, failed_export};
pub use death::NodeDeath;
pub use error::NodeError;
pub(super) use error::output_hint;
pub(super) use request::post_protobuf;
pub use running::{FlushMethod, RunningNode};
pub use start::start;
