//! What a node runs in: a process of this machine, or a container. Both answer the same questions.

use nix::sys::signal::Signal;
use tokio::sync::watch;
use tokio::time::Instant;

#[cfg(feature = "container")]
use super::container::Contained;
use super::process::{Ended, Process};

#[derive(Debug)]
pub(super) enum Body {
    Process(Process),
    #[cfg(feature = "container")]
    Container(Box<Contained>),
}

impl Body {
    /// Where this machine reaches what listens on `port` in a container.
    #[cfg(feature = "container")]
    pub(super) fn at(&self, port: u16) -> Option<std::net::SocketAddr> {
        match self {
            Body::Process(_) => Some(std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port))),
            Body::Container(contained) => contained.at(port),
        }
    }

    /// Connections to it are accepted by the engine first, whether anybody listens in there or not.
    pub(super) fn is_forwarded_to(&self) -> bool {
        match self {
            Body::Process(_) => false,
            #[cfg(feature = "container")]
            Body::Container(contained) => contained.is_published(),
        }
    }

    /// The last output lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Body::Process(process) => process.lines(),
            #[cfg(feature = "container")]
            Body::Container(contained) => contained.lines(),
        }
    }

    /// With what was still on its way when it ended.
    pub(super) async fn last_lines(&self) -> Vec<String> {
        match self {
            Body::Process(process) => process.last_lines().await,
            #[cfg(feature = "container")]
            Body::Container(contained) => contained.last_lines().await,
        }
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&self) -> Ended {
        match self {
            Body::Process(process) => process.ended().await,
            #[cfg(feature = "container")]
            Body::Container(contained) => contained.ended().await,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        match self {
            Body::Process(process) => process.has_ended(),
            #[cfg(feature = "container")]
            Body::Container(contained) => contained.has_ended(),
        }
    }

    /// It goes on when the run ends.
    pub(super) fn is_kept(&self) -> bool {
        match self {
            Body::Process(_) => false,
            #[cfg(feature = "container")]
            Body::Container(contained) => contained.is_kept(),
        }
    }

    /// For waiting on the wanted line.
    pub(super) fn found(&self) -> watch::Receiver<Option<String>> {
        match self {
            Body::Process(process) => process.found(),
            #[cfg(feature = "container")]
            Body::Container(contained) => contained.found(),
        }
    }

    /// Asks it to end; `None` when it had to be killed at the deadline.
    pub(super) async fn stop(&self, signal: Signal, deadline: Instant) -> Option<Ended> {
        match self {
            Body::Process(process) => process.stop(signal, deadline).await,
            #[cfg(feature = "container")]
            Body::Container(contained) => contained.stop(signal, deadline).await,
        }
    }

    pub(super) async fn kill(&self, deadline: Instant) {
        match self {
            Body::Process(process) => process.kill(deadline).await,
            #[cfg(feature = "container")]
            Body::Container(contained) => contained.kill(deadline).await,
        }
    }
}
