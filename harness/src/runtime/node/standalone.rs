//! A program on its own, outside of any scenario: the target of a conformance run.
//!
//! It is ended as nodes are: as a process group, whatever happens to the harness. Its starter sets its
//! environment; nothing is filled in here.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::time::{Instant, timeout_at};

use super::ready::{self, AttemptError, ReadyError};
use super::workload::Workload;
use super::{environment, ready_line, request};
use crate::runtime::node_addresses::NodeAddresses;
use crate::runtime::process::Process;
use crate::runtime::process::output::AwaitedLine;
use crate::runtime::process::port::{self, Port};
use crate::scenario::Readiness;

/// A program to start, and its environment besides the inherited one.
#[derive(Clone, Debug)]
pub struct Launch {
    pub program: OsString,
    pub arguments: Vec<OsString>,
    pub variables: Vec<(String, String)>,
    /// The folder in which it is started; the harness's own by default.
    pub folder: Option<PathBuf>,
}

/// A program that runs; its whole process group is killed when this is dropped.
#[derive(Debug)]
pub struct Standalone {
    workload: Workload,
}

/// The reason why a program did not become ready.
#[derive(Debug, thiserror::Error)]
pub enum StandaloneError {
    #[error("cannot start it")]
    NotStarted(#[from] io::Error),
    #[error("it ended before it was ready ({ended})")]
    Ended { ended: String, lines: Vec<String> },
    #[error("it was not ready within {} s: {last}", within.as_secs())]
    NeverReady { within: Duration, last: String, lines: Vec<String> },
    #[error("its ready line names no HTTP address: `{0}`")]
    ReadyLine(String),
}

impl StandaloneError {
    /// Returns the last output lines, oldest first.
    pub fn lines(&self) -> &[String] {
        match self {
            StandaloneError::Ended { lines, .. } | StandaloneError::NeverReady { lines, .. } => lines,
            StandaloneError::NotStarted(_) | StandaloneError::ReadyLine(_) => &[],
        }
    }
}

impl Standalone {
    /// Starts the program and waits for its ready line, or for a connection at `address` where one is given.
    /// Returns it with the addresses at which it serves; that of HTTP is always known.
    pub async fn start(
        launch: Launch,
        address: Option<SocketAddr>,
        within: Duration,
    ) -> Result<(Standalone, NodeAddresses), StandaloneError> {
        let mut command = Command::new(&launch.program);
        command.args(&launch.arguments);
        if let Some(folder) = &launch.folder {
            command.current_dir(folder);
        }
        environment::apply(launch.variables, &mut command);
        let process = Process::start(command, Some(AwaitedLine::Beginning(ready_line::BEGINNING))).await?;
        let workload = Workload::Process(process);
        let deadline = Instant::now() + within;
        let line = async {
            let late = AttemptError::NoReadyLine(ready_line::BEGINNING);
            ready::awaited_line(&workload, deadline, late).await.map(Some)
        };
        let connected = async {
            match address {
                Some(address) => {
                    ready::until_ready(&workload, &Readiness::Tcp, address, deadline).await.map(|()| None)
                }
                None => std::future::pending().await,
            }
        };
        let ready = tokio::select! {
            biased;
            line = line => line,
            connected = connected => connected,
        };
        let listening = match ready {
            Ok(Some(line)) => {
                let printed = ready_line::parse(&line).filter(|listening| listening.http.is_some());
                printed.ok_or(StandaloneError::ReadyLine(line))?
            }
            Ok(None) => NodeAddresses { http: address, grpc: None },
            Err(ReadyError::Died(ended)) => {
                return Err(StandaloneError::Ended {
                    ended: ended.words(),
                    lines: workload.last_lines().await,
                });
            }
            Err(ReadyError::Late(last)) => {
                let last = match address {
                    Some(address) => format!("nothing listens at {address}, and {last}"),
                    None => last.to_string(),
                };
                return Err(StandaloneError::NeverReady { within, last, lines: workload.lines() });
            }
        };
        Ok((Standalone { workload }, listening))
    }

    pub fn has_ended(&self) -> bool {
        self.workload.has_ended()
    }

    /// Resolves when the process has ended, with how it ended: `exit status 1`.
    pub async fn ended(&self) -> String {
        self.workload.ended().await.words()
    }

    /// Returns the last output lines, oldest first.
    pub async fn last_lines(&self) -> Vec<String> {
        self.workload.last_lines().await
    }

    /// Asks it to end with SIGTERM, and kills what is left of its group at the deadline. Returns whether it came to
    /// its own end.
    pub async fn stop(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        self.workload.stop(Signal::SIGTERM, deadline).await.is_some_and(|ended| ended.is_exit())
    }
}

/// A free port on the loopback interface, held until dropped.
#[derive(Debug)]
pub struct FreePort(Port);

impl FreePort {
    /// Returns a free port; `None` when every port in the range is taken.
    pub fn find() -> Option<FreePort> {
        port::free().map(FreePort)
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.0.number))
    }
}

/// The reason why a request of the harness got no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Request(#[from] request::RequestError),
    #[error("no answer within {} s", _0.as_secs())]
    Late(Duration),
}

/// Sends a request of the harness's own with an empty body; returns status and body of the answer.
pub async fn ask(
    method: Method,
    address: SocketAddr,
    path: &str,
    within: Duration,
) -> Result<(u16, Bytes), AskError> {
    ask_with(method, address, path, &[], within).await
}

/// Sends such a request with an unsampled context, so that an ordinary sampler records no span of it.
pub async fn ask_unsampled(
    method: Method,
    address: SocketAddr,
    path: &str,
    within: Duration,
) -> Result<(u16, Bytes), AskError> {
    ask_with(method, address, path, &[ready::UNSAMPLED], within).await
}

async fn ask_with(
    method: Method,
    address: SocketAddr,
    path: &str,
    fields: &[(&str, &str)],
    within: Duration,
) -> Result<(u16, Bytes), AskError> {
    match timeout_at(Instant::now() + within, request::http(method, address, path, fields)).await {
        Ok(Ok((status, body))) => Ok((status.as_u16(), body)),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(AskError::Late(within)),
    }
}

/// Sends a `POST` of the harness's own with a JSON body; returns status and body of the answer.
pub async fn ask_json(
    address: SocketAddr,
    path: &str,
    body: String,
    within: Duration,
) -> Result<(u16, Bytes), AskError> {
    match timeout_at(Instant::now() + within, request::post_json(address, path, body)).await {
        Ok(Ok((status, body))) => Ok((status.as_u16(), body)),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(AskError::Late(within)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Launch {
        let arguments = ["-c", script].map(OsString::from).to_vec();
        Launch { program: "sh".into(), arguments, variables: Vec::new(), folder: None }
    }

    #[tokio::test]
    async fn a_ready_line_holds_its_address() {
        let script = r#"echo 'relay ready {"http": "127.0.0.1:9"}'; exec sleep 600"#;
        let (program, listening) =
            Standalone::start(shell(script), None, Duration::from_secs(20)).await.unwrap();
        assert_eq!(listening.http, Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9))));
        assert!(!program.has_ended());
    }

    #[tokio::test]
    async fn one_that_ends_at_once_is_reported_with_its_last_lines() {
        let script = "echo no module named requests >&2; exit 3";
        let error = Standalone::start(shell(script), None, Duration::from_secs(20)).await.unwrap_err();
        assert_eq!(error.to_string(), "it ended before it was ready (exit status 3)");
        assert_eq!(error.lines(), ["no module named requests"]);
    }
}
