//! From a plan to evidence: start, drive, wait until it is complete, freeze, end.

use std::sync::Arc;

use thiserror::Error;
use tokio::time::Instant;

use super::completion::{self, Story};
use crate::driver::{Driver, DriverError};
use crate::evidence::{Evidence, Recorder};
use crate::plan::Plan;
use crate::runtime::running::Running;
use crate::runtime::{RuntimeError, RuntimeOptions, start};

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

/// What came of running one case.
#[derive(Debug)]
pub struct Gathered {
    pub evidence: Result<Evidence, GatherError>,
    /// Of each node that has output, and each broker in a container: its name and its last lines.
    pub logs: Vec<(String, Vec<String>)>,
}

/// Runs one case and comes back with what was seen; nothing is left running.
///
/// What is missing is waited for until the scenario's timeout after the last answer; starting the nodes has
/// deadlines of its own.
pub async fn gather(plan: Arc<Plan>, options: &RuntimeOptions) -> Gathered {
    let recorder = Recorder::new(options.captures, options.keep_raw);
    let running = match start::start(plan.clone(), options, recorder.clone()).await {
        Ok(running) => running,
        Err(error) => {
            let log = error.log().map(|(node, lines)| (node.to_owned(), lines.to_vec()));
            return Gathered { evidence: Err(error.into()), logs: log.into_iter().collect() };
        }
    };
    let told = tokio::select! {
        biased;
        error = running.died() => Err(error.into()),
        told = tell(&plan, &running, &recorder) => told,
    };
    running.stop().await;
    // Only now: what a node exports at its end is evidence too, be it that its flush was none.
    let evidence = told.map(|mut evidence| {
        let collected = running.collect();
        (evidence.spans, evidence.logs) = (collected.spans, collected.logs);
        evidence.gaps.extend(running.broker_gaps());
        evidence
    });
    Gathered { evidence, logs: running.logs() }
}

async fn tell(plan: &Arc<Plan>, running: &Running, recorder: &Recorder) -> Result<Evidence, GatherError> {
    let driver = Driver::new(plan.clone(), running.addresses().clone(), recorder.clone())?;
    let exchanges = driver.drive_all(|_| {}).await;
    let deadline = Instant::now() + plan.scenario.timeout;
    let story = Story { plan, running, recorder, exchanges: &exchanges, deadline };
    let completions = completion::complete(&story).await;
    let (captures, gaps) = recorder.freeze();
    Ok(Evidence {
        captures,
        exchanges,
        completions,
        gaps,
        tap_ports: running.tap_ports(),
        ..Evidence::default()
    })
}
