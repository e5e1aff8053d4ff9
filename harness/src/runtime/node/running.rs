//! One node that runs: where it listens, how it flushes, and how it is ended.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::{Method, StatusCode};
use nix::sys::signal::Signal;
use tokio::time::{Instant, timeout_at};

use super::death::NodeDeath;
use super::flush_advice;
use super::own_resources::OwnResources;
use super::request;
use super::workload::Workload;
use crate::error_chain;
use crate::evidence::{Completion, Recorder};
use crate::runtime::node_addresses::NodeAddresses;
use crate::runtime::options::BoxFuture;
use crate::runtime::process::ProcessEnd;
use crate::scenario::StopSignal;

/// The time that a service may take to end by itself when nothing depends on it any more.
const LAST_CHANCE: Duration = Duration::from_secs(2);

/// A node that runs.
#[derive(Debug)]
pub struct RunningNode {
    pub name: String,
    pub listening: NodeAddresses,
    pub program: Option<Program>,
    pub flush: FlushMethod,
}

/// The proof by which a node shows that it has exported everything.
pub enum FlushMethod {
    /// `POST /-/flush` to a relay.
    Relay,
    /// The stop signal, and exiting by itself after it.
    Stop,
    /// A closure of the in-process builder.
    Closure(Arc<dyn Fn() -> BoxFuture<()> + Send + Sync>),
    /// It cannot: only a quiet window suggests it.
    Quiet,
    /// It exports nothing by declaration.
    NotDue,
}

impl fmt::Debug for FlushMethod {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            FlushMethod::Relay => "Relay",
            FlushMethod::Stop => "Stop",
            FlushMethod::Closure(_) => "Closure",
            FlushMethod::Quiet => "Quiet",
            FlushMethod::NotDue => "NotDue",
        })
    }
}

/// A node's process or container, and what messages say of it.
#[derive(Debug)]
pub struct Program {
    pub workload: Workload,
    /// As a user would type it.
    pub command: String,
    pub port: Option<u16>,
    pub stop: StopSignal,
    /// The harness has stopped it: its end is no error.
    pub stopped: AtomicBool,
    /// Its ports and its folder, which it keeps until its end.
    pub _own: OwnResources,
}

impl RunningNode {
    /// Flushes the node; returns why its telemetry is considered complete.
    pub async fn flush(&self, recorder: &Recorder, deadline: Instant) -> Completion {
        let asked_nanos = recorder.now();
        match &self.flush {
            FlushMethod::NotDue => Completion::NothingDue,
            FlushMethod::Quiet => Completion::Unknown("it cannot be flushed".to_owned()),
            FlushMethod::Relay => self.flush_relay(recorder, asked_nanos, deadline).await,
            FlushMethod::Stop => self.flush_by_stop(asked_nanos, deadline).await,
            FlushMethod::Closure(flush) => match timeout_at(deadline, flush()).await {
                Ok(Ok(())) => Completion::Flushed { asked_nanos, answered_nanos: recorder.now() },
                Ok(Err(error)) => {
                    Completion::Unknown(format!("its flush failed: {}", error_chain::one_line(&*error)))
                }
                Err(_) => Completion::Unknown("its flush did not return by the deadline".to_owned()),
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
                        let error = error_chain::one_line(&error);
                        return Completion::Unknown(format!("cannot send `/-/flush` to the relay: {error}"));
                    }
                }
            }
        };
        match timeout_at(deadline, asking).await {
            Ok(completion) => completion,
            Err(_) => {
                Completion::Unknown("the relay was busy until the deadline and did not flush".to_owned())
            }
        }
    }

    async fn flush_by_stop(&self, asked_nanos: u64, deadline: Instant) -> Completion {
        let (program, end) = match self.stop(deadline).await {
            Ok(stopped) => stopped,
            Err(unknown) => return unknown,
        };
        match end {
            Some(end) if end.is_exit() => Completion::Stopped { asked_nanos, status: end.words() },
            Some(end) => Completion::Unknown(format!(
                "it did not flush when it was stopped ({}): {}",
                end.words(),
                flush_advice::when_killed(&program.command)
            )),
            None => Completion::Unknown(format!(
                "it did not end after {} and was killed at the deadline: {}",
                program.signal(),
                flush_advice::when_deaf(&program.command)
            )),
        }
    }

    /// Stops the process by its stop signal; how it ended is `None` where it had to be killed at the deadline. Fails
    /// where it had ended before, or is none.
    pub(super) async fn stop(&self, deadline: Instant) -> Result<(&Program, Option<ProcessEnd>), Completion> {
        let Some(program) = &self.program else {
            return Err(Completion::Unknown("it has no process to stop".to_owned()));
        };
        if program.workload.has_ended() && !program.stopped.load(Ordering::Acquire) {
            let end = program.workload.ended().await;
            return Err(Completion::Unknown(format!("it exited during the run ({})", end.words())));
        }
        Ok((program, program.stop(deadline).await))
    }

    /// Resolves when the process has ended although the harness did not stop it; never otherwise.
    pub async fn died(&self) -> NodeDeath {
        let Some(program) = &self.program else { return std::future::pending().await };
        let end = program.workload.ended().await;
        if program.stopped.load(Ordering::Acquire) {
            return std::future::pending().await;
        }
        NodeDeath {
            node: self.name.clone(),
            command: program.command.clone(),
            port: program.port,
            end: end.words(),
            lines: program.workload.last_lines().await,
        }
    }

    /// Returns the last output lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.program.as_ref().map(|program| program.workload.lines()).unwrap_or_default()
    }

    /// Ends the node by its stop signal, so that it may clean up and export what it still has; kills it after that.
    pub async fn end(&self) {
        let Some(program) = &self.program else { return };
        if program.workload.is_kept() {
            return;
        }
        let deadline = Instant::now() + LAST_CHANCE;
        if program.workload.has_ended() {
            program.stopped.store(true, Ordering::Release);
            program.workload.kill(deadline).await;
        } else {
            program.stop(deadline).await;
            program.workload.kill(deadline + LAST_CHANCE).await;
        }
    }
}

impl Program {
    /// Returns the number of its processes that accept connections at its port, where that can be seen.
    pub fn listening_processes(&self) -> Option<usize> {
        self.workload.listening_processes(self.port?)
    }

    pub(super) fn signal(&self) -> Signal {
        match self.stop {
            StopSignal::Terminate => Signal::SIGTERM,
            StopSignal::Interrupt => Signal::SIGINT,
        }
    }

    async fn stop(&self, deadline: Instant) -> Option<ProcessEnd> {
        self.stopped.store(true, Ordering::Release);
        self.workload.stop(self.signal(), deadline).await
    }
}
