//! From a plan to evidence: start the nodes, drive, wait until the evidence is complete, freeze it, stop.

use std::sync::Arc;

use thiserror::Error;
use tokio::time::Instant;

use super::canary;
use super::completion::{self, Story};
use super::descriptor_budget::{self, DescriptorShortage};
use super::late_groups;
use super::waiting::WaitLines;
use crate::descriptors;
use crate::driver::{Driver, DriverError};
use crate::evidence::{Completion, Evidence, Gap, GapPlace, Recorder};
use crate::masking::FieldMask;
use crate::plan::broker::GroupPartition;
use crate::plan::{Plan, Stimulus};
use crate::runtime::deaths::Deaths;
use crate::runtime::running::RunningCase;
use crate::runtime::{NodeError, RuntimeError, RuntimeOptions, start};

/// The reason why a case could not run.
#[derive(Debug, Error)]
pub enum GatherError {
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Driver(#[from] DriverError),
    #[error(transparent)]
    Descriptors(#[from] DescriptorShortage),
    #[error(
        "this process ran out of file descriptors during the case (its limit is {0}): raise the limit with `ulimit -n`, \
         or run fewer cases in parallel with `--jobs`"
    )]
    RanOut(u64),
}

impl GatherError {
    /// Returns the last output lines of the node that caused the error.
    pub fn lines(&self) -> &[String] {
        match self {
            GatherError::Runtime(error) => error.lines(),
            GatherError::Driver(_) | GatherError::Descriptors(_) | GatherError::RanOut(_) => &[],
        }
    }
}

/// The evidence of one case and the output of its nodes.
#[derive(Debug)]
pub struct GatheredCase {
    pub evidence: Result<Evidence, GatherError>,
    /// The name and the last lines of each node that printed something, and of each broker in a container.
    pub logs: Vec<(String, Vec<String>)>,
}

/// Runs one case and returns its evidence. No process of the case is left running.
///
/// A node that ends during the run is a gap of the evidence; one that ends before the first stimulus is an error.
/// Missing evidence is waited for until the timeout of the scenario after the last answer. Starting the nodes has
/// deadlines of its own.
pub async fn gather(plan: Arc<Plan>, options: &RuntimeOptions, lines: &WaitLines) -> GatheredCase {
    if let Err(shortage) = descriptor_budget::check(&plan.scenario) {
        return GatheredCase { evidence: Err(shortage.into()), logs: Vec::new() };
    }
    let run_out_before = descriptors::times_run_out();
    let recorder = Recorder::masking(options.captures, options.keep_raw, options.mask.clone());
    let running = match start::start(plan.clone(), options, recorder.clone()).await {
        Ok(running) => running,
        Err(error) => {
            let log = error.log().map(|(node, lines)| (node.to_owned(), lines.to_vec()));
            return GatheredCase { evidence: Err(error.into()), logs: log.into_iter().collect() };
        }
    };
    let deaths = Deaths::default();
    let evidence = tokio::select! {
        biased;
        never = running.record_deaths(&deaths) => match never {},
        evidence = drive(&plan, &running, &recorder, &deaths, lines) => evidence,
    };
    let collectors = running.stop().await;
    let evidence = match evidence {
        Ok(_) if descriptors::times_run_out() > run_out_before => {
            Err(GatherError::RanOut(descriptors::limit()))
        }
        evidence => evidence,
    };
    // A node may export at its end, and that is evidence too: read the telemetry only now.
    let evidence = evidence.map(|(mut evidence, canaries)| {
        let collected = running.collect();
        (evidence.spans, evidence.logs) = (collected.spans, collected.logs);
        evidence.gaps.extend(collected.gaps);
        evidence.collector_spans = running.collector_spans();
        evidence.gaps.extend(running.collector_gaps());
        for (node, completion) in collectors {
            if let Completion::Unknown(why) = &completion
                && !deaths.nodes().contains(&node)
            {
                let (what, lines) = (why.clone(), running.lines(node));
                evidence.gaps.push(Gap { place: GapPlace::Node(node), what, lines });
            }
            evidence.completions[node.0] = completion;
        }
        evidence.gaps.extend(running.broker_gaps());
        evidence.masked_baggage = masked_baggage(&plan, &options.mask);
        canary::without_canaries(&plan, &canaries, evidence)
    });
    GatheredCase { evidence, logs: running.logs() }
}

/// Returns the baggage of each stimulus as the evidence has it, if baggage is masked.
fn masked_baggage(plan: &Plan, mask: &FieldMask) -> Option<Vec<Vec<Vec<u8>>>> {
    let masked = |line: &Vec<u8>| mask.masked(b"baggage", line).unwrap_or_default();
    let lists = plan.stimuli.iter().map(|stimulus| stimulus.sent.baggage.iter().map(masked).collect());
    mask.masks_baggage().then(|| lists.collect())
}

/// Waits until every consumer group of the scenario has a position, a node has died, or the timeout. Returns the
/// partitions without one.
async fn until_groups_read(plan: &Plan, running: &RunningCase, deaths: &Deaths) -> Vec<GroupPartition> {
    let mut died = deaths.watch();
    tokio::select! {
        late = running.groups_read(Instant::now() + plan.scenario.timeout) => late,
        _ = died.wait_for(|count| *count > 0) => Vec::new(),
    }
}

/// Sends all stimuli, and canaries where they are needed, and waits until the evidence is complete. Returns the
/// evidence and the canaries.
async fn drive(
    plan: &Arc<Plan>,
    running: &RunningCase,
    recorder: &Recorder,
    deaths: &Deaths,
    lines: &WaitLines,
) -> Result<(Evidence, Vec<Stimulus>), GatherError> {
    let driver = Driver::new(plan.clone(), running.addresses().clone(), recorder.clone())?;
    let ready_by = Instant::now() + plan.scenario.timeout;
    let groups =
        async { Some("for consumer groups to read their topics (`timeout:` says how long)".to_owned()) };
    let late = lines.during(until_groups_read(plan, running, deaths), groups, ready_by).await;
    // Without a first stimulus there is no evidence; a later death is a part of it.
    if let Some(death) = deaths.first() {
        return Err(RuntimeError::from(NodeError::from(death)).into());
    }
    let preflights = driver.preflights().await;
    let exchanges = driver.drive_all(|_| {}).await;
    let deadline = Instant::now() + plan.scenario.timeout;
    let exchanges = Arc::from(exchanges);
    let mut story = Story {
        declared: plan.clone(),
        plan: plan.clone(),
        running,
        recorder,
        deaths,
        exchanges,
        proofs: Vec::new(),
        deadline,
        lines: lines.clone(),
    };
    let canaries = canary::send(&mut story, &driver).await;
    let completions = completion::complete(&story).await;
    let (captures, mut gaps) = recorder.freeze();
    gaps.extend(late_groups::gaps(&late, &captures));
    gaps.extend(deaths.gaps());
    let evidence = Evidence {
        captures,
        exchanges: story.exchanges.to_vec(),
        preflights,
        completions,
        gaps,
        tap_ports: running.tap_ports(),
        ..Evidence::default()
    };
    Ok((evidence, canaries))
}
