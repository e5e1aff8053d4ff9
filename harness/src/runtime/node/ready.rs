//! Waits until a node is ready, with a deadline; returns at once when the process dies.
//!
//! A refused connection is retried after a short, growing pause: no platform reports that a port is listened on. Probes
//! carry an unsampled context, so that an ordinary sampler records no spans of them.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::{Method, StatusCode};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout, timeout_at};

use super::request::{self, RequestError};
use super::workload::Workload;
use crate::error_chain;
use crate::runtime::process::ProcessEnd;
use crate::scenario::Readiness;

const FIRST_PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// An attempt that got no answer is given up after this.
const ONE_ATTEMPT: Duration = Duration::from_secs(5);
/// A forwarded connection that stays open for this long has a server behind it; without one it is closed within a few
/// milliseconds.
const HELD_FOR: Duration = Duration::from_millis(300);
/// The ids are arbitrary; the flag says "not sampled".
pub(super) const UNSAMPLED: (&str, &str) =
    ("traceparent", "00-756e62726f6b656e2070726f62657321-756e62726f6b656e-00");

/// The reason why a node did not become ready.
#[derive(Debug)]
pub enum ReadyError {
    Died(ProcessEnd),
    /// The outcome of the last attempt.
    Late(Box<AttemptError>),
}

/// The reason why a node was not ready at one attempt.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    #[error("no attempt was made")]
    Untried,
    #[error("no output line contains `{0}`")]
    NoOutput(String),
    #[error("no output line begins with `{0}`")]
    NoReadyLine(&'static str),
    #[error("{0} got no answer within 5 s")]
    Silent(Probe),
    #[error("{probe}: {}", error_chain::one_line(error))]
    Request { probe: Probe, error: RequestError },
    #[error("{0}: {1}")]
    Connect(Probe, io::Error),
    #[error("{0} was answered with {1}")]
    Status(Probe, StatusCode),
    #[error("{0} was answered with serving status {1}")]
    NotServing(Probe, u64),
    #[error("{0} ended with gRPC status {1}")]
    GrpcStatus(Probe, u32),
    #[error("{0} ended without a gRPC status")]
    NoGrpcStatus(Probe),
    #[error("{0} was closed at once: no program listens there")]
    NobodyBehind(Probe),
}

/// The request that a node is probed with, for messages.
#[derive(Debug)]
pub struct Probe {
    ready: Readiness,
    address: SocketAddr,
}

impl fmt::Display for Probe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address;
        match &self.ready {
            Readiness::Http(path) => write!(out, "GET http://{address}{path}"),
            Readiness::GrpcHealth(service) if service.is_empty() => {
                write!(out, "the gRPC health check on {address}")
            }
            Readiness::GrpcHealth(service) => {
                write!(out, "the gRPC health check of `{service}` on {address}")
            }
            Readiness::Tcp | Readiness::Output(_) => write!(out, "a connection to {address}"),
        }
    }
}

/// Resolves when the node at `address` is ready, has died, or `deadline` has passed.
pub async fn until_ready(
    workload: &Workload,
    ready: &Readiness,
    address: SocketAddr,
    deadline: Instant,
) -> Result<(), ReadyError> {
    let probing = async {
        match ready {
            Readiness::Output(text) => {
                let late = AttemptError::NoOutput(text.clone());
                awaited_line(workload, deadline, late).await.map(drop)
            }
            Readiness::Http(_) | Readiness::GrpcHealth(_) | Readiness::Tcp => {
                let target = Target { address, is_forwarded: workload.is_forwarded_to() };
                attempts(ready, target, deadline).await
            }
        }
    };
    tokio::select! {
        biased;
        ready = probing => ready,
        end = workload.ended() => Err(ReadyError::Died(end)),
    }
}

/// Resolves with the line that the node was started to look out for; `late` is the error at the deadline.
pub async fn awaited_line(
    workload: &Workload,
    deadline: Instant,
    late: AttemptError,
) -> Result<String, ReadyError> {
    let mut found = workload.found();
    let line = async {
        let line = found.wait_for(Option::is_some).await.map(|line| line.clone().unwrap_or_default());
        match line {
            Ok(line) => line,
            // The streams are no longer read: only the end of the process is left to wait for.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        line = timeout_at(deadline, line) => line.map_err(|_| ReadyError::Late(Box::new(late))),
        end = workload.ended() => Err(ReadyError::Died(end)),
    }
}

/// The target of a probe.
#[derive(Clone, Copy)]
struct Target {
    address: SocketAddr,
    /// The container engine accepts connections first, even when nobody listens in the container.
    is_forwarded: bool,
}

async fn attempts(ready: &Readiness, target: Target, deadline: Instant) -> Result<(), ReadyError> {
    let mut pause = FIRST_PAUSE;
    let mut last = AttemptError::Untried;
    while Instant::now() < deadline {
        let until = deadline.min(Instant::now() + ONE_ATTEMPT);
        match timeout_at(until, attempt(ready, target)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => last = error,
            Err(_) => last = AttemptError::Silent(Probe { ready: ready.clone(), address: target.address }),
        }
        let mut ticks = interval(pause);
        ticks.tick().await;
        let _ = timeout_at(deadline, ticks.tick()).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
    Err(ReadyError::Late(Box::new(last)))
}

async fn attempt(ready: &Readiness, Target { address, is_forwarded }: Target) -> Result<(), AttemptError> {
    let probe = || Probe { ready: ready.clone(), address };
    match ready {
        Readiness::Http(path) => {
            let answer = request::http(Method::GET, address, path, &[UNSAMPLED]).await;
            let (status, _) = answer.map_err(|error| AttemptError::Request { probe: probe(), error })?;
            if status.as_u16() < 400 { Ok(()) } else { Err(AttemptError::Status(probe(), status)) }
        }
        Readiness::GrpcHealth(service) => {
            let answer = request::grpc_health(address, service, &[UNSAMPLED]).await;
            let answer = answer.map_err(|error| AttemptError::Request { probe: probe(), error })?;
            match (answer.code, answer.serving_status) {
                (Some(0), 1) => Ok(()),
                (Some(0), status) => Err(AttemptError::NotServing(probe(), status)),
                (Some(code), _) => Err(AttemptError::GrpcStatus(probe(), code)),
                (None, _) => Err(AttemptError::NoGrpcStatus(probe())),
            }
        }
        Readiness::Tcp | Readiness::Output(_) => {
            let connection = TcpStream::connect(address).await;
            let connection = connection.map_err(|error| AttemptError::Connect(probe(), error))?;
            if is_forwarded && !stays_open(connection).await {
                return Err(AttemptError::NobodyBehind(probe()));
            }
            Ok(())
        }
    }
}

/// Returns whether a server is behind a forwarded connection: without one the forwarder closes it again.
async fn stays_open(mut connection: TcpStream) -> bool {
    match timeout(HELD_FOR, connection.read(&mut [0])).await {
        Ok(read) => matches!(read, Ok(1..)),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    /// Probes a forwarded port whose connections are handled by `handle`.
    async fn forwarded_to<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> Result<(), AttemptError>
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let handling = async move {
            while let Ok((connection, _)) = listener.accept().await {
                handle(connection).await;
            }
        };
        tokio::select! {
            ready = attempt(&Readiness::Tcp, Target { address, is_forwarded: true }) => ready,
            () = handling => unreachable!("it accepts forever"),
        }
    }

    #[tokio::test]
    async fn a_forwarded_port_is_ready_when_a_server_is_behind_it() {
        let silent = forwarded_to(|connection| async move {
            let _held = connection;
            std::future::pending().await
        });
        silent.await.expect("a server that waits for a request");
        let greets =
            forwarded_to(|mut connection| async move { connection.write_all(b"+OK").await.unwrap() });
        greets.await.expect("a server that sends first");
        let nobody = forwarded_to(|connection| async move { drop(connection) }).await;
        assert!(matches!(nobody, Err(AttemptError::NobodyBehind(_))), "{nobody:?}");
    }
}
