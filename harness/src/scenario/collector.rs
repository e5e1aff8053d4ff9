//! Collectors: OpenTelemetry Collectors on the way of the telemetry to the sink, outside of the graph of hops.

use super::Scenario;
use super::export_target::ExportTarget;
use super::index::NodeIx;
use super::node_kind::{CollectorProcess, NodeKind};

impl NodeKind {
    pub fn as_collector(&self) -> Option<&CollectorProcess> {
        match self {
            NodeKind::Collector(collector) => Some(collector),
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Command(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_) => None,
        }
    }
}

impl Scenario {
    /// Returns the collectors of the scenario, in its order.
    pub fn collectors(&self) -> impl Iterator<Item = (NodeIx, &CollectorProcess)> {
        let nodes = self.nodes.iter().zip((0..).map(NodeIx));
        nodes.filter_map(|(node, ix)| Some((ix, node.kind.as_collector()?)))
    }

    /// Returns the collectors from front to back: each after those that export to it.
    pub fn collectors_front_to_back(&self) -> Vec<NodeIx> {
        let mut left: Vec<NodeIx> = self.collectors().map(|(ix, _)| ix).collect();
        let mut order = Vec::new();
        while !left.is_empty() {
            let is_fed = |node: NodeIx| {
                let mut before = left.iter().filter_map(|before| self.node(*before).kind.as_collector());
                before.any(|before| before.to.contains(&ExportTarget::Collector(node)))
            };
            // A checked scenario has no circle; what is left in one is taken in the order of the file.
            let first = left.iter().position(|node| !is_fed(*node)).unwrap_or(0);
            order.push(left.remove(first));
        }
        order
    }
}
