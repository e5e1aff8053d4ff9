//! The end of a program that the harness did not stop.

use super::error::NodeError;

/// The end of a program that the harness did not stop: what it was, how it ended, and what it printed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeDeath {
    pub node: String,
    /// As a user would type it.
    pub command: String,
    pub port: Option<u16>,
    /// `exit status 1`, `killed by SIGKILL`.
    pub end: String,
    pub lines: Vec<String>,
}

impl From<NodeDeath> for NodeError {
    fn from(death: NodeDeath) -> Self {
        let NodeDeath { node, command, port, end, lines } = death;
        NodeError::Died { node, command, port, end, lines }
    }
}
