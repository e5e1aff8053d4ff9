//! `collector:` nodes: where the program of a Collector is found, its arguments, and how it ends.

use std::path::PathBuf;

use tokio::time::Instant;

use super::error::NodeError;
use super::gateway;
use super::running::RunningNode;
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

/// Ends a collector by its stop signal, after which it exports what it still has; returns whether it did.
pub async fn end(node: &RunningNode, recorder: &Recorder, deadline: Instant) -> Completion {
    let asked_nanos = recorder.now();
    let completion = match node.stop(deadline).await {
        Err(unknown) => unknown,
        Ok((_, Some(end))) if end.is_success() => Completion::Stopped { asked_nanos, status: end.words() },
        Ok((_, Some(end))) => Completion::Unknown(format!(
            "it did not end well when it was stopped ({}), and may have dropped what it had: read its last lines",
            end.words()
        )),
        Ok((program, None)) => Completion::Unknown(format!(
            "it did not end after {} and was killed at the deadline, with what it still had: look for an exporter in its \
             configuration that waits for a receiver",
            program.signal()
        )),
    };
    if let Some(program) = &node.program {
        program.workload.kill(deadline).await;
    }
    completion
}

/// Returns the line of its output that says that an exporter gave up.
pub fn failed_export(lines: &[String]) -> Option<&str> {
    const GIVEN_UP: [&str; 2] = ["Dropping data", "Rejecting data"];
    let line = lines.iter().rev().find(|line| GIVEN_UP.iter().any(|words| line.contains(words)));
    line.map(String::as_str)
}
