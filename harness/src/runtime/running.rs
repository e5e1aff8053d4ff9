//! One story's nodes, taps and collector while they run.
//!
//! Dropping it ends everything at once; `stop` lets services of the user's end by themselves first.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::{join_all, select_all};
use in_memory_collector::Collector;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Addresses;
use super::broker::Brokers;
use super::error::RuntimeError;
use super::node::{Flush, RunningNode};
use super::stand_in::StandIn;
use super::taps::Standing;
use super::trust::Trust;
use crate::evidence::collected::{self, CollectedTelemetry};
use crate::evidence::{Completion, Gap, Recorder};
use crate::plan::Plan;
use crate::scenario::NodeIx;

/// How a node shows that nothing more will come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Asked at any time, it answers when nothing is under way and everything is exported.
    Idle,
    /// Asked at any time, it answers when everything that has ended is exported.
    Exported,
    /// Asked once, it exports everything and ends.
    Ending,
    /// It has no way.
    Nothing,
    /// It exports nothing by declaration.
    NoneDue,
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
}

#[derive(Debug)]
pub struct Running {
    pub(super) plan: Arc<Plan>,
    pub(super) recorder: Recorder,
    pub(super) addresses: Addresses,
    /// For each node of the scenario; `None` for the client and for stubs.
    pub(super) nodes: Vec<Option<RunningNode>>,
    pub(super) taps: Standing,
    pub(super) stubs: Vec<StandIn>,
    pub(super) _trust: Option<Trust>,
    pub(super) collector: Collector,
    /// Last: nodes, taps and stubs are their clients.
    pub(super) brokers: Brokers,
}

impl Running {
    /// Where each hop is called.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The port of each tap of the plan, as the nodes see it.
    pub fn tap_ports(&self) -> Vec<u16> {
        self.taps.addresses().iter().map(SocketAddr::port).collect()
    }

    pub fn shows(&self, node: NodeIx) -> Shows {
        match self.nodes[node.0].as_ref().map(|node| &node.flush) {
            Some(Flush::Relay) => Shows::Idle,
            Some(Flush::Closure(_)) => Shows::Exported,
            Some(Flush::Stop) => Shows::Ending,
            Some(Flush::Quiet) => Shows::Nothing,
            Some(Flush::NothingDue) | None => Shows::NoneDue,
        }
    }

    /// Asks the node to export everything, and says why its telemetry is thought complete.
    pub async fn flush(&self, node: NodeIx, deadline: Instant) -> Completion {
        let Some(node) = &self.nodes[node.0] else { return Completion::NothingDue };
        let completion = node.flush(&self.recorder, deadline).await;
        if matches!(completion, Completion::Stopped { .. }) {
            self.taken_in(deadline).await;
        }
        completion
    }

    /// A program may end before the answer to its last export: what it sent is on its way in.
    async fn taken_in(&self, deadline: Instant) {
        let mut exports = self.collector.watch();
        while self.collector.in_flight() > 0 {
            if !matches!(timeout_at(deadline, exports.changed()).await, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Comes back as soon as a node has ended that nobody asked to.
    pub async fn died(&self) -> RuntimeError {
        let nodes: Vec<_> = self.nodes.iter().flatten().map(|node| Box::pin(node.died())).collect();
        if nodes.is_empty() {
            return std::future::pending().await;
        }
        select_all(nodes).await.0
    }

    /// The last output lines of a node, oldest first.
    pub fn lines(&self, node: NodeIx) -> Vec<String> {
        self.nodes[node.0].as_ref().map(RunningNode::lines).unwrap_or_default()
    }

    /// Of each node that has output, and each broker in a container: its name and its last lines.
    pub fn logs(&self) -> Vec<(String, Vec<String>)> {
        let nodes = self.nodes.iter().flatten().map(|node| (node.name.clone(), node.lines()));
        let name = |node: NodeIx| self.plan.scenario.node(node).name.clone();
        let brokers = self.brokers.logs().into_iter().map(|(node, lines)| (name(node), lines));
        nodes.chain(brokers).collect()
    }

    /// Changes whenever a span or log record has arrived.
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

    /// Comes back when the taps that read beside a broker have read everything that was there when this was
    /// called: what a node had sent before is a capture then. What they cannot read by the deadline is a gap.
    pub async fn caught_up(&self, deadline: Instant) {
        self.taps.caught_up(deadline).await;
    }

    /// What can be said of the brokers at the end.
    pub fn broker_gaps(&self) -> Vec<Gap> {
        self.brokers.gaps()
    }

    /// Ends every node and waits until it is gone; what it exports at its end is still taken in. Side by side with them
    /// end the clients of brokers that have threads of their own; brokers and wire taps outlive them all.
    pub async fn stop(&self) {
        let nodes = join_all(self.nodes.iter().flatten().map(RunningNode::end));
        let stubs = join_all(self.stubs.iter().map(StandIn::stop));
        tokio::join!(nodes, self.taps.stop(), stubs);
    }
}
