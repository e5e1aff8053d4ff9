//! `relay:` nodes: services that keep the relay contract (`fixtures/CONTRACT.md`), each in a process of its
//! own.
//!
//! The harness runs itself as `unbroken relay IMPLEMENTATION`, so that process-wide state is as real as in a
//! service; or it runs what `own_relays` names in its place.
//!
//! What a relay can do is asked of one of the user's own; those that come along can do everything.

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;

use tokio::process::Command;
use tokio::time::Instant;

use super::capabilities;
use super::environment;
use super::error::RuntimeError;
use super::messaging;
use super::node::{Flush, Program, RunningNode};
use super::options::{Listening, RuntimeOptions};
use super::output::Wanted;
use super::process::Process;
use super::ready::{self, NotReady};
use super::wiring::Wiring;
use super::workload::Body;
use crate::plan::needs::needs;
use crate::scenario::{NodeIx, Relay, Role};

/// How a relay's ready line begins (contract, section 3).
const READY: &str = "relay ready ";
/// Faults of the model relay, comma-separated.
const FAULTS: &str = "RELAY_MODEL_FAULTS";

pub(super) async fn start(
    ix: NodeIx,
    relay: &Relay,
    options: &RuntimeOptions,
    wiring: &Wiring,
) -> Result<RunningNode, RuntimeError> {
    let scenario = &wiring.plan().scenario;
    let node = scenario.node(ix);
    let any_port = super::error::loopback().to_string();
    let variables = variables(ix, relay, options, wiring, (&any_port, &any_port)).await?;
    let no_relay =
        || RuntimeError::NoRelay { node: node.name.clone(), implementation: relay.implementation.clone() };
    let own = options.own_relays.iter().find(|(instead_of, _)| *instead_of == relay.implementation);
    let words = own.map_or(&options.relay, |(_, words)| words);
    let (program, arguments) = words.split_first().ok_or_else(no_relay)?;
    let mut command = Command::new(program);
    command.args(arguments);
    // One of a user's own was named on the command line, and starts where that was typed.
    let shown = if own.is_some() {
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    } else {
        command.args(["relay", &relay.implementation]).current_dir(&wiring.plan().folder);
        format!("unbroken relay {}", relay.implementation)
    };
    environment::apply(variables, &mut command);
    let process = Process::start(command, Some(Wanted::Beginning(READY))).await.map_err(|source| {
        RuntimeError::NotStarted { node: node.name.clone(), command: shown.clone(), source }
    })?;
    let body = Body::Process(process);
    let listening = said_ready(ix, &body, &shown, options, wiring).await?;
    if own.is_some() {
        can_what_is_needed(ix, listening, &shown, options, wiring).await?;
    }
    Ok(running(ix, body, shown, listening, wiring))
}

async fn can_what_is_needed(
    ix: NodeIx,
    listening: Listening,
    shown: &str,
    options: &RuntimeOptions,
    wiring: &Wiring,
) -> Result<(), RuntimeError> {
    let (node, command) = (wiring.plan().scenario.node(ix).name.clone(), shown.to_owned());
    let deadline = Instant::now() + options.node_within;
    match capabilities::missing(listening.http, needs(wiring.plan(), ix), deadline).await {
        Ok(missing) if missing.is_empty() => Ok(()),
        Ok(missing) => Err(RuntimeError::Unsupported { node, command, missing }),
        Err(problem) => Err(RuntimeError::Capabilities { node, command, problem }),
    }
}

/// The same in a container of the run.
#[cfg(feature = "container")]
pub(super) async fn start_in_container(
    ix: NodeIx,
    relay: &Relay,
    options: &RuntimeOptions,
    wiring: &Wiring,
) -> Result<RunningNode, RuntimeError> {
    use super::container::{relay_listens, start_relay};

    let node = &wiring.plan().scenario.node(ix).name;
    let started = options.containers.started_for(node).await?;
    let listens = relay_listens(&started);
    let variables = variables(ix, relay, options, wiring, (&listens.0, &listens.1)).await?;
    let wanted = Wanted::Beginning(READY);
    let files = wiring.trusted_files();
    let whose = (node.as_str(), wiring.plan().scenario.title());
    let relay = start_relay(&started, whose, &relay.implementation, (variables, files), wanted).await;
    let relay = relay.map_err(|error| error.of(node))?;
    let shown = format!("image {}", relay.image);
    let body = Body::Container(Box::new(relay.contained));
    let said = said_ready(ix, &body, &shown, options, wiring).await?;
    let listening = relay.seen.of(&body, said);
    Ok(running(ix, body, shown, listening, wiring))
}

/// Waits for the ready line, which says where the relay listens.
async fn said_ready(
    ix: NodeIx,
    body: &Body,
    shown: &str,
    options: &RuntimeOptions,
    wiring: &Wiring,
) -> Result<Listening, RuntimeError> {
    let (node, command) = (wiring.plan().scenario.node(ix).name.clone(), shown.to_owned());
    let late = format!("it printed no line that begins with `{READY}`");
    let line = match ready::found(body, Instant::now() + options.node_within, late).await {
        Ok(line) => line,
        Err(NotReady::Died(ended)) => {
            let (ended, lines) = (ended.words(), body.last_lines().await);
            return Err(RuntimeError::DiedAtStart { node, command, port: None, ended, lines });
        }
        Err(NotReady::Late(last)) => {
            let (lines, within) = (body.lines(), options.node_within);
            return Err(RuntimeError::NeverReady { node, command, port: None, within, last, lines });
        }
    };
    read_ready(&line).ok_or(RuntimeError::ReadyLine { node, line })
}

fn running(ix: NodeIx, body: Body, command: String, listening: Listening, wiring: &Wiring) -> RunningNode {
    let node = wiring.plan().scenario.node(ix);
    wiring.listens(ix, listening);
    let asked = AtomicBool::new(false);
    let program = Program { body, command, port: None, stop: node.stop, asked, _held: None };
    RunningNode { name: node.name.clone(), listening, program: Some(program), flush: Flush::Relay }
}

/// Everything that the relay is told, listening at these addresses for HTTP and gRPC.
async fn variables(
    ix: NodeIx,
    relay: &Relay,
    options: &RuntimeOptions,
    wiring: &Wiring,
    listens: (&str, &str),
) -> Result<Vec<(String, String)>, RuntimeError> {
    let mut ours = ours(ix, relay, options, wiring, listens);
    ours.extend(forwarding(ix, wiring).await?);
    ours.extend(messaging::of_relay(ix, wiring)?);
    environment::variables(&relay.env, ours, ix, None, wiring).await
}

/// The contract's own variables. HTTP is always served: flush and capabilities are asked for there.
fn ours(
    ix: NodeIx,
    relay: &Relay,
    options: &RuntimeOptions,
    wiring: &Wiring,
    (http, grpc): (&str, &str),
) -> Vec<(&'static str, String)> {
    let mut ours = vec![("RELAY_HTTP_ADDR", http.to_owned())];
    if wiring.plan().listens.get(ix.0).is_some_and(|listens| listens.grpc) {
        ours.push(("RELAY_GRPC_ADDR", grpc.to_owned()));
    }
    let name = &wiring.plan().scenario.node(ix).name;
    let mut faults: Vec<&str> = relay.faults.iter().map(String::as_str).collect();
    faults.extend(options.faults.iter().filter(|(node, _)| node == name).map(|(_, fault)| fault.as_str()));
    if !faults.is_empty() {
        ours.push((FAULTS, faults.join(",")));
    }
    ours
}

/// A relay of role forwarder passes everything on to where its hop over HTTP leads.
async fn forwarding(ix: NodeIx, wiring: &Wiring) -> Result<Vec<(&'static str, String)>, RuntimeError> {
    let scenario = &wiring.plan().scenario;
    let onward = scenario.hops.iter().find(|hop| hop.from == ix && hop.transport.is_http());
    match onward.filter(|_| scenario.node(ix).role == Role::Forwarder) {
        None => Ok(Vec::new()),
        Some(hop) => {
            let url = wiring.url(ix, hop.to).await?;
            Ok(vec![("RELAY_MODEL_ROLE", "forwarder".to_owned()), ("RELAY_MODEL_FORWARD", url)])
        }
    }
}

/// `relay ready {"http": "127.0.0.1:41001", "grpc": "127.0.0.1:41002"}`; either may be absent or null.
fn read_ready(line: &str) -> Option<Listening> {
    let said: serde_json::Value = serde_json::from_str(line.strip_prefix(READY)?).ok()?;
    let address = |key: &str| -> Option<Option<SocketAddr>> {
        match said.get(key) {
            None | Some(serde_json::Value::Null) => Some(None),
            Some(value) => value.as_str()?.parse().ok().map(Some),
        }
    };
    said.is_object().then_some(())?;
    Some(Listening { http: address("http")?, grpc: address("grpc")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_line_is_read_and_anything_else_refused() {
        let both = read_ready(r#"relay ready {"http": "127.0.0.1:41001", "grpc": "127.0.0.1:41002"}"#);
        let both = both.expect("both addresses are there");
        assert_eq!((both.http.map(|a| a.port()), both.grpc.map(|a| a.port())), (Some(41001), Some(41002)));
        assert!(read_ready(r#"relay ready {"http": null}"#).is_some_and(|ready| ready.http.is_none()));
        for wrong in ["relay ready ", "relay ready 7", r#"relay ready {"http": "nowhere"}"#, "ready {}"] {
            assert!(read_ready(wrong).is_none(), "{wrong}");
        }
    }
}
