//! The brokers of a run in containers, as one case uses them.
//!
//! Every broker is started before any name is leased, and every case leases in the same order: otherwise two cases
//! could wait for each other forever.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::{BrokerAddress, BrokerError, CaseBroker, Origin};
use crate::plan::{BrokerPlan, Plan};
use crate::runtime::container::{BrokerKey, ImageName, SharedBroker, StartError};
use crate::runtime::error::RuntimeError;
use crate::runtime::host_address::HostAddress;
use crate::runtime::options::RuntimeOptions;
use crate::runtime::setting::setting;
use crate::scenario::NodeIx;

/// The time to wait for names that other cases use without any of them ending.
const PATIENCE: Duration = Duration::from_secs(120);

/// A broker of the plan and its number among those of its kind: a story with two brokers of a kind has two containers.
struct NumberedBroker<'a> {
    planned: &'a BrokerPlan,
    number: usize,
}

/// Returns every broker of the plan that has no address of its own.
pub async fn find(
    plan: &Plan,
    options: &RuntimeOptions,
) -> Result<HashMap<NodeIx, CaseBroker>, RuntimeError> {
    let mut numbered: Vec<NumberedBroker<'_>> = Vec::new();
    for planned in plan.brokers.iter().filter(|planned| !has_address(planned, plan)) {
        let number = numbered.iter().filter(|other| other.planned.kind == planned.kind).count();
        numbered.push(NumberedBroker { planned, number });
    }
    numbered.sort_by_key(|one| (one.planned.kind, one.number));
    let started = numbered.iter().map(|one| started(one, plan, options));
    let mut found = HashMap::new();
    for (one, broker) in numbered.iter().zip(try_join_all(started).await?) {
        found.insert(one.planned.node, leased(one.planned, plan, broker).await?);
    }
    Ok(found)
}

async fn started(
    one: &NumberedBroker<'_>,
    plan: &Plan,
    options: &RuntimeOptions,
) -> Result<Arc<SharedBroker>, RuntimeError> {
    let name = &plan.scenario.node(one.planned.node).name;
    let key = BrokerKey { kind: one.planned.kind, image: image(one.planned, plan)?, number: one.number };
    let engine = options.containers.engine().await;
    let engine = engine.map_err(|error| BrokerError::container(name, StartError::Engine(error)))?;
    Ok(engine.broker(key).await.map_err(|error| BrokerError::container(name, error))?)
}

async fn leased(
    planned: &BrokerPlan,
    plan: &Plan,
    broker: Arc<SharedBroker>,
) -> Result<CaseBroker, BrokerError> {
    let at = broker.at;
    let address = BrokerAddress::of_started(planned.kind, HostAddress::for_processes(at));
    let lease = broker.lease(planned, address.text(), PATIENCE).await.map_err(|in_use| {
        BrokerError::InUse { node: plan.scenario.node(planned.node).name.clone(), in_use }
    })?;
    let origin = Origin::Shared { broker, _lease: lease };
    Ok(CaseBroker { node: planned.node, kind: planned.kind, address, at, origin })
}

fn has_address(planned: &BrokerPlan, plan: &Plan) -> bool {
    plan.scenario.node(planned.node).kind.runs_already()
}

fn image(planned: &BrokerPlan, plan: &Plan) -> Result<Option<ImageName>, RuntimeError> {
    let described = plan.scenario.node(planned.node).kind.as_broker();
    let Some(image) = described.and_then(|broker| broker.image.as_ref()) else { return Ok(None) };
    Ok(Some(ImageName(setting(image, planned.node, plan)?)))
}
