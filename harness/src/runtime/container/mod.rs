//! Containers through `testcontainers`: brokers, relays and `image:` nodes of a run. The only module that knows the
//! container engine.
//!
//! Everything of a run has its labels and one network, and is removed when the run ends, however it ends: by the
//! command, by the drop of the last handle, or at the next start after SIGKILL. An engine is asked for when the first
//! container is wanted, so a run without any needs none.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

mod answers;
mod asked;
mod broker;
mod contained;
mod engine;
mod error;
mod images;
mod kept;
mod own_threads;
mod process_identity;
mod relay;
mod remove;
mod service;
mod spec;

pub use error::EngineError;
pub use images::{ImageName, Images, Part};

pub(super) use broker::{Lease, SharedBroker};
pub(super) use contained::Contained;
pub(super) use relay::{listens as relay_listens, start as start_relay};
pub(super) use service::start as start_image;
pub(super) use spec::File;

use super::error::RuntimeError;
use super::process::Ended;
use crate::scenario::BrokerKind;
use asked::ANSWER_WITHIN;
use broker::SharedBrokers;
use engine::Engine;

/// What whoever runs a scenario settles about containers.
#[derive(Clone, Debug, Default)]
pub struct ContainerOptions {
    /// Nothing is removed at the end.
    pub keep: bool,
    pub images: Images,
    pub on_event: Option<OnEvent>,
}

#[derive(Clone)]
pub struct OnEvent(pub Arc<dyn Fn(Event) + Send + Sync>);

impl fmt::Debug for OnEvent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("OnEvent")
    }
}

/// Why a container is not what was asked for; several cases may be told the same.
#[derive(Clone, Debug)]
pub(super) enum StartError {
    Engine(Arc<EngineError>),
    Ended {
        image: ImageName,
        ended: String,
        lines: Vec<String>,
    },
    /// `asked` at its port; else a line of its output was waited for.
    Late {
        image: ImageName,
        within: Duration,
        asked: bool,
        last: String,
        lines: Vec<String>,
    },
}

impl StartError {
    async fn ended(contained: &Contained, image: &ImageName) -> StartError {
        // An engine that hangs does not say how.
        let ended = timeout(ANSWER_WITHIN, contained.ended()).await.unwrap_or(Ended::of(None)).words();
        StartError::Ended { image: image.clone(), ended, lines: contained.last_lines().await }
    }

    /// As it is told of a broker, which has no keys for ports and readiness.
    pub(super) fn of_broker(self, node: &str) -> RuntimeError {
        match self {
            StartError::Late { image, within, last, lines, .. } => {
                RuntimeError::BrokerNeverReady { node: node.to_owned(), image, within, last, lines }
            }
            other => other.of(node),
        }
    }

    /// As it is told of a node.
    pub(super) fn of(self, node: &str) -> RuntimeError {
        let node = node.to_owned();
        match self {
            StartError::Engine(source) => RuntimeError::Engine { node, source },
            StartError::Ended { image, ended, lines } => {
                RuntimeError::ContainerEnded { node, image, ended, lines }
            }
            StartError::Late { image, within, asked, last, lines } => {
                RuntimeError::ContainerNeverReady { node, image, within, asked, last, lines }
            }
        }
    }
}

/// What takes its time, as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Pulling {
        image: String,
    },
    /// A broker answers, or an image is here.
    Ready {
        part: String,
        image: String,
        took: Duration,
    },
    /// What earlier runs have left could not be removed.
    Left {
        problem: String,
    },
}

fn ready_event(part: &str, image: &ImageName, took: Duration) -> Event {
    Event::Ready { part: part.to_owned(), image: image.to_string(), took }
}

/// A container that `--keep` has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub part: String,
    /// Whose node it is; `None` for what cases share.
    pub case: Option<String>,
    pub name: String,
    /// Where this machine reaches it, if anywhere.
    pub address: Option<String>,
}

/// The containers of a run, shared by its cases; clones are the same ones.
#[derive(Clone, Debug, Default)]
pub struct Containers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    options: ContainerOptions,
    /// Looked for when it is first wanted, once.
    started: Mutex<Option<Result<Arc<Started>, Arc<EngineError>>>>,
}

/// The engine and what all cases of the run share in it.
#[derive(Debug)]
pub(super) struct Started {
    engine: Arc<Engine>,
    brokers: SharedBrokers,
    pod: relay::Pod,
}

/// How this machine and the containers reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Between {
    pub(super) listen: IpAddr,
    pub(super) host: Option<&'static str>,
}

impl Containers {
    pub fn new(options: ContainerOptions) -> Containers {
        Containers(Arc::new(Shared { options, started: Mutex::default() }))
    }

    async fn started(&self) -> Result<Arc<Started>, Arc<EngineError>> {
        let mut started = self.0.started.lock().await;
        if let Some(known) = &*started {
            return known.clone();
        }
        let new = Engine::connect(self.0.options.clone()).await.map_err(Arc::new).map(|engine| {
            let (engine, brokers) = (Arc::new(engine), SharedBrokers::default());
            Arc::new(Started { engine, brokers, pod: relay::Pod::default() })
        });
        started.insert(new).clone()
    }

    /// For a node that wants a container.
    pub(super) async fn started_for(&self, node: &str) -> Result<Arc<Started>, RuntimeError> {
        let failed = |source| RuntimeError::Engine { node: node.to_owned(), source };
        self.started().await.map_err(failed)
    }

    /// Starts what cases will want before they do, side by side. Who wants it then is told what went wrong.
    pub async fn warm_up(&self, parts: &[Part]) -> Result<(), Arc<EngineError>> {
        let started = self.started().await?;
        for part in parts {
            let started = started.clone();
            match part {
                Part::Kafka | Part::RabbitMq | Part::Sqs => {
                    let kind = part.broker().expect("the three are brokers");
                    tokio::spawn(
                        async move { started.brokers.get(&started.engine, kind, None, 0).await.err() },
                    );
                }
                Part::RelayModel | Part::RelayRust => {
                    if started.engine.reach.direct {
                        tokio::spawn(async move { started.pod.get(&started.engine).await.err() });
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes everything that the run has made, unless it is to be kept; what could not be removed is said.
    pub async fn end(&self) -> Vec<String> {
        let started = self.0.started.lock().await.clone();
        match started {
            Some(Ok(started)) => started.engine.end().await,
            Some(Err(_)) | None => Vec::new(),
        }
    }

    /// What `--keep` has left.
    pub async fn kept(&self) -> Result<Vec<Kept>, EngineError> {
        let started = self.0.started.lock().await.clone();
        match started {
            Some(Ok(started)) if self.0.options.keep => started.engine.kept().await,
            _ => Ok(Vec::new()),
        }
    }

    /// Removes what `--keep` and runs that are gone have left: how many containers, and what stayed.
    pub async fn clean() -> Result<(usize, Vec<String>), EngineError> {
        remove::clean().await
    }
}

impl Started {
    /// The broker of this kind, started if no case has wanted it yet; `image` is the scenario's own, `which` tells
    /// apart several of a kind in one story.
    pub(super) async fn broker(
        &self,
        kind: BrokerKind,
        image: Option<ImageName>,
        which: usize,
    ) -> Result<Arc<SharedBroker>, StartError> {
        self.brokers.get(&self.engine, kind, image, which).await
    }

    pub(super) fn between(&self) -> Between {
        Between { listen: self.engine.reach.listen, host: self.engine.reach.host }
    }
}
