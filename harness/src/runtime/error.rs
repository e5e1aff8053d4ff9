//! Trouble of the machine while nodes are started, run and ended; never the fault of the system under test's
//! tracing.
//!
//! Each message is one line that names node, command and port and the next step; the cause chain says what
//! was below.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error("node `{node}`: there is no program `{program}` in PATH: install it, or name it by its path")]
    ProgramMissing { node: String, program: String },
    #[error(
        "node `{node}`: there is no program at `{}`: a relative path is looked up from the scenario's folder",
        path.display()
    )]
    PathMissing { node: String, path: PathBuf },
    #[error("node `{node}`: there is no folder `{}` to run it in: correct `cwd:`", path.display())]
    FolderMissing { node: String, path: PathBuf },
    #[error("node `{node}`: `{command}` could not be started: see that it may be executed")]
    NotStarted { node: String, command: String, source: io::Error },
    #[error(
        "node `{node}`: port {port} is in use: stop the program that listens there, or leave out `port:`"
    )]
    PortTaken { node: String, port: u16 },
    #[error("node `{node}`: no port is free for `${{self.port}}`: give it a fixed one with `port:`")]
    NoPort { node: String },
    #[error("node `{node}`: `{command}`{} ended before it was ready ({ended}){}", on_port(*port), hint(lines, *port))]
    DiedAtStart { node: String, command: String, port: Option<u16>, ended: String, lines: Vec<String> },
    #[error(
        "node `{node}`: `{command}`{} was not ready within {} s ({last}): correct `ready:`, or allow more with \
         `ready-within:`",
        on_port(*port), within.as_secs_f32()
    )]
    NeverReady {
        node: String,
        command: String,
        port: Option<u16>,
        within: std::time::Duration,
        last: String,
        lines: Vec<String>,
    },
    #[error("node `{node}`: `{command}`{} ended in the middle of the story ({ended})", on_port(*port))]
    Died { node: String, command: String, port: Option<u16>, ended: String, lines: Vec<String> },
    #[error("node `{node}`: its ready line is not what the relay contract says: `{line}`")]
    ReadyLine { node: String, line: String },
    #[error(
        "node `{node}`: `{command}` does not say that it can do what this case needs of it: {}; let `GET /-/capabilities` \
         name it once it can, or leave the case out with `--filter`",
        missing.join(", ")
    )]
    Unsupported { node: String, command: String, missing: Vec<&'static str> },
    #[error(
        "node `{node}`: `{command}` could not be asked what it can do (`GET /-/capabilities`): {problem}"
    )]
    Capabilities { node: String, command: String, problem: String },
    #[error(
        "node `{node}`: no program is known that is the relay `{implementation}`: build with the feature `relays`, or set `UNBROKEN_BIN` to the `unbroken` command"
    )]
    NoRelay { node: String, implementation: String },
    #[error(
        "node `{node}`: the environment variable `{name}` is not set, and `${{env.{name}}}` needs it: set it"
    )]
    EnvMissing { node: String, name: String },
    #[error("node `{node}`: `{url}` names no address: give a host that resolves, and a port")]
    Url { node: String, url: String, source: Option<io::Error> },
    #[error("node `{node}`: the service in this process could not be started: {problem}")]
    InProcess { node: String, problem: String },
    #[error(
        "node `{node}` lives in a test's process, and this run was given none: start it with `.in_process(\"{node}\", ...)` of `unbroken::testing`, or give it another kind"
    )]
    NotInThisProcess { node: String },
    #[error("node `{node}`: no address is known for `{to}`: a hop from `{node}` to `{to}` is needed")]
    NoAddress { node: String, to: String },
    #[error(
        "broker `{node}`: no {kind} broker is built in: build with the feature `brokers`, or give the `address:` of yours"
    )]
    NoBroker { node: String, kind: &'static str },
    #[error("broker `{node}`: the stand-in for {kind} could not be started: {problem}")]
    BrokerNotStarted { node: String, kind: &'static str, problem: String },
    #[cfg(feature = "container")]
    #[error("broker `{node}`: the {kind} that the cases share is not free for this one: {problem}")]
    NotLent { node: String, kind: &'static str, problem: String },
    #[error("broker `{node}`: its address is none of {kind} in the clear: it is {}", address_of(kind))]
    BrokerAddress { node: String, kind: &'static str },
    #[error("broker `{node}`: no {kind} can be reached at {address}: start it, or correct its `address:`")]
    BrokerUnreachable { node: String, kind: &'static str, address: String, source: io::Error },
    #[error(
        "broker `{node}`: what the hops name could not be declared at {kind} {address}: see that nobody has declared it \
         otherwise, and that its user may"
    )]
    NotDeclared {
        node: String,
        kind: &'static str,
        address: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "broker `{node}`: what goes through {kind} {address} cannot be read: see that reading is allowed there"
    )]
    NotRead {
        node: String,
        kind: &'static str,
        address: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("node `{node}`: this build has no client for {what}: build with the feature `{feature}`")]
    NotBuilt { node: String, what: &'static str, feature: &'static str },
    #[cfg(feature = "container")]
    #[error("node `{node}`: its container could not be started")]
    Engine { node: String, source: std::sync::Arc<super::container::EngineError> },
    #[cfg(feature = "container")]
    #[error(
        "node `{node}`: the container of `{image}` ended before it was ready ({ended}): {}",
        ended_hint(lines, image)
    )]
    ContainerEnded { node: String, image: super::container::ImageName, ended: String, lines: Vec<String> },
    #[cfg(feature = "container")]
    #[error(
        "node `{node}`: the container of `{image}` was not ready within {} s ({last}): {}, or allow more with \
         `ready-within:`",
        within.as_secs_f32(), ready_hint(*asked)
    )]
    ContainerNeverReady {
        node: String,
        image: super::container::ImageName,
        within: std::time::Duration,
        /// At its port; else a line of its output was waited for.
        asked: bool,
        last: String,
        lines: Vec<String>,
    },
    #[cfg(feature = "container")]
    #[error(
        "broker `{node}`: the container of `{image}` did not answer within {} s ({last}): see that the machine has memory \
         and processor time left, or start another image with `--image`",
        within.as_secs_f32()
    )]
    BrokerNeverReady {
        node: String,
        image: super::container::ImageName,
        within: std::time::Duration,
        last: String,
        lines: Vec<String>,
    },
    #[cfg(feature = "container")]
    #[error(
        "node `{node}`: there is no `{}` to be put into its container, or it cannot be read: correct `from:` of `mounts:`",
        path.display()
    )]
    MountMissing { node: String, path: PathBuf },
    #[cfg(feature = "container")]
    #[error("node `{node}`: `{}`: {problem}", path.display())]
    MountTemplate { node: String, path: PathBuf, problem: String },
    #[error(
        "node `{node}` runs in a container and cannot reach `{to}` at {at} of this machine: leave out `tap: none`, or run \
         `{to}` as an image too"
    )]
    OutOfReach { node: String, to: String, at: SocketAddr },
    #[error(
        "node `{node}` runs in a container and cannot reach the broker `{to}` at {at} of this machine: give it an \
         `address:` that containers reach"
    )]
    BrokerOutOfReach { node: String, to: String, at: SocketAddr },
    #[error("no address to listen on for {what}")]
    Listen { what: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the certificate authority of this run could not be made")]
    Authority { source: Box<dyn std::error::Error + Send + Sync> },
    #[error("a hop is TLS, and this build cannot terminate it: build with the feature `tls`")]
    NoTls,
}

impl RuntimeError {
    /// The node that it is about, and its last output lines.
    pub fn log(&self) -> Option<(&str, &[String])> {
        match self {
            RuntimeError::DiedAtStart { node, lines, .. }
            | RuntimeError::NeverReady { node, lines, .. }
            | RuntimeError::Died { node, lines, .. } => Some((node, lines)),
            #[cfg(feature = "container")]
            RuntimeError::ContainerEnded { node, lines, .. }
            | RuntimeError::ContainerNeverReady { node, lines, .. }
            | RuntimeError::BrokerNeverReady { node, lines, .. } => Some((node, lines)),
            _ => None,
        }
    }

    /// The last output lines of the node that it is about.
    pub fn lines(&self) -> &[String] {
        self.log().map_or(&[], |(_, lines)| lines)
    }

    /// What listens could not be made.
    pub(super) fn listen(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        RuntimeError::Listen { what: what.into(), source: source.into() }
    }

    pub(super) fn unresolved(node: &str, url: &str, source: Option<io::Error>) -> Self {
        RuntimeError::Url { node: node.to_owned(), url: url.to_owned(), source }
    }
}

/// What an address of such a broker looks like.
fn address_of(kind: &str) -> &'static str {
    match kind {
        "rabbitmq" => "`amqp://user:password@host:port/vhost`",
        "sqs" => "`http://host:port`",
        _ => "`host:port`",
    }
}

fn on_port(port: Option<u16>) -> String {
    port.map(|port| format!(" on port {port}")).unwrap_or_default()
}

/// The next step, read out of what the program said.
fn hint(lines: &[String], port: Option<u16>) -> String {
    const IN_USE: &[&str] = &["address already in use", "eaddrinuse", "address in use", "port is already"];
    let in_use = lines.iter().any(|line| {
        let line = line.to_ascii_lowercase();
        IN_USE.iter().any(|words| line.contains(words))
    });
    match (in_use, port) {
        (true, Some(port)) => {
            format!(": a port it needs is in use, its own is {port}: let it listen on `${{self.port}}`")
        }
        (true, None) => ": a port it needs is in use: let it listen on `${self.port}`".to_owned(),
        (false, _) => ": its last lines say why".to_owned(),
    }
}

/// The next step, where a container did not become ready.
#[cfg(feature = "container")]
fn ready_hint(asked: bool) -> &'static str {
    if asked {
        "correct `port:` or `ready:`, see that it listens on all addresses, not on 127.0.0.1 alone"
    } else {
        "see what it prints, correct `ready:`"
    }
}

/// The next step, where a container has ended at once.
#[cfg(feature = "container")]
fn ended_hint(lines: &[String], image: &super::container::ImageName) -> String {
    match lines {
        [] => format!(
            "it printed nothing; see that its command stays and does not go into the background: `docker run {image}`"
        ),
        _ => format!("its last lines say why, or `docker run {image}`"),
    }
}

/// Where a tap or stub would have listened.
pub(super) fn loopback() -> SocketAddr {
    SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0))
}
