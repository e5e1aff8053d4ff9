//! `collector:` nodes: where the program of a Collector is found, its arguments, and how it ends.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::error::NodeError;
use super::gateway;
use super::running::{Program, RunningNode};
use crate::evidence::{Completion, Recorder};

/// The names of the program, the one with the most components first.
const PROGRAMS: [&str; 3] = ["otelcol-contrib", "otelcol-unbroken", "otelcol"];
/// The environment variable that names the program.
const VARIABLE: &str = "UNBROKEN_COLLECTOR";

/// Returns the arguments, with templates. A Collector serves its own metrics on a fixed port, which two would share.
pub fn arguments() -> [&'static str; 2] {
    ["--config=${self.dir}/collector.yaml", "--set=service.telemetry.metrics.level=none"]
}

/// Returns the program: where the environment says, or in `PATH`.
pub fn find() -> Option<PathBuf> {
    gateway::find_program(VARIABLE, &PROGRAMS)
}

/// Returns the error of a machine without a Collector.
pub fn missing(node: String) -> NodeError {
    NodeError::CollectorMissing { node, programs: PROGRAMS.join("`, `"), variable: VARIABLE }
}

/// Ends a collector; returns whether it exported everything before.
pub async fn end(node: &RunningNode, recorder: &Recorder, deadline: Instant) -> Completion {
    let Some(program) = &node.program else {
        return Completion::Unknown("it has no process to stop".to_owned());
    };
    let completion = stop(program, recorder.now(), deadline).await;
    program.workload.kill(deadline).await;
    completion
}

/// Stops a collector by its stop signal, after which it exports what it still has; returns whether it did.
async fn stop(program: &Program, asked_nanos: u64, deadline: Instant) -> Completion {
    if program.workload.has_ended() && !program.stopped.load(Ordering::Acquire) {
        let end = program.workload.ended().await;
        return Completion::Unknown(format!("it exited during the run ({})", end.words()));
    }
    program.stopped.store(true, Ordering::Release);
    let signal = program.signal();
    match program.workload.stop(signal, deadline).await {
        Some(end) if end.is_success() => Completion::Stopped { asked_nanos, status: end.words() },
        Some(end) => Completion::Unknown(format!(
            "it did not end well when it was stopped ({}), and may have dropped what it had: read its last lines",
            end.words()
        )),
        None => Completion::Unknown(format!(
            "it did not end after {signal} and was killed at the deadline, with what it still had: look for an exporter in its \
             configuration that waits for a receiver"
        )),
    }
}

/// Returns the line of its output that says that an exporter gave up.
pub fn failed_export(lines: &[String]) -> Option<&str> {
    const GIVEN_UP: [&str; 2] = ["Dropping data", "Rejecting data"];
    let line = lines.iter().rev().find(|line| GIVEN_UP.iter().any(|words| line.contains(words)));
    line.map(String::as_str)
}
