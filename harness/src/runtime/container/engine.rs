//! The engine of a run: one connection, one network, everything labelled, and everything removed again.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use testcontainers::bollard::Docker;
use testcontainers::bollard::models::NetworkCreateRequest;
use testcontainers::bollard::query_parameters::CreateImageOptionsBuilder;
use testcontainers::core::client::docker_client_instance;
use tokio::sync::{OnceCell, OwnedRwLockReadGuard, RwLock};
use tokio::time::timeout;

use super::asked::answer;
use super::error::EngineError;
use super::images::{ImageName, Part};
use super::kept::Left;
use super::own_threads::OwnThreads;
use super::process_identity::{KEPT, OWNER, Owner, RUN};
use super::remove;
use super::{ContainerOptions, Event, ready_event};
use crate::runtime::guard;

/// How long everything of a run may take to be removed.
const REMOVE_WITHIN: Duration = Duration::from_secs(60);
/// How long a container that is being made when the run ends may take to be there, so that it is removed, too.
const MADE_WITHIN: Duration = Duration::from_secs(15);
/// How long a pull may go on without a word of how far it is.
const PULL_STEP_WITHIN: Duration = Duration::from_secs(120);
/// `published`: containers are reached through published ports even where they could be reached themselves; `own`, or
/// left out: only where they could not.
const PORTS: &str = "UNBROKEN_CONTAINER_PORTS";
/// How containers spell this machine where they cannot use an address of it.
const THIS_MACHINE: &str = "host.docker.internal";

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) docker: Docker,
    pub(super) run: String,
    owner: Owner,
    /// The image of each part that was found once: each relay of each case asks for its own.
    chosen: Mutex<HashMap<Part, ImageName>>,
    threads: OwnThreads,
    pub(super) options: ContainerOptions,
    pub(super) reach: ReachFrom,
    ended: Mutex<bool>,
    /// Held by whoever starts a container, so that none is made behind the back of what removes them all.
    starting: Arc<RwLock<()>>,
    /// Images that were asked for, each once, and what went wrong.
    pulled: Mutex<HashMap<ImageName, Arc<OnceCell<Option<String>>>>>,
    pub(super) left: Mutex<Left>,
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
        let threads = OwnThreads::new().map_err(|source| EngineError::Threads { source })?;
        let owner = Owner::here();
        let makes = owner.clone();
        let connecting = threads.spawn(async move {
            let docker = find().await?;
            let left = remove::sweep(&docker).await?;
            let run = run_id(&makes);
            let reach = network(&docker, &run, &makes).await?;
            Ok::<_, EngineError>((docker, left, run, reach))
        });
        let connected = connecting.await.map_err(|error| EngineError::of("a connection", error))?;
        let (docker, left_before, run, reach) = connected?;
        if !options.keep {
            guard::run_later(&network_name(&run), &remove::by_shell(&run));
        }
        let (ended, starting) = (Mutex::new(false), Arc::default());
        let (chosen, pulled, left) = (Mutex::default(), Mutex::default(), Mutex::default());
        let engine =
            Engine { docker, run, owner, chosen, threads, options, reach, ended, starting, pulled, left };
        for problem in left_before {
            engine.tell(Event::Left { problem });
        }
        Ok(engine)
    }

    /// Nothing is removed while this is held; refused once everything is.
    pub(super) async fn starts(&self) -> Result<OwnedRwLockReadGuard<()>, EngineError> {
        let starting = self.starting.clone().read_owned().await;
        if *lock(&self.ended) { Err(EngineError::Ended) } else { Ok(starting) }
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
        self.threads.spawn(work)
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
        labels(&self.run, &self.owner, self.options.keep)
    }

    /// The image of a part: what was asked for, else what was built here, else the public one.
    pub(super) async fn image_of(
        &self,
        part: Part,
        asked: Option<ImageName>,
    ) -> Result<ImageName, EngineError> {
        if let Some(image) = asked {
            self.have(&image, None).await?;
            return Ok(image);
        }
        let known = lock(&self.chosen).get(&part).cloned();
        if let Some(image) = known {
            return Ok(image);
        }
        let image = self.choose(part).await?;
        lock(&self.chosen).insert(part, image.clone());
        Ok(image)
    }

    async fn choose(&self, part: Part) -> Result<ImageName, EngineError> {
        if let Some(image) = self.options.images.given(part) {
            self.have(&image, None).await?;
            return Ok(image);
        }
        let built = part.built_here();
        let image = match part.public() {
            Some(public) if !self.is_here(&built).await? => public,
            _ => built,
        };
        self.have(&image, Some(part.word())).await?;
        Ok(image)
    }

    /// Whether the image is on this machine.
    async fn is_here(&self, image: &ImageName) -> Result<bool, EngineError> {
        let looked_up = async { Ok::<_, EngineError>(self.docker.inspect_image(&image.0).await.is_ok()) };
        answer(&format!("the image `{image}`"), looked_up).await
    }

    /// The image is on this machine, or is pulled now.
    pub(super) async fn have(&self, image: &ImageName, built_by: Option<&str>) -> Result<(), EngineError> {
        if self.is_here(image).await? {
            return Ok(());
        }
        // Nobody publishes these.
        if image.0.starts_with("unbroken-") {
            let nowhere = std::io::Error::other("it is built on the machine that uses it");
            return Err(EngineError::of_pull(image, built_by, nowhere));
        }
        let slot = lock(&self.pulled).entry(image.clone()).or_default().clone();
        let failed = slot.get_or_init(|| self.pull(image)).await;
        let failed = failed.as_ref().map(|problem| std::io::Error::other(problem.clone()));
        failed.map_or(Ok(()), |problem| Err(EngineError::of_pull(image, built_by, problem)))
    }

    /// What went wrong, if anything.
    async fn pull(&self, image: &ImageName) -> Option<String> {
        self.tell(Event::Pulling { image: image.to_string() });
        let begun = Instant::now();
        let (name, tag) = image.to_pull();
        let options = CreateImageOptionsBuilder::new().from_image(name).tag(tag).build();
        let mut pulling = self.docker.create_image(Some(options), None, None);
        loop {
            match timeout(PULL_STEP_WITHIN, pulling.next()).await {
                Ok(None) => break,
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Some(error.to_string()),
                Err(_) => {
                    let seconds = PULL_STEP_WITHIN.as_secs();
                    return Some(format!("the engine said nothing of the pull for {seconds} s"));
                }
            }
        }
        self.tell(ready_event("image", image, begun.elapsed()));
        None
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
        let starting = self.starting.clone();
        let removing = self.spawn(async move {
            let made = async { Ok(timeout(MADE_WITHIN, starting.write()).await) };
            // An engine that hangs is found out while what is being made is waited for.
            let answers = async {
                match remove::of_run(&docker, &run).await {
                    Err(error) if error.is_silence() => Err(error),
                    Ok(_) | Err(_) => Ok(()),
                }
            };
            let made = match tokio::try_join!(made, answers) {
                Ok((made, ())) => made,
                Err(error) => return vec![error.to_string()],
            };
            let removed = timeout(REMOVE_WITHIN, remove::run(&docker, &run)).await;
            let mut left = removed.unwrap_or_else(|_| {
                vec![EngineError::silent("the removal of what the run has made", REMOVE_WITHIN).to_string()]
            });
            if made.is_err() {
                let what = "a container that was being made when the run ended";
                left.push(EngineError::silent(what, MADE_WITHIN).to_string());
            }
            left
        });
        let left = removing.await.unwrap_or_else(|error| vec![error.to_string()]);
        if left.is_empty() {
            guard::call_off(&self.network());
        }
        left
    }
}

impl Drop for Engine {
    /// A test that panics, or one that never said that it is done.
    fn drop(&mut self) {
        if !self.options.keep && !*lock(&self.ended) {
            let (docker, run) = (self.docker.clone(), self.run.clone());
            let (done, waiting) = std::sync::mpsc::channel();
            self.spawn(async move {
                let _ = timeout(REMOVE_WITHIN, remove::run(&docker, &run)).await;
                // Whoever waits has gone, or hears it.
                let _ = done.send(());
            });
            let _ = waiting.recv_timeout(REMOVE_WITHIN);
        }
    }
}

/// The engine, if one answers.
pub(super) async fn find() -> Result<Docker, EngineError> {
    let docker = docker_client_instance().await.map_err(EngineError::of_address)?;
    answer("a sign of life", docker.ping()).await?;
    Ok(docker)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Short, because it stands in names; unlike that of any other run on the engine.
fn run_id(owner: &Owner) -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:08x}", RandomState::new().hash_one(owner.to_string()) & 0xffff_ffff)
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

/// What `UNBROKEN_CONTAINER_PORTS` says.
fn published(ports: Option<&str>) -> Result<bool, EngineError> {
    match ports.unwrap_or_default() {
        "published" => Ok(true),
        "" | "own" => Ok(false),
        other => Err(EngineError::Setting {
            variable: PORTS,
            value: other.to_owned(),
            expected: "say `published`",
        }),
    }
}

/// Makes the run's network, and finds out whether its gateway is an address of this machine: then containers reach us
/// there, and we reach them at their own addresses. On Docker Desktop, in a virtual machine, neither holds.
async fn network(docker: &Docker, run: &str, owner: &Owner) -> Result<ReachFrom, EngineError> {
    let published = published(std::env::var(PORTS).ok().as_deref())?;
    let what = "a network for the run";
    let labels = labels(run, owner, false).into_iter().map(|(name, value)| (name.to_owned(), value));
    let request = NetworkCreateRequest {
        name: network_name(run),
        labels: Some(labels.collect()),
        ..NetworkCreateRequest::default()
    };
    answer(what, docker.create_network(request)).await?;
    let made = answer(what, docker.inspect_network(&network_name(run), None)).await?;
    let ways = made.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let gateway = ways.iter().find_map(|way| way.gateway.as_ref()?.parse::<IpAddr>().ok());
    Ok(match gateway.filter(|gateway| !published && TcpListener::bind((*gateway, 0)).is_ok()) {
        Some(listen) => ReachFrom { direct: true, listen, host: None },
        // A desktop engine hands connections on to the loopback interface.
        None if cfg!(target_os = "linux") => {
            ReachFrom { direct: false, listen: Ipv4Addr::UNSPECIFIED.into(), host: Some(THIS_MACHINE) }
        }
        None => ReachFrom { direct: false, listen: Ipv4Addr::LOCALHOST.into(), host: Some(THIS_MACHINE) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_containers_are_reached_is_not_misspelled_in_silence() {
        assert!(published(Some("published")).unwrap());
        for own in [None, Some(""), Some("own")] {
            assert!(!published(own).unwrap(), "{own:?}");
        }
        let error = published(Some("publish")).unwrap_err().to_string();
        assert!(error.contains("`UNBROKEN_CONTAINER_PORTS=publish`"), "{error}");
    }
}
