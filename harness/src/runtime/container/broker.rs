//! Brokers that the cases of a run share: one container each, started when the first case wants it.
//!
//! Cases are kept apart by the names of topics, groups, exchanges and queues. A name that a case cannot make its own,
//! because a service of the user's knows it, is lent to one case at a time; what a case had declared is deleted
//! when it ends.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{timeout, timeout_at};

use super::contained::Contained;
use super::engine::Engine;
use super::error::EngineError;
use super::images::{self, ImageName, Part};
use super::spec::{Joins, Published, Spec};
use super::{StartError, answers, ready_event};
use crate::plan::BrokerPlan;
use crate::runtime::broker::forget;
use crate::runtime::port;
use crate::scenario::BrokerKind;

/// A JVM on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// How long what a case had declared may take to be deleted, before its names are lent on all the same.
const FORGET_WITHIN: Duration = Duration::from_secs(20);

/// Its kind, an image of the scenario's own, and which of several in one story.
type Asked = (BrokerKind, Option<ImageName>, usize);

/// What came of the last start, if there was one.
type Slot = Arc<tokio::sync::Mutex<Option<Result<Arc<SharedBroker>, StartError>>>>;

#[derive(Debug, Default)]
pub(super) struct SharedBrokers(Mutex<HashMap<Asked, Slot>>);

/// A broker in a container.
#[derive(Debug)]
pub(in crate::runtime) struct SharedBroker {
    /// For clients on this machine.
    pub(in crate::runtime) at: SocketAddr,
    /// For clients in containers of the run.
    pub(in crate::runtime) inside: (String, u16),
    pub(super) image: ImageName,
    lent: Mutex<HashSet<String>>,
    given_back: Notify,
    engine: Arc<Engine>,
    contained: Contained,
    /// Told to Kafka's clients, so chosen before it starts.
    _port: Option<port::Port>,
}

/// Names at a broker that nobody else has, until it is dropped; then what was declared is deleted.
#[derive(Debug)]
pub(in crate::runtime) struct Lease {
    broker: Arc<SharedBroker>,
    /// As `forget` takes it.
    address: String,
    plan: BrokerPlan,
}

impl SharedBrokers {
    /// The broker of this kind; started if it is not there yet, and anew if it has ended since. Whoever comes meanwhile
    /// waits for the same one, and one that could not be started is not waited for again.
    pub(super) async fn get(
        &self,
        engine: &Arc<Engine>,
        kind: BrokerKind,
        image: Option<ImageName>,
        which: usize,
    ) -> Result<Arc<SharedBroker>, StartError> {
        let slot = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry((kind, image.clone(), which)).or_default().clone()
        };
        let mut slot = slot.lock().await;
        match &*slot {
            Some(Ok(broker)) if broker.trouble().is_none() => return Ok(broker.clone()),
            Some(Err(error)) => return Err(error.clone()),
            Some(Ok(_)) | None => {}
        }
        slot.insert(start(engine, kind, image).await).clone()
    }
}

async fn start(
    engine: &Arc<Engine>,
    kind: BrokerKind,
    image: Option<ImageName>,
) -> Result<Arc<SharedBroker>, StartError> {
    let part = Part::of_broker(kind);
    let image = engine.image_of(part, image).await?;
    let begun = Instant::now();
    let listens = images::port_of(part, &image);
    let held = if engine.reach.direct { None } else { port::free() };
    let outside = held.as_ref().map(|port| port.number);
    let (env, command) = images::broker_settings(part, outside);
    let spec = Spec {
        part: part.word().to_owned(),
        case: None,
        image: image.clone(),
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        command,
        ports: vec![Published { inside: listens, outside }],
        files: Vec::new(),
        joins: Joins::Run,
    };
    let contained = Contained::start(engine, spec, None).await?;
    let Some(at) = contained.at(listens) else {
        return Err(StartError::ended(&contained, &image).await);
    };
    let deadline = tokio::time::Instant::now() + READY_WITHIN;
    tokio::select! {
        biased;
        answered = answers::until_answered(kind, at, deadline) => {
            if let Err(last) = answered {
                let (within, lines) = (READY_WITHIN, contained.lines());
                return Err(StartError::Late { image, within, asked: true, last, lines });
            }
        }
        _ = contained.ended() => return Err(StartError::ended(&contained, &image).await),
    }
    contained.serves(listens, Some(at));
    engine.tell(ready_event(part.word(), &image, begun.elapsed()));
    let own = contained.address().map(|address| address.to_string());
    let inside_port = images::port_inside(part, &image, !engine.reach.direct);
    let inside = (own.unwrap_or_else(|| contained.id().to_owned()), inside_port);
    let (lent, given_back) = (Mutex::default(), Notify::new());
    let engine = engine.clone();
    Ok(Arc::new(SharedBroker { at, inside, image, lent, given_back, engine, contained, _port: held }))
}

impl SharedBroker {
    /// Lends everything that the plan names; waits while another case has any of it, as long as cases go on to end.
    pub(in crate::runtime) async fn lend(
        self: &Arc<Self>,
        plan: &BrokerPlan,
        address: String,
        within: Duration,
    ) -> Result<Lease, String> {
        let names = names(plan);
        loop {
            let given_back = self.given_back.notified();
            tokio::pin!(given_back);
            given_back.as_mut().enable();
            match self.take(&names) {
                None => return Ok(Lease { broker: self.clone(), address, plan: plan.clone() }),
                Some(taken) => {
                    if timeout(within, given_back).await.is_err() {
                        return Err(format!("another case has `{taken}` all the time"));
                    }
                }
            }
        }
    }

    /// All of the names, or the first that is lent already.
    fn take(&self, names: &[String]) -> Option<String> {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = names.iter().find(|name| lent.contains(*name)) {
            return Some(taken.clone());
        }
        lent.extend(names.iter().cloned());
        None
    }

    fn give_back(&self, names: &[String]) {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            lent.remove(name);
        }
        drop(lent);
        self.given_back.notify_waiters();
    }

    pub(in crate::runtime) fn lines(&self) -> Vec<String> {
        self.contained.lines()
    }

    /// Why it is not there any more; `None` while it is.
    pub(in crate::runtime) fn trouble(&self) -> Option<(String, Vec<String>)> {
        let ended = self.contained.end()?.words();
        Some((format!("the container of `{}` has ended ({ended})", self.image), self.contained.lines()))
    }
}

/// Topics and queues may be called alike, groups too.
fn names(plan: &BrokerPlan) -> Vec<String> {
    let topics = plan.topics.iter().map(|topic| format!("topic {}", topic.name));
    let groups = plan.topics.iter().flat_map(|topic| &topic.groups).map(|group| format!("group {group}"));
    let exchanges = plan.exchanges.iter().map(|exchange| format!("exchange {}", exchange.name));
    let queues = plan.queues.iter().map(|queue| format!("queue {}", queue.name));
    let mut names: Vec<String> = topics.chain(groups).chain(exchanges).chain(queues).collect();
    names.sort();
    names.dedup();
    names
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (broker, plan, address) =
            (self.broker.clone(), self.plan.clone(), std::mem::take(&mut self.address));
        if broker.engine.options.keep {
            broker.give_back(&names(&plan));
            return;
        }
        let engine = broker.engine.clone();
        engine.spawn(async move {
            let deadline = tokio::time::Instant::now() + FORGET_WITHIN;
            // What stays goes with the container.
            let _ = timeout_at(deadline, forget(&address, &plan)).await;
            broker.give_back(&names(&plan));
        });
    }
}

impl From<EngineError> for StartError {
    fn from(error: EngineError) -> Self {
        StartError::Engine(Arc::new(error))
    }
}
