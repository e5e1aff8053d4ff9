//! The state that `--keep` needs of the containers that it leaves, by their ids.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

#[derive(Debug, Default)]
pub(super) struct KeepState {
    /// The port in the container that its program listens on, and where this machine reaches it.
    served_ports: HashMap<String, (u16, Option<SocketAddr>)>,
    /// The containers that were stopped so that they flush.
    stopped: HashSet<String>,
}

impl KeepState {
    pub(super) fn add_served_port(&mut self, id: &str, inside: u16, at: Option<SocketAddr>) {
        self.served_ports.insert(id.to_owned(), (inside, at));
    }

    pub(super) fn add_stopped(&mut self, id: &str) {
        self.stopped.insert(id.to_owned());
    }

    pub(super) fn served_port(&self, id: &str) -> Option<(u16, Option<SocketAddr>)> {
        self.served_ports.get(id).copied()
    }

    /// Returns the containers that were stopped, and forgets them.
    pub(super) fn take_stopped(&mut self) -> HashSet<String> {
        std::mem::take(&mut self.stopped)
    }
}
