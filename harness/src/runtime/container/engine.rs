//! The engine of a run: one connection, one network, everything labelled, and everything removed again.
//!
//! It lives on threads of its own: containers and their logs outlast the asynchronous runtime of any one test.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use testcontainers::bollard::Docker;
use testcontainers::bollard::models::{ContainerSummary, NetworkCreateRequest};
use testcontainers::bollard::query_parameters::{CreateImageOptionsBuilder, ListContainersOptionsBuilder};
use testcontainers::core::client::docker_client_instance;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::error::EngineError;
use super::images::{self, ImageName, Part};
use super::owner::{KEPT, OWNER, Owner, PART, RUN};
use super::remove;
use super::{ContainerOptions, Event, Kept, ready_event};
use crate::runtime::guard;

/// How long everything of a run may take to be removed.
const REMOVE_WITHIN: Duration = Duration::from_secs(60);
/// An engine that takes a connection and does not answer is no engine.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// `published`: containers are reached through published ports even where they could be reached themselves.
const PORTS: &str = "UNBROKEN_CONTAINER_PORTS";
/// How containers spell this machine where they cannot use an address of it.
const THIS_MACHINE: &str = "host.docker.internal";

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) docker: Docker,
    pub(super) run: String,
    /// Taken when the engine is dropped: a runtime must not end inside of another.
    threads: Option<Runtime>,
    pub(super) options: ContainerOptions,
    pub(super) reach: ReachFrom,
    ended: Mutex<bool>,
}

/// How this machine and the containers of the run reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReachFrom {
    /// Containers are reached at their own addresses, not through published ports.
    pub(super) direct: bool,
    /// Where listeners of ours listen, so that containers reach them.
    pub(super) listen: IpAddr,
    /// How containers call this machine, where that is not `listen`.
    pub(super) host: Option<&'static str>,
}

impl Engine {
    /// Finds the engine, removes what runs that are gone have left, and makes the run's network.
    pub(super) async fn connect(options: ContainerOptions) -> Result<Engine, EngineError> {
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("containers")
            .enable_all()
            .build()
            .map_err(|source| EngineError::Threads { source })?;
        let owner = Owner::here();
        let connecting = threads.spawn(async move {
            let docker =
                docker_client_instance().await.map_err(|error| EngineError::of("a connection", error))?;
            let asked = timeout(ANSWER_WITHIN, docker.ping()).await;
            let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
            asked
                .map_err(|_| EngineError::of("an answer", late()))?
                .map_err(|error| EngineError::of("an answer", error))?;
            remove::sweep(&docker).await;
            let run = run_id(&owner);
            let reach = network(&docker, &run, &owner).await?;
            Ok::<_, EngineError>((docker, run, reach))
        });
        let connected = connecting.await.map_err(|error| EngineError::of("a connection", error))?;
        match connected {
            Ok((docker, run, reach)) => {
                if !options.keep {
                    guard::run_later(&network_name(&run), &remove::by_shell(&run));
                }
                let threads = Some(threads);
                Ok(Engine { docker, run, threads, options, reach, ended: Mutex::new(false) })
            }
            Err(error) => {
                threads.shutdown_background();
                Err(error)
            }
        }
    }

    /// Runs `work` on the engine's own threads and waits for it.
    pub(super) async fn on_threads<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.spawn(work).await.map_err(|error| EngineError::of("what was asked for", error))
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.threads.as_ref().expect("the threads end with the engine").spawn(work)
    }

    pub(super) fn tell(&self, event: Event) {
        if let Some(tell) = &self.options.on_event {
            (tell.0)(event);
        }
    }

    pub(super) fn network(&self) -> String {
        network_name(&self.run)
    }

    /// Labels of everything that this run makes.
    pub(super) fn labels(&self) -> Vec<(&'static str, String)> {
        labels(&self.run, &Owner::here(), self.options.keep)
    }

    /// The image of a part: what was asked for, else what was built here, else the public one.
    pub(super) async fn image_of(
        &self,
        part: Part,
        asked: Option<ImageName>,
    ) -> Result<ImageName, EngineError> {
        if let Some(image) = asked.or_else(|| self.options.images.given(part)) {
            self.have(&image, None).await?;
            return Ok(image);
        }
        let built = part.built_here();
        let public = part.public();
        if public.is_none() || self.docker.inspect_image(&built.0).await.is_ok() {
            self.have(&built, Some(part.word())).await?;
            return Ok(built);
        }
        let public = public.unwrap_or(built);
        self.have(&public, Some(part.word())).await?;
        Ok(public)
    }

    /// The image is on this machine, or is pulled now.
    pub(super) async fn have(&self, image: &ImageName, built_by: Option<&str>) -> Result<(), EngineError> {
        if self.docker.inspect_image(&image.0).await.is_ok() {
            return Ok(());
        }
        // Nobody publishes these.
        if image.0.starts_with("unbroken-") {
            let nowhere = std::io::Error::other("it is built on the machine that uses it");
            return Err(EngineError::of_pull(image, built_by, nowhere));
        }
        self.tell(Event::Pulling { image: image.to_string() });
        let begun = Instant::now();
        let (name, tag) = image.parts();
        let options = CreateImageOptionsBuilder::new().from_image(name).tag(tag).build();
        let mut pulling = self.docker.create_image(Some(options), None, None);
        while let Some(step) = pulling.next().await {
            step.map_err(|error| EngineError::of_pull(image, built_by, error))?;
        }
        self.tell(ready_event("image", image, begun.elapsed()));
        Ok(())
    }

    /// The containers of the run, and where this machine reaches them.
    pub(super) async fn kept(&self) -> Vec<Kept> {
        let (docker, filter) = (self.docker.clone(), format!("{RUN}={}", self.run));
        let listed = self.on_threads(async move {
            let filters = HashMap::from([("label".to_owned(), vec![filter])]);
            let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
            docker.list_containers(Some(options)).await.unwrap_or_default()
        });
        let network = self.network();
        let kept = |container: ContainerSummary| {
            let labels = container.labels.unwrap_or_default();
            let networks = container.network_settings.and_then(|settings| settings.networks);
            let own = networks.and_then(|networks| networks.get(&network)?.ip_address.clone());
            let own = own.filter(|address| !address.is_empty());
            let published = container.ports.unwrap_or_default().into_iter().find_map(|port| port.public_port);
            let name = container.names.unwrap_or_default().into_iter().next().unwrap_or_default();
            let part = labels.get(PART).cloned().unwrap_or_default();
            let known = Part::read(&part);
            let inside =
                known.map(|known| images::port_of(known, &ImageName(container.image.unwrap_or_default())));
            let address = match (self.reach.direct, inside, published) {
                (true, Some(port), _) => own.map(|own| format!("{own}:{port}")),
                (true, None, _) => own,
                (false, _, published) => published.map(|port| format!("127.0.0.1:{port}")),
            };
            let address = address.map(|at| known.map_or(at.clone(), |known| known.url(&at)));
            Kept { part, name: name.trim_start_matches('/').to_owned(), address }
        };
        let mut all: Vec<Kept> = listed.await.unwrap_or_default().into_iter().map(kept).collect();
        all.sort_by(|one, two| one.part.cmp(&two.part));
        all
    }

    /// Everything of the run was removed.
    pub(super) fn has_ended(&self) -> bool {
        *lock(&self.ended)
    }

    /// Removes everything of the run, once; what could not be removed is said.
    pub(super) async fn end(&self) -> Vec<String> {
        if self.options.keep || std::mem::replace(&mut *lock(&self.ended), true) {
            return Vec::new();
        }
        let (docker, run) = (self.docker.clone(), self.run.clone());
        let removing = self.spawn(async move { timeout(REMOVE_WITHIN, remove::run(&docker, &run)).await });
        match removing.await {
            Ok(Ok(left)) => {
                if left.is_empty() {
                    guard::call_off(&self.network());
                }
                left
            }
            Ok(Err(_)) => vec![format!("the engine took longer than {} s", REMOVE_WITHIN.as_secs())],
            Err(error) => vec![error.to_string()],
        }
    }
}

impl Drop for Engine {
    /// A test that panics, or one that never said that it is done.
    fn drop(&mut self) {
        let Some(threads) = self.threads.take() else { return };
        if !self.options.keep && !*lock(&self.ended) {
            let (docker, run) = (self.docker.clone(), self.run.clone());
            let (done, waiting) = std::sync::mpsc::channel();
            threads.spawn(async move {
                let _ = timeout(REMOVE_WITHIN, remove::run(&docker, &run)).await;
                // Whoever waits has gone, or hears it.
                let _ = done.send(());
            });
            let _ = waiting.recv_timeout(REMOVE_WITHIN);
        }
        threads.shutdown_background();
    }
}

fn lock(ended: &Mutex<bool>) -> std::sync::MutexGuard<'_, bool> {
    ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Short, because it stands in names; unlike that of any other run on the engine.
fn run_id(owner: &Owner) -> String {
    use std::hash::{BuildHasher, Hash, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    owner.to_string().hash(&mut hasher);
    format!("{:08x}", hasher.finish() & 0xffff_ffff)
}

pub(super) fn network_name(run: &str) -> String {
    format!("unbroken-{run}")
}

fn labels(run: &str, owner: &Owner, keep: bool) -> Vec<(&'static str, String)> {
    let mut labels = vec![(RUN, run.to_owned()), (OWNER, owner.to_string())];
    if keep {
        labels.push((KEPT, "true".to_owned()));
    }
    labels
}

/// Makes the run's network, and finds out whether its gateway is an address of this machine: then containers reach us
/// there, and we reach them at their own addresses. On Docker Desktop, in a virtual machine, neither holds.
async fn network(docker: &Docker, run: &str, owner: &Owner) -> Result<ReachFrom, EngineError> {
    let failed = |error| EngineError::of("a network for the run", error);
    let labels = labels(run, owner, false).into_iter().map(|(name, value)| (name.to_owned(), value));
    let request = NetworkCreateRequest {
        name: network_name(run),
        labels: Some(labels.collect()),
        ..NetworkCreateRequest::default()
    };
    docker.create_network(request).await.map_err(failed)?;
    let made = docker.inspect_network(&network_name(run), None).await.map_err(failed)?;
    let ways = made.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let gateway = ways.iter().find_map(|way| way.gateway.as_ref()?.parse::<IpAddr>().ok());
    let published = std::env::var(PORTS).is_ok_and(|ports| ports == "published");
    Ok(match gateway.filter(|gateway| !published && TcpListener::bind((*gateway, 0)).is_ok()) {
        Some(listen) => ReachFrom { direct: true, listen, host: None },
        // A desktop engine hands connections on to the loopback interface.
        None if cfg!(target_os = "linux") => {
            ReachFrom { direct: false, listen: Ipv4Addr::UNSPECIFIED.into(), host: Some(THIS_MACHINE) }
        }
        None => ReachFrom { direct: false, listen: Ipv4Addr::LOCALHOST.into(), host: Some(THIS_MACHINE) },
    })
}
