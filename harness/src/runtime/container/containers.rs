//! The containers of a run as its cases share them: one engine, one network, one broker of each kind.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::broker::{BrokerKey, SharedBroker, SharedBrokers};
use super::engine::Engine;
use super::error::{EngineError, StartError};
use super::images::{ImageName, ImagePurpose};
use super::kept::{self, KeptContainer};
use super::options::ContainerOptions;
use super::relay::{self, Pod, RelaySettings, StartedRelay};
use super::remove;
use super::running_container::Container;
use super::spec::ContainerSpec;
use crate::runtime::host_address::ReachableHost;
use crate::runtime::node_addresses::ListenAddresses;
use crate::runtime::process::output::AwaitedLine;
use crate::scenario::BrokerKind;

/// The containers of a run, shared by its cases; clones are the same ones.
#[derive(Clone, Debug, Default)]
pub struct Containers(Arc<EngineSlot>);

#[derive(Debug, Default)]
struct EngineSlot {
    options: ContainerOptions,
    /// Connected to once, when the first container is needed.
    engine: Mutex<Option<Result<Arc<SharedEngine>, Arc<EngineError>>>>,
}

/// The engine, and what all cases of the run share in it.
#[derive(Debug)]
pub(in crate::runtime) struct SharedEngine {
    engine: Arc<Engine>,
    brokers: SharedBrokers,
    pod: Pod,
}

impl Containers {
    /// Returns the image that was chosen for the brokers of a kind; `None` while none was started.
    pub async fn broker_image(&self, kind: BrokerKind) -> Option<String> {
        let slot = self.0.engine.lock().await;
        let shared = slot.as_ref()?.as_ref().ok()?;
        Some(shared.engine.chosen_image(ImagePurpose::of_broker(kind))?.0)
    }

    /// Returns a handle that connects to the engine when the first container is needed.
    pub fn new(options: ContainerOptions) -> Containers {
        Containers(Arc::new(EngineSlot { options, engine: Mutex::default() }))
    }

    /// Returns the engine; connects to it at the first call.
    pub(in crate::runtime) async fn engine(&self) -> Result<Arc<SharedEngine>, Arc<EngineError>> {
        let mut slot = self.0.engine.lock().await;
        if let Some(known) = &*slot {
            return known.clone();
        }
        let connected = Engine::connect(self.0.options.clone()).await.map_err(Arc::new).map(|engine| {
            let (engine, brokers) = (Arc::new(engine), SharedBrokers::default());
            Arc::new(SharedEngine { engine, brokers, pod: Pod::default() })
        });
        slot.insert(connected).clone()
    }

    /// Starts these parts in the background, before cases need them. A failure is reported to the case that needs the
    /// part.
    pub async fn warm_up(&self, parts: &[ImagePurpose]) -> Result<(), Arc<EngineError>> {
        let shared = self.engine().await?;
        for part in parts {
            let shared = shared.clone();
            match part.broker() {
                Some(kind) => {
                    let key = BrokerKey { kind, image: None, number: 0 };
                    tokio::spawn(async move { shared.brokers.get(&shared.engine, key).await.err() });
                }
                None if shared.engine.reach.direct => {
                    tokio::spawn(async move { shared.pod.get(&shared.engine).await.err() });
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Removes everything that the run has made, unless it is kept; returns why the rest could not be removed.
    pub async fn end(&self) -> Vec<String> {
        let connected = self.0.engine.lock().await.clone();
        match connected {
            Some(Ok(shared)) => shared.engine.end().await,
            Some(Err(_)) | None => Vec::new(),
        }
    }

    /// Returns what `--keep` has left running.
    pub async fn kept(&self) -> Result<Vec<KeptContainer>, EngineError> {
        let connected = self.0.engine.lock().await.clone();
        match connected {
            Some(Ok(shared)) if self.0.options.keep => kept::list(&shared.engine).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Removes what `--keep` and runs whose process is gone have left; returns the number of containers found, and why
    /// some could not be removed.
    pub async fn clean() -> Result<(usize, Vec<String>), EngineError> {
        remove::clean().await
    }
}

impl SharedEngine {
    /// Returns the broker for this key; starts it for the first case that needs it.
    pub(in crate::runtime) async fn broker(&self, key: BrokerKey) -> Result<Arc<SharedBroker>, StartError> {
        self.brokers.get(&self.engine, key).await
    }

    /// Returns this machine as containers reach it.
    pub(in crate::runtime) fn host(&self) -> ReachableHost {
        self.engine.reach.host
    }

    /// Pulls the image unless it is on this machine.
    pub(in crate::runtime) async fn provide_image(&self, image: &ImageName) -> Result<(), StartError> {
        Ok(self.engine.provide(image, None).await?)
    }

    /// Starts a container; `awaited` is a line of its output to look out for.
    pub(in crate::runtime) async fn start(
        &self,
        spec: ContainerSpec,
        awaited: Option<AwaitedLine>,
    ) -> Result<Container, StartError> {
        Ok(Container::start(&self.engine, spec, awaited).await?)
    }

    /// Returns the addresses on which a relay is to listen.
    pub(in crate::runtime) fn relay_addresses(&self) -> ListenAddresses {
        relay::listen_addresses(&self.engine)
    }

    /// Starts a relay; `awaited` is the line that reports where it listens.
    pub(in crate::runtime) async fn start_relay(
        &self,
        settings: RelaySettings<'_>,
        awaited: AwaitedLine,
    ) -> Result<StartedRelay, StartError> {
        relay::start(&self.engine, &self.pod, settings, awaited).await
    }
}
