//! Brokers that the cases of a run share: one container each, started when the first case needs it.
//!
//! The names of topics, groups, exchanges and queues keep cases apart. A name that a case cannot replace by its own,
//! because a service of the user's knows it, is leased to one case at a time; what the case declared is deleted when it
//! ends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::timeout_at;

use super::answers;
use super::engine::Engine;
use super::error::{ProbeKind, StartError};
use super::images::{self, ImageName, ImagePurpose};
use super::options::ContainerProgress;
use super::running_container::Container;
use super::spec::{ContainerSpec, NetworkChoice, PublishedPort};
use crate::plan::BrokerPlan;
use crate::runtime::broker_admin;
use crate::runtime::host_address::HostPort;
use crate::runtime::process::port::{self, Port};
use crate::runtime::turns::{NameInUse, Turn, Turns};
use crate::scenario::BrokerKind;

/// A JVM on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// The time that deleting what a case declared may take, before its names are leased again all the same.
const DELETE_WITHIN: Duration = Duration::from_secs(20);

/// The key that distinguishes the brokers of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BrokerKey {
    pub kind: BrokerKind,
    /// The scenario's own image.
    pub image: Option<ImageName>,
    /// Distinguishes several of a kind in one story.
    pub number: usize,
}

/// The result of the last start, if there was one.
type Slot = Arc<tokio::sync::Mutex<Option<Result<Arc<SharedBroker>, StartError>>>>;

#[derive(Debug, Default)]
pub(super) struct SharedBrokers(Mutex<HashMap<BrokerKey, Slot>>);

/// A broker in a container.
#[derive(Debug)]
pub struct SharedBroker {
    /// For clients on this machine.
    pub at: SocketAddr,
    /// For clients in containers of the run.
    pub inside: HostPort,
    image: ImageName,
    names: Turns,
    engine: Arc<Engine>,
    container: Container,
    /// Advertised to Kafka's clients, so it is chosen before the broker starts.
    _port: Option<Port>,
}

/// Names at a broker that no other case uses until this is dropped; then what was declared is deleted.
#[derive(Debug)]
pub struct Lease {
    broker: Arc<SharedBroker>,
    /// As `broker_admin` takes it.
    address: String,
    plan: BrokerPlan,
    turn: Option<Turn>,
}

impl SharedBrokers {
    /// Returns the broker for this key; starts it if it was never started, and again if it has ended since. Callers
    /// that come meanwhile wait for the same start, and a broker that could not be started is not tried again.
    pub(super) async fn get(
        &self,
        engine: &Arc<Engine>,
        key: BrokerKey,
    ) -> Result<Arc<SharedBroker>, StartError> {
        let slot = self.0.lock().entry(key.clone()).or_default().clone();
        let mut slot = slot.lock().await;
        match &*slot {
            Some(Ok(broker)) if broker.failure().is_none() => return Ok(broker.clone()),
            Some(Err(error)) => return Err(error.clone()),
            Some(Ok(_)) | None => {}
        }
        slot.insert(start(engine, key).await).clone()
    }
}

async fn start(engine: &Arc<Engine>, key: BrokerKey) -> Result<Arc<SharedBroker>, StartError> {
    let part = ImagePurpose::of_broker(key.kind);
    let image = engine.image_of(part, key.image).await?;
    let begun = Instant::now();
    let listens = images::port_of(part, &image);
    let held = if engine.reach.direct { None } else { port::free() };
    let outside = held.as_ref().map(|port| port.number);
    let settings = images::broker_settings(part, outside);
    let spec = ContainerSpec {
        part: part.word().to_owned(),
        case: None,
        image: image.clone(),
        env: settings.env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        command: settings.command,
        ports: vec![PublishedPort { inside: listens, outside }],
        files: Vec::new(),
        network: NetworkChoice::Run,
    };
    let container = Container::start(engine, spec, None).await?;
    let Some(at) = container.at(listens) else {
        return Err(container.end_error(&image).await);
    };
    let deadline = tokio::time::Instant::now() + READY_WITHIN;
    tokio::select! {
        biased;
        answered = answers::until_answered(key.kind, at, deadline) => {
            if let Err(last) = answered {
                let (within, probe, lines) = (READY_WITHIN, ProbeKind::Broker, container.lines());
                return Err(StartError::NeverReady { image, within, probe, last: Arc::new(last), lines });
            }
        }
        _ = container.ended() => return Err(container.end_error(&image).await),
    }
    container.add_served_port(listens, Some(at));
    engine.report(ContainerProgress::ready(part.word(), &image, begun.elapsed()));
    let own = container.address().map(|address| address.to_string());
    let inside = HostPort {
        host: own.unwrap_or_else(|| container.id().to_owned()),
        port: images::port_inside(part, &image, !engine.reach.direct),
    };
    let (names, engine) = (Turns::default(), engine.clone());
    Ok(Arc::new(SharedBroker { at, inside, image, names, engine, container, _port: held }))
}

impl SharedBroker {
    /// Leases everything that the plan names; waits while another case uses any of it, as long as other cases end.
    pub async fn lease(
        self: &Arc<Self>,
        plan: &BrokerPlan,
        address: String,
        patience: Duration,
    ) -> Result<Lease, NameInUse> {
        let turn = self.names.take(names(plan), patience).await?;
        Ok(Lease { broker: self.clone(), address, plan: plan.clone(), turn: Some(turn) })
    }

    pub fn lines(&self) -> Vec<String> {
        self.container.lines()
    }

    /// Returns why the broker no longer runs, and its last lines; `None` while it runs.
    pub fn failure(&self) -> Option<(String, Vec<String>)> {
        let end = self.container.end()?.words();
        Some((format!("the container of `{}` has ended ({end})", self.image), self.container.lines()))
    }
}

/// Returns the names of a plan by their kinds: a topic, a group and a queue may be called alike.
fn names(plan: &BrokerPlan) -> Vec<String> {
    let topics = plan.topics.iter().map(|topic| format!("topic `{}`", topic.name));
    let groups = plan.topics.iter().flat_map(|topic| &topic.groups).map(|group| format!("group `{group}`"));
    let exchanges = plan.exchanges.iter().map(|exchange| format!("exchange `{}`", exchange.name));
    let queues = plan.queues.iter().map(|queue| format!("queue `{}`", queue.name));
    topics.chain(groups).chain(exchanges).chain(queues).collect()
}

impl Drop for Lease {
    fn drop(&mut self) {
        let turn = self.turn.take();
        if self.broker.engine.options.keep {
            return;
        }
        let (broker, plan) = (self.broker.clone(), self.plan.clone());
        let address = std::mem::take(&mut self.address);
        let engine = broker.engine.clone();
        engine.spawn(async move {
            let deadline = tokio::time::Instant::now() + DELETE_WITHIN;
            // What cannot be deleted goes with the container.
            let _ = timeout_at(deadline, broker_admin::delete(&address, &plan)).await;
            drop((broker, turn));
        });
    }
}
