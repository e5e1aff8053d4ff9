//! Waiting until a node is ready: on a condition, with a deadline, and awake at once when the process dies.
//!
//! A connection that is refused is tried again after a short, growing pause: there is nothing in the platform
//! to wait on for "somebody listens". Probes carry an unsampled context, so that they leave no spans with an
//! ordinary sampler.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::Method;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout, timeout_at};

use super::process::Ended;
use super::request;
use super::workload::Body;
use crate::scenario::Readiness;

const FIRST_PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// A server that accepts and does not answer is asked again after this.
const ONE_ATTEMPT: Duration = Duration::from_secs(5);
/// A connection that is forwarded to somebody stays open for this; one to nobody is closed in a few milliseconds.
const HELD_FOR: Duration = Duration::from_millis(300);
/// Any ids will do; the flag is what matters.
const UNSAMPLED: (&str, &str) = ("traceparent", "00-756e62726f6b656e2070726f62657321-756e62726f6b656e-00");

/// Why a node did not become ready.
#[derive(Debug)]
pub(super) enum NotReady {
    Died(Ended),
    /// What the last attempt met.
    Late(String),
}

/// Waits until the node at `address` is ready, has died, or `deadline` has passed.
pub(super) async fn until_ready(
    body: &Body,
    ready: &Readiness,
    address: SocketAddr,
    deadline: Instant,
) -> Result<(), NotReady> {
    let probing = async {
        match ready {
            Readiness::Output(text) => {
                let what = format!("no output line contains `{text}`");
                found(body, deadline, what).await.map(|_| ())
            }
            probe => attempts(probe, Asked { address, forwarded: body.is_forwarded_to() }, deadline).await,
        }
    };
    tokio::select! {
        biased;
        ready = probing => ready,
        ended = body.ended() => Err(NotReady::Died(ended)),
    }
}

/// Waits for the line that the node was started to look out for.
pub(super) async fn found(body: &Body, deadline: Instant, late: String) -> Result<String, NotReady> {
    let mut found = body.found();
    let line = async {
        let line = found.wait_for(Option::is_some).await.map(|line| line.clone().unwrap_or_default());
        match line {
            Ok(line) => line,
            // Nobody reads the streams any more: only the end of the process is left to wait for.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        line = timeout_at(deadline, line) => line.map_err(|_| NotReady::Late(late)),
        ended = body.ended() => Err(NotReady::Died(ended)),
    }
}

/// Who is asked.
#[derive(Clone, Copy)]
struct Asked {
    address: SocketAddr,
    /// Somebody else accepts the connection first, whether anybody listens or not.
    forwarded: bool,
}

async fn attempts(ready: &Readiness, at: Asked, deadline: Instant) -> Result<(), NotReady> {
    let mut pause = FIRST_PAUSE;
    let mut last = "no attempt was made".to_owned();
    while Instant::now() < deadline {
        let until = deadline.min(Instant::now() + ONE_ATTEMPT);
        match timeout_at(until, attempt(ready, at)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(problem)) => last = problem,
            Err(_) => last = format!("{} was not answered", asked(ready, at.address)),
        }
        let mut ticks = interval(pause);
        ticks.tick().await;
        let _ = timeout_at(deadline, ticks.tick()).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
    Err(NotReady::Late(last))
}

async fn attempt(ready: &Readiness, Asked { address, forwarded }: Asked) -> Result<(), String> {
    let problem = |error: &dyn std::error::Error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{}: {error}{cause}", asked(ready, address))
    };
    match ready {
        Readiness::Http(path) => {
            let answer = request::http(Method::GET, address, path, &[UNSAMPLED]).await;
            let (status, _) = answer.map_err(|error| problem(&error))?;
            let good = status.as_u16() < 400;
            if good { Ok(()) } else { Err(format!("{} was answered with {status}", asked(ready, address))) }
        }
        Readiness::GrpcHealth(service) => {
            let answer = request::grpc_health(address, service, &[UNSAMPLED]).await;
            match answer.map_err(|error| problem(&error))? {
                (Some(0), 1) => Ok(()),
                (Some(0), status) => Err(format!("{} says serving status {status}", asked(ready, address))),
                (Some(code), _) => Err(format!("{} ended with gRPC status {code}", asked(ready, address))),
                (None, _) => Err(format!("{} ended without a gRPC status", asked(ready, address))),
            }
        }
        Readiness::Tcp | Readiness::Output(_) => {
            let connection = TcpStream::connect(address).await.map_err(|error| problem(&error))?;
            if forwarded && !stays_open(connection).await {
                return Err(format!("{} was closed at once: nobody listens there", asked(ready, address)));
            }
            Ok(())
        }
    }
}

/// Whoever forwards a connection closes it again where it finds nobody; a server says something, or waits for us to.
async fn stays_open(mut connection: TcpStream) -> bool {
    match timeout(HELD_FOR, connection.read(&mut [0])).await {
        Ok(read) => matches!(read, Ok(1..)),
        Err(_) => true,
    }
}

/// What is asked of the node, in words.
fn asked(ready: &Readiness, address: SocketAddr) -> String {
    match ready {
        Readiness::Http(path) => format!("GET http://{address}{path}"),
        Readiness::GrpcHealth(service) if service.is_empty() => format!("the gRPC health check on {address}"),
        Readiness::GrpcHealth(service) => format!("the gRPC health check of `{service}` on {address}"),
        Readiness::Tcp | Readiness::Output(_) => format!("a connection to {address}"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    /// What is said of a port behind which connections are met so.
    async fn forwarded_to<F>(met: impl Fn(TcpStream) -> F + Send + 'static) -> Result<(), String>
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let meeting = async move {
            while let Ok((connection, _)) = listener.accept().await {
                met(connection).await;
            }
        };
        tokio::select! {
            ready = attempt(&Readiness::Tcp, Asked { address, forwarded: true }) => ready,
            () = meeting => unreachable!("it accepts for ever"),
        }
    }

    #[tokio::test]
    async fn a_forwarded_port_is_ready_when_somebody_is_behind_it() {
        let silent = forwarded_to(|connection| async move {
            let _held = connection;
            std::future::pending().await
        });
        assert_eq!(silent.await, Ok(()), "a server that waits for a request");
        let greets =
            forwarded_to(|mut connection| async move { connection.write_all(b"+OK").await.unwrap() });
        assert_eq!(greets.await, Ok(()), "a server that speaks first");
        let nobody = forwarded_to(|connection| async move { drop(connection) }).await;
        assert!(nobody.as_ref().is_err_and(|error| error.contains("nobody listens")), "{nobody:?}");
    }
}
