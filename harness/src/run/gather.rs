//! From a plan to evidence: start, drive, wait until it is complete, freeze, end.

use std::sync::Arc;

use thiserror::Error;
use tokio::time::Instant;

use super::completion::{self, Story};
use crate::driver::{Driver, DriverError};
use crate::evidence::{Completion, Evidence, Exchange, Recorder};
use crate::plan::Plan;
use crate::runtime::running::Running;
use crate::runtime::{RuntimeError, RuntimeOptions, embedded};

/// Why a case could not be run.
#[derive(Debug, Error)]
pub enum GatherError {
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Driver(#[from] DriverError),
}

impl GatherError {
    /// The last output lines of the node that it is about.
    pub fn lines(&self) -> &[String] {
        match self {
            GatherError::Runtime(error) => error.lines(),
            GatherError::Driver(_) => &[],
        }
    }
}

/// Runs one case and comes back with what was seen; nothing is left running.
///
/// What is missing is waited for until the scenario's timeout after the last answer; starting the nodes has deadlines of
/// its own.
pub async fn gather(plan: Arc<Plan>, options: &RuntimeOptions) -> Result<Evidence, GatherError> {
    let recorder = Recorder::new(options.captures, options.keep_raw);
    let running = embedded::start(plan.clone(), options, recorder.clone()).await?;
    let evidence = tokio::select! {
        biased;
        error = running.died() => Err(error.into()),
        evidence = tell(&plan, &running, &recorder) => evidence,
    };
    running.stop().await;
    evidence
}

async fn tell(plan: &Arc<Plan>, running: &Running, recorder: &Recorder) -> Result<Evidence, GatherError> {
    let driver = Driver::new(plan.clone(), running.addresses().clone(), recorder.clone())?;
    let exchanges = driver.drive_all(|_| {}).await;
    let deadline = Instant::now() + plan.scenario.timeout;
    let story = Story { plan, running, recorder, exchanges: &exchanges, deadline };
    let completions = completion::complete(&story).await;
    Ok(freeze(running, recorder, exchanges, completions))
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
