//! The nodes, taps and collector of one case while they run.
//!
//! The drop ends everything at once; `stop` lets the user's services end by themselves first.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use in_memory_collector::Collector;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Addresses;
use super::broker::Brokers;
use super::deaths::Deaths;
use super::node::{self, FlushMethod, RunningNode};
use super::process::port::Port;
use super::stub::NodeStubs;
use super::taps::CaseTaps;
use super::telemetry_path::{self, TelemetryPath};
use super::trust::Trust;
use super::turns::Turn;
use crate::evidence::arrival;
use crate::evidence::collected::{self, CollectedTelemetry};
use crate::evidence::{CollectorSpan, Completion, Gap, GapPlace, Recorder, SpanArrival};
use crate::plan::Plan;
use crate::plan::broker::GroupPartition;
use crate::scenario::NodeIx;

/// The time that a collector may take to export what it has and to end.
const COLLECTOR_WITHIN: Duration = Duration::from_secs(10);

/// The proof that a flush of a node gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushProof {
    /// The flush may be repeated; it returns when nothing is under way and everything is exported.
    Idle,
    /// The flush may be repeated; it returns when everything that has ended is exported.
    Exported,
    /// The node is stopped: it exports everything and exits.
    Exited,
    /// The node cannot be flushed.
    None,
    /// The node exports nothing by declaration.
    NotDue,
}

/// A handle to what the nodes have exported so far. It holds nothing of the story but the collector.
#[derive(Clone, Debug)]
pub struct Telemetry {
    plan: Arc<Plan>,
    recorder: Recorder,
    collector: Collector,
}

impl Telemetry {
    /// Returns the spans and log records that have arrived so far.
    pub fn collect(&self) -> CollectedTelemetry {
        collected::collect(&self.collector, &self.plan, &self.recorder)
    }

    /// Returns how each span came, in the order of `collect`, and of those that have arrived since then.
    pub fn arrivals(&self) -> Vec<SpanArrival> {
        arrival::arrivals(&self.collector, &self.plan)
    }
}

/// The nodes, taps and collector of one case while they run.
#[derive(Debug)]
pub struct RunningCase {
    pub(super) plan: Arc<Plan>,
    pub(super) recorder: Recorder,
    pub(super) addresses: Addresses,
    /// For each node of the scenario; `None` for the client and for stubs.
    pub(super) nodes: Vec<Option<RunningNode>>,
    pub(super) taps: CaseTaps,
    pub(super) stubs: Vec<NodeStubs>,
    pub(super) _trust: Option<Trust>,
    pub(super) collector: Collector,
    pub(super) path: TelemetryPath,
    /// After nodes, taps and stubs, which are their clients.
    pub(super) brokers: Brokers,
    /// The fixed ports of taps and of the OTLP endpoint.
    pub(super) _ports: Vec<Port>,
    /// Released when all of this is gone.
    pub(super) _turn: Option<Turn>,
}

impl RunningCase {
    /// Returns where each hop is called.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Returns the port of each tap of the plan, as the nodes see it.
    pub fn tap_ports(&self) -> Vec<u16> {
        self.taps.addresses().iter().map(SocketAddr::port).collect()
    }

    /// Returns what a flush of the node proves.
    pub fn flush_proof(&self, node: NodeIx) -> FlushProof {
        match self.nodes[node.0].as_ref().map(|node| &node.flush) {
            Some(FlushMethod::Relay) => FlushProof::Idle,
            Some(FlushMethod::Closure(_)) => FlushProof::Exported,
            Some(FlushMethod::Stop) => FlushProof::Exited,
            Some(FlushMethod::Quiet) => FlushProof::None,
            Some(FlushMethod::NotDue) | None => FlushProof::NotDue,
        }
    }

    /// Returns the number of processes of a node that accept connections, where that can be seen.
    pub fn listening_processes(&self, node: NodeIx) -> Option<usize> {
        self.nodes[node.0].as_ref()?.program.as_ref()?.listening_processes()
    }

    /// Flushes the node; returns why its telemetry is considered complete.
    pub async fn flush(&self, node: NodeIx, deadline: Instant) -> Completion {
        let Some(node) = &self.nodes[node.0] else { return Completion::NothingDue };
        let completion = node.flush(&self.recorder, deadline).await;
        if matches!(completion, Completion::Stopped { .. }) {
            self.exports_received(deadline).await;
        }
        completion
    }

    /// Resolves when no export is being received. A program may exit before its last export is answered.
    async fn exports_received(&self, deadline: Instant) {
        telemetry_path::idle(&self.collector, deadline).await;
    }

    /// Adds each node that ends although the harness did not stop it, as long as the case runs.
    pub async fn record_deaths(&self, deaths: &Deaths) -> Infallible {
        let nodes = self.nodes.iter().enumerate();
        let dying = nodes.filter_map(|(ix, node)| Some((NodeIx(ix), node.as_ref()?)));
        let mut dying: FuturesUnordered<_> =
            dying.map(|(ix, node)| async move { (ix, node.died().await) }).collect();
        while let Some((node, death)) = dying.next().await {
            deaths.add(node, death);
        }
        std::future::pending().await
    }

    /// Returns the last output lines of a node, oldest first.
    pub fn lines(&self, node: NodeIx) -> Vec<String> {
        self.nodes[node.0].as_ref().map(RunningNode::lines).unwrap_or_default()
    }

    /// Returns name and last lines of each node that has output, and of each broker in a container.
    pub fn logs(&self) -> Vec<(String, Vec<String>)> {
        let nodes = self.nodes.iter().flatten().map(|node| (node.name.clone(), node.lines()));
        let scenario = &self.plan.scenario;
        let brokers = self.brokers.logs().into_iter();
        let brokers = brokers.map(|(node, lines)| (scenario.node(node).name.clone(), lines));
        nodes.chain(brokers).collect()
    }

    /// Returns a watch that changes whenever a span or log record has arrived.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.collector.watch()
    }

    /// Returns the spans and log records that have arrived so far.
    pub fn collect(&self) -> CollectedTelemetry {
        self.telemetry().collect()
    }

    /// Returns a handle that reads the same from another thread.
    pub fn telemetry(&self) -> Telemetry {
        Telemetry {
            plan: self.plan.clone(),
            recorder: self.recorder.clone(),
            collector: self.collector.clone(),
        }
    }

    /// Resolves when the taps that read brokers have read everything that was there when this was called: what a node
    /// had sent before is a capture then. A gap is recorded for what they cannot read by the deadline.
    pub async fn caught_up(&self, deadline: Instant) {
        self.taps.caught_up(deadline).await;
    }

    /// Waits until the consumer groups that hops name read their topics, or the deadline: what is sent before a group
    /// has a position may be skipped by it. Returns the partitions that are not read.
    pub async fn groups_read(&self, deadline: Instant) -> Vec<GroupPartition> {
        self.brokers.groups_read(&self.plan, deadline).await
    }

    /// Returns the gaps that the brokers leave.
    pub fn broker_gaps(&self) -> Vec<Gap> {
        self.brokers.gaps()
    }

    /// Ends every node and waits until it is gone; what a node exports at its end is still received. The clients of
    /// brokers that have threads of their own end meanwhile; brokers and wire taps outlive them all. Collectors end
    /// last, from front to back, each when nothing is on its way to it any more: returns why their exports are
    /// complete.
    pub async fn stop(&self) -> Vec<(NodeIx, Completion)> {
        let collectors = self.plan.scenario.collectors_front_to_back();
        let nodes = self.nodes.iter().zip((0..).map(NodeIx));
        let services = nodes.filter(|(_, ix)| !collectors.contains(ix)).filter_map(|(node, _)| node.as_ref());
        let services = join_all(services.map(RunningNode::end));
        let stubs = join_all(self.stubs.iter().map(NodeStubs::stop));
        tokio::join!(services, self.taps.stop(), stubs);
        let mut ends = Vec::new();
        for ix in collectors {
            let received = Instant::now() + COLLECTOR_WITHIN;
            self.exports_received(received).await;
            self.path.exports_received(received).await;
            let deadline = Instant::now() + COLLECTOR_WITHIN;
            if let Some(collector) = &self.nodes[ix.0] {
                ends.push((ix, node::end_collector(collector, &self.recorder, deadline).await));
            }
        }
        self.path.exports_received(Instant::now() + COLLECTOR_WITHIN).await;
        ends
    }

    /// Returns the spans that left collectors.
    pub fn collector_spans(&self) -> Vec<CollectorSpan> {
        self.path.spans()
    }

    /// Returns the gaps that collectors leave: requests that they rejected, and exports that they gave up.
    pub fn collector_gaps(&self) -> Vec<Gap> {
        let mut gaps = self.path.gaps();
        for (ix, _) in self.plan.scenario.collectors() {
            let lines = self.lines(ix);
            if let Some(line) = node::failed_export(&lines) {
                let what = "an exporter of it gave up what it had to export: check the endpoint in its configuration";
                let gap =
                    Gap { place: GapPlace::Node(ix), what: what.to_owned(), lines: vec![line.to_owned()] };
                gaps.push(gap);
            }
        }
        gaps
    }
}
