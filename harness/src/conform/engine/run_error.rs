//! The reasons why nothing could be tried, with the last output lines of the target.

use std::net::SocketAddr;

use crate::conform::span_sink::SinkError;
use crate::conform::target::InstanceError;
use crate::conform::transport::TransportStartError;

/// The reason why nothing could be tried.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("cannot listen at {0} for the calls of the target")]
    Listen(SocketAddr, #[source] std::io::Error),
    #[error("cannot start the collector for the target's spans")]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Transport(#[from] TransportStartError),
    #[error(transparent)]
    Target(#[from] InstanceError),
    #[error(
        "the target at {address} does not call back ({why}): it must answer `POST` with a JSON array of steps \
         (`fixtures/CONTRACT.md`)"
    )]
    NotCalledBack {
        address: String,
        why: String,
        /// The last output lines of a target that was started here.
        lines: Vec<String>,
    },
}

impl RunError {
    /// Returns the last output lines of the target.
    pub fn lines(&self) -> &[String] {
        match self {
            RunError::Target(error) => error.lines(),
            RunError::NotCalledBack { lines, .. } => lines,
            RunError::Listen(..) | RunError::Sink(_) | RunError::Transport(_) => &[],
        }
    }
}
