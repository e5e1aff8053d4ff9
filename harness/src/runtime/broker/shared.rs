//! The brokers of a run in containers, as one case gets them.
//!
//! All are there before any name is lent, and names are lent in one order by every case: two cases that wait for each
//! other would wait for ever.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::{Address, Broker, Origin};
use crate::plan::{BrokerPlan, Plan};
use crate::runtime::container::ImageName;
use crate::runtime::environment;
use crate::runtime::error::RuntimeError;
use crate::runtime::host_address::Here;
use crate::runtime::options::RuntimeOptions;
use crate::scenario::NodeIx;

/// How long other cases may have names of this one's without any of them ending.
const LENT_WITHIN: Duration = Duration::from_secs(120);

/// Every broker of the plan that has no address of its own.
pub(super) async fn find(
    plan: &Plan,
    options: &RuntimeOptions,
) -> Result<HashMap<NodeIx, Broker>, RuntimeError> {
    let mut wanted: Vec<(&BrokerPlan, usize)> = Vec::new();
    for planned in plan.brokers.iter().filter(|planned| !has_address(planned, plan)) {
        // A story with two brokers of a kind has two containers.
        let which = wanted.iter().filter(|(other, _)| other.kind == planned.kind).count();
        wanted.push((planned, which));
    }
    let got = wanted.iter().map(|(planned, which)| async move {
        let name = &plan.scenario.node(planned.node).name;
        let image = image(planned, plan)?;
        let started = options.containers.started_for(name).await?;
        let broker = started.broker(planned.kind, image, *which).await;
        Ok::<_, RuntimeError>((*planned, *which, broker.map_err(|error| error.of_broker(name))?))
    });
    let mut got = try_join_all(got).await?;
    got.sort_by_key(|(planned, which, _)| (planned.kind, *which));
    let mut found = HashMap::new();
    for (planned, _, broker) in got {
        let at = broker.at;
        let address = Address::of_started(planned.kind, Here::spell_here(at));
        let lease = broker.lend(planned, address.text(), LENT_WITHIN).await;
        let node = || plan.scenario.node(planned.node).name.clone();
        let kind = planned.kind.word();
        let lease = lease.map_err(|problem| RuntimeError::NotLent { node: node(), kind, problem })?;
        let origin = Origin::Shared { broker, _lease: lease };
        found.insert(planned.node, Broker { node: planned.node, address, at, origin });
    }
    Ok(found)
}

fn has_address(planned: &BrokerPlan, plan: &Plan) -> bool {
    plan.scenario.node(planned.node).kind.runs_already()
}

fn image(planned: &BrokerPlan, plan: &Plan) -> Result<Option<ImageName>, RuntimeError> {
    let described = plan.scenario.node(planned.node).kind.as_broker();
    let Some(image) = described.and_then(|broker| broker.image.as_ref()) else { return Ok(None) };
    Ok(Some(ImageName(environment::setting(image, planned.node, plan)?)))
}
