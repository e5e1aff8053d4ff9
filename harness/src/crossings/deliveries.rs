//! Deliveries: each to what was published.
//!
//! A message is one crossing for each hop that shares it (several groups, several queues). A further delivery is a
//! further crossing of the same wire; what a broker moved by itself is a crossing of the dead-letter hop with the
//! original wire.

use std::collections::HashMap;

use super::messages::{is, read_over};
use super::{CarriedContext, Crossing, Crossings, IdMap, Nature};
use crate::evidence::{Capture, CaptureIx, Message, MessageDirection, mark_of};
use crate::plan::Mark;
use crate::scenario::HopIx;

/// The deliveries that are of no known message.
#[derive(Debug, Default)]
pub(super) struct UnpairedDeliveries {
    pub unattributed: Vec<(CaptureIx, HopIx)>,
    /// Messages that others left in a queue of a broker that ran before: nothing published them in this run.
    pub foreign: Vec<(CaptureIx, HopIx)>,
}

/// A delivery, and the hops that it may have come over.
struct Delivery {
    capture: CaptureIx,
    hops: Vec<HopIx>,
}

/// Gives every delivery to the crossing of what was published; further ones become crossings of their own.
pub(super) fn deliver(all: &Crossings<'_>, crossings: &mut Vec<Crossing>) -> UnpairedDeliveries {
    let captures = all.evidence.captures.iter().enumerate();
    let delivered = captures.filter(|(_, capture)| is(capture, MessageDirection::Delivered));
    let mut order: Vec<CaptureIx> = delivered.map(|(ix, _)| CaptureIx(ix)).collect();
    order.sort_by_key(|ix| all.capture(*ix).begun_nanos);
    let mut published = PublishedMessages::of(all, crossings);
    let (mut untied, mut unpaired) = (Vec::new(), UnpairedDeliveries::default());
    for capture in order {
        let delivery = Delivery { capture, hops: read_over(all.plan, all.capture(capture)) };
        match published.tied(&delivery) {
            Some((hop, source)) => published.deliver(hop, source, capture),
            // What nothing ties to one message is left for those that were delivered otherwise.
            None => untied.push(delivery),
        }
    }
    for delivery in untied {
        let Some(first) = delivery.hops.first().copied() else { continue };
        let broker = all.plan.scenario.hop(first).transport.via();
        let shared = broker.is_some_and(|broker| all.plan.scenario.node(broker).kind.runs_already());
        let capture = delivery.capture;
        match published.alone(&delivery) {
            Some((hop, source)) if !shared => published.deliver(hop, source, capture),
            None | Some(_) if shared && mark_of(&all.capture(capture).marked).is_none() => {
                unpaired.foreign.push((capture, first));
            }
            None | Some(_) => unpaired.unattributed.push((capture, first)),
        }
    }
    let more = published.more;
    crossings.extend(more);
    unpaired
}

/// The crossings of what was published over one hop, by all that distinguishes one message from another.
#[derive(Default)]
struct Index<'e> {
    all: Vec<usize>,
    by_offset: HashMap<(i32, i64), usize>,
    by_mark: HashMap<Mark, Vec<usize>>,
    by_id: HashMap<&'e str, Vec<usize>>,
    by_context: HashMap<CarriedContext, Vec<usize>>,
}

/// The evidence that ties a delivery to what was published, the surest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    IdAndBytes,
    MarkAndBytes,
    Id,
    Bytes,
    Mark,
}

/// Returns whether two values are the same, or `None` where both are known and differ.
fn is_same<T: PartialEq>(values: [Option<T>; 2]) -> Option<bool> {
    match values {
        [Some(one), Some(other)] if one == other => Some(true),
        [Some(_), Some(_)] => None,
        [None, _] | [_, None] => Some(false),
    }
}

/// The published messages, and their deliveries so far.
struct PublishedMessages<'c> {
    all: &'c Crossings<'c>,
    crossings: &'c mut Vec<Crossing>,
    of_hop: IdMap<HopIx, Index<'c>>,
    more: Vec<Crossing>,
    /// The number of deliveries of each crossing over a hop.
    delivered: IdMap<(usize, HopIx), u32>,
}

impl<'c> PublishedMessages<'c> {
    fn of(all: &'c Crossings<'c>, crossings: &'c mut Vec<Crossing>) -> PublishedMessages<'c> {
        let mut of_hop: IdMap<HopIx, Index<'c>> = IdMap::default();
        for (ix, crossing) in crossings.iter().enumerate() {
            let Some(capture) = crossing.capture else { continue };
            let seen = all.capture(capture);
            let Some(message) = &seen.message else { continue };
            debug_assert!(
                all.plan.scenario.hop(crossing.hop).transport.via().is_some(),
                "messages go through brokers"
            );
            let index = of_hop.entry(crossing.hop).or_default();
            index.all.push(ix);
            index.by_offset.extend(message.offset.map(|offset| (offset, ix)));
            if let Some(mark) = mark_of(&seen.marked) {
                index.by_mark.entry(mark).or_default().push(ix);
            }
            if let Some(id) = &message.id {
                index.by_id.entry(id).or_default().push(ix);
            }
            if let Some(context) = all.carried(capture).first() {
                index.by_context.entry(*context).or_default().push(ix);
            }
        }
        PublishedMessages { all, crossings, of_hop, more: Vec::new(), delivered: IdMap::default() }
    }

    /// Returns the published message that is surely delivered here, over all hops that read the same queue; what a
    /// broker moved was published over the hop that it was moved from.
    fn tied(&self, delivery: &Delivery) -> Option<(HopIx, usize)> {
        let message = self.message(delivery.capture)?;
        let again = message.deliveries > 1 && message.moved_from.is_none();
        let scenario = &self.all.plan.scenario;
        let mut best = None;
        for hop in delivery.hops.iter().copied() {
            let origins = std::iter::successors(Some(hop), |hop| scenario.hop(*hop).dead_letter_of);
            for (moves, origin) in origins.take(scenario.hops.len()).enumerate() {
                let Some(index) = self.of_hop.get(&origin) else { continue };
                if let Some(offset) = &message.offset {
                    match index.by_offset.get(offset) {
                        Some(source) => return Some((hop, *source)),
                        None => continue,
                    }
                }
                for source in self.candidates(index, delivery.capture) {
                    let Some(tie) = self.tie(source, delivery.capture) else { continue };
                    let open = !self.delivered.contains_key(&(source, hop));
                    // The first that was not delivered yet; of a further delivery the last one that was.
                    let turn = if open { source } else { usize::MAX - source };
                    let rank = (tie, open == again, moves, turn);
                    if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                        best = Some((rank, (hop, source)));
                    }
                }
            }
        }
        best.map(|(_, found)| found)
    }

    /// Returns the messages that were published before with the same id, mark or bytes.
    fn candidates(&self, index: &Index<'_>, delivery: CaptureIx) -> Vec<usize> {
        let capture = self.all.capture(delivery);
        let id = capture.message.as_ref().and_then(|message| message.id.as_deref());
        let named = id.and_then(|id| index.by_id.get(id));
        let marked = mark_of(&capture.marked).and_then(|mark| index.by_mark.get(&mark));
        let carrying = self.all.carried(delivery).first().and_then(|context| index.by_context.get(context));
        let mut found: Vec<usize> =
            [named, marked, carrying].into_iter().flatten().flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found.retain(|source| self.is_earlier(*source, delivery));
        found
    }

    fn is_earlier(&self, source: usize, delivery: CaptureIx) -> bool {
        let begun = self.all.capture(delivery).begun_nanos;
        self.source(source).is_some_and(|sent| sent.begun_nanos <= begun)
    }

    fn source(&self, source: usize) -> Option<&'c Capture> {
        Some(self.all.capture(self.crossings[source].capture?))
    }

    fn message(&self, capture: CaptureIx) -> Option<&'c Message> {
        self.all.capture(capture).message.as_ref()
    }

    /// Returns the evidence that a delivery is of what was published, or `None` where their ids or marks prove that it
    /// is not.
    fn tie(&self, source: usize, delivery: CaptureIx) -> Option<Tie> {
        let captures = [self.crossings[source].capture?, delivery];
        let ids = captures.map(|ix| self.message(ix).and_then(|message| message.id.as_deref()));
        let marks = captures.map(|ix| mark_of(&self.all.capture(ix).marked));
        let contexts = captures.map(|ix| self.all.carried(ix).first());
        let same_id = is_same(ids)?;
        let same_mark = if same_id { is_same(marks).unwrap_or_default() } else { is_same(marks)? };
        let same_bytes = contexts[0] == contexts[1];
        if same_bytes && same_id {
            Some(Tie::IdAndBytes)
        } else if same_bytes && same_mark {
            Some(Tie::MarkAndBytes)
        } else if same_id {
            Some(Tie::Id)
        } else if same_bytes && contexts[0].is_some() {
            Some(Tie::Bytes)
        } else {
            same_mark.then_some(Tie::Mark)
        }
    }

    /// Returns the only message without a delivery that a delivery without mark and context can be of, by its routing
    /// key where that decides.
    fn alone(&self, delivery: &Delivery) -> Option<(HopIx, usize)> {
        let capture = self.all.capture(delivery.capture);
        let message = capture.message.as_ref()?;
        let carries = self.all.carried(delivery.capture).first().is_some();
        if mark_of(&capture.marked).is_some() || carries || message.offset.is_some() {
            return None;
        }
        let (mut open, mut bare) = (Vec::new(), None);
        for hop in delivery.hops.iter().copied() {
            for source in self.of_hop.get(&hop).map_or(&[][..], |index| index.all.as_slice()) {
                let free = !self.delivered.contains_key(&(*source, hop));
                if !free || !self.is_earlier(*source, delivery.capture) || !self.has_key(*source, message) {
                    continue;
                }
                let sent = self.crossings[*source].capture;
                if sent.is_some_and(|sent| self.all.carried(sent).first().is_none())
                    && bare.replace((hop, *source)).is_some()
                {
                    return None;
                }
                open.push((hop, *source));
            }
        }
        bare.or(if let [one] = open.as_slice() { Some(*one) } else { None })
    }

    /// Returns whether a message was published with the routing key of a delivery, as far as both are known.
    fn has_key(&self, source: usize, delivered: &Message) -> bool {
        let sent = self.source(source).and_then(|sent| sent.message.as_ref()?.routing_key.as_deref());
        let Some(key) = delivered.routing_key.as_deref() else { return true };
        delivered.moved_from.is_some() || sent.is_none_or(|sent| sent == key)
    }

    fn deliver(&mut self, hop: HopIx, source: usize, capture: CaptureIx) {
        let times = self.delivered.entry((source, hop)).or_default();
        *times += 1;
        let first = *times == 1;
        let crossing = &mut self.crossings[source];
        let own = crossing.hop == hop;
        if own && first {
            crossing.arrival = Some(capture);
            return;
        }
        self.more.push(Crossing {
            nature: if own || !first { Nature::Redelivered } else { Nature::Moved },
            arrival: Some(capture),
            ..Crossing::sent(crossing.stimulus, hop, crossing.sender, crossing.capture)
        });
    }
}
