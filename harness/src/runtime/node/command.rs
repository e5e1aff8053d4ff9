//! `command:` nodes: the user's service as a process, configured by its environment and arguments.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::time::Instant;

use super::environment::{self, fill};
use super::error::NodeError;
use super::messaging;
use super::ready::{self, ReadyError};
use super::running::{FlushMethod, Program, RunningNode};
use super::workload::Workload;
use crate::runtime::error::RuntimeError;
use crate::runtime::node_addresses::NodeAddresses;
use crate::runtime::process::Process;
use crate::runtime::process::listener::{self, ListeningProcess};
use crate::runtime::process::output::AwaitedLine;
use crate::runtime::process::port::{self, Port};
use crate::runtime::wiring::CaseWiring;
use crate::scenario::{NodeIx, Readiness, ServiceCommand, Template, TemplatePart};

/// The time to wait for a fixed port that a case of another harness uses.
const OTHER_HARNESS_WITHIN: Duration = Duration::from_secs(60);

/// Starts the program and waits until it is ready.
pub async fn start(
    ix: NodeIx,
    command: &ServiceCommand,
    wiring: &CaseWiring,
) -> Result<RunningNode, RuntimeError> {
    let node = wiring.plan().scenario.node(ix);
    let ChosenPort { number: port, held } = choose_port(ix, command, wiring).await?;
    let own = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let listening = NodeAddresses { http: own, grpc: own };
    wiring.set_listening(ix, listening);
    let PreparedCommand { command: prepared, shown } = prepare(ix, command, port, wiring).await?;
    let process = Process::start_marked(prepared, awaited_output(&command.ready)).await;
    let process = process.map_err(|source| NodeError::CannotStart {
        node: node.name.clone(),
        command: shown.clone(),
        source,
    })?;
    let workload = Workload::Process(process);
    let deadline = Instant::now() + command.ready_within;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or_default()));
    match ready::until_ready(&workload, &command.ready, at, deadline).await {
        Ok(()) => {}
        Err(ReadyError::Died(end)) => {
            let (end, lines) = (end.words(), workload.last_lines().await);
            return Err(
                NodeError::DiedAtStart { node: node.name.clone(), command: shown, port, end, lines }.into()
            );
        }
        Err(ReadyError::Late(last)) => {
            let (node, lines, within) = (node.name.clone(), workload.lines(), command.ready_within);
            return Err(NodeError::NeverReady { node, command: shown, port, within, last, lines }.into());
        }
    }
    if let Some(port) = port
        && let Some(listener) = foreign_listener(&workload, port)
    {
        let (node, command) = (node.name.clone(), shown);
        return Err(NodeError::ForeignListener { node, command, port, listener }.into());
    }
    let program = Program {
        workload,
        command: shown,
        port,
        stop: node.stop,
        stopped: AtomicBool::new(false),
        _port: held,
    };
    Ok(RunningNode { name: node.name.clone(), listening, program: Some(program), flush: FlushMethod::Stop })
}

/// The port of a node, if it needs one.
#[derive(Default)]
struct ChosenPort {
    number: Option<u16>,
    /// Held so that no other harness chooses it.
    held: Option<Port>,
}

/// Returns the fixed port if there is one, else a free one if anything needs it.
async fn choose_port(
    ix: NodeIx,
    command: &ServiceCommand,
    wiring: &CaseWiring,
) -> Result<ChosenPort, NodeError> {
    let node = &wiring.plan().scenario.node(ix).name;
    if let Some(port) = command.port {
        let Some(held) = port::reserve(port, Instant::now() + OTHER_HARNESS_WITHIN).await else {
            return Err(NodeError::PortInUse { node: node.clone(), port, listener: listener::on_port(port) });
        };
        return Ok(ChosenPort { number: Some(port), held: Some(held) });
    }
    let listens = wiring.plan().listens.get(ix.0).copied().unwrap_or_default();
    let templates = command.argv.iter().chain(command.env.iter().map(|(_, value)| value));
    let named = templates.flat_map(|template| &template.parts).any(|part| *part == TemplatePart::SelfPort);
    if !(listens.http || listens.grpc || named || !matches!(command.ready, Readiness::Output(_))) {
        return Ok(ChosenPort::default());
    }
    let port = port::free().ok_or_else(|| NodeError::NoPort { node: node.clone() })?;
    Ok(ChosenPort { number: Some(port.number), held: Some(port) })
}

/// Returns the process that listens on the port of a node in its place.
fn foreign_listener(workload: &Workload, port: u16) -> Option<ListeningProcess> {
    match workload {
        Workload::Process(process) => listener::in_place_of(process.group(), port),
        // A container listens in a network of its own.
        #[cfg(feature = "container")]
        Workload::Container(_) => None,
    }
}

/// Returns the line to look out for, where a node is ready by its output.
pub fn awaited_output(ready: &Readiness) -> Option<AwaitedLine> {
    match ready {
        Readiness::Output(text) => Some(AwaitedLine::Containing(text.clone())),
        Readiness::Http(_) | Readiness::GrpcHealth(_) | Readiness::Tcp => None,
    }
}

/// A command to start.
struct PreparedCommand {
    command: tokio::process::Command,
    /// As messages show it.
    shown: String,
}

async fn prepare(
    ix: NodeIx,
    command: &ServiceCommand,
    port: Option<u16>,
    wiring: &CaseWiring,
) -> Result<PreparedCommand, RuntimeError> {
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
        return Err(NodeError::FolderMissing { node: node.clone(), path: work_in }.into());
    }
    let first = argv.first().map(String::as_str).unwrap_or_default();
    let search = variables.iter().rev().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
    let program = find_program(node, first, folder, search)?;
    let mut prepared = tokio::process::Command::new(program);
    prepared.args(argv.iter().skip(1)).current_dir(absolute(&work_in));
    environment::apply(variables, &mut prepared);
    Ok(PreparedCommand { command: prepared, shown: shown(&command.argv, &argv) })
}

/// Finds the program: a bare name in `PATH`, a path from the scenario's folder.
fn find_program(
    node: &str,
    program: &str,
    folder: &Path,
    search: Option<String>,
) -> Result<PathBuf, NodeError> {
    let (node, name) = (node.to_owned(), program.to_owned());
    if program.contains('/') {
        let path = folder.join(program);
        if !path.is_file() {
            return Err(NodeError::PathMissing { node, path });
        }
        return Ok(absolute(&path));
    }
    let search = search.or_else(|| std::env::var("PATH").ok()).unwrap_or_default();
    let found = std::env::split_paths(&search).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.ok_or(NodeError::ProgramMissing { node, program: name })
}

/// Makes a path absolute: the child changes its folder before it starts the program.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns the command as a user would type it, without values of the environment, which may be secrets.
fn shown(templates: &[Template], argv: &[String]) -> String {
    let words: Vec<String> =
        templates.iter().zip(argv).map(|(template, filled)| shown_word(template, filled)).collect();
    words.join(" ")
}

fn shown_word(template: &Template, filled: &str) -> String {
    let secret =
        template.parts.iter().any(|part| matches!(part, TemplatePart::Env(_) | TemplatePart::Secret(_)));
    let word = if secret { "..." } else { filled };
    if word.is_empty() || word.contains(char::is_whitespace) { format!("'{word}'") } else { word.to_owned() }
}
