//! One node that runs: where it listens, how it is asked to flush, and how it is ended.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::{Method, StatusCode};
use nix::sys::signal::Signal;
use tokio::time::{Instant, timeout_at};

use super::error::RuntimeError;
use super::options::{Answer, Listening};
use super::port::Port;
use super::request;
use super::workload::Body;
use crate::evidence::{Completion, Recorder};
use crate::scenario::StopSignal;

/// How long a service may take to end by itself where nothing depends on it any more.
const LAST_CHANCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct RunningNode {
    pub(super) name: String,
    pub(super) listening: Listening,
    pub(super) program: Option<Program>,
    pub(super) flush: Flush,
}

/// How a node shows that nothing more will come from it.
pub(super) enum Flush {
    /// `POST /-/flush` to a relay.
    Relay,
    /// The stop signal, and coming to its own end after it.
    Stop,
    /// A closure of the in-process builder.
    Closure(Arc<dyn Fn() -> Answer<()> + Send + Sync>),
    /// It has no way: only a quiet window tells.
    Quiet,
    NothingDue,
}

impl fmt::Debug for Flush {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Flush::Relay => "Relay",
            Flush::Stop => "Stop",
            Flush::Closure(_) => "Closure",
            Flush::Quiet => "Quiet",
            Flush::NothingDue => "NothingDue",
        })
    }
}

/// A node's process or container, and what is said of it when it is in trouble.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) body: Body,
    /// As it would be typed.
    pub(super) command: String,
    pub(super) port: Option<u16>,
    pub(super) stop: StopSignal,
    /// The harness has asked it to end: its end is no trouble.
    pub(super) asked: AtomicBool,
    /// Held so that no other harness gives it out.
    pub(super) _held: Option<Port>,
}

impl RunningNode {
    /// Asks the node to export everything, and says why its telemetry is thought complete.
    pub(super) async fn flush(&self, recorder: &Recorder, deadline: Instant) -> Completion {
        let asked_nanos = recorder.now();
        match &self.flush {
            Flush::NothingDue => Completion::NothingDue,
            Flush::Quiet => Completion::Unknown("it has no way to flush".to_owned()),
            Flush::Relay => self.flush_relay(recorder, asked_nanos, deadline).await,
            Flush::Stop => self.flush_by_stop(asked_nanos, deadline).await,
            Flush::Closure(flush) => match timeout_at(deadline, flush()).await {
                Ok(Ok(())) => Completion::Flushed { asked_nanos, answered_nanos: recorder.now() },
                Ok(Err(problem)) => Completion::Unknown(format!("its flush failed: {problem}")),
                Err(_) => Completion::Unknown("its flush did not come back by the deadline".to_owned()),
            },
        }
    }

    async fn flush_relay(&self, recorder: &Recorder, asked_nanos: u64, deadline: Instant) -> Completion {
        let Some(address) = self.listening.http else {
            return Completion::Unknown("the relay has no HTTP address to flush at".to_owned());
        };
        let asking = async {
            loop {
                match request::http(Method::POST, address, "/-/flush", &[]).await {
                    // Busy for five seconds already: it is asked again until the deadline.
                    Ok((StatusCode::SERVICE_UNAVAILABLE, _)) => {}
                    Ok((StatusCode::NO_CONTENT, _)) => {
                        return Completion::Flushed { asked_nanos, answered_nanos: recorder.now() };
                    }
                    Ok((status, _)) => {
                        return Completion::Unknown(format!("the relay answered `/-/flush` with {status}"));
                    }
                    Err(error) => {
                        return Completion::Unknown(format!(
                            "the relay could not be asked to flush: {error}"
                        ));
                    }
                }
            }
        };
        let busy =
            || Completion::Unknown("the relay was busy until the deadline and did not flush".to_owned());
        timeout_at(deadline, asking).await.unwrap_or_else(|_| busy())
    }

    async fn flush_by_stop(&self, asked_nanos: u64, deadline: Instant) -> Completion {
        let Some(program) = &self.program else {
            return Completion::Unknown("it has no process to stop".to_owned());
        };
        let signal = program.signal();
        match program.stop(deadline).await {
            Some(ended) if ended.by_itself() => Completion::Stopped { asked_nanos, status: ended.words() },
            Some(ended) => Completion::Unknown(format!(
                "it did not flush when it was stopped ({}): see `stop:`, some programs flush on SIGINT only",
                ended.words()
            )),
            None => {
                Completion::Unknown(format!("it did not end after {signal} and was killed at the deadline"))
            }
        }
    }

    /// Comes back only when the process has ended although nobody asked it to.
    pub(super) async fn died(&self) -> RuntimeError {
        let Some(program) = &self.program else { return std::future::pending().await };
        let ended = program.body.ended().await;
        if program.asked.load(Ordering::Acquire) {
            return std::future::pending().await;
        }
        RuntimeError::Died {
            node: self.name.clone(),
            command: program.command.clone(),
            port: program.port,
            ended: ended.words(),
            lines: program.body.last_lines().await,
        }
    }

    /// The last output lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.program.as_ref().map(|program| program.body.lines()).unwrap_or_default()
    }

    /// Ends the node by its stop signal, so that it may clean up and export what it still has; then for good.
    pub(super) async fn end(&self) {
        let Some(program) = self.program.as_ref().filter(|program| !program.body.is_kept()) else { return };
        let deadline = Instant::now() + LAST_CHANCE;
        if program.body.has_ended() {
            program.asked.store(true, Ordering::Release);
            program.body.kill(deadline).await;
        } else {
            program.stop(deadline).await;
            program.body.kill(deadline + LAST_CHANCE).await;
        }
    }
}

impl Program {
    fn signal(&self) -> Signal {
        match self.stop {
            StopSignal::Terminate => Signal::SIGTERM,
            StopSignal::Interrupt => Signal::SIGINT,
        }
    }

    async fn stop(&self, deadline: Instant) -> Option<super::process::Ended> {
        self.asked.store(true, Ordering::Release);
        self.body.stop(self.signal(), deadline).await
    }
}
