//! The node that telemetry is of: by the endpoint at which it arrived, or at the shared endpoint by its `service.name`.

use crate::plan::Plan;
use crate::scenario::NodeIx;

/// The endpoint of `otlp: { listen: ... }`. No node has this name, which templates use.
pub const SHARED_ENDPOINT: &str = "otlp";

/// Returns the node that exported what arrived at an endpoint: endpoints have the names of nodes. The `service.name` is
/// read at the shared one only.
pub(super) fn node(plan: &Plan, endpoint: &str, service: impl FnOnce() -> Option<String>) -> Option<NodeIx> {
    let nodes = &plan.scenario.nodes;
    if endpoint != SHARED_ENDPOINT {
        return nodes.iter().position(|node| node.name == endpoint).map(NodeIx);
    }
    let service = service()?;
    let owner = nodes.iter().position(|node| {
        node.kind.can_export_telemetry() && node.service.as_ref().unwrap_or(&node.name) == &service
    });
    owner.map(NodeIx)
}
