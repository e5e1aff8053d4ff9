//! Decides what is still due, given the evidence so far: pure, on the same pairing that judging uses.

use crate::crossings::id_map::IdSet;
use crate::crossings::messages;
use crate::crossings::{CrossingIx, CrossingRef, Crossings};
use crate::evidence::{Capture, CaptureEnd, CaptureIx, Exchange, MessageDirection, Settlement};
use crate::plan::Plan;
use crate::scenario::{HopIx, NodeIx, Relation, Step};

/// A state of the evidence that completion waits for, of some nodes.
#[derive(Debug)]
pub(super) enum Condition {
    /// They owe no crossing, and no request to or from them is under way.
    NothingOwed(Vec<NodeIx>),
    /// Every span that is due from them has arrived.
    SpansArrived(Vec<NodeIx>),
    /// Each of them has exported something, or nothing is due from it.
    ExportsBegan(Vec<NodeIx>),
    /// Every span has arrived that is due from those that have exported something.
    BegunExportsArrived(Vec<NodeIx>),
    /// Every message to them has the span of its receiver.
    MessagesHaveSpans(Vec<NodeIx>),
}

impl Condition {
    /// Returns the condition without the nodes that have died: nothing is due from them any more.
    pub(super) fn without(&self, dead: &[NodeIx]) -> Condition {
        let alive = |nodes: &[NodeIx]| nodes.iter().copied().filter(|node| !dead.contains(node)).collect();
        match self {
            Condition::NothingOwed(nodes) => Condition::NothingOwed(alive(nodes)),
            Condition::SpansArrived(nodes) => Condition::SpansArrived(alive(nodes)),
            Condition::ExportsBegan(nodes) => Condition::ExportsBegan(alive(nodes)),
            Condition::BegunExportsArrived(nodes) => Condition::BegunExportsArrived(alive(nodes)),
            Condition::MessagesHaveSpans(nodes) => Condition::MessagesHaveSpans(alive(nodes)),
        }
    }

    pub(super) fn holds(&self, seen: &Crossings<'_>) -> bool {
        match self {
            Condition::NothingOwed(nodes) => !crossings_due(seen, nodes) && !under_way(seen, nodes),
            Condition::SpansArrived(nodes) => !nodes.iter().any(|node| spans_due(seen, *node)),
            Condition::ExportsBegan(nodes) => {
                nodes.iter().all(|node| has_exported(seen, *node) || !spans_due(seen, *node))
            }
            Condition::BegunExportsArrived(nodes) => {
                !nodes.iter().any(|node| has_exported(seen, *node) && spans_due(seen, *node))
            }
            Condition::MessagesHaveSpans(nodes) => messages_have_spans(seen, nodes),
        }
    }

    /// Returns what it waits for, or `None` where it holds.
    pub(super) fn words(&self, seen: &Crossings<'_>) -> Option<String> {
        let scenario = &seen.plan.scenario;
        let names = |nodes: &[NodeIx], due: fn(&Crossings<'_>, NodeIx) -> bool| {
            let names = nodes.iter().filter(|node| due(seen, **node)).map(|node| &scenario.node(*node).name);
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            (!names.is_empty()).then(|| names.join(" and "))
        };
        match self {
            Condition::NothingOwed(nodes) => match hops_due(seen, nodes).next() {
                Some(hop) => {
                    let hop = scenario.hop(hop);
                    let (from, to) = (&scenario.node(hop.from).name, &scenario.node(hop.to).name);
                    Some(format!("for `{from}` to cross `{}` to `{to}` (`timeout:` says how long)", hop.id))
                }
                None => under_way(seen, nodes)
                    .then(|| "for a request that is not answered (`timeout:` says how long)".to_owned()),
            },
            Condition::SpansArrived(nodes)
            | Condition::BegunExportsArrived(nodes)
            | Condition::MessagesHaveSpans(nodes) => {
                names(nodes, spans_due).map(|names| format!("for spans of {names}"))
            }
            Condition::ExportsBegan(nodes) => {
                names(nodes, spans_due).map(|names| format!("for {names} to export a first span"))
            }
        }
    }
}

/// Returns whether one of `senders` still owes a crossing: it took part in a crossing that ended well, and a hop that
/// this one causes was crossed less often than it declares. A request under way may still cause some.
fn crossings_due(seen: &Crossings<'_>, senders: &[NodeIx]) -> bool {
    hops_due(seen, senders).next().is_some()
}

fn hops_due(seen: &Crossings<'_>, senders: &[NodeIx]) -> impl Iterator<Item = HopIx> {
    let hops = seen.plan.scenario.hops.iter().zip((0..).map(HopIx));
    hops.filter_map(move |(hop, ix)| {
        let tapped = seen.plan.hop_taps[ix.0].is_some();
        (tapped && senders.contains(&hop.from) && hop_is_due(seen, ix)).then_some(ix)
    })
}

fn hop_is_due(seen: &Crossings<'_>, hop: HopIx) -> bool {
    let declared = seen.plan.scenario.hop(hop);
    let (Some(cause), None) = (declared.within, declared.dead_letter_of) else { return false };
    let times = usize::try_from(declared.times.min).unwrap_or(usize::MAX);
    let mut due = vec![0_usize; seen.plan.stimuli.len()];
    let causes = seen.of_hop(cause).filter(|crossing| crossing.first_of_mark() == *crossing);
    let sent_again: IdSet<CrossingIx> = seen
        .of_hop(cause)
        .filter(|crossing| crossing.sender() == crossing.receiver())
        .filter_map(|crossing| Some(crossing.cause()?.ix()))
        .collect();
    let owes = |crossing: &CrossingRef<'_>| may_cause(*crossing) && !sent_again.contains(&crossing.ix());
    for crossing in causes.filter(owes) {
        let due = &mut due[crossing.stimulus_ix().0];
        *due = due.saturating_add(times);
    }
    for crossing in seen.of_hop(hop) {
        let due = &mut due[crossing.stimulus_ix().0];
        *due = due.saturating_sub(1);
    }
    let unattributed = seen.unattributed.iter().filter(|(_, at)| *at == hop).count();
    due.iter().sum::<usize>() > unattributed
}

/// Returns whether a crossing may cause others. One that failed does not; one without a tap is assumed to have ended
/// well.
fn may_cause(crossing: CrossingRef<'_>) -> bool {
    crossing.received().is_none_or(|capture| capture.end.is_success() || capture.end == CaptureEnd::Open)
}

/// Returns whether a request to or from one of `nodes` is still under way. A call that began before the first stimulus
/// or beside the story, such as a subscription to server-sent events or an idle gRPC stream, is no part of it.
fn under_way(seen: &Crossings<'_>, nodes: &[NodeIx]) -> bool {
    let first_sent = first_sent_nanos(&seen.evidence.exchanges);
    seen.evidence.captures.iter().zip(0..).any(|(capture, ix)| {
        let tap = seen.plan.tap(capture.tap);
        let open = capture.end == CaptureEnd::Open && capture.begun_nanos >= first_sent;
        open && !seen.is_beside_story(CaptureIx(ix)) && (nodes.contains(&tap.from) || nodes.contains(&tap.to))
    })
}

/// Returns the time at which the first stimulus was sent.
pub(super) fn first_sent_nanos(exchanges: &[Exchange]) -> u64 {
    exchanges.iter().map(|exchange| exchange.sent_nanos).min().unwrap_or(0)
}

/// Returns whether a span of `node` is still due for a sampled crossing that it received or sent.
fn spans_due(seen: &Crossings<'_>, node: NodeIx) -> bool {
    seen.exports(node)
        && seen.iter().any(|crossing| {
            let sampled = match crossing.wire() {
                Some(carried) => carried.first().is_some_and(|context| context.flags.sampled()),
                None => crossing.due().sampled == Some(true),
            };
            let received = crossing.receiver() == node && receiver_exports(crossing);
            let sent = crossing.sender() == node && crossing.sent_capture().is_some();
            let received = received && crossing.receiver_span_ix().is_none() && !crossing.is_undelivered();
            let sent = sent && crossing.call_span_ix().is_none() && crossing.named_span_ix().is_none();
            sampled && (received || sent)
        })
}

/// Returns whether a span is due from the receiver. A receiver that starts a new trace makes its own sampling decision,
/// so it may export nothing.
fn receiver_exports(crossing: CrossingRef<'_>) -> bool {
    let relation = crossing.relation();
    relation != Relation::None && !relation.receiver_begins()
}

/// Returns whether any span of `node` has arrived.
fn has_exported(seen: &Crossings<'_>, node: NodeIx) -> bool {
    seen.evidence.spans.iter().any(|span| span.node == node)
}

/// The hops over which messages reach some nodes, with the dead-letter hops behind them.
pub(super) struct MessageHops<'a> {
    plan: &'a Plan,
    watched: Vec<WatchedHop>,
}

impl<'a> MessageHops<'a> {
    pub(super) fn to(plan: &'a Plan, nodes: &[NodeIx]) -> MessageHops<'a> {
        let hops = plan.scenario.hops.iter().enumerate().map(|(ix, hop)| (HopIx(ix), hop));
        let watched = hops
            .filter(|(ix, hop)| plan.arrival_taps[ix.0].is_some() && hop.dead_letter_of.is_none())
            .map(|(ix, _)| WatchedHop::new(plan, ix))
            .filter(|watched| watched.readers.iter().any(|reader| nodes.contains(reader)))
            .collect();
        MessageHops { plan, watched }
    }

    /// Returns whether a message is on its way: accepted by the broker and not yet processed or given up.
    pub(super) fn are_due(&self, captures: &[Capture]) -> bool {
        let mut open = vec![0_i64; self.watched.len()];
        if self.watched.is_empty() {
            return false;
        }
        for capture in captures {
            let read = messages::read_over(self.plan, capture);
            for (open, watched) in open.iter_mut().zip(&self.watched) {
                *open += watched.weight(self.plan, capture, &read);
            }
        }
        open.iter().any(|open| *open > 0)
    }
}

/// Returns whether every message to one of `nodes` has the span of its receiver. A stub and a node that exports
/// nothing have no such span, and a message that is given back has one for each delivery: they count as processed only
/// when they are settled.
fn messages_have_spans(seen: &Crossings<'_>, nodes: &[NodeIx]) -> bool {
    let hops = seen.plan.scenario.hops.iter().enumerate().map(|(ix, hop)| (HopIx(ix), hop));
    let mut read = hops.filter(|(_, hop)| hop.transport.via().is_some() && nodes.contains(&hop.to));
    read.all(|(ix, hop)| {
        let given_back = hop.steps.iter().any(|step| matches!(step, Step::Fail(how) if how == "nack"));
        !given_back
            && seen.exports(hop.to)
            && seen.of_hop(ix).all(|crossing| crossing.receiver_span_ix().is_some())
    })
}

/// A hop through a broker with the dead-letter hops behind it.
struct WatchedHop {
    hop: HopIx,
    /// The hop itself and the hops that are read from the same queue: a message there may belong to any of them.
    sent: Vec<HopIx>,
    moved: Vec<HopIx>,
    readers: Vec<NodeIx>,
}

impl WatchedHop {
    fn new(plan: &Plan, hop: HopIx) -> WatchedHop {
        let mut moved: Vec<HopIx> = Vec::new();
        for (ix, other) in plan.scenario.hops.iter().enumerate() {
            let from = other.dead_letter_of;
            if from == Some(hop) || from.is_some_and(|from| moved.contains(&from)) {
                moved.push(HopIx(ix));
            }
        }
        let readers = std::iter::once(&hop).chain(&moved).map(|hop| plan.scenario.hop(*hop).to).collect();
        let declared = plan.scenario.hop(hop);
        let others = plan.scenario.hops.iter().enumerate();
        let beside =
            others.filter(|(_, other)| other.dead_letter_of.is_none() && other.shares_source(declared));
        let sent = beside.map(|(ix, _)| HopIx(ix)).collect();
        WatchedHop { hop, sent, moved, readers }
    }

    /// Returns 1 for a message that is now on its way, -1 for one that no longer is, or 0.
    fn weight(&self, plan: &Plan, capture: &Capture, read: &[HopIx]) -> i64 {
        if messages::is(capture, MessageDirection::Published) {
            let goes = self.sent.iter().chain(&self.moved);
            let goes = goes.filter(|hop| messages::is_published_to(plan, **hop, capture)).count();
            return i64::from(goes > 0 && !messages::was_refused(capture));
        }
        let (own, moved) = (read.contains(&self.hop), self.moved.iter().any(|hop| read.contains(hop)));
        let over = match capture.end {
            // A record that its group skipped is on its way to nobody.
            CaptureEnd::Settled(Settlement::Done | Settlement::Skipped) => own || moved,
            CaptureEnd::Settled(Settlement::Rejected) => moved || (own && self.moved.is_empty()),
            CaptureEnd::Settled(_)
            | CaptureEnd::Open
            | CaptureEnd::Answered { .. }
            | CaptureEnd::Broken(_) => false,
        };
        -i64::from(over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crossings::kept_evidence::kept;
    use crate::evidence::{CaptureMark, Evidence};

    #[test]
    fn an_open_call_is_waited_for_unless_it_began_before_the_first_stimulus() {
        let (plan, mut evidence) = kept("client-beside-server");
        let nodes: Vec<NodeIx> = (0..plan.scenario.nodes.len()).map(NodeIx).collect();
        let nothing_owed = |evidence: &Evidence| {
            Condition::NothingOwed(nodes.clone()).holds(&Crossings::pair(&plan, evidence))
        };
        assert!(nothing_owed(&evidence));
        let first_sent = first_sent_nanos(&evidence.exchanges);
        let mut subscription = evidence.captures[0].clone();
        subscription.headers.clear();
        (subscription.marked, subscription.end) = (CaptureMark::Absent, CaptureEnd::Open);
        (subscription.begun_nanos, subscription.ended_nanos) = (first_sent - 1, None);
        evidence.captures.push(subscription);
        assert!(nothing_owed(&evidence));
        evidence.captures.last_mut().unwrap().begun_nanos = first_sent + 1;
        assert!(!nothing_owed(&evidence));
    }
}
