//! `command:` nodes: the user's service as a process, configured by its environment and arguments.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tokio::time::Instant;

use super::collector;
use super::environment::{self, fill};
use super::error::NodeError;
use super::gateway;
use super::messaging;
use super::own_resources::{NodeFolder, OwnResources};
use super::ready::{self, ReadyError};
use super::running::{FlushMethod, Program, RunningNode};
use super::workload::Workload;
use crate::runtime::error::RuntimeError;
use crate::runtime::node_addresses::NodeAddresses;
use crate::runtime::process::Process;
use crate::runtime::process::listener::{self, ListeningProcess};
use crate::runtime::process::output::AwaitedLine;
use crate::runtime::process::port;
use crate::runtime::setting::setting;
use crate::runtime::wiring::CaseWiring;
use crate::scenario::{NodeIx, Readiness, ServiceCommand, Template, TemplatePart};

/// Starts the program and waits until it is ready.
pub async fn start(
    ix: NodeIx,
    command: &ServiceCommand,
    wiring: &CaseWiring,
) -> Result<RunningNode, RuntimeError> {
    let node = wiring.plan().scenario.node(ix);
    let launch = LaunchTemplates::read(ix, command, wiring)?;
    let own = resources(ix, command, &launch, wiring).await?;
    let port = own.port;
    let listening = own_addresses(&own);
    wiring.set_listening(ix, listening);
    let PreparedCommand { command: prepared, shown } = prepare(ix, command, &launch, &own, wiring).await?;
    let process = Process::start_marked(prepared, awaited_output(&command.ready)).await;
    let process = process.map_err(|source| NodeError::CannotStart {
        node: node.name.clone(),
        command: shown.clone(),
        source,
    })?;
    let workload = Workload::Process(process);
    let deadline = Instant::now() + command.ready_within;
    let listens = wiring.plan().listens.get(ix.0).copied().unwrap_or_default();
    let probed = if listens.http { listening.http } else { listening.grpc };
    let at = probed.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or_default())));
    let ready = launch.ready_path.map(|path| Readiness::Http(path.to_owned()));
    match ready::until_ready(&workload, ready.as_ref().unwrap_or(&command.ready), at, deadline).await {
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
        _own: own,
    };
    Ok(RunningNode { name: node.name.clone(), listening, program: Some(program), flush: FlushMethod::Stop })
}

/// The program, its arguments and its files, with templates.
struct LaunchTemplates {
    /// In place of the first argument: the program of a gateway.
    program: Option<PathBuf>,
    argv: Vec<Template>,
    /// By name in `${self.dir}`.
    files: Vec<(String, Template)>,
    ready_path: Option<&'static str>,
}

impl LaunchTemplates {
    fn read(ix: NodeIx, command: &ServiceCommand, wiring: &CaseWiring) -> Result<Self, RuntimeError> {
        let plan = wiring.plan();
        let template = |path: &Path, text: &str| {
            Template::read(text, &plan.scenario, ix).map_err(|error| NodeError::FileTemplate {
                node: plan.scenario.node(ix).name.clone(),
                path: path.to_owned(),
                problem: error.to_string(),
            })
        };
        let mut texts = Vec::new();
        for file in &command.files {
            // Without `.` in it, for messages.
            let path: PathBuf = plan.folder.join(&file.from).components().collect();
            let text = std::fs::read_to_string(&path).map_err(|source| NodeError::FileUnreadable {
                node: plan.scenario.node(ix).name.clone(),
                path: path.clone(),
                source,
            })?;
            texts.push((file.name.clone(), path, text));
        }
        if plan.scenario.node(ix).kind.as_collector().is_some() {
            let program = match command.argv.first() {
                Some(named) => plan.folder.join(setting(named, ix, plan)?),
                None => collector::find()
                    .ok_or_else(|| collector::missing(plan.scenario.node(ix).name.clone()))?,
            };
            let files = texts.into_iter().map(|(name, path, text)| Ok((name, template(&path, &text)?)));
            let files = files.collect::<Result<_, NodeError>>()?;
            let arguments = collector::arguments().map(|word| template(Path::new("its arguments"), word));
            let argv = arguments.into_iter().collect::<Result<_, _>>()?;
            return Ok(Self { program: Some(program), argv, files, ready_path: None });
        }
        let Some(product) = command.gateway else {
            let files = texts.into_iter().map(|(name, path, text)| Ok((name, template(&path, &text)?)));
            let files = files.collect::<Result<_, NodeError>>()?;
            return Ok(Self { program: None, argv: command.argv.clone(), files, ready_path: None });
        };
        let (path, config) = match texts.pop() {
            Some((_, path, text)) => (path, Some(text)),
            None => (PathBuf::from(product.word()), None),
        };
        let named = command.argv.first().map(|program| setting(program, ix, plan)).transpose()?;
        let start = gateway::prepare(ix, product, named, config, plan)?;
        let argv = start.arguments.iter().map(|word| template(&path, word)).collect::<Result<_, _>>()?;
        let files = start.files.iter().map(|(name, text)| Ok((name.clone(), template(&path, text)?)));
        let files = files.collect::<Result<_, NodeError>>()?;
        Ok(Self { program: Some(start.program), argv, files, ready_path: start.ready_path })
    }

    fn parts<'t>(&'t self, env: &'t [(String, Template)]) -> impl Iterator<Item = &'t TemplatePart> {
        let templates = self.argv.iter().chain(self.files.iter().map(|(_, text)| text));
        templates.chain(env.iter().map(|(_, value)| value)).flat_map(|template| &template.parts)
    }
}

/// Returns the addresses on which a node listens: gRPC on its own port where it has one of this name.
fn own_addresses(own: &OwnResources) -> NodeAddresses {
    let grpc = own.named_port("grpc").or(own.port);
    NodeAddresses { http: own.port.map(on_loopback), grpc: grpc.map(on_loopback) }
}

fn on_loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Returns a free port for a node.
fn free(node: &str) -> Result<port::Port, NodeError> {
    port::free().ok_or_else(|| NodeError::NoPort { node: node.to_owned() })
}

/// Takes the fixed port if there is one, else a free one if anything needs it, and whatever else its templates name.
async fn resources(
    ix: NodeIx,
    command: &ServiceCommand,
    launch: &LaunchTemplates,
    wiring: &CaseWiring,
) -> Result<OwnResources, NodeError> {
    let node = &wiring.plan().scenario.node(ix).name;
    let mut own = OwnResources::default();
    for part in launch.parts(&command.env) {
        match part {
            TemplatePart::NamedPort(name) if !own.named.contains_key(name) => {
                own.named.insert(name.clone(), free(node)?);
            }
            TemplatePart::SelfDir if own.folder.is_none() => {
                own.folder = Some(folder(node)?);
            }
            _ => {}
        }
    }
    if !launch.files.is_empty() && own.folder.is_none() {
        own.folder = Some(folder(node)?);
    }
    if let Some(port) = command.port {
        let Some(held) = port::reserve(port, Instant::now() + port::OTHER_HARNESS_WITHIN).await else {
            return Err(NodeError::PortInUse { node: node.clone(), port, listener: listener::on_port(port) });
        };
        (own.port, own.held) = (Some(port), Some(held));
        return Ok(own);
    }
    let listens = wiring.plan().listens.get(ix.0).copied().unwrap_or_default();
    let named = launch.parts(&command.env).any(|part| *part == TemplatePart::SelfPort);
    if listens.http || listens.grpc || named || !matches!(command.ready, Readiness::Output(_)) {
        let port = free(node)?;
        (own.port, own.held) = (Some(port.number), Some(port));
    }
    Ok(own)
}

fn folder(node: &str) -> Result<NodeFolder, NodeError> {
    NodeFolder::create().map_err(|source| NodeError::NoFolder { node: node.to_owned(), source })
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
    launch: &LaunchTemplates,
    own: &OwnResources,
    wiring: &CaseWiring,
) -> Result<PreparedCommand, RuntimeError> {
    let node = &wiring.plan().scenario.node(ix).name;
    let folder = &wiring.plan().folder;
    let mut argv = Vec::new();
    for argument in &launch.argv {
        argv.push(fill(argument, ix, own, wiring).await?);
    }
    for (name, text) in &launch.files {
        let text = fill(text, ix, own, wiring).await?;
        let Some(folder) = &own.folder else { continue };
        std::fs::write(folder.path().join(name), text)
            .map_err(|source| NodeError::NoFolder { node: node.clone(), source })?;
    }
    let variables =
        environment::variables(&command.env, messaging::credentials(ix, wiring), ix, own, wiring).await?;
    let work_in = command.cwd.as_ref().map_or_else(|| folder.clone(), |cwd| folder.join(cwd));
    if !work_in.is_dir() {
        return Err(NodeError::FolderMissing { node: node.clone(), path: work_in }.into());
    }
    if let Some(program) = &launch.program {
        let mut prepared = tokio::process::Command::new(program);
        prepared.args(&argv).current_dir(absolute(&work_in));
        environment::apply(variables, &mut prepared);
        let home = own.folder.as_ref().map(NodeFolder::path);
        prepared.envs(home.into_iter().flat_map(|home| [("HOME", home), ("XDG_DATA_HOME", home)]));
        let shown = format!("{} {}", program.display(), shown(&launch.argv, &argv));
        return Ok(PreparedCommand { command: prepared, shown });
    }
    let first = argv.first().map(String::as_str).unwrap_or_default();
    let search = variables.iter().rev().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
    let program = find_program(node, first, folder, search)?;
    let mut prepared = tokio::process::Command::new(program);
    prepared.args(argv.iter().skip(1)).current_dir(absolute(&work_in));
    environment::apply(variables, &mut prepared);
    Ok(PreparedCommand { command: prepared, shown: shown(&launch.argv, &argv) })
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
