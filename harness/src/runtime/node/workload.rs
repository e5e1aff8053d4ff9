//! The process or container that a node runs as. Both answer the same questions.

use nix::sys::signal::Signal;
use tokio::sync::watch;
use tokio::time::Instant;

#[cfg(feature = "container")]
use crate::runtime::container::Container;
use crate::runtime::process::{Process, ProcessEnd};

/// The process or container that a node runs as.
#[derive(Debug)]
pub enum Workload {
    Process(Process),
    #[cfg(feature = "container")]
    Container(Box<Container>),
}

impl Workload {
    /// Returns where this machine reaches what listens on `port` in it.
    #[cfg(feature = "container")]
    pub fn at(&self, port: u16) -> Option<std::net::SocketAddr> {
        match self {
            Workload::Process(_) => Some(std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port))),
            Workload::Container(container) => container.at(port),
        }
    }

    /// Notes where its program is reached, for `--keep`.
    #[cfg(feature = "container")]
    pub fn add_served_port(&self, port: u16, at: Option<std::net::SocketAddr>) {
        match self {
            Workload::Process(_) => {}
            Workload::Container(container) => container.add_served_port(port, at),
        }
    }

    /// Returns whether the container engine accepts connections in its place, even when nobody listens in the
    /// container.
    pub fn is_forwarded_to(&self) -> bool {
        match self {
            Workload::Process(_) => false,
            #[cfg(feature = "container")]
            Workload::Container(container) => container.is_published(),
        }
    }

    /// Returns the last output lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Workload::Process(process) => process.lines(),
            #[cfg(feature = "container")]
            Workload::Container(container) => container.lines(),
        }
    }

    /// Returns the last output lines, with what was still on its way when it ended.
    pub async fn last_lines(&self) -> Vec<String> {
        match self {
            Workload::Process(process) => process.last_lines().await,
            #[cfg(feature = "container")]
            Workload::Container(container) => container.last_lines().await,
        }
    }

    /// Resolves when it has ended.
    pub async fn ended(&self) -> ProcessEnd {
        match self {
            Workload::Process(process) => process.ended().await,
            #[cfg(feature = "container")]
            Workload::Container(container) => container.ended().await,
        }
    }

    pub fn has_ended(&self) -> bool {
        match self {
            Workload::Process(process) => process.has_ended(),
            #[cfg(feature = "container")]
            Workload::Container(container) => container.has_ended(),
        }
    }

    /// Returns the number of its processes that accept connections at a port, where that can be seen.
    pub fn listening_processes(&self, port: u16) -> Option<usize> {
        match self {
            Workload::Process(process) => process.accepting(port),
            #[cfg(feature = "container")]
            Workload::Container(_) => None,
        }
    }

    /// Returns whether it stays when the run ends.
    pub fn is_kept(&self) -> bool {
        match self {
            Workload::Process(_) => false,
            #[cfg(feature = "container")]
            Workload::Container(container) => container.is_kept(),
        }
    }

    /// Returns a watch on the awaited line.
    pub fn found(&self) -> watch::Receiver<Option<String>> {
        match self {
            Workload::Process(process) => process.found(),
            #[cfg(feature = "container")]
            Workload::Container(container) => container.found(),
        }
    }

    /// Sends the signal and waits for the end; returns `None` when it had to be killed at the deadline.
    pub async fn stop(&self, signal: Signal, deadline: Instant) -> Option<ProcessEnd> {
        match self {
            Workload::Process(process) => process.stop(signal, deadline).await,
            #[cfg(feature = "container")]
            Workload::Container(container) => container.stop(signal, deadline).await,
        }
    }

    /// Kills it and waits for the end.
    pub async fn kill(&self, deadline: Instant) {
        match self {
            Workload::Process(process) => process.kill(deadline).await,
            #[cfg(feature = "container")]
            Workload::Container(container) => container.kill(deadline).await,
        }
    }
}
