//! The addresses of taps, nodes and OTLP endpoints while nodes are started: who reaches whom, and where.
//!
//! Taps listen before any node starts, so everything can start together. Only behind `tap: none` must the caller wait
//! for the address of the node that it calls.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::broker::{BrokerAddress, BrokerReach};
use super::error::RuntimeError;
use super::host_address::{HostAddress, HostPort};
use super::node_addresses::NodeAddresses;
use super::options::ServiceEnvironment;
use super::trust::Trust;
use crate::plan::{Plan, TapProtocol};
use crate::scenario::{BrokerKind, ExportTarget, NodeIx, Transport};

/// The time to wait for the address of a neighbour without a tap; the neighbour's own deadlines are shorter.
const NEIGHBOUR_WITHIN: Duration = Duration::from_secs(60);

/// The listeners of the harness.
#[derive(Debug)]
pub(super) struct Listeners {
    /// Of each tap of the plan.
    pub(super) taps: Vec<SocketAddr>,
    /// Of each node's own OTLP endpoint.
    pub(super) otlp: Vec<Option<SocketAddr>>,
    /// Of each way out of a collector.
    pub(super) exports: Vec<(NodeIx, ExportTarget, SocketAddr)>,
}

/// The addresses of a case while its nodes are started.
#[derive(Debug)]
pub(super) struct CaseWiring {
    plan: Arc<Plan>,
    listeners: Listeners,
    host: HostAddress,
    /// Made when a hop uses TLS.
    trust: Option<Trust>,
    brokers: Vec<BrokerReach>,
    /// The addresses on which each node itself listens, once known.
    nodes: Vec<watch::Sender<Option<NodeAddresses>>>,
    /// For each node true, once it is ready.
    ready: Vec<watch::Sender<bool>>,
}

impl CaseWiring {
    pub(super) fn new(
        plan: Arc<Plan>,
        listeners: Listeners,
        trust: Option<Trust>,
        brokers: Vec<BrokerReach>,
        host: HostAddress,
    ) -> Self {
        let nodes = plan.scenario.nodes.iter().map(|_| watch::channel(None).0).collect();
        let ready = plan.scenario.nodes.iter().map(|_| watch::channel(false).0).collect();
        Self { plan, listeners, host, trust, brokers, nodes, ready }
    }

    pub(super) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// Returns the files that make a container trust the run's authority.
    #[cfg(feature = "container")]
    pub(super) fn trusted_files(&self) -> Vec<(String, super::container::MountedFile)> {
        self.trust.iter().map(Trust::file_in_container).collect()
    }

    /// Returns the authority, which outlives the start: nodes read its file at any time.
    pub(super) fn into_trust(self) -> Option<Trust> {
        self.trust
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    fn name(&self, node: NodeIx) -> String {
        self.plan.scenario.node(node).name.clone()
    }

    pub(super) fn is_contained(&self, node: NodeIx) -> bool {
        self.host.is_contained(node)
    }

    /// Returns `http://host:port` of the node's own OTLP endpoint.
    pub(super) fn otlp(&self, node: NodeIx) -> Option<String> {
        Some(format!("http://{}", self.otlp_address(node)?))
    }

    /// Returns host and port of the node's own OTLP endpoint.
    pub(super) fn otlp_address(&self, node: NodeIx) -> Option<HostPort> {
        Some(self.host.for_node(node, self.listeners.otlp[node.0]?))
    }

    /// Returns where a collector exports to.
    pub(super) fn export_address(&self, from: NodeIx, to: ExportTarget) -> Result<HostPort, RuntimeError> {
        let mut ways = self.listeners.exports.iter();
        match ways.find(|way| (way.0, way.1) == (from, to)) {
            Some((_, _, at)) => Ok(self.host.for_node(from, *at)),
            None => {
                let to = match to {
                    ExportTarget::Sink => ExportTarget::SINK.to_owned(),
                    ExportTarget::Collector(node) => self.name(node),
                };
                Err(RuntimeError::NoWay { node: self.name(from), to })
            }
        }
    }

    /// Publishes where a node listens, whether it is ready or not.
    pub(super) fn set_listening(&self, node: NodeIx, listening: NodeAddresses) {
        self.nodes[node.0].send_replace(Some(listening));
    }

    /// Resolves when everything that a node needs is ready. A node that does not become ready ends the start of the
    /// case.
    pub(super) async fn until_needs_are_ready(&self, node: NodeIx) {
        for needed in &self.plan.scenario.node(node).needs {
            // Brokers are ready before any node is started.
            if self.plan.scenario.node(*needed).kind.as_broker().is_none() {
                let mut ready = self.ready[needed.0].subscribe();
                // The sender lives as long as this.
                let _ = ready.wait_for(|ready| *ready).await;
            }
        }
    }

    /// Publishes that a node is ready.
    pub(super) fn set_ready(&self, node: NodeIx) {
        self.ready[node.0].send_replace(true);
    }

    /// Resolves with where a node itself listens; `None` when that is not known in time.
    pub(super) async fn listening(&self, node: NodeIx) -> Option<NodeAddresses> {
        let mut listening = self.nodes[node.0].subscribe();
        let known = timeout(NEIGHBOUR_WITHIN, listening.wait_for(Option::is_some)).await;
        known.ok().and_then(|known| known.map(|listening| *listening).ok()).flatten()
    }

    /// Returns the address at which `from` reaches `to`: the tap's, or with `tap: none` the node's own.
    pub(super) async fn reach(
        &self,
        from: NodeIx,
        to: NodeIx,
        protocol: TapProtocol,
    ) -> Result<HostPort, RuntimeError> {
        if let Some(tap) = self.plan.tap_between(from, to, protocol) {
            return Ok(self.host.for_node(from, self.listeners.taps[tap.0]));
        }
        match self.listening(to).await.and_then(|listening| listening.address(protocol)) {
            Some(at) if self.is_contained(from) && at.ip().is_loopback() => {
                Err(RuntimeError::OutOfReach { node: self.name(from), to: self.name(to), at })
            }
            Some(at) => Ok(self.host.for_node(from, at)),
            None => Err(RuntimeError::NoAddress { node: self.name(from), to: self.name(to) }),
        }
    }

    /// Returns `http://host:port`, or `https://` where the hop between them uses TLS.
    pub(super) async fn url(&self, from: NodeIx, to: NodeIx) -> Result<String, RuntimeError> {
        let tls = self
            .plan
            .scenario
            .hops
            .iter()
            .any(|hop| hop.tls && hop.from == from && hop.to == to && hop.transport.is_http());
        let address = self.reach(from, to, TapProtocol::Http).await?;
        Ok(format!("{}://{address}", if tls { "https" } else { "http" }))
    }

    pub(super) fn broker(&self, broker: NodeIx) -> Option<&BrokerReach> {
        self.brokers.iter().find(|reach| reach.node == broker)
    }

    /// Returns the address at which `node` reaches a broker: its own tap's; with `tap: none` the broker's own, and
    /// always for Kafka, whose tap is a reader of the broker.
    pub(super) fn reach_broker(&self, node: NodeIx, broker: NodeIx) -> Result<BrokerAddress, RuntimeError> {
        let Some(reach) = self.broker(broker) else {
            return Err(RuntimeError::NoAddress { node: self.name(node), to: self.name(broker) });
        };
        let tap = match reach.kind {
            BrokerKind::Kafka => None,
            BrokerKind::RabbitMq => self.plan.tap_between(node, broker, TapProtocol::Amqp),
            BrokerKind::Sqs => self.plan.tap_between(node, broker, TapProtocol::Sqs),
        };
        Ok(match (tap, &reach.inside) {
            (Some(tap), _) => reach.address.through(self.host.for_node(node, self.listeners.taps[tap.0])),
            (None, Some(inside)) if self.is_contained(node) => reach.address.through(inside.clone()),
            (None, None) if self.is_contained(node) && reach.own => {
                reach.address.through(self.host.for_node(node, reach.at))
            }
            (None, None) if self.is_contained(node) && reach.at.ip().is_loopback() => {
                let (node, to) = (self.name(node), self.name(broker));
                return Err(RuntimeError::BrokerOutOfReach { node, to, at: reach.at });
            }
            (None, _) => reach.address.clone(),
        })
    }

    /// Returns the value of the templates `bootstrap`, `amqp` and `endpoint`.
    pub(super) fn broker_url(&self, node: NodeIx, broker: NodeIx) -> Result<String, RuntimeError> {
        Ok(self.reach_broker(node, broker)?.text())
    }

    /// Returns the brokers that a node sends to or reads from, each once.
    pub(super) fn brokers_of(&self, node: NodeIx) -> impl Iterator<Item = &BrokerReach> {
        self.brokers.iter().filter(move |reach| {
            let mut hops = self.plan.scenario.hops.iter();
            hops.any(|hop| hop.transport.via() == Some(reach.node) && (hop.from == node || hop.to == node))
        })
    }

    /// Returns the addresses that a service in this process gets, instead of environment variables.
    pub(super) async fn service_environment(&self, node: NodeIx) -> Result<ServiceEnvironment, RuntimeError> {
        let otlp_endpoint = self.otlp(node).unwrap_or_default();
        let mut environment = ServiceEnvironment { otlp_endpoint, ..ServiceEnvironment::default() };
        for hop in self.plan.scenario.hops.iter().filter(|hop| hop.from == node) {
            let name = self.plan.scenario.node(hop.to).name.clone();
            match hop.transport {
                Transport::Http(_) => environment.http.push((name, self.url(node, hop.to).await?)),
                Transport::Grpc(_) => {
                    let address = self.reach(node, hop.to, TapProtocol::Grpc).await?.to_string();
                    environment.grpc.push((name, address));
                }
                Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => {}
            }
        }
        for reach in self.brokers_of(node) {
            let name = self.plan.scenario.node(reach.node).name.clone();
            environment.brokers.push((name, self.broker_url(node, reach.node)?));
        }
        environment.http.dedup();
        environment.grpc.dedup();
        Ok(environment)
    }
}
