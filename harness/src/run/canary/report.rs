//! The spans of one node after a round of canaries; pure, on the pairing that judging uses.
//!
//! A span is a canary's only where ids prove it: its parent or link is on the wire of the canary, or its own id is. A
//! span that merely fits may be one of the story that came late.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use super::order::{self, Disorder, Receipt};
use crate::crossings::{CarriedFields, CrossingRef, Crossings};
use crate::evidence::arrival::without_reconnections;
use crate::evidence::{ExportingProcess, Span, SpanArrival, SpanIx};
use crate::scenario::{HopIx, NodeIx, Relation};

/// The state of one node after a round.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeReport {
    /// The processes that exported all spans that are due for one of the canaries.
    pub(super) shown: BTreeSet<ExportingProcess>,
    /// A canary showed some of its spans and not all of them.
    pub(super) partial: bool,
    /// A canary of the round showed none of its spans.
    pub(super) silent: bool,
    /// A span is missing that the story does not show either: its library may not be instrumented.
    pub(super) excused: bool,
    /// The processes that exported anything in this case.
    pub(super) processes: BTreeSet<ExportingProcess>,
    /// The longest time from an answer to the arrival of its span.
    pub(super) longest_lag_nanos: u64,
    /// A crossing of the story has no span, so that a verdict on it rests on everything having come.
    pub(super) rests_on_absence: bool,
    pub(super) disorder: Option<Disorder>,
}

/// A span that is due from a node for a crossing: for what it received, or for what it sent.
struct DueSpan {
    kind: (HopIx, Direction),
    span: Option<SpanIx>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    Received,
    Sent,
}

/// The arrivals of the spans of one node, by the index of the span.
type Arrivals = BTreeMap<usize, SpanArrival>;

/// A node for which canaries are sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct CanaryNode {
    pub(super) node: NodeIx,
    /// One process of it accepts connections, so that another connection of its exporter is no other process.
    pub(super) has_one_process: bool,
}

impl CanaryNode {
    fn arrivals(self, seen: &Crossings<'_>, arrivals: &[SpanArrival]) -> Arrivals {
        let spans = seen.spans.of_node(self.node).iter();
        let own = spans.filter_map(|ix| Some((ix.0, arrivals.get(ix.0)?.clone()))).collect();
        if self.has_one_process { without_reconnections(own) } else { own }
    }
}

/// The stimuli of the story and the canaries of one round. Canaries of earlier rounds stand between them.
#[derive(Clone, Debug)]
pub(super) struct RoundStimuli {
    /// The number of stimuli of the story, which come first.
    pub(super) story: usize,
    pub(super) canaries: Range<usize>,
}

impl NodeReport {
    /// Returns what was seen of `node`. `arrivals` are those of all spans.
    pub(super) fn of(
        seen: &Crossings<'_>,
        arrivals: &[SpanArrival],
        node: CanaryNode,
        stimuli: &RoundStimuli,
    ) -> NodeReport {
        let arrivals = &node.arrivals(seen, arrivals);
        let node = node.node;
        let own = seen.iter().filter(|crossing| crossing.receiver() == node || crossing.sender() == node);
        let (story, canaries): (Vec<_>, Vec<_>) =
            own.partition(|crossing| crossing.stimulus_ix().0 < stimuli.story);
        let usual: HashSet<(HopIx, Direction)> = story
            .iter()
            .flat_map(|crossing| due_spans(*crossing, node))
            .filter(|due| due.span.is_some())
            .map(|due| due.kind)
            .collect();
        let mut report = NodeReport::default();
        for stimulus in stimuli.canaries.clone() {
            let of_canary = canaries.iter().filter(|crossing| crossing.stimulus_ix().0 == stimulus);
            let due: Vec<DueSpan> = of_canary.flat_map(|crossing| due_spans(*crossing, node)).collect();
            report.add_canary(&due, &usual, arrivals);
        }
        let receipts: Vec<Receipt> =
            story.iter().chain(&canaries).filter_map(|crossing| receipt(*crossing, node, arrivals)).collect();
        let spans: Vec<(&Span, &SpanArrival)> =
            arrivals.iter().map(|(ix, arrival)| (seen.spans.get(SpanIx(*ix)), arrival)).collect();
        report.processes = spans.iter().map(|(_, arrival)| arrival.process.clone()).collect();
        report.longest_lag_nanos = receipts.iter().map(Receipt::lag_nanos).max().unwrap_or_default();
        report.rests_on_absence = story.iter().any(|crossing| rests_on_absence(*crossing, node));
        report.disorder = order::late(&receipts)
            .or_else(|| order::by_trace(spans.iter().copied(), &receipts, stimuli.canaries.len()));
        report
    }

    /// Adds what one canary shows.
    fn add_canary(&mut self, due: &[DueSpan], usual: &HashSet<(HopIx, Direction)>, arrivals: &Arrivals) {
        let came = due.iter().filter_map(|due| Some(arrivals.get(&due.span?.0)?.process.clone()));
        let came: BTreeSet<ExportingProcess> = came.collect();
        if came.is_empty() {
            self.silent = true;
            return;
        }
        let missing = due.iter().filter(|due| due.span.is_none());
        let (owed, excused): (Vec<_>, Vec<_>) = missing.partition(|due| usual.contains(&due.kind));
        self.excused |= !excused.is_empty();
        if owed.is_empty() {
            self.shown.extend(came);
        } else {
            self.partial = true;
        }
    }

    /// Returns whether no canary of the round showed any span.
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty() && !self.partial
    }

    /// Returns whether every canary of the round has shown all spans that are due.
    pub(super) fn is_complete(&self) -> bool {
        !self.partial && !self.silent && !self.excused
    }
}

/// Returns the spans that are due from `node` for a crossing whose context is sampled.
fn due_spans(crossing: CrossingRef<'_>, node: NodeIx) -> impl Iterator<Item = DueSpan> {
    let received = if crossing.receiver() == node { received(crossing) } else { None };
    let sent = if crossing.sender() == node && crossing.sends_first() { sent(crossing) } else { None };
    received.into_iter().chain(sent)
}

fn sent(crossing: CrossingRef<'_>) -> Option<DueSpan> {
    let context = crossing.wire()?.context().filter(|context| context.flags.sampled())?;
    let spans = &crossing.all().spans;
    let span = crossing.named_span_ix();
    let span = span.filter(|ix| spans.get(*ix).trace_id == context.trace_id.as_bytes());
    Some(DueSpan { kind: (crossing.hop_ix(), Direction::Sent), span })
}

fn received(crossing: CrossingRef<'_>) -> Option<DueSpan> {
    let kind = (crossing.hop_ix(), Direction::Received);
    let relation = crossing.relation();
    if crossing.is_undelivered() {
        return Some(DueSpan { kind, span: None });
    }
    let span = certain_span(crossing);
    let sampled = match crossing.arrived() {
        Some(carried) => carried.context().is_some_and(|context| context.flags.sampled()),
        None => crossing.due().sampled == Some(true),
    };
    // A receiver that begins a trace decides again, and one without a link shows no id of what it received.
    let due = sampled && relation != Relation::None && !relation.receiver_begins();
    (due || span.is_some()).then_some(DueSpan { kind, span })
}

/// Returns the receiver's span of a crossing, where ids prove it.
fn certain_span(crossing: CrossingRef<'_>) -> Option<SpanIx> {
    let ix = crossing.receiver_span_ix()?;
    let span = crossing.receiver_span()?;
    let Some(carried) = crossing.arrived() else {
        return (span.trace_id == crossing.stimulus().sent.trace_id).then_some(ix);
    };
    let mut contexts = carried.contexts();
    let continues = contexts.any(|context| {
        let (trace, id) = (context.trace_id.as_bytes().as_slice(), context.parent_id.as_bytes().as_slice());
        let linked = span.links.iter().any(|link| link.trace_id == trace && link.span_id == id);
        linked || (span.trace_id == trace && span.parent_id == id)
    });
    continues.then_some(ix)
}

fn receipt(crossing: CrossingRef<'_>, node: NodeIx, arrivals: &Arrivals) -> Option<Receipt> {
    let span = certain_span(crossing)?;
    if crossing.receiver() != node {
        return None;
    }
    Some(Receipt {
        stimulus: crossing.stimulus_ix(),
        process: arrivals.get(&span.0)?.process.clone(),
        begun_nanos: crossing.begun_nanos()?,
        ended_nanos: crossing.ended_nanos()?,
        arrived_nanos: crossing.all().spans.get(span).arrived_nanos,
    })
}

/// Returns whether a verdict on a crossing of the story rests on a span that did not come: of a sampled one that is
/// missing, or of an unsampled one that must not be.
fn rests_on_absence(crossing: CrossingRef<'_>, node: NodeIx) -> bool {
    let received = crossing.receiver() == node && crossing.relation() != Relation::None;
    let sampled =
        crossing.wire().and_then(CarriedFields::context).is_some_and(|context| context.flags.sampled());
    let sent = crossing.sender() == node && sampled;
    (received && crossing.receiver_span_ix().is_none()) || (sent && crossing.named_span_ix().is_none())
}
