//! Canaries: further sampled requests after the story, which show that services without a flush have exported what they
//! ended before.
//!
//! An exporter sends spans in the order in which they ended. When all spans of a request that was sent after the story
//! have arrived from a process, this process has exported everything that it ended before, or never will. This holds
//! for each process whose exports are in order. Where a process is not reached, where spans come out of order, or where
//! nothing comes of the further request, nothing is proved, and the reason is kept.
//!
//! Canaries are not judged: `removal` takes out what belongs to them before the evidence is frozen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until, timeout_at};

use self::choice::Choice;
use self::doubt::Doubt;
use self::report::{CanaryNode, NodeReport, RoundStimuli};
use super::completion::Story;
use crate::driver::Driver;
use crate::evidence::{Completion, Exchange};
use crate::plan::Stimulus;
use crate::rules::wording;
use crate::runtime::running::FlushProof;
use crate::scenario::NodeIx;

mod choice;
mod doubt;
mod order;
mod removal;
mod report;

pub(super) use removal::without_canaries;

/// A span that did not come within this time after the answer is not waited for, unless the scenario sets the delay of
/// the exporter. It is many times the delay that nodes are given.
const SPANS_WITHIN: Duration = Duration::from_secs(2);
/// Another canary is sent when nothing of the first one came within this time: a sampler may have dropped it.
const NOTHING_WITHIN: Duration = Duration::from_secs(1);
/// The number of canaries that are sent at once when nothing of the first one came.
const AFTER_NOTHING: usize = 3;
/// The most canaries that are sent at once, to reach every process of a node.
const AT_ONCE: usize = 8;
/// The number of rounds: each reason for a further one occurs once, and more processes may show with each.
const ROUNDS: usize = 6;
/// The time, beside three times the longest that an export took, before the last canary where a verdict would rest on a
/// span that is missing: one that is held back, or ends after its answer, comes before the spans of this canary.
const MARGIN: Duration = Duration::from_millis(200);
/// The variable by which a scenario sets the delay of an exporter.
const SCHEDULE_DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";

/// A node for which canaries are sent, and what was tried so far.
struct WatchedNode {
    node: NodeIx,
    /// The drive whose requests reach the node.
    drive: usize,
    /// The number of canaries of the next round.
    count: usize,
    /// The number of its processes that accept connections, where that can be seen.
    listening: Option<usize>,
    nothing_came: bool,
    /// The last canary was sent late enough for a verdict that rests on a missing span.
    waited: bool,
}

/// The canaries that were sent at once.
struct Round {
    asked_nanos: u64,
    answered: Instant,
    /// The drives whose canary was not answered as the drive expects, with the answer.
    refused: Vec<(usize, String)>,
    reports: Vec<NodeReport>,
}

/// Sends canaries for the nodes that cannot be asked to flush while they run, and notes what they prove. Returns them.
pub(super) async fn send(story: &mut Story<'_>, driver: &Driver) -> Vec<Stimulus> {
    let nodes = unproven(story);
    story.proofs = vec![None; story.plan.scenario.nodes.len()];
    let mut canaries = Vec::new();
    if nodes.is_empty() || !story.plan.scenario.drives.iter().any(choice::may_send) {
        return canaries;
    }
    story.settled(&nodes).await;
    let choice = story.look(move |seen, _| Choice::of(seen, &nodes)).await.unwrap_or_default();
    let mut open: Vec<WatchedNode> =
        choice.drives.iter().map(|(node, drive)| WatchedNode::new(story, *node, *drive)).collect();
    for _ in 0..ROUNDS {
        if open.is_empty() {
            break;
        }
        let round = round(story, driver, &open, &mut canaries).await;
        let mut further = Vec::new();
        let mut not_before = round.answered;
        for (mut watched, report) in open.into_iter().zip(&round.reports) {
            match watched.judge(report, &round) {
                Some(proof) => {
                    story.proofs[watched.node.0] = Some(watched.completion(story, report, proof, &round));
                }
                None => {
                    if watched.waited {
                        let lag = Duration::from_nanos(report.longest_lag_nanos);
                        not_before = not_before.max(round.answered + lag * 3 + MARGIN);
                    }
                    further.push(watched);
                }
            }
        }
        open = further;
        if !open.is_empty() {
            // No event shows that a held span will not come: only the time shows it, measured by those that came.
            sleep_until(not_before).await;
        }
    }
    for watched in open {
        story.proofs[watched.node.0] =
            Some(Completion::Unknown("too few of its processes were reached".to_owned()));
    }
    canaries
}

/// Returns the nodes that export and offer no flush while they run.
fn unproven(story: &Story<'_>) -> Vec<NodeIx> {
    let nodes: Vec<NodeIx> = (0..story.plan.scenario.nodes.len()).map(NodeIx).collect();
    let alive = story.alive(&nodes).into_iter();
    alive
        .filter(|node| match story.running.flush_proof(*node) {
            FlushProof::Exited | FlushProof::None => true,
            FlushProof::Idle | FlushProof::Exported | FlushProof::NotDue => false,
        })
        .collect()
}

impl WatchedNode {
    fn new(story: &Story<'_>, node: NodeIx, drive: usize) -> WatchedNode {
        let listening = story.running.listening_processes(node);
        WatchedNode { node, drive, count: 1, listening, nothing_came: false, waited: false }
    }

    /// Returns what a round proves: nothing wrong, or a doubt that stays. `None` asks for a further round.
    fn judge(&mut self, report: &NodeReport, round: &Round) -> Option<Result<(), Doubt>> {
        if let Some((_, answer)) = round.refused.iter().find(|(drive, _)| *drive == self.drive) {
            return Some(Err(Doubt::Refused { answer: answer.clone() }));
        }
        let doubt = match doubt::of(report, self.listening) {
            Some(Doubt::Nothing) if !self.nothing_came => {
                self.nothing_came = true;
                self.count = self.count.max(AFTER_NOTHING);
                return None;
            }
            Some(Doubt::Processes { expected, .. } | Doubt::Connections { expected, .. })
                if self.count < AT_ONCE.min(expected * 2) =>
            {
                self.count = AT_ONCE.min(expected * 2);
                return None;
            }
            Some(doubt) => Some(doubt),
            None if report.rests_on_absence && !self.waited => {
                self.waited = true;
                self.count = self.count.max(order::AT_ONCE);
                return None;
            }
            None => None,
        };
        Some(doubt.map_or(Ok(()), Err))
    }

    fn completion(
        &self,
        story: &Story<'_>,
        report: &NodeReport,
        proof: Result<(), Doubt>,
        round: &Round,
    ) -> Completion {
        match proof {
            Ok(()) => Completion::Ordered {
                asked_nanos: round.asked_nanos,
                answered_nanos: story.recorder.now(),
                process: report.shown.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            },
            Err(doubt) => Completion::Unknown(doubt.words(story.declared.stimuli.len())),
        }
    }

    fn canary_node(&self) -> CanaryNode {
        CanaryNode { node: self.node, has_one_process: self.listening == Some(1) }
    }

    /// Returns whether the scenario sets the delay after which the node exports.
    fn sets_delay(&self, story: &Story<'_>) -> bool {
        story.plan.scenario.node(self.node).kind.sets_variable(SCHEDULE_DELAY)
    }
}

/// Sends the canaries of one round and waits until their spans have arrived, or no longer.
async fn round(
    story: &mut Story<'_>,
    driver: &Driver,
    open: &[WatchedNode],
    canaries: &mut Vec<Stimulus>,
) -> Round {
    let asked_nanos = story.recorder.now();
    let first = story.plan.stimuli.len();
    let mut sent = Vec::new();
    for drive in open.iter().map(|watched| watched.drive).collect::<BTreeSet<_>>() {
        let count = open.iter().filter(|watched| watched.drive == drive).map(|watched| watched.count).max();
        for _ in 0..count.unwrap_or_default() {
            sent.push(story.declared.canary(drive, canaries.len() + sent.len()));
        }
    }
    // The plan must know the canaries before their captures are paired.
    story.add(&sent);
    let exchanges = join_all(sent.iter().map(|canary| driver.send_planned(canary))).await;
    let refused = refused(story, &sent, &exchanges);
    story.add_exchanges(exchanges);
    canaries.extend(sent);
    let answered = Instant::now();
    let patient = open.iter().any(|watched| watched.sets_delay(story));
    let last = answered + SPANS_WITHIN;
    let wait = Wait {
        stimuli: RoundStimuli {
            story: story.declared.stimuli.len(),
            canaries: first..story.plan.stimuli.len(),
        },
        nothing: answered + NOTHING_WITHIN,
        deadline: if patient { last.max(story.deadline) } else { last },
    };
    let reports = reports(story, open, &wait).await;
    Round { asked_nanos, answered, refused, reports }
}

/// Returns the drives whose canary was not answered as the drive expects, with the answer.
fn refused(story: &Story<'_>, sent: &[Stimulus], exchanges: &[Exchange]) -> Vec<(usize, String)> {
    let mut refused = Vec::new();
    for (canary, exchange) in sent.iter().zip(exchanges) {
        if !choice::is_expected(&story.plan.scenario.drives[canary.drive], &exchange.answer) {
            refused.push((canary.drive, wording::answer(&exchange.answer)));
        }
    }
    refused
}

/// The time for which spans of the canaries of a round are waited for.
struct Wait {
    stimuli: RoundStimuli,
    /// Until when the first span of each node is waited for.
    nothing: Instant,
    deadline: Instant,
}

/// Waits until every canary of the round has shown all spans that are due, and returns what was seen of each node.
async fn reports(story: &Story<'_>, open: &[WatchedNode], wait: &Wait) -> Vec<NodeReport> {
    let nodes: Arc<[CanaryNode]> = open.iter().map(WatchedNode::canary_node).collect();
    let (mut captures, mut exports) = (story.recorder.watch(), story.running.watch());
    loop {
        captures.mark_unchanged();
        exports.mark_unchanged();
        let (asked, stimuli) = (nodes.clone(), wait.stimuli.clone());
        let seen = story.look(move |seen, telemetry| {
            let arrivals = telemetry.arrivals();
            asked.iter().map(|node| NodeReport::of(seen, &arrivals, *node, &stimuli)).collect::<Vec<_>>()
        });
        let seen = seen.await.unwrap_or_else(|| nodes.iter().map(|_| NodeReport::default()).collect());
        let nothing = seen.iter().any(NodeReport::is_empty);
        let until = if nothing { wait.deadline.min(wait.nothing) } else { wait.deadline };
        if seen.iter().all(NodeReport::is_complete) || Instant::now() >= until {
            return seen;
        }
        let changed = async {
            tokio::select! {
                Ok(()) = captures.changed() => {}
                Ok(()) = exports.changed() => {}
                else => std::future::pending().await,
            }
        };
        // What is missing at the deadline is missing in the report.
        let _ = timeout_at(until, changed).await;
    }
}
