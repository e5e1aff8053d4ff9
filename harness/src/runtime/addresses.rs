//! The addresses at which the hops are called, once taps and nodes listen.

use std::net::SocketAddr;

use crate::scenario::HopIx;

/// For each hop of the scenario the address that its sender calls: the tap's, or with `tap: none` the receiver's own.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    pub hops: Vec<Option<SocketAddr>>,
    /// `host:port` for a sender in a container, where that differs: it may know this machine by a name.
    pub in_containers: Vec<Option<String>>,
    /// For each hop through a broker the address that its sender gets: `host:port` of Kafka, `amqp://` and `http://`
    /// URLs.
    pub brokers: Vec<Option<String>>,
    /// The run's certificate authority in PEM, where a hop is TLS.
    pub authority: Option<String>,
}

impl Addresses {
    /// Returns the address that the sender of a hop calls, as this machine reaches it.
    pub fn hop(&self, hop: HopIx) -> Option<SocketAddr> {
        self.hops.get(hop.0).copied().flatten()
    }

    /// Returns `host:port` as the sender of a hop gets it.
    pub fn for_sender(&self, hop: HopIx) -> Option<String> {
        let contained = self.in_containers.get(hop.0).cloned().flatten();
        contained.or_else(|| self.hop(hop).map(|address| address.to_string()))
    }

    /// Returns the address of a hop's broker as its sender gets it.
    pub fn broker(&self, hop: HopIx) -> Option<&str> {
        self.brokers.get(hop.0)?.as_deref()
    }
}
