//! Containers through `testcontainers`: brokers, relays and `image:` nodes of a run. The only module that knows the
//! container engine.
//!
//! Everything that a run makes carries its labels and joins one network, and is removed when the run ends, however it
//! ends: by the command, by the drop of the last handle, or at the next start after SIGKILL. The engine is contacted
//! when the first container is needed, so a run without containers needs no engine.

mod answers;
mod broker;
mod connection;
mod containers;
mod engine;
mod error;
mod images;
mod keep_state;
mod kept;
mod labels;
mod options;
mod own_threads;
mod process_identity;
mod relay;
mod remove;
mod running_container;
mod spec;
mod time_limit;

pub use containers::Containers;
pub use error::EngineError;
pub use images::{ImageName, ImagePurpose, Images};
pub use kept::KeptContainer;
pub use options::{ContainerOptions, ContainerProgress, ProgressHandler};

pub(super) use broker::{BrokerKey, Lease, SharedBroker};
pub(super) use error::ProbeKind;
pub use error::StartError;
pub(super) use relay::RelaySettings;
pub(super) use running_container::Container;
pub(super) use spec::{ContainerSpec, MountedFile, NetworkChoice, PublishedPort};
