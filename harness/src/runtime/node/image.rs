//! `image:` nodes: the user's service as a container, configured by its environment, arguments and files.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::time::Instant;

use super::command::awaited_output;
use super::environment::{self, fill};
use super::error::NodeError;
use super::messaging;
use super::own_resources::OwnResources;
use super::ready::{self, ReadyError};
use super::running::{FlushMethod, Program, RunningNode};
use super::workload::Workload;
use crate::runtime::container::{
    ContainerSpec, ImageName, MountedFile, NetworkChoice, ProbeKind, PublishedPort, StartError,
};
use crate::runtime::error::RuntimeError;
use crate::runtime::node_addresses::NodeAddresses;
use crate::runtime::options::RuntimeOptions;
use crate::runtime::setting::setting;
use crate::runtime::wiring::CaseWiring;
use crate::scenario::{Image, Mount, NodeIx, Readiness, Template};

/// Starts the container and waits until its service is ready.
pub async fn start(
    ix: NodeIx,
    image: &Image,
    options: &RuntimeOptions,
    wiring: &CaseWiring,
) -> Result<RunningNode, RuntimeError> {
    let node = wiring.plan().scenario.node(ix);
    let failed = |error: StartError| RuntimeError::container(&node.name, error);
    let engine = options.containers.engine().await.map_err(|error| failed(StartError::Engine(error)))?;
    let name = ImageName(setting(&image.name, ix, wiring.plan())?);
    engine.provide_image(&name).await.map_err(failed)?;
    let spec = spec(ix, image, name.clone(), wiring).await?;
    let container = engine.start(spec, awaited_output(&image.ready)).await.map_err(failed)?;
    let at = image.port.and_then(|port| container.at(port));
    if let Some(port) = image.port {
        container.add_served_port(port, at);
    }
    let workload = Workload::Container(Box::new(container));
    let listening = NodeAddresses { http: at, grpc: at };
    wiring.set_listening(ix, listening);
    let deadline = Instant::now() + image.ready_within;
    // A container without an address has ended already, and that is noticed first.
    let probed = at.unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)));
    match ready::until_ready(&workload, &image.ready, probed, deadline).await {
        Ok(()) => {}
        Err(ReadyError::Died(end)) => {
            let (end, lines) = (end.words(), workload.last_lines().await);
            return Err(failed(StartError::Ended { image: name, end, lines }));
        }
        Err(ReadyError::Late(last)) => {
            let (within, lines, last) = (image.ready_within, workload.lines(), Arc::new(*last));
            let probe =
                if matches!(image.ready, Readiness::Output(_)) { ProbeKind::Output } else { ProbeKind::Port };
            return Err(failed(StartError::NeverReady { image: name, within, probe, last, lines }));
        }
    }
    let program = Program {
        workload,
        command: format!("image {name}"),
        port: image.port,
        stop: node.stop,
        stopped: AtomicBool::new(false),
        _own: OwnResources::default(),
    };
    let flush = FlushMethod::Stop;
    Ok(RunningNode { name: node.name.clone(), listening, program: Some(program), flush })
}

async fn spec(
    ix: NodeIx,
    image: &Image,
    name: ImageName,
    wiring: &CaseWiring,
) -> Result<ContainerSpec, RuntimeError> {
    let own = OwnResources::at(image.port);
    let mut command = Vec::new();
    for argument in &image.args {
        command.push(fill(argument, ix, &own, wiring).await?);
    }
    let ours = messaging::credentials(ix, wiring);
    let env = environment::variables(&image.env, ours, ix, &own, wiring).await?;
    let mut files = wiring.trusted_files();
    for mount in &image.mounts {
        files.push((mount.to.clone(), file(ix, mount, image.port, wiring).await?));
    }
    Ok(ContainerSpec {
        part: wiring.plan().scenario.node(ix).name.clone(),
        case: Some(wiring.plan().scenario.title()),
        image: name,
        env,
        command,
        ports: image.port.into_iter().map(|inside| PublishedPort { inside, outside: None }).collect(),
        files,
        network: NetworkChoice::Run,
    })
}

/// Returns a file or folder as it is, or a text with its templates filled.
async fn file(
    ix: NodeIx,
    mount: &Mount,
    port: Option<u16>,
    wiring: &CaseWiring,
) -> Result<MountedFile, RuntimeError> {
    let plan = wiring.plan();
    let node = &plan.scenario.node(ix).name;
    // Without `.` in it, for messages.
    let path: PathBuf = plan.folder.join(&mount.from).components().collect();
    if !mount.templates {
        if !path.exists() {
            return Err(NodeError::MountMissing { node: node.clone(), path }.into());
        }
        return Ok(MountedFile::Path(path));
    }
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| match not_text(&error) {
        Some(problem) => {
            NodeError::MountTemplate { node: node.clone(), path: path.clone(), problem: problem.into() }
        }
        None => NodeError::MountMissing { node: node.clone(), path: path.clone() },
    })?;
    let template = Template::read(&text, &plan.scenario, ix).map_err(|error| NodeError::MountTemplate {
        node: node.clone(),
        path,
        problem: error.to_string(),
    })?;
    Ok(MountedFile::Text(fill(&template, ix, &OwnResources::at(port), wiring).await?))
}

/// Returns why a path that exists is not a text whose templates can be filled.
fn not_text(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::InvalidData => Some("it is not UTF-8 text: omit `templates: true`"),
        io::ErrorKind::IsADirectory => Some("it is a folder: `templates: true` is for one text file"),
        _ => None,
    }
}
