//! Errors of nodes: programs that cannot be started, do not become ready, or end too early.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::capabilities::CapabilitiesError;
use super::ready::AttemptError;
use crate::error_chain::BoxedError;
use crate::runtime::process::listener::ListeningProcess;

/// The reason why a node could not be started, or ended too early.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error("node `{node}`: the program `{program}` is not in PATH: install it, or give its path")]
    ProgramMissing { node: String, program: String },
    #[error(
        "node `{node}`: there is no program at `{}`: correct the path; a relative one starts at the scenario's folder",
        path.display()
    )]
    PathMissing { node: String, path: PathBuf },
    #[error("node `{node}`: the working directory `{}` does not exist: correct `cwd:`", path.display())]
    FolderMissing { node: String, path: PathBuf },
    #[error(
        "node `{node}`: there is no program `{programs}`: install it (`{install}`), or name it with `program:` or the \
         variable {variable}"
    )]
    GatewayMissing { node: String, programs: String, install: &'static str, variable: String },
    #[error(
        "node `{node}`: there is no OpenTelemetry Collector `{programs}` in PATH: install one, build one with \
         `fixtures/collector/install`, or name it with `program:` or the variable {variable}"
    )]
    CollectorMissing { node: String, programs: String, variable: &'static str },
    #[error("node `{node}`: {lacking}: write a configuration of your own, or use another gateway")]
    GatewayLacks { node: String, lacking: &'static str },
    #[error(
        "node `{node}`: the configuration that comes along forwards to one node for each protocol, not to `{first}` and, \
         over `{hop}`, to `{second}`: write a configuration of your own"
    )]
    GatewayRoutes { node: String, first: String, second: String, hop: String },
    #[error("node `{node}`: cannot read `{}`: correct `files:` or `config:`", path.display())]
    FileUnreadable { node: String, path: PathBuf, source: io::Error },
    #[error("node `{node}`: `{}`: {problem}", path.display())]
    FileTemplate { node: String, path: PathBuf, problem: String },
    #[error(
        "node `{node}`: cannot write its folder `${{self.dir}}`: check the space and the rights of TMPDIR"
    )]
    NoFolder { node: String, source: io::Error },
    #[error("node `{node}`: cannot start `{command}`: check that it is executable")]
    CannotStart { node: String, command: String, source: io::Error },
    #[error(
        "node `{node}`: port {port} is already in use{}: stop the program that listens there, or omit `port:`",
        by_listener(listener.as_ref())
    )]
    PortInUse { node: String, port: u16, listener: Option<ListeningProcess> },
    #[error(
        "node `{node}`: {listener} listens on port {port} in place of `{command}`: stop it, or make `{command}` listen on \
         `${{self.port}}`"
    )]
    ForeignListener { node: String, command: String, port: u16, listener: ListeningProcess },
    #[error("node `{node}`: no port is free for `${{self.port}}`: set a fixed one with `port:`")]
    NoPort { node: String },
    #[error(
        "node `{node}`: `{command}`{} exited before it was ready ({end}){}",
        on_port(*port), exit_hint(lines, *port)
    )]
    DiedAtStart { node: String, command: String, port: Option<u16>, end: String, lines: Vec<String> },
    #[error(
        "node `{node}`: `{command}`{} was not ready within {} s ({last}): correct `ready:`, or raise `ready-within:`",
        on_port(*port), within.as_secs_f32()
    )]
    NeverReady {
        node: String,
        command: String,
        port: Option<u16>,
        within: Duration,
        last: Box<AttemptError>,
        lines: Vec<String>,
    },
    #[error("node `{node}`: `{command}`{} exited during the run ({end})", on_port(*port))]
    Died { node: String, command: String, port: Option<u16>, end: String, lines: Vec<String> },
    #[error("node `{node}`: its ready line does not follow the relay contract: `{line}`")]
    ReadyLine { node: String, line: String },
    #[error(
        "node `{node}`: `{command}` does not support what this case needs: {}; add it to `GET /-/capabilities` once it \
         does, or exclude the case with `--filter`",
        missing.join(", ")
    )]
    Unsupported { node: String, command: String, missing: Vec<&'static str> },
    #[error("node `{node}`: cannot read the capabilities of `{command}` (`GET /-/capabilities`)")]
    Capabilities { node: String, command: String, source: CapabilitiesError },
    #[error(
        "node `{node}`: there is no program for the relay `{implementation}`: build with the feature `relays`, or set \
         `UNBROKEN_BIN` to the `unbroken` command"
    )]
    NoRelay { node: String, implementation: String },
    #[error("node `{node}`: cannot resolve `{url}`: give a host that resolves, and a port")]
    Url { node: String, url: String, source: Option<io::Error> },
    #[error("node `{node}`: the service in this process failed to start")]
    InProcess { node: String, source: BoxedError },
    #[error(
        "node `{node}` is a service of the test's process, but this run does not start it: start it with \
         `.in_process(\"{node}\", ...)` of `unbroken::testing`, or give the node another kind"
    )]
    NotInThisProcess { node: String },
    #[cfg(feature = "container")]
    #[error("node `{node}`: cannot read `{}` for its container: correct `from:` of `mounts:`", path.display())]
    MountMissing { node: String, path: PathBuf },
    #[cfg(feature = "container")]
    #[error("node `{node}`: `{}`: {problem}", path.display())]
    MountTemplate { node: String, path: PathBuf, problem: String },
}

impl NodeError {
    /// Returns the node and its last output lines.
    pub fn log(&self) -> Option<(&str, &[String])> {
        match self {
            NodeError::DiedAtStart { node, lines, .. }
            | NodeError::NeverReady { node, lines, .. }
            | NodeError::Died { node, lines, .. } => Some((node, lines)),
            NodeError::ProgramMissing { .. }
            | NodeError::PathMissing { .. }
            | NodeError::FolderMissing { .. }
            | NodeError::GatewayMissing { .. }
            | NodeError::GatewayLacks { .. }
            | NodeError::CollectorMissing { .. }
            | NodeError::GatewayRoutes { .. }
            | NodeError::FileUnreadable { .. }
            | NodeError::FileTemplate { .. }
            | NodeError::NoFolder { .. }
            | NodeError::CannotStart { .. }
            | NodeError::PortInUse { .. }
            | NodeError::ForeignListener { .. }
            | NodeError::NoPort { .. }
            | NodeError::ReadyLine { .. }
            | NodeError::Unsupported { .. }
            | NodeError::Capabilities { .. }
            | NodeError::NoRelay { .. }
            | NodeError::Url { .. }
            | NodeError::InProcess { .. }
            | NodeError::NotInThisProcess { .. } => None,
            #[cfg(feature = "container")]
            NodeError::MountMissing { .. } | NodeError::MountTemplate { .. } => None,
        }
    }

    /// Builds the error of a URL that does not resolve.
    pub fn unresolved(node: &str, url: &str, source: Option<io::Error>) -> Self {
        NodeError::Url { node: node.to_owned(), url: url.to_owned(), source }
    }
}

fn by_listener(listener: Option<&ListeningProcess>) -> String {
    listener.map(|listener| format!(" by {listener}")).unwrap_or_default()
}

fn on_port(port: Option<u16>) -> String {
    port.map(|port| format!(" on port {port}")).unwrap_or_default()
}

/// Returns the next step, from what the program printed.
fn exit_hint(lines: &[String], port: Option<u16>) -> String {
    const IN_USE: &[&str] = &["address already in use", "eaddrinuse", "address in use", "port is already"];
    let in_use = lines.iter().any(|line| {
        let line = line.to_ascii_lowercase();
        IN_USE.iter().any(|words| line.contains(words))
    });
    match (in_use, port) {
        (true, Some(port)) => {
            format!(
                ": a port that it needs is in use (its own is {port}): make it listen on `${{self.port}}`"
            )
        }
        (true, None) => ": a port that it needs is in use: make it listen on `${self.port}`".to_owned(),
        (false, _) => output_hint(lines).to_owned(),
    }
}

/// Returns where to look for the reason of an end.
pub fn output_hint(lines: &[String]) -> &'static str {
    if lines.is_empty() { "; it printed nothing" } else { ": see its last lines" }
}
