//! When the evidence is complete: nothing sleeps for the system to settle, and a late span cannot change a
//! verdict.
//!
//! When every stimulus is answered, the nodes are asked to flush, callers before those they call. A relay
//! answers when nothing is under way in it, so it can be asked at once. Any other node is asked when it owes
//! no crossing any more, or at the deadline. What a flush proves nothing about, because spans still arrive by
//! themselves, is waited for until the deadline; only nodes without any flush cost one quiet window, once for
//! all.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::due;
use crate::crossings::Crossings;
use crate::evidence::{Completion, Evidence, Exchange, Recorder};
use crate::plan::broker::MessageSource;
use crate::plan::{Plan, Subscription};
use crate::runtime::running::{Running, Shows};
use crate::scenario::NodeIx;

/// How long a program that flushes when it is stopped may take to show whether it also exports by itself, and
/// how long after a batch another may follow: many times the delay that nodes are given.
const EXPORTS_WITHIN: Duration = Duration::from_secs(2);
/// Nothing may arrive for this long before nodes without a flush are thought complete.
const QUIET: Duration = Duration::from_millis(500);
/// What a flush may take when the deadline has already passed.
const FLUSH_WITHIN: Duration = Duration::from_secs(10);
/// A flush that came before a span had ended is repeated after this long, the next one after twice that, and so on.
const LATE: Duration = Duration::from_millis(10);
/// How often: about two thirds of a second in all, and only where a span is missing.
const LATE_FLUSHES: usize = 6;
/// How long a tap may take to read what is there already, when the deadline has passed.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(2);
/// Nodes in a circle may call each other after they were flushed; then they are flushed again, so often at most.
const ROUNDS: usize = 8;

/// One story whose stimuli are answered.
pub(super) struct Story<'a> {
    pub(super) plan: &'a Plan,
    pub(super) running: &'a Running,
    pub(super) recorder: &'a Recorder,
    pub(super) exchanges: &'a [Exchange],
    pub(super) deadline: Instant,
}

/// For each node why what it exported is thought complete.
pub(super) async fn complete(story: &Story<'_>) -> Vec<Completion> {
    let nodes = &story.plan.scenario.nodes;
    let mut completions: Vec<Completion> = (0..nodes.len())
        .map(|ix| match story.running.shows(NodeIx(ix)) {
            Shows::NoneDue => Completion::NothingDue,
            _ => Completion::Unknown("no hop reaches it".to_owned()),
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
    completions
}

impl Story<'_> {
    /// Flushes nodes side by side; one that has ended cannot be asked again.
    async fn flush(&self, level: &[NodeIx], completions: &mut [Completion]) {
        self.messages_settled(level).await;
        let shows = |node: &NodeIx| self.running.shows(*node);
        let asked = |node: &NodeIx| matches!(completions[node.0], Completion::Stopped { .. });
        let busy: Vec<NodeIx> =
            level.iter().copied().filter(|node| shows(node) != Shows::Idle && !asked(node)).collect();
        if !busy.is_empty() {
            let idle =
                |seen: &Crossings<'_>| !due::crossings_due(seen, &busy) && !due::under_way(seen, &busy);
            self.until(self.deadline, idle).await;
        }
        let ending: Vec<NodeIx> =
            level.iter().copied().filter(|node| shows(node) == Shows::Ending && !asked(node)).collect();
        if !ending.is_empty() {
            self.await_own_exports(&ending).await;
        }
        let flushed = level.iter().filter(|node| {
            let first = matches!(completions[node.0], Completion::Unknown(_));
            match shows(node) {
                Shows::Idle | Shows::Exported => true,
                Shows::Ending => first,
                Shows::Nothing | Shows::NoneDue => false,
            }
        });
        let until = self.deadline.max(Instant::now() + FLUSH_WITHIN);
        let flushed = flushed.map(|node| async move { (*node, self.running.flush(*node, until).await) });
        for (node, completion) in join_all(flushed).await {
            completions[node.0] = completion;
        }
        let exporting: Vec<NodeIx> =
            level.iter().copied().filter(|node| shows(node) == Shows::Exported).collect();
        self.flush_what_ends_late(&exporting, completions).await;
    }

    /// Until every message on its way to these nodes is processed or given up, or the deadline.
    async fn messages_settled(&self, nodes: &[NodeIx]) {
        if self.plan.brokers.is_empty() {
            return;
        }
        let reads_kafka =
            |subscription: &Subscription| matches!(subscription.source, MessageSource::Kafka { .. });
        if nodes.iter().any(|node| self.plan.subscriptions[node.0].iter().any(reads_kafka)) {
            self.running.caught_up(self.deadline.max(Instant::now() + CAUGHT_UP_WITHIN)).await;
        }
        let messages = due::Messages::to(self.plan, nodes);
        let (mut captures, mut exports) = (self.recorder.watch(), self.running.watch());
        let settled = async {
            loop {
                captures.mark_unchanged();
                exports.mark_unchanged();
                if !self.recorder.look(|captures| messages.are_due(captures)) {
                    return;
                }
                tokio::select! {
                    Ok(()) = captures.changed() => {}
                    // A consumer may commit long after it has processed: its spans show that, too.
                    Ok(()) = exports.changed() => {
                        let seen = self.seen();
                        if due::messages_have_spans(&Crossings::pair(self.plan, &seen), nodes) {
                            return;
                        }
                    }
                    else => return,
                }
            }
        };
        // At the deadline what was not delivered is judged undelivered.
        let _ = timeout_at(self.deadline, settled).await;
    }

    /// A service may end a span after it has answered, and a flush exports only what has ended: what is still due is
    /// asked for again, in ever longer intervals, until it is there or nobody believes in it any more.
    async fn flush_what_ends_late(&self, nodes: &[NodeIx], completions: &mut [Completion]) {
        let all = |seen: &Crossings<'_>| !nodes.iter().any(|node| due::spans_due(seen, *node));
        let mut late = LATE;
        for _ in 0..LATE_FLUSHES {
            if nodes.is_empty() || self.until(Instant::now() + late, all).await {
                return;
            }
            let until = Instant::now() + FLUSH_WITHIN;
            let flushed =
                nodes.iter().map(|node| async move { (*node, self.running.flush(*node, until).await) });
            for (node, completion) in join_all(flushed).await {
                completions[node.0] = completion;
            }
            late *= 2;
        }
    }

    /// A program may die of its stop signal with spans unsent: those that it exports by itself are waited for
    /// first.
    async fn await_own_exports(&self, nodes: &[NodeIx]) {
        let first = self.deadline.min(Instant::now() + EXPORTS_WITHIN);
        let begun = |seen: &Crossings<'_>| {
            nodes.iter().all(|node| due::has_exported(seen, *node) || !due::spans_due(seen, *node))
        };
        self.until(first, begun).await;
        let mut exports = self.running.watch();
        loop {
            exports.mark_unchanged();
            let seen = self.seen();
            let seen = Crossings::pair(self.plan, &seen);
            let owes = |node: &NodeIx| due::has_exported(&seen, *node) && due::spans_due(&seen, *node);
            let next = self.deadline.min(Instant::now() + EXPORTS_WITHIN);
            if !nodes.iter().any(owes) || next <= Instant::now() {
                return;
            }
            if timeout_at(next, exports.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Whether a request of a node ended after the node was asked to flush.
    fn flushed_too_early(&self, completions: &[Completion]) -> bool {
        self.recorder.look(|captures| {
            captures.iter().any(|capture| {
                let tap = self.plan.tap(capture.tap);
                let ended = capture.ended_nanos.unwrap_or(u64::MAX);
                [tap.from, tap.to].iter().any(|node| match &completions[node.0] {
                    Completion::Flushed { asked_nanos, .. } => *asked_nanos < ended,
                    _ => false,
                })
            })
        })
    }

    /// Nodes that cannot show anything: what is due from them arrives, and then nothing more for a while.
    async fn fall_quiet(&self, completions: &mut [Completion]) {
        let nodes: Vec<NodeIx> = (0..completions.len())
            .map(NodeIx)
            .filter(|node| self.running.shows(*node) == Shows::Nothing)
            .collect();
        if nodes.is_empty() {
            return;
        }
        let arrived = |seen: &Crossings<'_>| nodes.iter().all(|node| !due::spans_due(seen, *node));
        self.until(self.deadline, arrived).await;
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

    /// Waits until `holds` is true of what was seen, or the deadline; looks again whenever anything was seen.
    /// False when the deadline came first.
    async fn until(&self, deadline: Instant, holds: impl Fn(&Crossings<'_>) -> bool) -> bool {
        let mut captures = self.recorder.watch();
        let mut exports = self.running.watch();
        let holding = async {
            loop {
                captures.mark_unchanged();
                exports.mark_unchanged();
                if holds(&Crossings::pair(self.plan, &self.seen())) {
                    return true;
                }
                tokio::select! {
                    Ok(()) = captures.changed() => {}
                    Ok(()) = exports.changed() => {}
                    else => return false,
                }
            }
        };
        // At the deadline what is missing is judged missing.
        timeout_at(deadline, holding).await.unwrap_or(false)
    }

    /// The evidence so far.
    fn seen(&self) -> Evidence {
        let (captures, _) = self.recorder.freeze();
        let spans = self.running.collect().spans;
        Evidence { captures, spans, exchanges: self.exchanges.to_vec(), ..Evidence::default() }
    }
}
