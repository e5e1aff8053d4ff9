//! One container while it runs: the same questions as a process answers.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use nix::sys::signal::Signal;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::{ContainerInspectResponse, HostConfig, PortBinding};
use testcontainers::bollard::query_parameters::{KillContainerOptionsBuilder, WaitContainerOptions};
use testcontainers::core::{CopyDataSource, IntoContainerPort};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, ImageExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::asked::answer;
use super::engine::Engine;
use super::error::EngineError;
use super::process_identity::{CASE, PART};
use super::spec::{File, Joins, Spec};
use crate::runtime::output::{Output, Stream, Wanted};
use crate::runtime::process::Ended;

/// How long the rest of the output may take once the container has ended.
const OUTPUT_AFTER_END: Duration = Duration::from_millis(500);
/// How long the engine may take to make and start one, files included.
const START_WITHIN: Duration = Duration::from_secs(60);
/// What the engine says of a program that died of SIGKILL (its status is 128 and the signal).
const KILLED: i64 = 137;

/// A container of the run; it is removed when this is dropped.
pub(in crate::runtime) struct Contained {
    id: String,
    engine: Arc<Engine>,
    container: Option<ContainerAsync<Spec>>,
    output: Output,
    ended: watch::Receiver<Option<i64>>,
    /// Its own address in the run's network; `None` in a pod, or once it has ended.
    address: Option<IpAddr>,
    /// Port in the container, port on this machine.
    published: Vec<(u16, u16)>,
}

impl std::fmt::Debug for Contained {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Contained")
            .field("id", &self.id)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Contained {
    /// Starts it with both streams read; `wanted` is a line to look out for.
    pub(super) async fn start(
        engine: &Arc<Engine>,
        spec: Spec,
        wanted: Option<Wanted>,
    ) -> Result<Contained, EngineError> {
        let starts = engine.starts().await?;
        let what = told(&spec);
        let starting = start(engine.clone(), spec, wanted);
        // Held there: it goes on when whoever asked for it does not wait any more.
        let until_started = async move {
            let started = starting.await;
            drop(starts);
            started
        };
        // Outside of it: what was made by halves is removed in there, which may hang as well.
        let started = timeout(START_WITHIN, engine.on_threads(until_started)).await;
        started.map_err(|_| EngineError::silent(&what, START_WITHIN))??
    }

    pub(in crate::runtime) fn id(&self) -> &str {
        &self.id
    }

    /// Where this machine reaches what listens on `port` in the container.
    pub(in crate::runtime) fn at(&self, port: u16) -> Option<SocketAddr> {
        if self.engine.reach.direct {
            return self.address.map(|address| SocketAddr::new(address, port));
        }
        let published = self.published.iter().find(|(inside, _)| *inside == port);
        published.map(|(_, outside)| SocketAddr::from((Ipv4Addr::LOCALHOST, *outside)))
    }

    /// This machine reaches it through ports that the engine publishes.
    pub(in crate::runtime) fn is_published(&self) -> bool {
        !self.engine.reach.direct
    }

    /// Its own address in the run's network.
    pub(in crate::runtime) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Somebody listens on `inside` in there, seen `at` from this machine.
    pub(in crate::runtime) fn serves(&self, inside: u16, at: Option<SocketAddr>) {
        self.engine.serves(&self.id, inside, at);
    }

    pub(in crate::runtime) fn lines(&self) -> Vec<String> {
        self.output.lines()
    }

    pub(in crate::runtime) fn found(&self) -> watch::Receiver<Option<String>> {
        self.output.found()
    }

    /// It stays when the run ends.
    pub(in crate::runtime) fn is_kept(&self) -> bool {
        self.engine.options.keep
    }

    pub(in crate::runtime) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// How it ended, once it has.
    pub(in crate::runtime) fn end(&self) -> Option<Ended> {
        self.ended.borrow().map(|code| Ended::of(Some(status(code))))
    }

    pub(in crate::runtime) fn ended(&self) -> impl Future<Output = Ended> + Send + 'static {
        let mut ended = self.ended.clone();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(code) => Ended::of(code.map(status)),
                // The engine's threads are going down.
                Err(_) => Ended::of(None),
            }
        }
    }

    pub(in crate::runtime) async fn last_lines(&self) -> Vec<String> {
        self.output.drained(Instant::now() + OUTPUT_AFTER_END).await;
        self.lines()
    }

    /// Asks it to end, and waits; `None` when it had to be killed at the deadline.
    pub(in crate::runtime) async fn stop(&self, signal: Signal, deadline: Instant) -> Option<Ended> {
        // Sent or not, the deadline is the same.
        let _ = timeout_at(deadline, self.signal(signal)).await;
        if self.is_kept() {
            self.engine.asked_to_end(&self.id);
        }
        let ended = timeout_at(deadline, self.ended()).await.ok();
        if ended.is_none() {
            self.signal(Signal::SIGKILL).await;
        }
        ended
    }

    pub(in crate::runtime) async fn kill(&self, deadline: Instant) {
        if self.has_ended() {
            return;
        }
        let _ = timeout_at(deadline, self.signal(Signal::SIGKILL)).await;
        let _ = timeout_at(deadline, self.ended()).await;
    }

    async fn signal(&self, signal: Signal) {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        let options = KillContainerOptionsBuilder::new().signal(signal.as_str()).build();
        let killing = async move { answer("a signal", docker.kill_container(&id, Some(options))).await };
        // It has ended already: as good.
        let _ = self.engine.spawn(killing).await;
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let Some(container) = self.container.take() else { return };
        if self.engine.options.keep || self.engine.has_ended() {
            // What is not dropped is not removed: it stays, or has gone with everything else.
            std::mem::forget(container);
            return;
        }
        // Off the caller's threads; what is under way when the run ends is removed with the run.
        self.engine.spawn(async move {
            let _ = timeout(START_WITHIN, container.rm()).await;
        });
    }
}

fn told(spec: &Spec) -> String {
    format!("a container of `{}` for `{}`", spec.image, spec.part)
}

async fn start(engine: Arc<Engine>, spec: Spec, wanted: Option<Wanted>) -> Result<Contained, EngineError> {
    let what = told(&spec);
    let (part, joins) = (spec.part.clone(), spec.joins.clone());
    let request = request(&engine, spec)?;
    let container = request.start().await.map_err(|error| EngineError::of(what.clone(), error))?;
    let id = container.id().to_owned();
    let mut output = Output::new(wanted);
    output.read(Stream::Out, container.stdout(true));
    output.read(Stream::Error, container.stderr(true));
    let (sender, ended) = watch::channel(None);
    // It holds no engine, which would not end then.
    tokio::spawn(wait(engine.docker.clone(), id.clone(), sender));
    let mut contained = Contained {
        id,
        engine,
        container: Some(container),
        output,
        ended,
        address: None,
        published: Vec::new(),
    };
    if joins == Joins::Run {
        let seen = answer(&what, contained.engine.docker.inspect_container(&contained.id, None)).await?;
        contained.address = address(&seen, &contained.engine.network());
        contained.published = published(&seen);
        let runs = seen.state.and_then(|state| state.running).unwrap_or_default();
        if runs && contained.address.is_none() {
            return Err(EngineError::NoAddress { what: part });
        }
    }
    Ok(contained)
}

fn request(engine: &Arc<Engine>, spec: Spec) -> Result<ContainerRequest<Spec>, EngineError> {
    let (part, joins, ports, files) =
        (spec.part.clone(), spec.joins.clone(), spec.ports.clone(), spec.files.clone());
    let (direct, host, network) = (engine.reach.direct, engine.reach.host, engine.network());
    let arrange = move |config: &mut HostConfig| {
        config.publish_all_ports = Some(false);
        config.port_bindings = None;
        match &joins {
            Joins::Pod(id) => {
                config.network_mode = Some(format!("container:{id}"));
                config.extra_hosts = None;
            }
            Joins::Run => {
                config.network_mode = Some(network.clone());
                config.extra_hosts = host.map(|host| vec![format!("{host}:host-gateway")]);
                // Never on all addresses of this machine.
                let binding = |outside: Option<u16>| PortBinding {
                    host_ip: Some(Ipv4Addr::LOCALHOST.to_string()),
                    host_port: outside.map(|port| port.to_string()),
                };
                let bound = ports
                    .iter()
                    .map(|port| (format!("{}/tcp", port.inside), Some(vec![binding(port.outside)])));
                config.port_bindings = (!direct).then(|| bound.collect());
            }
        }
    };
    // A port that the image does not name is bound only where it is exposed as well.
    let inside = spec.ports.iter().filter(|_| !direct).map(|port| port.inside).collect::<Vec<_>>();
    let case = spec.case.clone().map(|case| (CASE, case));
    let labels = engine.labels().into_iter().chain([(PART, part.clone())]).chain(case);
    let mut request = ContainerRequest::from(spec)
        .with_labels(labels)
        .with_startup_timeout(START_WITHIN)
        .with_host_config_modifier(arrange);
    for port in inside {
        request = request.with_mapped_port(0, port.tcp());
    }
    for (to, file) in files {
        let source = match file {
            File::Text(text) => CopyDataSource::from(text.into_bytes()),
            File::Path(path) => {
                let unread = |source: io::Error| EngineError::File {
                    what: format!("`{part}`"),
                    path: path.display().to_string(),
                    source,
                };
                std::fs::metadata(&path).map_err(unread)?;
                CopyDataSource::from(path)
            }
        };
        request = request.with_copy_to(to, source);
    }
    Ok(request)
}

/// The engine answers when the container has ended.
async fn wait(docker: Docker, id: String, ended: watch::Sender<Option<i64>>) {
    let mut waiting = docker.wait_container(&id, None::<WaitContainerOptions>);
    let code = match waiting.next().await {
        Some(Ok(answer)) => Some(answer.status_code),
        // A status other than 0 is told as an error.
        Some(Err(DockerError::DockerContainerWaitError { code, .. })) => Some(code),
        // It was removed, or the engine has gone.
        Some(Err(_)) | None => None,
    };
    if let Some(code) = code {
        ended.send_replace(Some(code));
    }
}

fn address(seen: &ContainerInspectResponse, network: &str) -> Option<IpAddr> {
    let settings = seen.network_settings.as_ref()?;
    settings.networks.as_ref()?.get(network)?.ip_address.as_ref()?.parse().ok()
}

fn published(seen: &ContainerInspectResponse) -> Vec<(u16, u16)> {
    let ports =
        seen.network_settings.as_ref().and_then(|settings| settings.ports.clone()).unwrap_or_default();
    let pair = |(inside, bound): (String, Option<Vec<PortBinding>>)| {
        let inside = inside.split('/').next()?.parse().ok()?;
        let outside = bound?.first()?.host_port.as_ref()?.parse().ok()?;
        Some((inside, outside))
    };
    ports.into_iter().filter_map(pair).collect()
}

/// A program that handles SIGTERM may end with 143 by itself; only what SIGKILL left is certain to have been killed.
fn status(code: i64) -> ExitStatus {
    if code == KILLED {
        return ExitStatus::from_raw(Signal::SIGKILL as i32);
    }
    ExitStatus::from_raw(i32::try_from(code & 0xff).unwrap_or_default() << 8)
}
