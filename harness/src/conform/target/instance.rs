//! A target that runs, in one configuration; the one file here that names the runtime.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::{Address, CommandLine, Start, Target, Upstream, image};
use crate::conform::suite::Configuration;
use crate::runtime::NodeAddresses;
use crate::runtime::standalone::{FreePort, Launch, Standalone, StandaloneError, ask_unsampled};

/// The time limit of a question to the target itself.
const QUESTION: Duration = Duration::from_secs(5);
/// The time in which a target must end after its stop signal.
const STOP: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Instance {
    pub address: Address,
    pub socket: SocketAddr,
    /// The address of its gRPC service, if it has one.
    pub grpc: Option<SocketAddr>,
    /// It answers HTTP/2 without TLS at `socket`, where that was asked.
    pub speaks_http2: bool,
    program: Option<Standalone>,
    /// The capabilities that it reports; `None` for a service of the W3C suite.
    pub capabilities: Option<Capabilities>,
    _port: Option<FreePort>,
}

/// The answer at `/-/capabilities` (`fixtures/CONTRACT.md`).
#[derive(Clone, Debug, Deserialize)]
pub struct Capabilities {
    pub can: BTreeSet<String>,
    #[serde(default)]
    pub sdk: Sdk,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Sdk {
    pub language: String,
    pub name: String,
    pub version: String,
}

/// The reason why the target does not run.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error("the target did not start: `{command}`")]
    Start { command: String, source: StandaloneError },
    #[error("`{0}` cannot be resolved")]
    Resolve(Address, #[source] std::io::Error),
    #[error("another program already listens at {0}: stop it, or omit the command")]
    Taken(Address),
    #[error("no free port was found for the target")]
    NoPort,
}

impl InstanceError {
    /// Returns the last output lines of a program that did not start.
    pub fn lines(&self) -> &[String] {
        match self {
            InstanceError::Start { source, .. } => source.lines(),
            InstanceError::Resolve(..) | InstanceError::Taken(_) | InstanceError::NoPort => &[],
        }
    }
}

impl Instance {
    /// Starts the target in a configuration, or finds where it runs. The variables of the configuration and of the
    /// target's file win over `variables`. A forwarder gets the addresses of `upstream`.
    pub async fn start(
        target: &Target,
        configuration: &Configuration,
        variables: &[(String, String)],
        upstream: Option<&Upstream>,
    ) -> Result<Instance, InstanceError> {
        let (known, port) = match &target.start {
            Start::Running(address) => (Some(address.clone()), None),
            Start::Command { address: Some(address), .. } => (Some(address.clone()), None),
            Start::Command { address: None, .. } | Start::Image(_) => {
                (None, Some(FreePort::find().ok_or(InstanceError::NoPort)?))
            }
            Start::Relay { .. } => (None, None),
        };
        let mut socket = port.as_ref().map(FreePort::address);
        if let Some(address) = &known {
            let resolved = address.resolve().await;
            socket = Some(resolved.map_err(|error| InstanceError::Resolve(address.clone(), error))?);
        }
        let (mut program, mut grpc) = (None, None);
        if let Some(mut command) = target.launch(socket, upstream) {
            if let (Some(address), Some(socket)) = (&known, socket)
                && TcpStream::connect(socket).await.is_ok()
            {
                return Err(InstanceError::Taken(address.clone()));
            }
            command.variables.extend_from_slice(variables);
            let own = target.variables(configuration).into_iter();
            command.variables.extend(own.map(|(name, value)| match upstream {
                Some(upstream) => (name, upstream.fill(&value)),
                None => (name, value),
            }));
            if let Start::Image(name) = &target.start {
                command.words = image::run(name, &command.variables);
            }
            let (started, at) = start(target, command, socket).await?;
            (program, socket, grpc) = (Some(started), at.http, at.grpc);
        }
        let socket = socket.ok_or(InstanceError::NoPort)?;
        let address = known.unwrap_or_else(|| Address::at(socket));
        let capabilities = capabilities(socket).await;
        Ok(Instance { address, socket, grpc, speaks_http2: false, program, capabilities, _port: port })
    }

    /// Returns true when the target reports this capability.
    pub fn can(&self, need: &str) -> bool {
        self.capabilities.as_ref().is_some_and(|capabilities| capabilities.can.contains(need))
    }

    /// Returns true when its process is gone; false for one that was not started here.
    pub fn has_ended(&self) -> bool {
        self.program.as_ref().is_some_and(Standalone::has_ended)
    }

    /// Returns how the process ended and its last lines, if it ends within this time.
    pub async fn end_within(&self, within: Duration) -> Option<(String, Vec<String>)> {
        let program = self.program.as_ref()?;
        let how = tokio::time::timeout(within, program.ended()).await.ok()?;
        Some((how, program.last_lines().await))
    }

    /// Returns the last lines that it has printed; empty for one that was not started here.
    pub async fn last_lines(&self) -> Vec<String> {
        match &self.program {
            Some(program) => program.last_lines().await,
            None => Vec::new(),
        }
    }

    /// Ends what was started here.
    pub async fn stop(self) {
        if let Some(program) = &self.program {
            program.stop(STOP).await;
        }
    }
}

async fn start(
    target: &Target,
    command: CommandLine,
    socket: Option<SocketAddr>,
) -> Result<(Standalone, NodeAddresses), InstanceError> {
    let CommandLine { words, variables } = command;
    let command = target.name.clone();
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_default();
    let launch = Launch { program, arguments: words.collect(), variables, folder: None };
    let started = Standalone::start(launch, socket, target.ready_within).await;
    started.map_err(|source| InstanceError::Start { command, source })
}

/// Returns the reported capabilities. Any other answer means a service of the W3C suite.
async fn capabilities(socket: SocketAddr) -> Option<Capabilities> {
    // A service with another meaning for this path makes an unsampled span at most.
    match ask_unsampled(Method::GET, socket, "/-/capabilities", QUESTION).await {
        Ok((200, body)) => serde_json::from_slice(&body).ok(),
        _ => None,
    }
}
