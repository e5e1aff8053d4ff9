//! Starts a case: the embedded runtime on this machine alone, the container runtime with brokers and relays in
//! containers. `image:` nodes are containers in both.
//!
//! The collector, the brokers with everything that hops name, and every tap are there before the first node starts;
//! then all nodes start together, and a tap learns where to go on to as soon as its receiver listens.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use in_memory_collector::{Collector, Limits};

use super::broker::Brokers;
use super::error::RuntimeError;
use super::host_address::Here;
use super::node::{Flush, RunningNode};
use super::options::{Listening, RuntimeOptions};
use super::running::Running;
use super::stand_in::StandIn;
use super::taps::{Ground, Standing};
use super::trust::Trust;
use super::wiring::{Wiring, address};
use super::{Addresses, Kind, command, relay};
use crate::evidence::Recorder;
use crate::plan::broker::MessageSource;
use crate::plan::{Plan, TapProtocol};
use crate::scenario::{Hop, HopIx, Node, NodeIx, NodeKind, Role, Transport, Url};

/// Starts everything that the plan needs; when it fails, what had started is ended again.
pub async fn start(
    plan: Arc<Plan>,
    options: &RuntimeOptions,
    recorder: Recorder,
) -> Result<Running, RuntimeError> {
    let collector =
        Collector::start(Limits::default()).map_err(|e| RuntimeError::listen("the collector", e))?;
    let here = here(&plan, options).await?;
    let otlp = otlp_endpoints(&plan, &collector, &here).await?;
    let trust = Trust::new(&plan, &here)?;
    let brokers = Brokers::start(&plan, options, here.listen).await?;
    #[cfg(feature = "sqs")]
    let sqs = crate::tap::SqsMessages::default();
    let ground = Ground {
        plan: &plan,
        recorder: &recorder,
        trust: trust.as_ref(),
        brokers: &brokers,
        here: &here,
        #[cfg(feature = "sqs")]
        sqs: &sqs,
    };
    let taps = Standing::start(ground).await?;
    let reaches = brokers.reaches(&plan);
    let wiring = Wiring::new(plan.clone(), taps.addresses(), otlp, trust, (reaches, here));
    let nodes = plan.scenario.nodes.iter().enumerate().map(|(ix, node)| {
        let (wiring, taps) = (&wiring, &taps);
        async move {
            let started = start_node(NodeIx(ix), node, options, wiring).await?;
            if let Some(listening) = started.listening() {
                taps.aim(NodeIx(ix), listening, wiring.plan());
            }
            Ok::<Started, RuntimeError>(started)
        }
    });
    let started = try_join_all(nodes).await?;
    let addresses = addresses(&plan, &wiring, &taps).await?;
    let (mut nodes, mut stubs) = (Vec::new(), Vec::new());
    for started in started {
        match started {
            Started::Node(node) => nodes.push(Some(*node)),
            Started::Stub(stub) => {
                stubs.push(*stub);
                nodes.push(None);
            }
            Started::Nothing => nodes.push(None),
        }
    }
    let _trust = wiring.into_trust();
    Ok(Running { plan, recorder, addresses, nodes, taps, stubs, _trust, collector, brokers })
}

/// Where listeners listen. An engine is asked for only when a node or broker of the case is a container.
#[cfg(feature = "container")]
async fn here(plan: &Plan, options: &RuntimeOptions) -> Result<Here, RuntimeError> {
    let relays_too = options.kind == Kind::Container;
    let mut nodes = plan.scenario.nodes.iter();
    let Some(first) = nodes.find(|node| node.kind.runs_in_container(relays_too)) else {
        return Ok(Here::loopback(plan));
    };
    let started = options.containers.started_for(&first.name).await?;
    Ok(Here::beside_containers(plan, relays_too, started.between()))
}

#[cfg(not(feature = "container"))]
async fn here(plan: &Plan, options: &RuntimeOptions) -> Result<Here, RuntimeError> {
    let relays_too = options.kind == Kind::Container;
    let mut nodes = plan.scenario.nodes.iter();
    match nodes.find(|node| node.kind.runs_in_container(relays_too)) {
        Some(node) => Err(no_containers(node)),
        None => Ok(Here::loopback(plan)),
    }
}

#[cfg(not(feature = "container"))]
fn no_containers(node: &Node) -> RuntimeError {
    RuntimeError::NotBuilt { node: node.name.clone(), what: "containers", feature: "container" }
}

enum Started {
    Node(Box<RunningNode>),
    Stub(Box<StandIn>),
    Nothing,
}

impl Started {
    fn listening(&self) -> Option<Listening> {
        match self {
            Started::Node(node) => Some(node.listening),
            Started::Stub(stub) => Some(stub.listening()),
            Started::Nothing => None,
        }
    }
}

/// An OTLP endpoint for each node that can be told where to export to.
async fn otlp_endpoints(
    plan: &Plan,
    collector: &Collector,
    here: &Here,
) -> Result<Vec<Option<SocketAddr>>, RuntimeError> {
    let endpoints = plan.scenario.nodes.iter().map(|node| async move {
        if !node.kind.can_export_telemetry() {
            return Ok(None);
        }
        let what = || format!("the OTLP endpoint of node `{}`", node.name);
        let endpoint = collector.endpoint_at(&node.name, (here.listen, 0).into()).await;
        endpoint.map(|endpoint| Some(endpoint.address())).map_err(|error| RuntimeError::listen(what(), error))
    });
    try_join_all(endpoints).await
}

async fn start_node(
    ix: NodeIx,
    node: &Node,
    options: &RuntimeOptions,
    wiring: &Wiring,
) -> Result<Started, RuntimeError> {
    let started = match &node.kind {
        NodeKind::Client | NodeKind::Broker(_) => return Ok(Started::Nothing),
        NodeKind::Stub(stub) => {
            let listens = wiring.plan().listens[ix.0];
            let what = || format!("the stub `{}`", node.name);
            let sources = sources(ix, wiring)?;
            let stub = StandIn::start(stub, listens, &sources).await;
            let stub = stub.map_err(|error| RuntimeError::listen(what(), error))?;
            wiring.listens(ix, stub.listening());
            return Ok(Started::Stub(Box::new(stub)));
        }
        #[cfg(feature = "container")]
        NodeKind::Relay(relay) if wiring.is_contained(ix) => {
            relay::start_in_container(ix, relay, options, wiring).await?
        }
        NodeKind::Relay(relay) => relay::start(ix, relay, options, wiring).await?,
        NodeKind::Command(command) => command::start(ix, command, wiring).await?,
        #[cfg(feature = "container")]
        NodeKind::Image(image) => {
            let started = options.containers.started_for(&node.name).await?;
            super::container::start_image(ix, image, &started, wiring).await?
        }
        #[cfg(not(feature = "container"))]
        NodeKind::Image(_) => return Err(no_containers(node)),
        NodeKind::Url(url) => running_already(ix, node, url, wiring).await?,
        NodeKind::InProcess => in_process(ix, node, options, wiring).await?,
    };
    Ok(Started::Node(Box::new(silent_where_nothing_is_due(node, started))))
}

/// What a stub reads, and where.
fn sources(stub: NodeIx, wiring: &Wiring) -> Result<Vec<(MessageSource, String)>, RuntimeError> {
    let read = wiring.plan().subscriptions.get(stub.0).into_iter().flatten();
    let read = read.map(|read| Ok((read.source.clone(), wiring.broker_url(stub, read.broker)?)));
    read.collect()
}

/// A relay is asked to flush even then: it shows that nothing is under way any more.
fn silent_where_nothing_is_due(node: &Node, mut started: RunningNode) -> RunningNode {
    let silent = !node.telemetry || node.role == Role::Forwarder;
    if silent && !matches!(started.flush, Flush::Relay) {
        started.flush = Flush::NothingDue;
    }
    started
}

/// `url:`, a service that already runs.
async fn running_already(
    ix: NodeIx,
    node: &Node,
    url: &Url,
    wiring: &Wiring,
) -> Result<RunningNode, RuntimeError> {
    let http = resolve(&node.name, url.http.as_deref()).await?;
    let grpc = resolve(&node.name, url.grpc.as_deref()).await?;
    let listening = Listening { http, grpc };
    wiring.listens(ix, listening);
    Ok(RunningNode { name: node.name.clone(), listening, program: None, flush: Flush::Quiet })
}

/// A service in the test's own process.
async fn in_process(
    ix: NodeIx,
    node: &Node,
    options: &RuntimeOptions,
    wiring: &Wiring,
) -> Result<RunningNode, RuntimeError> {
    let name = || node.name.clone();
    let service = options.in_process.iter().find(|service| service.node == node.name);
    let service = service.ok_or_else(|| RuntimeError::NotInThisProcess { node: name() })?;
    let started = (service.start)(wiring.given(ix).await?).await;
    let served = started.map_err(|problem| RuntimeError::InProcess { node: name(), problem })?;
    wiring.listens(ix, served.listening);
    let flush = served.flush.map_or(Flush::Quiet, Flush::Closure);
    Ok(RunningNode { name: name(), listening: served.listening, program: None, flush })
}

/// `http://host:port` to an address; the port may be left out.
async fn resolve(node: &str, url: Option<&str>) -> Result<Option<std::net::SocketAddr>, RuntimeError> {
    let Some(url) = url else { return Ok(None) };
    let unresolved = |source| RuntimeError::unresolved(node, url, source);
    let uri: http::Uri = url.parse().map_err(|_| unresolved(None))?;
    let host = uri.host().ok_or_else(|| unresolved(None))?.trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let found = tokio::net::lookup_host((host, port)).await.map_err(|error| unresolved(Some(error)))?;
    let found: Vec<_> = found.collect();
    // `localhost` is both, and services that are told nothing listen on the older one.
    let address = found.iter().find(|address| address.is_ipv4()).or(found.first()).copied();
    address.map(Some).ok_or_else(|| unresolved(None))
}

/// For each hop where its sender calls it.
async fn addresses(plan: &Plan, wiring: &Wiring, taps: &Standing) -> Result<Addresses, RuntimeError> {
    let hops = (0..plan.scenario.hops.len()).map(|ix| async move {
        let hop = plan.scenario.hop(HopIx(ix));
        match (plan.hop_taps[ix], &hop.transport) {
            (Some(tap), _) => Some(taps.address(tap)),
            (None, Transport::Http(_)) => own(wiring, hop.to, TapProtocol::Http).await,
            (None, Transport::Grpc(_)) => own(wiring, hop.to, TapProtocol::Grpc).await,
            (None, through) => through.via().and_then(|via| wiring.broker(via)).map(|reach| reach.at),
        }
    });
    let brokers = plan.scenario.hops.iter().map(|hop| {
        let via = hop.transport.via()?;
        // A hop through a broker that is not in the plan was refused by the scenario's check.
        wiring.broker_url(hop.from, via).ok()
    });
    let authority = wiring.trust().map(|trust| trust.pem().to_owned());
    let spelled = plan.scenario.hops.iter().map(|hop| spelled(wiring, hop));
    let (hops, brokers, spelled) = (join_all(hops).await, brokers.collect(), try_join_all(spelled).await?);
    Ok(Addresses { hops, spelled, brokers, authority })
}

/// A container calls this machine by another address or name than this machine itself does.
async fn spelled(wiring: &Wiring, hop: &Hop) -> Result<Option<String>, RuntimeError> {
    let protocol = match &hop.transport {
        Transport::Http(_) => TapProtocol::Http,
        Transport::Grpc(_) => TapProtocol::Grpc,
        _ => return Ok(None),
    };
    match wiring.is_contained(hop.from) {
        true => wiring.reach(hop.from, hop.to, protocol).await.map(Some),
        false => Ok(None),
    }
}

async fn own(wiring: &Wiring, node: NodeIx, protocol: TapProtocol) -> Option<std::net::SocketAddr> {
    wiring.own(node).await.and_then(|listening| address(listening, protocol))
}
