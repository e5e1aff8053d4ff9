//! This machine as nodes reach it: a process by its loopback interface, a container by an address of this machine.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::plan::Plan;
use crate::scenario::NodeIx;

/// Host and port as they are written into URLs and variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPort {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

/// This machine as containers reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReachableHost {
    /// The address on which listeners must listen, so that containers reach them.
    pub(super) listen: IpAddr,
    /// The name that containers use, where `listen` is no address for them.
    pub(super) name: Option<&'static str>,
}

/// The addresses of this machine for the nodes of a case.
#[derive(Clone, Debug)]
pub(super) struct HostAddress {
    host: ReachableHost,
    /// For each node whether it is a container.
    contained: Vec<bool>,
}

impl HostAddress {
    /// Returns the loopback interface, for a case without containers.
    pub(super) fn loopback(plan: &Plan) -> HostAddress {
        let host = ReachableHost { listen: Ipv4Addr::LOCALHOST.into(), name: None };
        HostAddress { host, contained: vec![false; plan.scenario.nodes.len()] }
    }

    /// Returns the addresses for a case with containers, which reach this machine as `host`.
    #[cfg(feature = "container")]
    pub(super) fn beside_containers(plan: &Plan, relays_too: bool, host: ReachableHost) -> HostAddress {
        let contained = plan.scenario.nodes.iter().map(|node| node.kind.runs_in_container(relays_too));
        HostAddress { host, contained: contained.collect() }
    }

    /// Returns the address on which listeners listen.
    pub(super) fn listen(&self) -> IpAddr {
        self.host.listen
    }

    pub(super) fn is_contained(&self, node: NodeIx) -> bool {
        self.contained.get(node.0).copied().unwrap_or_default()
    }

    /// Returns a listener's address as this machine itself reaches it.
    pub(super) fn from_here(at: SocketAddr) -> SocketAddr {
        if at.ip().is_unspecified() { SocketAddr::from((Ipv4Addr::LOCALHOST, at.port())) } else { at }
    }

    /// Returns a listener's address as `node` reaches it.
    pub(super) fn for_node(&self, node: NodeIx, at: SocketAddr) -> HostPort {
        match self.host.name {
            Some(name) if self.is_contained(node) => HostPort { host: name.to_owned(), port: at.port() },
            _ => HostAddress::for_processes(at),
        }
    }

    /// Returns a listener's address as processes of this machine reach it.
    pub(super) fn for_processes(at: SocketAddr) -> HostPort {
        let at = HostAddress::from_here(at);
        let host = if at.is_ipv6() { format!("[{}]", at.ip()) } else { at.ip().to_string() };
        HostPort { host, port: at.port() }
    }

    /// Returns further names of this machine for certificates.
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    pub(super) fn names(&self) -> Vec<String> {
        let listen = self.host.listen;
        let address = (!listen.is_unspecified()).then(|| listen.to_string());
        address.into_iter().chain(self.host.name.map(str::to_owned)).collect()
    }
}
