//! `relay:` nodes: services that keep the relay contract (`fixtures/CONTRACT.md`), each in a process of its own.
//!
//! The harness runs itself as `unbroken relay IMPLEMENTATION`, so that process-wide state is as real as in a service;
//! or it runs what `own_relays` names in its place. A relay of the user's own must report its capabilities; the relays
//! that come with unbroken support everything.

use std::sync::atomic::AtomicBool;

use tokio::process::Command;
use tokio::time::Instant;

use super::capabilities;
use super::environment;
use super::error::NodeError;
use super::messaging;
use super::own_resources::OwnResources;
use super::ready::{self, AttemptError, ReadyError};
use super::ready_line;
use super::running::{FlushMethod, Program, RunningNode};
use super::workload::Workload;
use crate::plan::needs::needs;
use crate::runtime::error::RuntimeError;
use crate::runtime::node_addresses::{ListenAddresses, NodeAddresses};
use crate::runtime::options::RuntimeOptions;
use crate::runtime::process::Process;
use crate::runtime::process::output::AwaitedLine;
use crate::runtime::wiring::CaseWiring;
use crate::scenario::{NodeIx, Relay, Role};

/// Faults of the model relay, comma-separated.
const FAULTS: &str = "RELAY_MODEL_FAULTS";

/// The start of a relay.
#[derive(Clone, Copy)]
struct Start<'a> {
    ix: NodeIx,
    relay: &'a Relay,
    options: &'a RuntimeOptions,
    wiring: &'a CaseWiring,
}

/// Starts the relay as a process and waits until it is ready.
pub async fn start(
    ix: NodeIx,
    relay: &Relay,
    options: &RuntimeOptions,
    wiring: &CaseWiring,
) -> Result<RunningNode, RuntimeError> {
    let start = Start { ix, relay, options, wiring };
    let variables = start.variables(ListenAddresses::any_port_on_loopback()).await?;
    let own = options.own_relays.iter().find(|(instead_of, _)| *instead_of == relay.implementation);
    let words = own.map_or(&options.relay, |(_, words)| words);
    let Some((program, arguments)) = words.split_first() else {
        let implementation = relay.implementation.clone();
        return Err(NodeError::NoRelay { node: start.node(), implementation }.into());
    };
    let mut command = Command::new(program);
    command.args(arguments);
    // A relay of the user's own was named on the command line, and starts where that was typed.
    let shown = if own.is_some() {
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    } else {
        command.args(["relay", &relay.implementation]).current_dir(&wiring.plan().folder);
        format!("unbroken relay {}", relay.implementation)
    };
    environment::apply(variables, &mut command);
    let process = Process::start(command, Some(AwaitedLine::Beginning(ready_line::BEGINNING))).await;
    let process = process.map_err(|source| NodeError::CannotStart {
        node: start.node(),
        command: shown.clone(),
        source,
    })?;
    let workload = Workload::Process(process);
    let listening = start.ready_line(&workload, &shown).await?;
    if own.is_some() {
        start.check_capabilities(listening, &shown).await?;
    }
    Ok(start.running(workload, shown, listening))
}

/// Starts the relay in a container of the run and waits until it is ready.
#[cfg(feature = "container")]
pub async fn start_in_container(
    ix: NodeIx,
    relay: &Relay,
    options: &RuntimeOptions,
    wiring: &CaseWiring,
) -> Result<RunningNode, RuntimeError> {
    use crate::runtime::container::{RelaySettings, StartError};

    let start = Start { ix, relay, options, wiring };
    let node = &wiring.plan().scenario.node(ix).name;
    let engine = options.containers.engine().await;
    let engine = engine.map_err(|error| RuntimeError::container(node, StartError::Engine(error)))?;
    let settings = RelaySettings {
        node,
        case: wiring.plan().scenario.title(),
        implementation: &relay.implementation,
        env: start.variables(engine.relay_addresses()).await?,
        files: wiring.trusted_files(),
    };
    let relay = engine.start_relay(settings, AwaitedLine::Beginning(ready_line::BEGINNING)).await;
    let relay = relay.map_err(|error| RuntimeError::container(node, error))?;
    let shown = format!("image {}", relay.image);
    let workload = Workload::Container(Box::new(relay.container));
    let printed = start.ready_line(&workload, &shown).await?;
    let seen_from_here = |at: Option<std::net::SocketAddr>| match (at, relay.pod) {
        (Some(at), Some(pod)) => Some(std::net::SocketAddr::new(pod, at.port())),
        (Some(at), None) => workload.at(at.port()),
        (None, _) => None,
    };
    let listening = NodeAddresses { http: seen_from_here(printed.http), grpc: seen_from_here(printed.grpc) };
    if let Some(printed) = printed.http {
        workload.add_served_port(printed.port(), listening.http);
    }
    Ok(start.running(workload, shown, listening))
}

impl Start<'_> {
    fn node(&self) -> String {
        self.wiring.plan().scenario.node(self.ix).name.clone()
    }

    /// Waits for the ready line, which holds the addresses of the relay.
    async fn ready_line(&self, workload: &Workload, shown: &str) -> Result<NodeAddresses, NodeError> {
        let (node, command) = (self.node(), shown.to_owned());
        let within = self.options.node_within;
        let late = AttemptError::NoReadyLine(ready_line::BEGINNING);
        let line = match ready::awaited_line(workload, Instant::now() + within, late).await {
            Ok(line) => line,
            Err(ReadyError::Died(end)) => {
                let (end, lines) = (end.words(), workload.last_lines().await);
                return Err(NodeError::DiedAtStart { node, command, port: None, end, lines });
            }
            Err(ReadyError::Late(last)) => {
                let lines = workload.lines();
                return Err(NodeError::NeverReady { node, command, port: None, within, last, lines });
            }
        };
        ready_line::parse(&line).ok_or(NodeError::ReadyLine { node, line })
    }

    /// Fails when the relay does not support what the case needs.
    async fn check_capabilities(&self, listening: NodeAddresses, shown: &str) -> Result<(), NodeError> {
        let (node, command) = (self.node(), shown.to_owned());
        let deadline = Instant::now() + self.options.node_within;
        let needs = needs(self.wiring.plan(), self.ix);
        match capabilities::missing(listening.http, needs, deadline).await {
            Ok(missing) if missing.is_empty() => Ok(()),
            Ok(missing) => Err(NodeError::Unsupported { node, command, missing }),
            Err(source) => Err(NodeError::Capabilities { node, command, source }),
        }
    }

    fn running(&self, workload: Workload, command: String, listening: NodeAddresses) -> RunningNode {
        let node = self.wiring.plan().scenario.node(self.ix);
        self.wiring.set_listening(self.ix, listening);
        let stopped = AtomicBool::new(false);
        let program = Program {
            workload,
            command,
            port: None,
            stop: node.stop,
            stopped,
            _own: OwnResources::default(),
        };
        let flush = FlushMethod::Relay;
        RunningNode { name: node.name.clone(), listening, program: Some(program), flush }
    }

    /// Returns the whole environment of the relay.
    async fn variables(&self, listens: ListenAddresses) -> Result<Vec<(String, String)>, RuntimeError> {
        let mut ours = self.contract_variables(listens);
        ours.extend(forwarding(self.ix, self.wiring).await?);
        ours.extend(messaging::of_relay(self.ix, self.wiring)?);
        environment::variables(&self.relay.env, ours, self.ix, &OwnResources::default(), self.wiring).await
    }

    /// Returns the variables of the relay contract. HTTP is always served: flush and capabilities are requested there.
    fn contract_variables(&self, listens: ListenAddresses) -> Vec<(&'static str, String)> {
        let mut variables = vec![("RELAY_HTTP_ADDR", listens.http)];
        if self.wiring.plan().listens.get(self.ix.0).is_some_and(|listens| listens.grpc) {
            variables.push(("RELAY_GRPC_ADDR", listens.grpc));
        }
        let name = self.node();
        let mut faults: Vec<&str> = self.relay.faults.iter().map(String::as_str).collect();
        let switched_on = self.options.faults.iter().filter(|(node, _)| *node == name);
        faults.extend(switched_on.map(|(_, fault)| fault.as_str()));
        if !faults.is_empty() {
            variables.push((FAULTS, faults.join(",")));
        }
        variables
    }
}

/// Returns the variables of a relay with the role forwarder, which forwards everything over its HTTP hop.
async fn forwarding(ix: NodeIx, wiring: &CaseWiring) -> Result<Vec<(&'static str, String)>, RuntimeError> {
    let scenario = &wiring.plan().scenario;
    if scenario.node(ix).role != Role::Forwarder {
        return Ok(Vec::new());
    }
    let mut hops = scenario.hops.iter();
    match hops.find(|hop| hop.from == ix && hop.transport.is_http()) {
        None => Ok(Vec::new()),
        Some(hop) => {
            let url = wiring.url(ix, hop.to).await?;
            Ok(vec![("RELAY_MODEL_ROLE", "forwarder".to_owned()), ("RELAY_MODEL_FORWARD", url)])
        }
    }
}
