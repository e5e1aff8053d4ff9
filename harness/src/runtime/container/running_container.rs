//! One container while it runs. It offers what `Process` offers.

use std::collections::HashMap;
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

use super::engine::Engine;
use super::error::{EngineError, StartError};
use super::images::ImageName;
use super::labels::{CASE, PART};
use super::spec::{ContainerSpec, MountedFile, NetworkChoice, PublishedPort};
use super::time_limit::{ANSWER_WITHIN, answer};
use crate::runtime::process::ProcessEnd;
use crate::runtime::process::output::{AwaitedLine, Output, OutputStream};

/// The time that the rest of the output may take once the container has ended.
const OUTPUT_AFTER_END: Duration = Duration::from_millis(500);
/// The time that the engine may take to create and start a container, files included.
const START_WITHIN: Duration = Duration::from_secs(60);
/// The exit code that the engine reports for a program killed by SIGKILL (128 and the signal).
const KILLED: i64 = 137;

/// A container of the run; it is removed when this is dropped.
pub struct Container {
    id: String,
    engine: Arc<Engine>,
    container: Option<ContainerAsync<ContainerSpec>>,
    output: Output,
    ended: watch::Receiver<Option<i64>>,
    /// Its own address in the run's network; `None` in a pod, or once it has ended.
    address: Option<IpAddr>,
    /// By the port in the container: the port on this machine.
    published: HashMap<u16, u16>,
}

impl std::fmt::Debug for Container {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Container")
            .field("id", &self.id)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Container {
    /// Starts a container and reads both streams of its output; `awaited` is a line to look out for.
    pub(super) async fn start(
        engine: &Arc<Engine>,
        spec: ContainerSpec,
        awaited: Option<AwaitedLine>,
    ) -> Result<Container, EngineError> {
        let guard = engine.start_guard().await?;
        let what = described(&spec);
        let starting = start(engine.clone(), spec, awaited);
        // The guard is held in there: the start continues when the caller no longer waits for it.
        let until_started = async move {
            let started = starting.await;
            drop(guard);
            started
        };
        // The limit is outside: a container that was half made is removed in there, which may hang as well.
        let started = timeout(START_WITHIN, engine.on_threads(until_started)).await;
        started.map_err(|_| EngineError::silent(&what, START_WITHIN))??
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns where this machine reaches what listens on `port` in the container.
    pub fn at(&self, port: u16) -> Option<SocketAddr> {
        if self.engine.reach.direct {
            return self.address.map(|address| SocketAddr::new(address, port));
        }
        self.published.get(&port).map(|outside| SocketAddr::from((Ipv4Addr::LOCALHOST, *outside)))
    }

    /// Returns whether this machine reaches it through ports that the engine publishes.
    pub fn is_published(&self) -> bool {
        !self.engine.reach.direct
    }

    /// Returns its own address in the run's network.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Notes that its program listens on `inside`, which this machine reaches at `at`.
    pub fn add_served_port(&self, inside: u16, at: Option<SocketAddr>) {
        self.engine.keep_state.lock().add_served_port(&self.id, inside, at);
    }

    /// Returns the last output lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.output.lines()
    }

    /// Returns a watch on the awaited line.
    pub fn found(&self) -> watch::Receiver<Option<String>> {
        self.output.found()
    }

    /// Returns whether it stays when the run ends.
    pub fn is_kept(&self) -> bool {
        self.engine.options.keep
    }

    pub fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Returns how it ended, once it has.
    pub fn end(&self) -> Option<ProcessEnd> {
        self.ended.borrow().map(|code| ProcessEnd::of(Some(status(code))))
    }

    /// Resolves when it has ended.
    pub fn ended(&self) -> impl Future<Output = ProcessEnd> + Send + 'static {
        let mut ended = self.ended.clone();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(code) => ProcessEnd::of(code.map(status)),
                // The engine's threads are going down.
                Err(_) => ProcessEnd::of(None),
            }
        }
    }

    /// Returns the last output lines, with what was still on its way when it ended.
    pub async fn last_lines(&self) -> Vec<String> {
        self.output.drained(Instant::now() + OUTPUT_AFTER_END).await;
        self.lines()
    }

    /// Sends the signal and waits for the end; kills it at the deadline and returns `None` then.
    pub async fn stop(&self, signal: Signal, deadline: Instant) -> Option<ProcessEnd> {
        // A signal that could not be sent ends in the kill below.
        let _ = timeout_at(deadline, self.signal(signal)).await;
        if self.is_kept() {
            self.engine.keep_state.lock().add_stopped(&self.id);
        }
        let ended = timeout_at(deadline, self.ended()).await.ok();
        if ended.is_none() {
            self.signal(Signal::SIGKILL).await;
        }
        ended
    }

    /// Kills it and waits for the end.
    pub async fn kill(&self, deadline: Instant) {
        if self.has_ended() {
            return;
        }
        let _ = timeout_at(deadline, self.signal(Signal::SIGKILL)).await;
        let _ = timeout_at(deadline, self.ended()).await;
    }

    /// Builds the error of a container that ended before it was ready.
    pub async fn end_error(&self, image: &ImageName) -> StartError {
        // An engine that hangs does not report it.
        let end = timeout(ANSWER_WITHIN, self.ended()).await.unwrap_or(ProcessEnd::of(None)).words();
        StartError::Ended { image: image.clone(), end, lines: self.last_lines().await }
    }

    async fn signal(&self, signal: Signal) {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        let options = KillContainerOptionsBuilder::new().signal(signal.as_str()).build();
        let killing = async move { answer("a signal", docker.kill_container(&id, Some(options))).await };
        // It fails where the container has ended already.
        let _ = self.engine.spawn(killing).await;
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let Some(container) = self.container.take() else { return };
        if self.engine.options.keep || self.engine.has_ended() {
            // Its drop would remove it; it stays, or was removed with everything else.
            std::mem::forget(container);
            return;
        }
        // Not on the caller's threads. A removal that is under way when the run ends is completed by the end of the
        // run.
        self.engine.spawn(async move {
            let _ = timeout(START_WITHIN, container.rm()).await;
        });
    }
}

/// Returns the name of a container in errors.
fn described(spec: &ContainerSpec) -> String {
    format!("a container of `{}` for `{}`", spec.image, spec.part)
}

async fn start(
    engine: Arc<Engine>,
    spec: ContainerSpec,
    awaited: Option<AwaitedLine>,
) -> Result<Container, EngineError> {
    let what = described(&spec);
    let (part, network_choice) = (spec.part.clone(), spec.network.clone());
    let request = request(&engine, spec)?;
    let container = request.start().await.map_err(|error| EngineError::of(what.clone(), error))?;
    let id = container.id().to_owned();
    let mut output = Output::new(awaited);
    output.read(OutputStream::Out, container.stdout(true));
    output.read(OutputStream::Error, container.stderr(true));
    let (sender, ended) = watch::channel(None);
    // It must not hold the engine, which would never be dropped then.
    tokio::spawn(wait(engine.docker.clone(), id.clone(), sender));
    let mut container = Container {
        id,
        engine,
        container: Some(container),
        output,
        ended,
        address: None,
        published: HashMap::new(),
    };
    if network_choice == NetworkChoice::Run {
        let inspected = answer(&what, container.engine.docker.inspect_container(&container.id, None)).await?;
        container.address = address(&inspected, &container.engine.network());
        container.published = published(&inspected);
        let runs = inspected.state.and_then(|state| state.running).unwrap_or_default();
        if runs && container.address.is_none() {
            return Err(EngineError::NoAddress { what: part });
        }
    }
    Ok(container)
}

fn request(
    engine: &Arc<Engine>,
    spec: ContainerSpec,
) -> Result<ContainerRequest<ContainerSpec>, EngineError> {
    let (part, files) = (spec.part.clone(), spec.files.clone());
    let (network_choice, ports) = (spec.network.clone(), spec.ports.clone());
    let (direct, host, network) = (engine.reach.direct, engine.reach.host.name, engine.network());
    let arrange = move |config: &mut HostConfig| {
        config.publish_all_ports = Some(false);
        config.port_bindings = None;
        match &network_choice {
            NetworkChoice::Pod(id) => {
                config.network_mode = Some(format!("container:{id}"));
                config.extra_hosts = None;
            }
            NetworkChoice::Run => {
                config.network_mode = Some(network.clone());
                config.extra_hosts = host.map(|host| vec![format!("{host}:host-gateway")]);
                let bound = ports
                    .iter()
                    .map(|port| (format!("{}/tcp", port.inside), Some(vec![loopback_binding(port)])));
                config.port_bindings = (!direct).then(|| bound.collect());
            }
        }
    };
    // A port that the image does not name is bound only where it is exposed as well.
    let exposed = if direct { Vec::new() } else { spec.ports.iter().map(|port| port.inside).collect() };
    let case = spec.case.clone().map(|case| (CASE, case));
    let labels = engine.labels().into_iter().chain([(PART, part.clone())]).chain(case);
    let mut request = ContainerRequest::from(spec)
        .with_labels(labels)
        .with_startup_timeout(START_WITHIN)
        .with_host_config_modifier(arrange);
    for port in exposed {
        request = request.with_mapped_port(0, port.tcp());
    }
    for (to, file) in files {
        let source = match file {
            MountedFile::Text(text) => CopyDataSource::from(text.into_bytes()),
            MountedFile::Path(path) => {
                std::fs::metadata(&path).map_err(|source| EngineError::File {
                    what: format!("`{part}`"),
                    path: path.display().to_string(),
                    source,
                })?;
                CopyDataSource::from(path)
            }
        };
        request = request.with_copy_to(to, source);
    }
    Ok(request)
}

/// Binds a port on the loopback interface, never on all addresses of this machine.
fn loopback_binding(port: &PublishedPort) -> PortBinding {
    PortBinding {
        host_ip: Some(Ipv4Addr::LOCALHOST.to_string()),
        host_port: port.outside.map(|port| port.to_string()),
    }
}

/// Waits for the end of the container, and publishes its exit code.
async fn wait(docker: Docker, id: String, ended: watch::Sender<Option<i64>>) {
    let mut waiting = docker.wait_container(&id, None::<WaitContainerOptions>);
    let code = match waiting.next().await {
        Some(Ok(answer)) => Some(answer.status_code),
        // An exit code other than 0 arrives as an error.
        Some(Err(DockerError::DockerContainerWaitError { code, .. })) => Some(code),
        // It was removed, or the engine has gone.
        Some(Err(_)) | None => None,
    };
    if let Some(code) = code {
        ended.send_replace(Some(code));
    }
}

/// Returns the address of the container in this network.
fn address(inspected: &ContainerInspectResponse, network: &str) -> Option<IpAddr> {
    let settings = inspected.network_settings.as_ref()?;
    settings.networks.as_ref()?.get(network)?.ip_address.as_ref()?.parse().ok()
}

/// Returns the published ports: by the port in the container, the port on this machine.
fn published(inspected: &ContainerInspectResponse) -> HashMap<u16, u16> {
    let settings = inspected.network_settings.as_ref();
    let ports = settings.and_then(|settings| settings.ports.clone()).unwrap_or_default();
    let pairs = ports.into_iter().filter_map(|(inside, bound)| {
        let inside = inside.split('/').next()?.parse().ok()?;
        let outside = bound?.first()?.host_port.as_ref()?.parse().ok()?;
        Some((inside, outside))
    });
    pairs.collect()
}

/// Converts an exit code of the engine. A program that handles SIGTERM may exit with 143 by itself; only 137 is certain
/// to be the trace of a signal.
fn status(code: i64) -> ExitStatus {
    if code == KILLED {
        return ExitStatus::from_raw(Signal::SIGKILL as i32);
    }
    ExitStatus::from_raw(i32::try_from(code & 0xff).unwrap_or_default() << 8)
}
