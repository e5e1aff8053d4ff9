//! From a plan to evidence: start, drive, wait until it is complete, freeze, end.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::completion::{self, Story};
use crate::driver::Driver;
use crate::evidence::{Completion, Evidence, Exchange, Recorder};
use crate::plan::Plan;
use crate::runtime::running::Running;
use crate::runtime::{RuntimeError, RuntimeOptions, embedded};

/// Runs one case and comes back with what was seen; nothing is left running.
///
/// `timeout` takes the place of the scenario's own. It is how long a stimulus may wait for its answer, and how long what
/// is missing is waited for after the last answer; starting the nodes has deadlines of its own.
pub async fn gather(
    plan: Arc<Plan>,
    options: &RuntimeOptions,
    timeout: Option<Duration>,
) -> Result<Evidence, RuntimeError> {
    let recorder = Recorder::new(options.captures, options.keep_raw);
    let running = embedded::start(plan.clone(), options, recorder.clone()).await?;
    let timeout = timeout.unwrap_or(plan.scenario.timeout);
    let told = tokio::select! {
        biased;
        error = running.died() => Err(error),
        told = tell(&plan, &running, &recorder, timeout) => Ok(told),
    };
    let evidence = told.map(|(exchanges, completions)| freeze(&running, &recorder, exchanges, completions));
    running.stop().await;
    evidence
}

async fn tell(
    plan: &Arc<Plan>,
    running: &Running,
    recorder: &Recorder,
    timeout: Duration,
) -> (Vec<Exchange>, Vec<Completion>) {
    let driver = Driver::new(plan.clone(), running.addresses().clone(), recorder.clone(), timeout);
    let exchanges = driver.drive().await;
    let deadline = Instant::now() + timeout;
    let story = Story { plan, running, recorder, exchanges: &exchanges, deadline };
    let completions = completion::complete(&story).await;
    (exchanges, completions)
}

fn freeze(
    running: &Running,
    recorder: &Recorder,
    exchanges: Vec<Exchange>,
    completions: Vec<Completion>,
) -> Evidence {
    let collected = running.collect();
    let (captures, gaps) = recorder.freeze();
    let (spans, logs) = (collected.spans, collected.logs);
    Evidence { captures, spans, logs, exchanges, completions, gaps, tap_ports: running.tap_ports() }
}
