//! Starts a case: the embedded runtime on this machine alone, the container runtime with brokers and relays in
//! containers. `image:` nodes are containers in both.
//!
//! The collector, the brokers with everything that hops name, and every tap are ready before the first node starts;
//! then all nodes start together, and a tap learns its target as soon as its receiver listens.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use in_memory_collector::{Collector, Limits};

use super::broker::Brokers;
use super::error::RuntimeError;
use super::fixed_addresses;
use super::fixed_listeners;
use super::host_address::HostAddress;
use super::node::{self, RunningNode};
use super::node_addresses::NodeAddresses;
use super::options::RuntimeOptions;
use super::running::RunningCase;
use super::stub::NodeStubs;
use super::taps::{CaseTaps, TapContext};
use super::telemetry_path::TelemetryPath;
use super::trust::Trust;
use super::wiring::{CaseWiring, Listeners};
use super::{Addresses, RuntimeKind};
use crate::evidence::Recorder;
use crate::evidence::span_owner::SHARED_ENDPOINT;
use crate::plan::broker::MessageSource;
use crate::plan::{Plan, TapProtocol};
use crate::scenario::{Hop, HopIx, Node, NodeIx, NodeKind, Transport};

/// Starts everything that the plan needs, when no other case uses an address that the scenario fixes. When something
/// fails, what had started is ended again.
pub async fn start(
    plan: Arc<Plan>,
    options: &RuntimeOptions,
    recorder: Recorder,
) -> Result<RunningCase, RuntimeError> {
    let turn = fixed_addresses::take(&plan).await?;
    let ports = fixed_listeners::reserve(&plan).await?;
    let collector =
        Collector::start(Limits::default()).map_err(|e| RuntimeError::listen("the collector", e))?;
    let host = host_address(&plan, options).await?;
    let path = TelemetryPath::open(&plan, &host).await?;
    let otlp = otlp_endpoints(&plan, &collector, &host, &path).await?;
    let trust = Trust::new(&plan, &host)?;
    let brokers = Brokers::start(&plan, options, host.listen()).await?;
    #[cfg(feature = "sqs")]
    let sqs = crate::tap::SqsMessages::default();
    let context = TapContext {
        plan: &plan,
        recorder: &recorder,
        trust: trust.as_ref(),
        brokers: &brokers,
        host: &host,
        #[cfg(feature = "sqs")]
        sqs: &sqs,
    };
    let taps = CaseTaps::start(context).await?;
    let listeners = Listeners { taps: taps.addresses(), otlp, exports: path.addresses() };
    let wiring = CaseWiring::new(plan.clone(), listeners, trust, brokers.reaches(&plan), host);
    let nodes = plan.scenario.nodes.iter().enumerate().map(|(ix, node)| {
        let (wiring, taps, path) = (&wiring, &taps, &path);
        async move {
            wiring.until_needs_are_ready(NodeIx(ix)).await;
            let started = StartedNode::start(NodeIx(ix), node, options, wiring).await?;
            path.set_ready(NodeIx(ix), started.listening().and_then(|listening| listening.http));
            wiring.set_ready(NodeIx(ix));
            if let Some(listening) = started.listening() {
                taps.aim(NodeIx(ix), listening, wiring.plan());
            }
            Ok::<_, RuntimeError>(started)
        }
    });
    let started = try_join_all(nodes).await?;
    let addresses = addresses(&plan, &wiring, &taps).await?;
    let (mut nodes, mut stubs) = (Vec::new(), Vec::new());
    for started in started {
        match started {
            StartedNode::Node(node) => nodes.push(Some(*node)),
            StartedNode::Stubs(stub) => {
                stubs.push(*stub);
                nodes.push(None);
            }
            StartedNode::Nothing => nodes.push(None),
        }
    }
    let _trust = wiring.into_trust();
    Ok(RunningCase {
        plan,
        recorder,
        addresses,
        nodes,
        taps,
        stubs,
        _trust,
        collector,
        path,
        brokers,
        _ports: ports,
        _turn: turn,
    })
}

/// Returns where listeners listen. The engine is contacted only when a node or broker of the case is a container.
#[cfg(feature = "container")]
async fn host_address(plan: &Plan, options: &RuntimeOptions) -> Result<HostAddress, RuntimeError> {
    use super::container::StartError;

    let relays_too = options.kind == RuntimeKind::Container;
    let mut nodes = plan.scenario.nodes.iter();
    let Some(first) = nodes.find(|node| node.kind.runs_in_container(relays_too)) else {
        return Ok(HostAddress::loopback(plan));
    };
    let engine = options.containers.engine().await;
    let engine = engine.map_err(|error| RuntimeError::container(&first.name, StartError::Engine(error)))?;
    Ok(HostAddress::beside_containers(plan, relays_too, engine.host()))
}

#[cfg(not(feature = "container"))]
async fn host_address(plan: &Plan, options: &RuntimeOptions) -> Result<HostAddress, RuntimeError> {
    let relays_too = options.kind == RuntimeKind::Container;
    let mut nodes = plan.scenario.nodes.iter();
    match nodes.find(|node| node.kind.runs_in_container(relays_too)) {
        Some(node) => Err(RuntimeError::no_containers(node)),
        None => Ok(HostAddress::loopback(plan)),
    }
}

/// The parts that were started for a node.
enum StartedNode {
    Node(Box<RunningNode>),
    Stubs(Box<NodeStubs>),
    Nothing,
}

impl StartedNode {
    async fn start(
        ix: NodeIx,
        node: &Node,
        options: &RuntimeOptions,
        wiring: &CaseWiring,
    ) -> Result<Self, RuntimeError> {
        if let NodeKind::Stub(stub) = &node.kind {
            let listens = wiring.plan().listens[ix.0];
            let stubs = NodeStubs::start(stub, listens, &sources(ix, wiring)?).await;
            let stubs =
                stubs.map_err(|error| RuntimeError::listen(format!("the stub `{}`", node.name), error))?;
            wiring.set_listening(ix, stubs.listening());
            return Ok(StartedNode::Stubs(Box::new(stubs)));
        }
        Ok(match node::start(ix, node, options, wiring).await? {
            Some(running) => StartedNode::Node(Box::new(running)),
            None => StartedNode::Nothing,
        })
    }

    fn listening(&self) -> Option<NodeAddresses> {
        match self {
            StartedNode::Node(node) => Some(node.listening),
            StartedNode::Stubs(stubs) => Some(stubs.listening()),
            StartedNode::Nothing => None,
        }
    }
}

/// Opens the endpoint of `otlp:`, and one for each node that may export telemetry, which forwards to the collector of
/// the node, if it has one.
async fn otlp_endpoints(
    plan: &Plan,
    collector: &Collector,
    host: &HostAddress,
    path: &TelemetryPath,
) -> Result<Vec<Option<SocketAddr>>, RuntimeError> {
    shared_endpoint(plan, collector).await?;
    let endpoints = plan.scenario.nodes.iter().map(|node| async move {
        if !node.kind.can_export_telemetry() {
            return Ok(None);
        }
        let endpoint = collector.endpoint_at(&node.name, (host.listen(), 0).into()).await;
        let endpoint = endpoint.map_err(|error| {
            RuntimeError::listen(format!("the OTLP endpoint of node `{}`", node.name), error)
        })?;
        if let Some(forwarder) = node.exports_to.and_then(|to| path.forwarder(to)) {
            endpoint.forward(forwarder);
        }
        Ok(Some(endpoint.address()))
    });
    try_join_all(endpoints).await
}

/// Opens the endpoint of `otlp: { listen: ... }`.
async fn shared_endpoint(plan: &Plan, collector: &Collector) -> Result<(), RuntimeError> {
    let Some(listen) = plan.scenario.otlp_listen else { return Ok(()) };
    let opened = collector.endpoint_at(SHARED_ENDPOINT, listen).await;
    opened.map_err(|error| RuntimeError::listen(format!("the OTLP endpoint {listen}"), error))?;
    Ok(())
}

/// Returns what a stub reads, with the address of the broker.
fn sources(stub: NodeIx, wiring: &CaseWiring) -> Result<Vec<(MessageSource, String)>, RuntimeError> {
    let read = wiring.plan().subscriptions.get(stub.0).into_iter().flatten();
    read.map(|read| Ok((read.source.clone(), wiring.broker_url(stub, read.broker)?))).collect()
}

/// Returns for each hop where its sender calls it.
async fn addresses(plan: &Plan, wiring: &CaseWiring, taps: &CaseTaps) -> Result<Addresses, RuntimeError> {
    let hops = (0..plan.scenario.hops.len()).map(|ix| async move {
        let hop = plan.scenario.hop(HopIx(ix));
        match (plan.hop_taps[ix], &hop.transport) {
            (Some(tap), _) => Some(taps.address(tap)),
            (None, Transport::Http(_)) => own_address(wiring, hop.to, TapProtocol::Http).await,
            (None, Transport::Grpc(_)) => own_address(wiring, hop.to, TapProtocol::Grpc).await,
            (None, through @ (Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_))) => {
                through.via().and_then(|via| wiring.broker(via)).map(|reach| reach.at)
            }
        }
    });
    let brokers = plan.scenario.hops.iter().map(|hop| {
        let via = hop.transport.via()?;
        // A hop through a broker that is not in the plan was refused by the scenario's check.
        wiring.broker_url(hop.from, via).ok()
    });
    let authority = wiring.trust().map(|trust| trust.pem().to_owned());
    let in_containers = plan.scenario.hops.iter().map(|hop| in_container(wiring, hop));
    Ok(Addresses {
        hops: join_all(hops).await,
        in_containers: try_join_all(in_containers).await?,
        brokers: brokers.collect(),
        authority,
    })
}

/// Returns the address of a hop for a sender in a container, which reaches this machine by another address or name.
async fn in_container(wiring: &CaseWiring, hop: &Hop) -> Result<Option<String>, RuntimeError> {
    let protocol = match &hop.transport {
        Transport::Http(_) => TapProtocol::Http,
        Transport::Grpc(_) => TapProtocol::Grpc,
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => return Ok(None),
    };
    if !wiring.is_contained(hop.from) {
        return Ok(None);
    }
    Ok(Some(wiring.reach(hop.from, hop.to, protocol).await?.to_string()))
}

async fn own_address(wiring: &CaseWiring, node: NodeIx, protocol: TapProtocol) -> Option<SocketAddr> {
    wiring.listening(node).await.and_then(|listening| listening.address(protocol))
}
