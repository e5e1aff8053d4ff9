//! Services in the test's own process.

use super::error::NodeError;
use super::running::{FlushMethod, RunningNode};
use crate::runtime::error::RuntimeError;
use crate::runtime::options::RuntimeOptions;
use crate::runtime::wiring::CaseWiring;
use crate::scenario::NodeIx;

/// Starts the service that the test gave for this node.
pub async fn start(
    ix: NodeIx,
    options: &RuntimeOptions,
    wiring: &CaseWiring,
) -> Result<RunningNode, RuntimeError> {
    let node = wiring.plan().scenario.node(ix).name.clone();
    let Some(service) = options.in_process.iter().find(|service| service.node == node) else {
        return Err(NodeError::NotInThisProcess { node }.into());
    };
    let started = (service.start)(wiring.service_environment(ix).await?).await;
    let started = started.map_err(|source| NodeError::InProcess { node: node.clone(), source })?;
    wiring.set_listening(ix, started.listening);
    let flush = started.flush.map_or(FlushMethod::Quiet, FlushMethod::Closure);
    Ok(RunningNode { name: node, listening: started.listening, program: None, flush })
}
