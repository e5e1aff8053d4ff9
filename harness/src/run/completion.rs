//! Decides when the evidence is complete: nothing sleeps for the system to settle, and a late span cannot change a
//! verdict.
//!
//! When every stimulus is answered, the nodes are asked to flush, callers before those they call. A relay answers when
//! it is idle, so it is asked at once. Any other node is asked when no node can cause a call to it any more and it owes
//! no crossing itself, or at the deadline; nodes that call each other in a circle are stopped together. Spans that
//! arrive without a flush are waited for until the deadline. Only nodes that cannot flush cost one quiet window, which
//! all of them share. Nothing is waited for from a node that has died. A node whose exports a canary has shown to be
//! complete (`canary`) costs no wait and no quiet window.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::completion_state::{has_ended, unknown, with_canary};
use super::due::{self, Condition};
use super::waiting::WaitLines;
use crate::crossings::Crossings;
use crate::evidence::{Completion, Evidence, Exchange, Recorder};
use crate::plan::broker::MessageSource;
use crate::plan::{Plan, Stimulus, Subscription};
use crate::runtime::deaths::Deaths;
use crate::runtime::running::{FlushProof, RunningCase, Telemetry};
use crate::scenario::NodeIx;

/// The time within which a program that flushes when it is stopped shows whether it also exports by itself, and within
/// which another batch may follow. It is many times the export delay that nodes are given.
const EXPORTS_WITHIN: Duration = Duration::from_secs(2);
/// Nodes that cannot flush are complete when nothing has arrived for this long.
const QUIET: Duration = Duration::from_millis(500);
/// The time that a flush may take after the deadline.
const FLUSH_WITHIN: Duration = Duration::from_secs(10);
/// A flush that came before a span had ended is repeated after this long, the next one after twice that, and so on.
const FIRST_REPEAT: Duration = Duration::from_millis(10);
/// The number of repeats: about two thirds of a second in all, and only where a span is missing.
const REPEATS: usize = 6;
/// The time that a tap may take to read what a broker already has, after the deadline.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(2);
/// Nodes in a circle may call each other after they were flushed. They are flushed again, at most this often.
const ROUNDS: usize = 8;

/// The time that a node has to end after its stop signal when a canary has shown that its exports are complete.
const LAST_CHANCE: Duration = Duration::from_secs(2);

/// One story whose stimuli are answered.
pub(super) struct Story<'a> {
    /// The plan of the story.
    pub(super) declared: Arc<Plan>,
    /// The same with the canaries that were sent.
    pub(super) plan: Arc<Plan>,
    pub(super) running: &'a RunningCase,
    pub(super) recorder: &'a Recorder,
    pub(super) deaths: &'a Deaths,
    /// Those of the stimuli and of the canaries.
    pub(super) exchanges: Arc<[Exchange]>,
    /// For each node of the scenario what canaries prove; empty before they are sent.
    pub(super) proofs: Vec<Option<Completion>>,
    pub(super) deadline: Instant,
    pub(super) lines: WaitLines,
}

/// Waits until the evidence is complete, and returns for each node why its exports are complete.
pub(super) async fn complete(story: &Story<'_>) -> Vec<Completion> {
    let nodes = &story.plan.scenario.nodes;
    let mut completions: Vec<Completion> = (0..nodes.len())
        .map(|ix| match story.running.flush_proof(NodeIx(ix)) {
            FlushProof::NotDue => Completion::NothingDue,
            FlushProof::Idle | FlushProof::Exported | FlushProof::Exited | FlushProof::None => {
                Completion::Unknown("no hop reaches it".to_owned())
            }
        })
        .collect();
    for _ in 0..ROUNDS {
        for level in &story.plan.flush_order {
            story.flush(level, &mut completions).await;
        }
        if !story.flushed_too_early(&completions) {
            break;
        }
    }
    let stubs: Vec<NodeIx> = (0..nodes.len()).map(NodeIx).collect();
    story.messages_settled(&stubs).await;
    story.fall_quiet(&mut completions).await;
    story.deaths.complete(&mut completions);
    completions
}

impl Story<'_> {
    /// Flushes nodes in parallel. A node that has ended is not asked again.
    async fn flush(&self, level: &[NodeIx], completions: &mut [Completion]) {
        self.messages_settled(level).await;
        let alive: Vec<NodeIx> =
            self.alive(level).into_iter().filter(|node| !has_ended(completions, *node)).collect();
        let idle = self.with_proof(&alive, FlushProof::Idle);
        let ending = self.with_proof(&alive, FlushProof::Exited);
        let exporting = self.with_proof(&alive, FlushProof::Exported);
        let busy: Vec<NodeIx> = alive.iter().copied().filter(|node| !idle.contains(node)).collect();
        self.until_idle(&busy, &idle, completions).await;
        let (ordered, unproven): (Vec<NodeIx>, Vec<NodeIx>) =
            ending.iter().copied().partition(|node| self.is_ordered(*node));
        if !unproven.is_empty() {
            self.await_own_exports(&unproven).await;
        }
        let first = unknown(&unproven, completions);
        let flushed: Vec<NodeIx> = idle.iter().chain(&exporting).chain(&first).copied().collect();
        let last_chance = unknown(&ordered, completions);
        let flushes = self.flushes(&flushed, self.flush_deadline());
        let (flushes, stops) =
            tokio::join!(flushes, self.flushes(&last_chance, Instant::now() + LAST_CHANCE));
        for (node, completion) in flushes.into_iter().chain(stops) {
            completions[node.0] = completion;
        }
        self.flush_late_spans(&exporting, completions).await;
    }

    /// Returns whether a canary has shown that the exports of a node are complete.
    fn is_ordered(&self, node: NodeIx) -> bool {
        matches!(self.proofs.get(node.0), Some(Some(Completion::Ordered { .. })))
    }

    /// Waits until these nodes owe nothing, after the relays that call them have become idle.
    pub(super) async fn settled(&self, nodes: &[NodeIx]) {
        for level in &self.plan.flush_order {
            if level.iter().any(|node| nodes.contains(node)) {
                break;
            }
            let idle = self.with_proof(&self.alive(level), FlushProof::Idle);
            self.flushes(&idle, self.deadline).await;
        }
        self.messages_settled(nodes).await;
        self.until(self.deadline, Condition::NothingOwed(nodes.to_vec())).await;
    }

    /// Adds canaries to the plan of what is paired.
    pub(super) fn add(&mut self, canaries: &[Stimulus]) {
        self.plan = Arc::new(self.plan.with_canaries(canaries));
    }

    pub(super) fn add_exchanges(&mut self, exchanges: Vec<Exchange>) {
        self.exchanges = self.exchanges.iter().cloned().chain(exchanges).collect();
    }

    /// Waits until nodes that may call each other in a circle owe nothing, whether relays or programs.
    async fn until_idle(&self, busy: &[NodeIx], relays: &[NodeIx], completions: &mut [Completion]) {
        if busy.is_empty() {
            return;
        }
        for _ in 0..ROUNDS {
            self.until(self.deadline, Condition::NothingOwed(busy.to_vec())).await;
            if relays.is_empty() {
                return;
            }
            // A relay answers when it is idle. What it has called until then may owe something again.
            self.flush_all(relays, self.flush_deadline(), completions).await;
            if !self.flushed_too_early(completions) {
                return;
            }
        }
    }

    fn flush_deadline(&self) -> Instant {
        self.deadline.max(Instant::now() + FLUSH_WITHIN)
    }

    fn with_proof(&self, nodes: &[NodeIx], proof: FlushProof) -> Vec<NodeIx> {
        nodes.iter().copied().filter(|node| self.running.flush_proof(*node) == proof).collect()
    }

    /// Returns the nodes that have not died.
    pub(super) fn alive(&self, nodes: &[NodeIx]) -> Vec<NodeIx> {
        let dead = self.deaths.nodes();
        nodes.iter().copied().filter(|node| !dead.contains(node)).collect()
    }

    async fn flush_all(&self, nodes: &[NodeIx], until: Instant, completions: &mut [Completion]) {
        for (node, completion) in self.flushes(nodes, until).await {
            completions[node.0] = completion;
        }
    }

    async fn flushes(&self, nodes: &[NodeIx], until: Instant) -> Vec<(NodeIx, Completion)> {
        let flushes = nodes.iter().map(|node| async move {
            let name = &self.plan.scenario.node(*node).name;
            let words = async { Some(format!("for `{name}` to export its spans and end or answer")) };
            let completion = self.lines.during(self.running.flush(*node, until), words, until).await;
            let proof = self.proofs.get(node.0).and_then(Option::as_ref);
            (*node, with_canary(completion, proof))
        });
        join_all(flushes).await
    }

    /// Waits until every message on its way to these nodes is processed or given up, or the deadline.
    async fn messages_settled(&self, nodes: &[NodeIx]) {
        if self.plan.brokers.is_empty() {
            return;
        }
        let reads_kafka =
            |subscription: &Subscription| matches!(subscription.source, MessageSource::Kafka { .. });
        if nodes.iter().any(|node| self.plan.subscriptions[node.0].iter().any(reads_kafka)) {
            self.running.caught_up(self.deadline.max(Instant::now() + CAUGHT_UP_WITHIN)).await;
        }
        let (mut captures, mut exports) = (self.recorder.watch(), self.running.watch());
        let mut deaths = self.deaths.watch();
        let settled = async {
            loop {
                captures.mark_unchanged();
                exports.mark_unchanged();
                deaths.mark_unchanged();
                let messages = due::MessageHops::to(&self.plan, &self.alive(nodes));
                if !self.recorder.look(|captures| messages.are_due(captures)) {
                    return;
                }
                tokio::select! {
                    Ok(()) = captures.changed() => {}
                    Ok(()) = deaths.changed() => {}
                    // A consumer may commit long after it has processed a message. Its spans show that earlier.
                    Ok(()) = exports.changed() => {
                        if self.holds(&Condition::MessagesHaveSpans(nodes.to_vec())).await {
                            return;
                        }
                    }
                    else => return,
                }
            }
        };
        // A message that is not delivered by the deadline is judged as undelivered.
        let words = async { Some("for messages to be processed (`timeout:` says how long)".to_owned()) };
        let _ = self.lines.during(timeout_at(self.deadline, settled), words, self.deadline).await;
    }

    /// Repeats the flush while spans are missing. A service may end a span after it has answered, and a flush exports
    /// only spans that have ended.
    async fn flush_late_spans(&self, nodes: &[NodeIx], completions: &mut [Completion]) {
        let mut pause = FIRST_REPEAT;
        for _ in 0..REPEATS {
            let all_arrived = Condition::SpansArrived(nodes.to_vec());
            if nodes.is_empty() || self.until(Instant::now() + pause, all_arrived).await {
                return;
            }
            self.flush_all(nodes, Instant::now() + FLUSH_WITHIN, completions).await;
            pause *= 2;
        }
    }

    /// Waits for the spans that programs export by themselves: the stop signal may end them with spans unsent.
    async fn await_own_exports(&self, nodes: &[NodeIx]) {
        let first = self.deadline.min(Instant::now() + EXPORTS_WITHIN);
        self.until(first, Condition::ExportsBegan(nodes.to_vec())).await;
        let nothing_owed = Condition::BegunExportsArrived(nodes.to_vec());
        let mut exports = self.running.watch();
        loop {
            exports.mark_unchanged();
            let nothing_is_owed = self.holds(&nothing_owed).await;
            let next = self.deadline.min(Instant::now() + EXPORTS_WITHIN);
            if nothing_is_owed || next <= Instant::now() {
                return;
            }
            if timeout_at(next, exports.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Returns whether a request of a node ended after the node was asked to flush.
    fn flushed_too_early(&self, completions: &[Completion]) -> bool {
        let first_sent = due::first_sent_nanos(&self.exchanges);
        self.recorder.look(|captures| {
            captures.iter().filter(|capture| capture.begun_nanos >= first_sent).any(|capture| {
                let tap = self.plan.tap(capture.tap);
                let ended = capture.ended_nanos.unwrap_or(u64::MAX);
                [tap.from, tap.to].iter().any(|node| match &completions[node.0] {
                    Completion::Flushed { asked_nanos, .. } => *asked_nanos < ended,
                    Completion::NothingDue
                    | Completion::Stopped { .. }
                    | Completion::Ordered { .. }
                    | Completion::Quiet { .. }
                    | Completion::Unknown(_) => false,
                })
            })
        })
    }

    /// Waits for the spans of nodes that cannot flush, and then until nothing has arrived for a while.
    async fn fall_quiet(&self, completions: &mut [Completion]) {
        let all: Vec<NodeIx> = (0..completions.len()).map(NodeIx).collect();
        let (ordered, nodes): (Vec<NodeIx>, Vec<NodeIx>) =
            self.with_proof(&all, FlushProof::None).into_iter().partition(|node| self.is_ordered(*node));
        for node in ordered {
            completions[node.0] = with_canary(completions[node.0].clone(), self.proofs[node.0].as_ref());
        }
        if nodes.is_empty() {
            return;
        }
        self.until(self.deadline, Condition::SpansArrived(nodes.clone())).await;
        let mut captures = self.recorder.watch();
        let mut exports = self.running.watch();
        loop {
            let since_nanos = self.recorder.now();
            let changed = async {
                tokio::select! {
                    changed = captures.changed() => changed,
                    changed = exports.changed() => changed,
                }
            };
            match timeout_at(Instant::now() + QUIET, changed).await {
                Ok(Ok(())) if Instant::now() < self.deadline => {}
                Err(_) => {
                    nodes.iter().for_each(|node| completions[node.0] = Completion::Quiet { since_nanos });
                    return;
                }
                Ok(_) => {
                    let what = "it was still exporting at the deadline".to_owned();
                    nodes.iter().for_each(|node| completions[node.0] = Completion::Unknown(what.clone()));
                    return;
                }
            }
        }
    }

    /// Waits until the condition holds, or the deadline, and looks again whenever something was seen. Returns false
    /// when the deadline came first.
    async fn until(&self, deadline: Instant, condition: Condition) -> bool {
        let words = async {
            let waits = condition.without(&self.deaths.nodes());
            self.look(move |seen, _| waits.words(seen)).await.flatten()
        };
        self.lines.during(self.until_holds(deadline, &condition), words, deadline).await
    }

    async fn until_holds(&self, deadline: Instant, condition: &Condition) -> bool {
        let (mut captures, mut exports) = (self.recorder.watch(), self.running.watch());
        let mut deaths = self.deaths.watch();
        loop {
            captures.mark_unchanged();
            exports.mark_unchanged();
            deaths.mark_unchanged();
            if self.holds(condition).await {
                return true;
            }
            let changed = async {
                tokio::select! {
                    Ok(()) = captures.changed() => true,
                    Ok(()) = exports.changed() => true,
                    Ok(()) = deaths.changed() => true,
                    else => false,
                }
            };
            // What is missing at the deadline is judged as missing.
            if !timeout_at(deadline, changed).await.unwrap_or(false) {
                return false;
            }
        }
    }

    /// Returns whether the condition holds of the evidence so far.
    ///
    /// All of it is paired again, on a thread for blocking work: other cases continue meanwhile. The caller waits for
    /// the answer before it asks again, so what arrives in a burst is paired once, and at most one pairing is under
    /// way.
    async fn holds(&self, condition: &Condition) -> bool {
        let condition = condition.without(&self.deaths.nodes());
        // Without an answer the runtime shuts down, and nobody waits.
        self.look(move |seen, _| condition.holds(seen)).await.unwrap_or(false)
    }

    /// Returns what `look` says of the evidence so far, or `None` when the runtime shuts down.
    pub(super) async fn look<R: Send + 'static>(
        &self,
        look: impl FnOnce(&Crossings<'_>, &Telemetry) -> R + Send + 'static,
    ) -> Option<R> {
        let (plan, recorder) = (self.plan.clone(), self.recorder.clone());
        let (telemetry, exchanges) = (self.running.telemetry(), self.exchanges.clone());
        let pairing = tokio::task::spawn_blocking(move || {
            let (captures, _) = recorder.freeze();
            let spans = telemetry.collect().spans;
            let seen = Evidence { captures, spans, exchanges: exchanges.to_vec(), ..Evidence::default() };
            look(&Crossings::pair(&plan, &seen), &telemetry)
        });
        match pairing.await {
            Ok(answer) => Some(answer),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => None,
            },
        }
    }
}
