//! Starts a node of whatever kind.

#[cfg(feature = "container")]
use super::image;
use super::running::{FlushMethod, RunningNode};
use super::{command, in_process, relay, url};
use crate::runtime::error::RuntimeError;
use crate::runtime::options::RuntimeOptions;
use crate::runtime::wiring::CaseWiring;
use crate::scenario::{Node, NodeIx, NodeKind, Role};

/// Starts a node and waits until it is ready; `None` where there is nothing to start: the client, brokers and stubs.
pub async fn start(
    ix: NodeIx,
    node: &Node,
    options: &RuntimeOptions,
    wiring: &CaseWiring,
) -> Result<Option<RunningNode>, RuntimeError> {
    let started = match &node.kind {
        NodeKind::Client | NodeKind::Broker(_) | NodeKind::Stub(_) => return Ok(None),
        #[cfg(feature = "container")]
        NodeKind::Relay(relay) if wiring.is_contained(ix) => {
            relay::start_in_container(ix, relay, options, wiring).await?
        }
        NodeKind::Relay(relay) => relay::start(ix, relay, options, wiring).await?,
        NodeKind::Command(command) => command::start(ix, command, wiring).await?,
        NodeKind::Collector(collector) => command::start(ix, &collector.command, wiring).await?,
        #[cfg(feature = "container")]
        NodeKind::Image(image) => image::start(ix, image, options, wiring).await?,
        #[cfg(not(feature = "container"))]
        NodeKind::Image(_) => return Err(RuntimeError::no_containers(node)),
        NodeKind::Url(url) => url::start(ix, url, wiring).await?,
        NodeKind::InProcess => in_process::start(ix, options, wiring).await?,
    };
    Ok(Some(without_telemetry(node, started)))
}

/// Expects nothing from a node that exports nothing. A relay is flushed all the same: that shows that nothing is under
/// way in it any more.
fn without_telemetry(node: &Node, mut started: RunningNode) -> RunningNode {
    let silent = !node.telemetry || node.role == Role::Forwarder;
    if silent && !matches!(started.flush, FlushMethod::Relay) {
        started.flush = FlushMethod::NotDue;
    }
    started
}
