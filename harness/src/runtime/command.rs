//! `command:` nodes: your service as a process, told what it needs by its environment and arguments.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tokio::time::Instant;

use super::environment::{self, fill};
use super::error::RuntimeError;
use super::messaging;
use super::node::{Flush, Program, RunningNode};
use super::options::Listening;
use super::output::Wanted;
use super::port::{self, Port};
use super::process::Process;
use super::ready::{self, NotReady};
use super::wiring::Wiring;
use super::workload::Body;
use crate::scenario::{Command, NodeIx, Readiness, Template, TemplatePart};

pub(super) async fn start(
    ix: NodeIx,
    command: &Command,
    wiring: &Wiring,
) -> Result<RunningNode, RuntimeError> {
    let node = wiring.plan().scenario.node(ix);
    let (port, held) = choose_port(ix, command, wiring)?;
    let own = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let listening = Listening { http: own, grpc: own };
    wiring.listens(ix, listening);
    let (prepared, shown) = prepare(ix, command, port, wiring).await?;
    let process = Process::start(prepared, wanted(&command.ready)).await.map_err(|source| {
        RuntimeError::NotStarted { node: node.name.clone(), command: shown.clone(), source }
    })?;
    let body = Body::Process(process);
    let deadline = Instant::now() + command.ready_within;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or_default()));
    match ready::until_ready(&body, &command.ready, at, deadline).await {
        Ok(()) => {}
        Err(NotReady::Died(ended)) => {
            let (node, lines) = (node.name.clone(), body.last_lines().await);
            let ended = ended.words();
            return Err(RuntimeError::DiedAtStart { node, command: shown, port, ended, lines });
        }
        Err(NotReady::Late(last)) => {
            let (node, lines, within) = (node.name.clone(), body.lines(), command.ready_within);
            return Err(RuntimeError::NeverReady { node, command: shown, port, within, last, lines });
        }
    }
    let asked = AtomicBool::new(false);
    let program = Program { body, command: shown, port, stop: node.stop, asked, _held: held };
    Ok(RunningNode { name: node.name.clone(), listening, program: Some(program), flush: Flush::Stop })
}

/// The fixed port if there is one, otherwise a free one if anything needs it.
fn choose_port(
    ix: NodeIx,
    command: &Command,
    wiring: &Wiring,
) -> Result<(Option<u16>, Option<Port>), RuntimeError> {
    let node = &wiring.plan().scenario.node(ix).name;
    if let Some(port) = command.port {
        return match port::is_free(port) {
            true => Ok((Some(port), None)),
            false => Err(RuntimeError::PortTaken { node: node.clone(), port }),
        };
    }
    let listens = wiring.plan().listens.get(ix.0).copied().unwrap_or_default();
    let templates = command.argv.iter().chain(command.env.iter().map(|(_, value)| value));
    let named = templates.flat_map(|template| &template.parts).any(|part| *part == TemplatePart::SelfPort);
    if !(listens.http || listens.grpc || named || !matches!(command.ready, Readiness::Output(_))) {
        return Ok((None, None));
    }
    let port = port::free().ok_or_else(|| RuntimeError::NoPort { node: node.clone() })?;
    Ok((Some(port.number), Some(port)))
}

pub(super) fn wanted(ready: &Readiness) -> Option<Wanted> {
    match ready {
        Readiness::Output(text) => Some(Wanted::Containing(text.clone())),
        _ => None,
    }
}

/// The command to start, and how it is shown.
async fn prepare(
    ix: NodeIx,
    command: &Command,
    port: Option<u16>,
    wiring: &Wiring,
) -> Result<(tokio::process::Command, String), RuntimeError> {
    let node = &wiring.plan().scenario.node(ix).name;
    let folder = &wiring.plan().folder;
    let mut argv = Vec::new();
    for argument in &command.argv {
        argv.push(fill(argument, ix, port, wiring).await?);
    }
    let variables =
        environment::variables(&command.env, messaging::credentials(ix, wiring), ix, port, wiring).await?;
    let work_in = command.cwd.as_ref().map_or_else(|| folder.clone(), |cwd| folder.join(cwd));
    if !work_in.is_dir() {
        return Err(RuntimeError::FolderMissing { node: node.clone(), path: work_in });
    }
    let first = argv.first().map(String::as_str).unwrap_or_default();
    let search = variables.iter().rev().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
    let program = find_program(node, first, folder, search)?;
    let mut prepared = tokio::process::Command::new(program);
    prepared.args(argv.iter().skip(1)).current_dir(absolute(&work_in));
    environment::apply(variables, &mut prepared);
    Ok((prepared, shown(&command.argv, &argv)))
}

/// A bare name is looked up in `PATH`, a path from the scenario's folder.
fn find_program(
    node: &str,
    program: &str,
    folder: &Path,
    search: Option<String>,
) -> Result<PathBuf, RuntimeError> {
    let (node, name) = (node.to_owned(), program.to_owned());
    if program.contains('/') {
        let path = folder.join(program);
        return match path.is_file() {
            true => Ok(absolute(&path)),
            false => Err(RuntimeError::PathMissing { node, path }),
        };
    }
    let search = search.or_else(|| std::env::var("PATH").ok()).unwrap_or_default();
    let found = std::env::split_paths(&search).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.ok_or(RuntimeError::ProgramMissing { node, program: name })
}

/// The child changes its folder before it starts the program, so a relative path would be looked up from there.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The command as it would be typed, without what came from the environment: that may be a secret.
fn shown(templates: &[Template], argv: &[String]) -> String {
    let word = |(template, filled): (&Template, &String)| {
        let secret = template.parts.iter().any(|part| matches!(part, TemplatePart::Env(_)));
        let word = if secret { "..." } else { filled.as_str() };
        if word.is_empty() || word.contains(char::is_whitespace) {
            format!("'{word}'")
        } else {
            word.to_owned()
        }
    };
    let words: Vec<String> = templates.iter().zip(argv).map(word).collect();
    words.join(" ")
}
