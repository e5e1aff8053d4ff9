//! Who reaches whom where: the addresses of taps, nodes and OTLP endpoints while nodes are being started.
//!
//! Taps listen before any node starts, so everything can start together. Only behind `tap: none` must the
//! caller wait for the address of the node that it calls.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::broker::{Address, Reach};
use super::error::RuntimeError;
use super::host_address::{Here, Spelled};
use super::options::{Given, Listening};
use super::trust::Trust;
use crate::plan::{Plan, TapProtocol};
use crate::scenario::{BrokerKind, NodeIx, Transport};

/// How long the address of an untapped neighbour is waited for; its own deadlines are shorter.
const NEIGHBOUR_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Wiring {
    plan: Arc<Plan>,
    /// Where each tap of the plan listens.
    taps: Vec<SocketAddr>,
    /// Each node's own OTLP endpoint.
    otlp: Vec<Option<SocketAddr>>,
    here: Here,
    /// Made when a hop is TLS.
    trust: Option<Trust>,
    brokers: Vec<Reach>,
    /// Where each node listens itself, once known.
    own: Vec<watch::Sender<Option<Listening>>>,
}

impl Wiring {
    pub(super) fn new(
        plan: Arc<Plan>,
        taps: Vec<SocketAddr>,
        otlp: Vec<Option<SocketAddr>>,
        trust: Option<Trust>,
        (brokers, here): (Vec<Reach>, Here),
    ) -> Self {
        let own = plan.scenario.nodes.iter().map(|_| watch::channel(None).0).collect();
        Self { plan, taps, otlp, here, trust, brokers, own }
    }

    pub(super) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// What makes a container trust the run's authority.
    #[cfg(feature = "container")]
    pub(super) fn trusted_files(&self) -> Vec<(String, super::container::File)> {
        self.trust.iter().map(Trust::file_in_container).collect()
    }

    /// The authority outlives the start: nodes read its file when they like.
    pub(super) fn into_trust(self) -> Option<Trust> {
        self.trust
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn is_contained(&self, node: NodeIx) -> bool {
        self.here.is_contained(node)
    }

    /// `http://host:port` of the node's own OTLP endpoint.
    pub(super) fn otlp(&self, node: NodeIx) -> Option<String> {
        let (host, port) = self.here.spell(node, self.otlp[node.0]?);
        Some(format!("http://{host}:{port}"))
    }

    /// The node listens there, ready or not.
    pub(super) fn listens(&self, node: NodeIx, listening: Listening) {
        self.own[node.0].send_replace(Some(listening));
    }

    pub(super) async fn own(&self, node: NodeIx) -> Option<Listening> {
        let mut own = self.own[node.0].subscribe();
        let known = timeout(NEIGHBOUR_WITHIN, own.wait_for(Option::is_some)).await;
        known.ok().and_then(|known| known.map(|listening| *listening).ok()).flatten()
    }

    /// `host:port` at which `from` reaches `to`: the tap's, or with `tap: none` the node's own.
    pub(super) async fn reach(
        &self,
        from: NodeIx,
        to: NodeIx,
        protocol: TapProtocol,
    ) -> Result<String, RuntimeError> {
        let (host, port) = self.spelled(from, to, protocol).await?;
        Ok(format!("{host}:{port}"))
    }

    async fn spelled(
        &self,
        from: NodeIx,
        to: NodeIx,
        protocol: TapProtocol,
    ) -> Result<Spelled, RuntimeError> {
        if let Some(tap) = self.plan.tap_between(from, to, protocol) {
            return Ok(self.here.spell(from, self.taps[tap.0]));
        }
        let names = || {
            let name = |node: NodeIx| self.plan.scenario.node(node).name.clone();
            (name(from), name(to))
        };
        match self.own(to).await.and_then(|listening| address(listening, protocol)) {
            Some(at) if self.is_contained(from) && at.ip().is_loopback() => {
                let (node, to) = names();
                Err(RuntimeError::OutOfReach { node, to, at })
            }
            Some(at) => Ok(self.here.spell(from, at)),
            None => {
                let (node, to) = names();
                Err(RuntimeError::NoAddress { node, to })
            }
        }
    }

    /// `http://host:port`, or `https://` where the hop between them is TLS.
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

    pub(super) fn broker(&self, broker: NodeIx) -> Option<&Reach> {
        self.brokers.iter().find(|reach| reach.node == broker)
    }

    /// The address at which `node` reaches a broker: its own tap's, or with `tap: none`, and always for Kafka, which is
    /// read beside, the broker's own.
    pub(super) fn reach_broker(&self, node: NodeIx, broker: NodeIx) -> Result<Address, RuntimeError> {
        let name = |ix: NodeIx| self.plan.scenario.node(ix).name.clone();
        let missing = || RuntimeError::NoAddress { node: name(node), to: name(broker) };
        let reach = self.broker(broker).ok_or_else(missing)?;
        let tap = match reach.kind {
            BrokerKind::Kafka => None,
            BrokerKind::RabbitMq => self.plan.tap_between(node, broker, TapProtocol::Amqp),
            BrokerKind::Sqs => self.plan.tap_between(node, broker, TapProtocol::Sqs),
        };
        Ok(match (tap, &reach.inside) {
            (Some(tap), _) => reach.address.through(self.here.spell(node, self.taps[tap.0])),
            (None, Some(inside)) if self.is_contained(node) => reach.address.through(inside.clone()),
            (None, None) if self.is_contained(node) && reach.own => {
                reach.address.through(self.here.spell(node, reach.at))
            }
            (None, None) if self.is_contained(node) && reach.at.ip().is_loopback() => {
                let (node, to) = (name(node), name(broker));
                return Err(RuntimeError::BrokerOutOfReach { node, to, at: reach.at });
            }
            (None, _) => reach.address.clone(),
        })
    }

    /// What the templates `bootstrap`, `amqp` and `endpoint` stand for.
    pub(super) fn broker_url(&self, node: NodeIx, broker: NodeIx) -> Result<String, RuntimeError> {
        Ok(self.reach_broker(node, broker)?.text())
    }

    /// The brokers that a node sends to or reads from, each once.
    pub(super) fn brokers_of(&self, node: NodeIx) -> impl Iterator<Item = &Reach> {
        self.brokers.iter().filter(move |reach| {
            let mut hops = self.plan.scenario.hops.iter();
            hops.any(|hop| hop.transport.via() == Some(reach.node) && (hop.from == node || hop.to == node))
        })
    }

    /// What a service in this process is given instead of an environment.
    pub(super) async fn given(&self, node: NodeIx) -> Result<Given, RuntimeError> {
        let otlp_endpoint = self.otlp(node).unwrap_or_default();
        let mut given = Given { otlp_endpoint, ..Given::default() };
        for hop in self.plan.scenario.hops.iter().filter(|hop| hop.from == node) {
            let name = self.plan.scenario.node(hop.to).name.clone();
            match hop.transport {
                Transport::Http(_) => given.http.push((name, self.url(node, hop.to).await?)),
                Transport::Grpc(_) => {
                    let address = self.reach(node, hop.to, TapProtocol::Grpc).await?;
                    given.grpc.push((name, address));
                }
                Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => {}
            }
        }
        for reach in self.brokers_of(node) {
            let name = self.plan.scenario.node(reach.node).name.clone();
            given.brokers.push((name, self.broker_url(node, reach.node)?));
        }
        given.http.dedup();
        given.grpc.dedup();
        Ok(given)
    }
}

pub(super) fn address(listening: Listening, protocol: TapProtocol) -> Option<SocketAddr> {
    match protocol {
        TapProtocol::Http => listening.http,
        TapProtocol::Grpc => listening.grpc,
        TapProtocol::Kafka | TapProtocol::Amqp | TapProtocol::Sqs => None,
    }
}
