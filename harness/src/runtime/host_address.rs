//! How nodes see this machine: a process by its loopback interface, a container by an address of ours that it can
//! reach.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::plan::Plan;
use crate::scenario::NodeIx;

/// Host and port, as somebody is told them.
pub(super) type Spelled = (String, u16);

#[derive(Clone, Debug)]
pub(super) struct Here {
    /// Where our listeners listen.
    pub(super) listen: IpAddr,
    /// How containers call this machine, where `listen` is no address for them.
    host: Option<&'static str>,
    /// For each node whether it is a container.
    contained: Vec<bool>,
}

impl Here {
    pub(super) fn loopback(plan: &Plan) -> Here {
        let contained = vec![false; plan.scenario.nodes.len()];
        Here { listen: Ipv4Addr::LOCALHOST.into(), host: None, contained }
    }

    #[cfg(feature = "container")]
    pub(super) fn beside_containers(
        plan: &Plan,
        relays_too: bool,
        between: super::container::Between,
    ) -> Here {
        let contained = plan.scenario.nodes.iter().map(|node| node.kind.runs_in_container(relays_too));
        Here { listen: between.listen, host: between.host, contained: contained.collect() }
    }

    pub(super) fn is_contained(&self, node: NodeIx) -> bool {
        self.contained.get(node.0).copied().unwrap_or_default()
    }

    /// What listens here, as this machine itself reaches it.
    pub(super) fn from_outside(at: SocketAddr) -> SocketAddr {
        if at.ip().is_unspecified() { SocketAddr::from((Ipv4Addr::LOCALHOST, at.port())) } else { at }
    }

    /// A listener of ours, as `node` is told it.
    pub(super) fn spell(&self, node: NodeIx, at: SocketAddr) -> Spelled {
        match self.host.filter(|_| self.is_contained(node)) {
            Some(host) => (host.to_owned(), at.port()),
            None => Here::spell_here(at),
        }
    }

    /// The same for whoever is on this machine.
    pub(super) fn spell_here(at: SocketAddr) -> Spelled {
        let at = Here::from_outside(at);
        let host = if at.is_ipv6() { format!("[{}]", at.ip()) } else { at.ip().to_string() };
        (host, at.port())
    }

    /// Other names of this machine in certificates.
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    pub(super) fn names(&self) -> Vec<String> {
        let address = (!self.listen.is_unspecified()).then(|| self.listen.to_string());
        address.into_iter().chain(self.host.map(str::to_owned)).collect()
    }
}
