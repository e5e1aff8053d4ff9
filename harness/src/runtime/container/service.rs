//! `image:` nodes: your service as a container, told what it needs by its environment, arguments and files.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use tokio::time::Instant;

use super::contained::Contained;
use super::error::EngineError;
use super::images::ImageName;
use super::spec::{File, Joins, Published, Spec};
use super::{StartError, Started};
use crate::runtime::command::wanted;
use crate::runtime::environment::{self, fill, setting};
use crate::runtime::error::RuntimeError;
use crate::runtime::messaging;
use crate::runtime::node::{Flush, Program, RunningNode};
use crate::runtime::options::Listening;
use crate::runtime::ready::{self, NotReady};
use crate::runtime::wiring::Wiring;
use crate::runtime::workload::Body;
use crate::scenario::{Image, Mount, NodeIx, Readiness, Template};

pub(in crate::runtime) async fn start(
    ix: NodeIx,
    image: &Image,
    started: &Started,
    wiring: &Wiring,
) -> Result<RunningNode, RuntimeError> {
    let node = wiring.plan().scenario.node(ix);
    let name = ImageName(setting(&image.name, ix, wiring.plan())?);
    let engine = &started.engine;
    let failed = |error: EngineError| StartError::from(error).of(&node.name);
    engine.have(&name, None).await.map_err(failed)?;
    let spec = spec(ix, image, name.clone(), wiring).await?;
    let contained = Contained::start(engine, spec, wanted(&image.ready)).await.map_err(failed)?;
    let at = image.port.and_then(|port| contained.at(port));
    if let Some(port) = image.port {
        contained.serves(port, at);
    }
    let body = Body::Container(Box::new(contained));
    wiring.listens(ix, Listening { http: at, grpc: at });
    let deadline = Instant::now() + image.ready_within;
    // Without an address it has ended already, which is what is waited for first.
    let probed = at.unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)));
    match ready::until_ready(&body, &image.ready, probed, deadline).await {
        Ok(()) => {}
        Err(NotReady::Died(ended)) => {
            let (ended, lines) = (ended.words(), body.last_lines().await);
            return Err(StartError::Ended { image: name, ended, lines }.of(&node.name));
        }
        Err(NotReady::Late(last)) => {
            let (within, lines) = (image.ready_within, body.lines());
            let asked = !matches!(image.ready, Readiness::Output(_));
            return Err(StartError::Late { image: name, within, asked, last, lines }.of(&node.name));
        }
    }
    let listening = Listening { http: at, grpc: at };
    let command = format!("image {name}");
    let asked = AtomicBool::new(false);
    let program = Program { body, command, port: image.port, stop: node.stop, asked, _held: None };
    Ok(RunningNode { name: node.name.clone(), listening, program: Some(program), flush: Flush::Stop })
}

async fn spec(ix: NodeIx, image: &Image, name: ImageName, wiring: &Wiring) -> Result<Spec, RuntimeError> {
    let mut command = Vec::new();
    for argument in &image.args {
        command.push(fill(argument, ix, image.port, wiring).await?);
    }
    let ours = messaging::credentials(ix, wiring);
    let env = environment::variables(&image.env, ours, ix, image.port, wiring).await?;
    let mut files = wiring.trusted_files();
    for mount in &image.mounts {
        files.push((mount.to.clone(), file(ix, mount, image.port, wiring).await?));
    }
    Ok(Spec {
        part: wiring.plan().scenario.node(ix).name.clone(),
        case: Some(wiring.plan().scenario.title()),
        image: name,
        env,
        command,
        ports: image.port.into_iter().map(|inside| Published { inside, outside: None }).collect(),
        files,
        joins: Joins::Run,
    })
}

/// A file or folder as it is, or a text whose templates are filled.
async fn file(ix: NodeIx, mount: &Mount, port: Option<u16>, wiring: &Wiring) -> Result<File, RuntimeError> {
    let plan = wiring.plan();
    let node = || plan.scenario.node(ix).name.clone();
    // Without `.` in it, as it is told.
    let path: PathBuf = plan.folder.join(&mount.from).components().collect();
    if !mount.templates {
        return match path.exists() {
            true => Ok(File::Path(path)),
            false => Err(RuntimeError::MountMissing { node: node(), path }),
        };
    }
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| match no_text(&error) {
        Some(problem) => {
            RuntimeError::MountTemplate { node: node(), path: path.clone(), problem: problem.into() }
        }
        None => RuntimeError::MountMissing { node: node(), path: path.clone() },
    })?;
    let template = Template::read(&text, &plan.scenario, ix)
        .map_err(|error| RuntimeError::MountTemplate { node: node(), path, problem: error.to_string() })?;
    Ok(File::Text(fill(&template, ix, port, wiring).await?))
}

/// What is there, and no text whose templates could be filled.
fn no_text(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::InvalidData => Some("it is not UTF-8 text: leave out `templates: true`"),
        io::ErrorKind::IsADirectory => Some("it is a folder: `templates: true` is for one text file"),
        _ => None,
    }
}
