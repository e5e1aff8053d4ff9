//! Where each hop is called, once taps and nodes listen.

use std::net::SocketAddr;

use crate::scenario::HopIx;

/// For each hop of the scenario the address that its sender calls: the tap's, or with `tap: none` the
/// receiver's own.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    pub hops: Vec<Option<SocketAddr>>,
    /// The same as its sender has to spell it, where that is another way: a container may know this machine by a name.
    pub spelled: Vec<Option<String>>,
    /// For each hop through a broker what its sender is told of it: `host:port` of Kafka, `amqp://` and `http://` URLs.
    pub brokers: Vec<Option<String>>,
    /// The run's certificate authority in PEM, where a hop is TLS.
    pub authority: Option<String>,
}

impl Addresses {
    pub fn hop(&self, hop: HopIx) -> Option<SocketAddr> {
        self.hops.get(hop.0).copied().flatten()
    }

    /// What the sender of a hop is told to call.
    pub fn spelled(&self, hop: HopIx) -> Option<String> {
        let spelled = self.spelled.get(hop.0).cloned().flatten();
        spelled.or_else(|| self.hop(hop).map(|address| address.to_string()))
    }

    /// How the sender of a hop reaches its broker.
    pub fn broker(&self, hop: HopIx) -> Option<&str> {
        self.brokers.get(hop.0)?.as_deref()
    }
}
