//! The engine of a run: one connection, one network; everything is labelled, and removed at the end.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use parking_lot::Mutex;
use testcontainers::bollard::Docker;
use testcontainers::bollard::models::NetworkCreateRequest;
use testcontainers::bollard::query_parameters::CreateImageOptionsBuilder;
use tokio::sync::{OnceCell, OwnedRwLockReadGuard, RwLock};
use tokio::time::timeout;

use super::connection;
use super::error::EngineError;
use super::images::{ImageName, ImagePurpose};
use super::keep_state::KeepState;
use super::labels::{self, network_name};
use super::options::{ContainerOptions, ContainerProgress};
use super::own_threads::EngineThreads;
use super::process_identity::ProcessIdentity;
use super::remove;
use super::time_limit::answer;
use crate::error_chain;
use crate::runtime::host_address::ReachableHost;
use crate::runtime::process::guard;

/// The time that everything of a run may take to be removed.
const REMOVE_WITHIN: Duration = Duration::from_secs(60);
/// The time to wait for a container that is being created when the run ends, so that it is removed, too.
const MADE_WITHIN: Duration = Duration::from_secs(15);
/// The time that a pull may take without progress.
const PULL_STEP_WITHIN: Duration = Duration::from_secs(120);
/// With `published`, containers are reached through published ports even where their own addresses are reachable; with
/// `own`, or unset, only where they are not.
const PORTS: &str = "UNBROKEN_CONTAINER_PORTS";
/// The name of this machine for containers that cannot use one of its addresses.
const THIS_MACHINE: &str = "host.docker.internal";

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) docker: Docker,
    pub(super) run: String,
    owner: ProcessIdentity,
    /// The image of each part, once it was found.
    chosen: Mutex<HashMap<ImagePurpose, ImageName>>,
    threads: EngineThreads,
    pub(super) options: ContainerOptions,
    pub(super) reach: Reachability,
    ended: Mutex<bool>,
    /// Read-locked during the start of a container, so that the final removal misses none.
    starting: Arc<RwLock<()>>,
    /// The result of each pull.
    pulled: Mutex<HashMap<ImageName, PullSlot>>,
    pub(super) keep_state: Mutex<KeepState>,
}

/// The addresses by which this machine and the containers of the run reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reachability {
    /// Containers are reached at their own addresses, not through published ports.
    pub(super) direct: bool,
    /// This machine as containers reach it.
    pub(super) host: ReachableHost,
}

/// Pulls each image once.
type PullSlot = Arc<OnceCell<Result<(), Arc<PullError>>>>;

/// The reason why an image could not be pulled.
#[derive(Debug, thiserror::Error)]
enum PullError {
    #[error("images of this name are built on the machine that uses them")]
    BuiltLocally,
    #[error(transparent)]
    Engine(testcontainers::bollard::errors::Error),
    #[error("the engine reported no progress for {} s", PULL_STEP_WITHIN.as_secs())]
    Stalled,
}

impl Engine {
    /// Connects to the engine, removes what dead runs have left, and creates the run's network.
    pub(super) async fn connect(options: ContainerOptions) -> Result<Engine, EngineError> {
        let threads = EngineThreads::new().map_err(|source| EngineError::Threads { source })?;
        let owner = ProcessIdentity::here();
        let creator = owner.clone();
        let connecting = threads.spawn(async move {
            let docker = connection::connect().await?;
            let leftovers = remove::sweep(&docker).await?;
            let run = run_id(&creator);
            let reach = create_network(&docker, &run, &creator).await?;
            Ok::<_, EngineError>((docker, leftovers, run, reach))
        });
        let connected = connecting.await.map_err(|error| EngineError::of("a connection", error))?;
        let (docker, leftovers, run, reach) = connected?;
        if !options.keep {
            guard::run_later(&network_name(&run), &remove::by_shell(&run));
        }
        let engine = Engine {
            docker,
            run,
            owner,
            chosen: Mutex::default(),
            threads,
            options,
            reach,
            ended: Mutex::new(false),
            starting: Arc::default(),
            pulled: Mutex::default(),
            keep_state: Mutex::default(),
        };
        for problem in leftovers {
            engine.report(ContainerProgress::Leftover { problem });
        }
        Ok(engine)
    }

    /// Returns a guard for the start of a container: the final removal waits for it. Fails once the run has ended.
    pub(super) async fn start_guard(&self) -> Result<OwnedRwLockReadGuard<()>, EngineError> {
        let starting = self.starting.clone().read_owned().await;
        if *self.ended.lock() { Err(EngineError::RunEnded) } else { Ok(starting) }
    }

    /// Runs `work` on the engine's own threads and waits for it.
    pub(super) async fn on_threads<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.spawn(work).await.map_err(|error| EngineError::of("a task", error))
    }

    /// Runs `work` on the engine's own threads.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.threads.spawn(work)
    }

    pub(super) fn report(&self, progress: ContainerProgress) {
        if let Some(handler) = &self.options.on_progress {
            (handler.0)(progress);
        }
    }

    pub(super) fn network(&self) -> String {
        network_name(&self.run)
    }

    /// Returns the labels of everything that this run makes.
    pub(super) fn labels(&self) -> Vec<(&'static str, String)> {
        labels::of_run(&self.run, &self.owner, self.options.keep)
    }

    /// Returns the image of a part: the one that was given, else one built on this machine, else the public one.
    pub(super) async fn image_of(
        &self,
        part: ImagePurpose,
        given: Option<ImageName>,
    ) -> Result<ImageName, EngineError> {
        if let Some(image) = given {
            self.provide(&image, None).await?;
            return Ok(image);
        }
        if let Some(image) = self.chosen_image(part) {
            return Ok(image);
        }
        let image = self.choose(part).await?;
        self.chosen.lock().insert(part, image.clone());
        Ok(image)
    }

    /// Returns the image that was chosen for this part before.
    pub(super) fn chosen_image(&self, part: ImagePurpose) -> Option<ImageName> {
        self.chosen.lock().get(&part).cloned()
    }

    async fn choose(&self, part: ImagePurpose) -> Result<ImageName, EngineError> {
        if let Some(image) = self.options.images.given(part) {
            self.provide(&image, None).await?;
            return Ok(image);
        }
        let built = part.built_here();
        let image = match part.public() {
            Some(public) if !self.is_here(&built).await? => public,
            _ => built,
        };
        self.provide(&image, Some(part.word())).await?;
        Ok(image)
    }

    /// Returns whether the image is on this machine.
    async fn is_here(&self, image: &ImageName) -> Result<bool, EngineError> {
        let inspected = async { Ok::<_, EngineError>(self.docker.inspect_image(&image.0).await.is_ok()) };
        answer(&format!("the image `{image}`"), inspected).await
    }

    /// Pulls the image unless it is on this machine; `built_by` is the part that builds it.
    pub(super) async fn provide(&self, image: &ImageName, built_by: Option<&str>) -> Result<(), EngineError> {
        if self.is_here(image).await? {
            return Ok(());
        }
        // Nobody publishes these.
        if image.0.starts_with("unbroken-") {
            return Err(EngineError::of_pull(image, built_by, PullError::BuiltLocally));
        }
        let slot = self.pulled.lock().entry(image.clone()).or_default().clone();
        let pulled = slot.get_or_init(|| async { self.pull(image).await.map_err(Arc::new) }).await;
        pulled.clone().map_err(|error| EngineError::of_pull(image, built_by, error))
    }

    async fn pull(&self, image: &ImageName) -> Result<(), PullError> {
        self.report(ContainerProgress::Pulling { image: image.to_string() });
        let begun = Instant::now();
        let (name, tag) = image.to_pull();
        let options = CreateImageOptionsBuilder::new().from_image(name).tag(tag).build();
        let mut pulling = self.docker.create_image(Some(options), None, None);
        while let Some(step) =
            timeout(PULL_STEP_WITHIN, pulling.next()).await.map_err(|_| PullError::Stalled)?
        {
            step.map_err(PullError::Engine)?;
        }
        self.report(ContainerProgress::ready("image", image, begun.elapsed()));
        Ok(())
    }

    /// Returns whether everything of the run was removed.
    pub(super) fn has_ended(&self) -> bool {
        *self.ended.lock()
    }

    /// Removes everything of the run, once; returns why the rest could not be removed.
    pub(super) async fn end(&self) -> Vec<String> {
        if self.options.keep || std::mem::replace(&mut *self.ended.lock(), true) {
            return Vec::new();
        }
        let (docker, run) = (self.docker.clone(), self.run.clone());
        let starting = self.starting.clone();
        let removing = self.spawn(async move {
            let made = async { Ok(timeout(MADE_WITHIN, starting.write()).await) };
            // Detects an engine that hangs while the container that is being created is waited for.
            let answers = async {
                match remove::containers_of_run(&docker, &run).await {
                    Err(error) if error.is_silence() => Err(error),
                    Ok(_) | Err(_) => Ok(()),
                }
            };
            let made = match tokio::try_join!(made, answers) {
                Ok((made, ())) => made,
                Err(error) => return vec![error_chain::one_line(&error)],
            };
            let removed = timeout(REMOVE_WITHIN, remove::run(&docker, &run)).await;
            let mut leftovers = removed.unwrap_or_else(|_| {
                vec![EngineError::silent("the removal of everything of the run", REMOVE_WITHIN).to_string()]
            });
            if made.is_err() {
                let what = "a container that was being created when the run ended";
                leftovers.push(EngineError::silent(what, MADE_WITHIN).to_string());
            }
            leftovers
        });
        let leftovers = removing.await.unwrap_or_else(|error| vec![error.to_string()]);
        if leftovers.is_empty() {
            guard::call_off(&self.network());
        }
        leftovers
    }
}

impl Drop for Engine {
    /// Removes everything after a test that panicked, or that never called `end`.
    fn drop(&mut self) {
        if !self.options.keep && !*self.ended.lock() {
            let (docker, run) = (self.docker.clone(), self.run.clone());
            let (done, waiting) = std::sync::mpsc::channel();
            self.spawn(async move {
                let _ = timeout(REMOVE_WITHIN, remove::run(&docker, &run)).await;
                // Nobody waits any more, or it arrives.
                let _ = done.send(());
            });
            let _ = waiting.recv_timeout(REMOVE_WITHIN);
        }
    }
}

/// Returns an id that differs from that of any other run on the engine; short, because it is part of names.
fn run_id(owner: &ProcessIdentity) -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:08x}", RandomState::new().hash_one(owner.to_string()) & 0xffff_ffff)
}

/// Parses `UNBROKEN_CONTAINER_PORTS`: whether ports are published.
fn published(ports: Option<&str>) -> Result<bool, EngineError> {
    match ports.unwrap_or_default() {
        "published" => Ok(true),
        "" | "own" => Ok(false),
        other => Err(EngineError::Setting {
            variable: PORTS,
            value: other.to_owned(),
            expected: "`published` or `own`",
        }),
    }
}

/// Creates the run's network, and finds out whether its gateway is an address of this machine: then containers reach us
/// there, and we reach them at their own addresses. On Docker Desktop, in a virtual machine, neither holds.
async fn create_network(
    docker: &Docker,
    run: &str,
    owner: &ProcessIdentity,
) -> Result<Reachability, EngineError> {
    let published = published(std::env::var(PORTS).ok().as_deref())?;
    let what = "a network for the run";
    let labels = labels::of_run(run, owner, false).into_iter().map(|(name, value)| (name.to_owned(), value));
    let request = NetworkCreateRequest {
        name: network_name(run),
        labels: Some(labels.collect()),
        ..NetworkCreateRequest::default()
    };
    answer(what, docker.create_network(request)).await?;
    let created = answer(what, docker.inspect_network(&network_name(run), None)).await?;
    let ways = created.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let gateway = ways.iter().find_map(|way| way.gateway.as_ref()?.parse::<IpAddr>().ok());
    if let Some(listen) = gateway
        && !published
        && TcpListener::bind((listen, 0)).is_ok()
    {
        return Ok(Reachability { direct: true, host: ReachableHost { listen, name: None } });
    }
    // A desktop engine forwards connections to the loopback interface.
    let listen = if cfg!(target_os = "linux") { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    let host = ReachableHost { listen: listen.into(), name: Some(THIS_MACHINE) };
    Ok(Reachability { direct: false, host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_setting_of_ports_is_an_error() {
        assert!(published(Some("published")).unwrap());
        for own in [None, Some(""), Some("own")] {
            assert!(!published(own).unwrap(), "{own:?}");
        }
        let error = published(Some("publish")).unwrap_err().to_string();
        assert!(error.contains("`UNBROKEN_CONTAINER_PORTS=publish`"), "{error}");
    }
}
