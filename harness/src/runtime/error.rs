//! Errors of the machine while a case is started, run and ended; never a fault of the system under test's tracing.
//!
//! Each message is one line that names the node, what happened with its values, and the next step; causes are in the
//! chain. The errors of a folder are in its own `error.rs`.

use std::net::SocketAddr;

use super::broker::BrokerError;
#[cfg(feature = "container")]
use super::container::{EngineError, StartError};
use super::node::NodeError;
use super::process::port::AddressError;
use super::turns::NameInUse;
use crate::error_chain::BoxedError;
use crate::masking::SecretError;

/// The reason why a case could not be started, or not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[cfg(feature = "container")]
    #[error("node `{node}`: cannot start its container")]
    Engine { node: String, source: std::sync::Arc<EngineError> },
    #[cfg(feature = "container")]
    #[error("node `{node}`: {error}")]
    Container { node: String, error: StartError },
    #[error(
        "node `{node}`: the environment variable `{name}` is not set, but `${{env.{name}}}` needs it: set it"
    )]
    EnvMissing { node: String, name: String },
    #[error("node `{node}`: {error}")]
    Secret { node: String, error: SecretError },
    #[error("node `{node}`: there is no address for `{to}`: declare a hop from `{node}` to `{to}`")]
    NoAddress { node: String, to: String },
    #[error("node `{node}` does not export to `{to}`: add `{to}` to its `to:`")]
    NoWay { node: String, to: String },
    #[error(
        "node `{node}` runs in a container and cannot reach `{to}` at {at} of this machine: omit `tap: none`, or run `{to}` \
         as an image"
    )]
    OutOfReach { node: String, to: String, at: SocketAddr },
    #[error(
        "node `{node}` runs in a container and cannot reach the broker `{to}` at {at} of this machine: give the broker an \
         `address:` that containers can reach"
    )]
    BrokerOutOfReach { node: String, to: String, at: SocketAddr },
    #[error("node `{node}`: this build does not support {what}: build with the feature `{feature}`")]
    NotBuilt { node: String, what: &'static str, feature: &'static str },
    #[error(transparent)]
    InUse(#[from] NameInUse),
    #[error("cannot listen for {what}")]
    Listen { what: String, source: BoxedError },
    #[error(
        "cannot listen at {at} for {what}: {reason}; or write another address in {setting}, and in the settings of the \
         services that use it"
    )]
    FixedAddress { at: SocketAddr, what: String, setting: &'static str, reason: AddressError },
    #[error("cannot create the certificate authority of this run")]
    Authority { source: BoxedError },
    #[error("cannot use `client-certificate: {file}`")]
    ClientCertificate { file: String, source: BoxedError },
    #[error("a hop uses TLS, and this build cannot terminate it: build with the feature `tls`")]
    NoTls,
}

impl RuntimeError {
    /// Returns the node or broker that it is about, and its last output lines.
    pub fn log(&self) -> Option<(&str, &[String])> {
        match self {
            RuntimeError::Node(error) => error.log(),
            RuntimeError::Broker(error) => error.log(),
            #[cfg(feature = "container")]
            RuntimeError::Container { node, error } => Some((node, error.lines())),
            #[cfg(feature = "container")]
            RuntimeError::Engine { .. } => None,
            RuntimeError::EnvMissing { .. }
            | RuntimeError::Secret { .. }
            | RuntimeError::NoAddress { .. }
            | RuntimeError::NoWay { .. }
            | RuntimeError::OutOfReach { .. }
            | RuntimeError::BrokerOutOfReach { .. }
            | RuntimeError::NotBuilt { .. }
            | RuntimeError::InUse(_)
            | RuntimeError::Listen { .. }
            | RuntimeError::FixedAddress { .. }
            | RuntimeError::Authority { .. }
            | RuntimeError::ClientCertificate { .. }
            | RuntimeError::NoTls => None,
        }
    }

    /// Returns the last output lines of the node that it is about.
    pub fn lines(&self) -> &[String] {
        self.log().map_or(&[], |(_, lines)| lines)
    }

    /// Builds the error of a listener that could not be opened.
    pub(super) fn listen(what: impl Into<String>, source: impl Into<BoxedError>) -> Self {
        RuntimeError::Listen { what: what.into(), source: source.into() }
    }

    /// Builds the error of a node that would be a container, in a build without them.
    #[cfg(not(feature = "container"))]
    pub(super) fn no_containers(node: &crate::scenario::Node) -> Self {
        RuntimeError::NotBuilt { node: node.name.clone(), what: "containers", feature: "container" }
    }

    /// Builds the error of a node whose container did not become ready.
    #[cfg(feature = "container")]
    pub(super) fn container(node: &str, error: StartError) -> Self {
        let node = node.to_owned();
        match error {
            StartError::Engine(source) => RuntimeError::Engine { node, source },
            error => RuntimeError::Container { node, error },
        }
    }
}
