//! Messages: what was published to its hops, and each delivery to what was published.
//!
//! A message is one crossing for each hop that shares it (several groups, several queues). A further delivery is a
//! further crossing of the same wire; what a broker moved by itself is a crossing of the dead-letter hop with the
//! original wire.

use std::collections::HashMap;

use super::attribution::crossing;
use super::hashing::IdMap;
use super::{Carried, Crossing, Nature};
use crate::evidence::{
    Capture, CaptureEnd, CaptureIx, Evidence, Message, MessageDirection, Settlement, mark_of,
};
use crate::plan::{Mark, Plan, TapProtocol};
use crate::scenario::{ExchangeKind, Hop, HopIx, NodeIx, NodeKind, RabbitMqHop, Transport};
use crate::wire::TraceParent;

/// The hops that a published message goes over, and who sent it.
pub(super) fn hops_of(
    plan: &Plan,
    capture: &Capture,
    message: &Message,
    (by, again): (impl Fn(NodeIx) -> bool, impl Fn(NodeIx) -> bool),
) -> Vec<(HopIx, NodeIx)> {
    let tap = plan.tap(capture.tap);
    let hops = plan.scenario.hops.iter().enumerate().map(|(ix, hop)| (HopIx(ix), hop));
    let over: Vec<(HopIx, &Hop)> =
        hops.filter(|(ix, hop)| goes_over(plan, *ix, hop, capture, message)).collect();
    let sent = over.iter().filter(|(ix, _)| plan.hop_taps[ix.0] == Some(capture.tap));
    let sent = sent.map(|(ix, hop)| (*ix, hop.from));
    let (by_hand, own): (Vec<_>, Vec<_>) =
        sent.partition(|(ix, _)| plan.scenario.hop(*ix).dead_letter_of.is_some());
    let kafka = tap.protocol == TapProtocol::Kafka;
    // Sent by the one that reads it: again to the same queue, or by hand to where the broker would have moved it.
    let by_reader = |hop: &Hop| match kafka {
        // One tap for everybody: who sent it shows in whose span it names.
        true => {
            let spans = by(hop.to) && !by(hop.from);
            hop.to != hop.from && (spans || (sends(plan, hop.to) && again(hop.from)))
        }
        false => hop.to == tap.from,
    };
    let back = over.iter().filter(|(ix, _)| plan.arrival_taps[ix.0] == Some(capture.tap));
    let again: Vec<_> = back.filter(|(_, hop)| by_reader(hop)).map(|(ix, hop)| (*ix, hop.to)).collect();
    match (own.is_empty() || (kafka && !again.is_empty()), again.is_empty()) {
        (false, _) => narrowed(plan, own, mark_of(&capture.marked), &by),
        (true, false) => again,
        (true, true) => by_hand,
    }
}

/// Whether a node sends anything by itself: a stub only answers.
fn sends(plan: &Plan, node: NodeIx) -> bool {
    !matches!(plan.scenario.node(node).kind, NodeKind::Stub(_))
}

/// Of hops that look alike those that share what the mark's call sends; else those whose sender's span is named.
fn narrowed(
    plan: &Plan,
    found: Vec<(HopIx, NodeIx)>,
    mark: Option<Mark>,
    by: &impl Fn(NodeIx) -> bool,
) -> Vec<(HopIx, NodeIx)> {
    let call = mark.filter(|mark| mark.run == plan.run).and_then(|mark| mark.call);
    let hop = call.and_then(|call| plan.calls.get(call.0)).map(|call| call.hop);
    let named = hop.filter(|hop| found.iter().any(|(ix, _)| ix == hop));
    let told = named.map(|hop| plan.scenario.hop(hop)).map(|hop| (hop.from, hop.within));
    let told = told.or_else(|| {
        let by_span = found.iter().find(|(_, from)| by(*from));
        by_span.or(found.first()).map(|(ix, _)| (plan.scenario.hop(*ix).from, plan.scenario.hop(*ix).within))
    });
    let same = |(ix, _): &(HopIx, NodeIx)| {
        let hop = plan.scenario.hop(*ix);
        Some((hop.from, hop.within)) == told
    };
    found.into_iter().filter(same).collect()
}

/// Whether a published message goes over this hop, whoever sent it.
pub fn is_published_to(plan: &Plan, hop: HopIx, capture: &Capture) -> bool {
    let message = capture.message.as_ref();
    message.is_some_and(|message| goes_over(plan, hop, plan.scenario.hop(hop), capture, message))
}

/// Whether what was published arrives where the hop's receiver reads.
fn goes_over(plan: &Plan, ix: HopIx, hop: &Hop, capture: &Capture, message: &Message) -> bool {
    if hop.transport.via() != Some(plan.tap(capture.tap).to) {
        return false;
    }
    match &hop.transport {
        Transport::Kafka(kafka) => kafka.topic == message.destination,
        Transport::Sqs(sqs) => sqs.queue == message.destination,
        Transport::RabbitMq(rabbit) => {
            let key = message.routing_key.as_deref().unwrap_or_default();
            plan.arrival_taps[ix.0].is_some() && routed(rabbit, &message.destination, key)
        }
        Transport::Http(_) | Transport::Grpc(_) => false,
    }
}

fn routed(hop: &RabbitMqHop, exchange: &str, key: &str) -> bool {
    if exchange.is_empty() {
        return key == hop.queue || (hop.delay.is_some() && key == hop.delay_queue());
    }
    match &hop.exchange {
        Some(own) if own.name == exchange => match own.kind {
            ExchangeKind::Fanout => true,
            ExchangeKind::Direct => key == hop.routing_key,
            ExchangeKind::Topic => topic_matches(&hop.routing_key, key),
        },
        _ => false,
    }
}

/// `*` is one word, `#` any number of them (RabbitMQ, topic exchanges).
fn topic_matches(pattern: &str, key: &str) -> bool {
    fn words(pattern: &[&str], key: &[&str]) -> bool {
        match (pattern.split_first(), key.split_first()) {
            (None, None) => true,
            (Some((&"#", rest)), _) => {
                words(rest, key) || key.split_first().is_some_and(|(_, key)| words(pattern, key))
            }
            (Some((&"*", rest)), Some((_, key))) => words(rest, key),
            (Some((word, rest)), Some((own, key))) => word == own && words(rest, key),
            _ => false,
        }
    }
    words(&pattern.split('.').collect::<Vec<_>>(), &key.split('.').collect::<Vec<_>>())
}

/// Gives every delivery to the crossing of what was published; further ones become crossings of their own. Returns
/// what others left in a queue of a broker that ran before: nobody published it in this run.
pub(super) fn deliver(
    (plan, evidence): (&Plan, &Evidence),
    carried: &[Carried],
    crossings: &mut Vec<Crossing>,
    unattributed: &mut Vec<(CaptureIx, HopIx)>,
) -> Vec<(CaptureIx, HopIx)> {
    let delivered =
        evidence.captures.iter().enumerate().filter(|(_, capture)| is(capture, MessageDirection::Delivered));
    let mut order: Vec<usize> = delivered.map(|(ix, _)| ix).collect();
    order.sort_by_key(|ix| evidence.captures[*ix].begun_nanos);
    let mut published = Published::of((plan, evidence), carried, crossings);
    // What nothing ties to one message is left for those that were delivered otherwise.
    let (mut untied, mut foreign) = (Vec::new(), Vec::new());
    for ix in order {
        let hops = read_over(plan, &evidence.captures[ix]);
        let Some(first) = hops.first() else { continue };
        match published.tied(plan, carried, &hops, ix) {
            Some((hop, source)) => published.deliver(hop, source, ix),
            None => untied.push((ix, *first, hops)),
        }
    }
    for (ix, first, hops) in untied {
        let broker = plan.scenario.hop(first).transport.via();
        let shared = broker.is_some_and(|broker| plan.scenario.node(broker).kind.runs_already());
        match published.alone(carried, &hops, ix).filter(|_| !shared) {
            Some((hop, source)) => published.deliver(hop, source, ix),
            None if shared && mark_of(&evidence.captures[ix].marked).is_none() => {
                foreign.push((CaptureIx(ix), first))
            }
            None => unattributed.push((CaptureIx(ix), first)),
        }
    }
    let more = published.more;
    crossings.extend(more);
    foreign
}

pub fn is(capture: &Capture, direction: MessageDirection) -> bool {
    capture.message.as_ref().is_some_and(|message| message.direction == direction)
}

/// The hops whose receiver read this.
pub fn read_over(plan: &Plan, capture: &Capture) -> Vec<HopIx> {
    let Some(message) = &capture.message else { return Vec::new() };
    let reads = |(ix, hop): &(usize, &Hop)| {
        let group = match (hop.transport.group(), message.reader.as_deref()) {
            (Some(group), Some(reader)) => group == reader,
            (None, _) | (_, None) => true,
        };
        let source = hop.transport.source() == Some(message.destination.as_str());
        plan.arrival_taps[*ix] == Some(capture.tap) && group && source
    };
    plan.scenario.hops.iter().enumerate().filter(reads).map(|(ix, _)| HopIx(ix)).collect()
}

/// What was published over one hop, by all that tells one message from another.
#[derive(Default)]
struct Index<'e> {
    all: Vec<usize>,
    by_offset: HashMap<(i32, i64), usize>,
    by_mark: HashMap<Mark, Vec<usize>>,
    by_id: HashMap<&'e str, Vec<usize>>,
    by_context: HashMap<TraceParent, Vec<usize>>,
}

/// How surely a delivery is of what was published, the surest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    IdAndBytes,
    MarkAndBytes,
    Id,
    Bytes,
    Mark,
}

/// Whether two values are the same; `None` where both are known and differ.
fn is_same<T: PartialEq>([one, other]: [Option<T>; 2]) -> Option<bool> {
    match (one, other) {
        (Some(one), Some(other)) if one == other => Some(true),
        (Some(_), Some(_)) => None,
        (None, _) | (_, None) => Some(false),
    }
}

/// What was published, and what became of it so far.
struct Published<'c, 'e> {
    evidence: &'e Evidence,
    crossings: &'c mut Vec<Crossing>,
    of_hop: IdMap<HopIx, Index<'e>>,
    more: Vec<Crossing>,
    /// How often each crossing was delivered over a hop.
    delivered: IdMap<(usize, HopIx), u32>,
}

impl<'c, 'e> Published<'c, 'e> {
    fn of(
        (plan, evidence): (&Plan, &'e Evidence),
        carried: &[Carried],
        crossings: &'c mut Vec<Crossing>,
    ) -> Published<'c, 'e> {
        let mut of_hop: IdMap<HopIx, Index<'e>> = IdMap::default();
        for (ix, crossing) in crossings.iter().enumerate() {
            let Some(capture) = crossing.capture else { continue };
            let seen = &evidence.captures[capture.0];
            let Some(message) = &seen.message else { continue };
            debug_assert!(
                plan.scenario.hop(crossing.hop).transport.via().is_some(),
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
            if let Some(context) = carried[capture.0].first() {
                index.by_context.entry(*context).or_default().push(ix);
            }
        }
        Published { evidence, crossings, of_hop, more: Vec::new(), delivered: IdMap::default() }
    }

    /// What was published and is surely delivered here, over all hops that read the same; what a broker moved was
    /// published over the hop that it was moved from.
    fn tied(&self, plan: &Plan, carried: &[Carried], hops: &[HopIx], ix: usize) -> Option<(HopIx, usize)> {
        let message = self.evidence.captures[ix].message.as_ref()?;
        let again = message.deliveries > 1 && message.moved_from.is_none();
        let before = |hop: &HopIx| plan.scenario.hop(*hop).dead_letter_of;
        let mut best = None;
        for hop in hops.iter().copied() {
            let origins = std::iter::successors(Some(hop), before).take(plan.scenario.hops.len());
            for (moves, origin) in origins.enumerate() {
                let Some(index) = self.of_hop.get(&origin) else { continue };
                if let Some(offset) = &message.offset {
                    match index.by_offset.get(offset) {
                        Some(source) => return Some((hop, *source)),
                        None => continue,
                    }
                }
                for source in self.candidates(index, carried, ix) {
                    let Some(tie) = self.tie(carried, source, ix) else { continue };
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

    /// What was published before with the same id, mark or bytes.
    fn candidates(&self, index: &Index<'_>, carried: &[Carried], ix: usize) -> Vec<usize> {
        let capture = &self.evidence.captures[ix];
        let id = capture.message.as_ref().and_then(|message| message.id.as_deref());
        let named = id.and_then(|id| index.by_id.get(id));
        let marked = mark_of(&capture.marked).and_then(|mark| index.by_mark.get(&mark));
        let carrying = carried[ix].first().and_then(|context| index.by_context.get(context));
        let mut found: Vec<usize> =
            [named, marked, carrying].into_iter().flatten().flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found.retain(|source| self.is_earlier(*source, ix));
        found
    }

    fn is_earlier(&self, source: usize, ix: usize) -> bool {
        let sent = self.crossings[source].capture.map(|sent| self.evidence.captures[sent.0].begun_nanos);
        sent.is_some_and(|sent| sent <= self.evidence.captures[ix].begun_nanos)
    }

    /// How surely a delivery is of what was published; `None` where their ids or marks say that it is not.
    fn tie(&self, carried: &[Carried], source: usize, ix: usize) -> Option<Tie> {
        let sent = self.crossings[source].capture?.0;
        let captures = [sent, ix].map(|at| &self.evidence.captures[at]);
        let ids = captures.map(|capture| capture.message.as_ref().and_then(|message| message.id.as_deref()));
        let marks = captures.map(|capture| mark_of(&capture.marked));
        let contexts = [sent, ix].map(|at| carried[at].first());
        let same_id = is_same(ids)?;
        let same_mark = if same_id { is_same(marks).unwrap_or_default() } else { is_same(marks)? };
        let same_bytes = contexts[0] == contexts[1];
        match (same_id, same_mark) {
            (true, _) if same_bytes => Some(Tie::IdAndBytes),
            (_, true) if same_bytes => Some(Tie::MarkAndBytes),
            (true, _) => Some(Tie::Id),
            (false, _) if same_bytes && contexts[0].is_some() => Some(Tie::Bytes),
            (false, true) => Some(Tie::Mark),
            (false, false) => None,
        }
    }

    /// The only message without a delivery that a delivery without mark and context can be of, by its routing key
    /// where that tells.
    fn alone(&self, carried: &[Carried], hops: &[HopIx], ix: usize) -> Option<(HopIx, usize)> {
        let capture = &self.evidence.captures[ix];
        let message = capture.message.as_ref()?;
        if mark_of(&capture.marked).is_some() || carried[ix].first().is_some() || message.offset.is_some() {
            return None;
        }
        let mut open: Vec<(HopIx, usize)> = Vec::new();
        for hop in hops.iter().copied() {
            let all = self.of_hop.get(&hop).map_or(&[][..], |index| index.all.as_slice()).iter().copied();
            let free = all.filter(|source| self.is_earlier(*source, ix));
            open.extend(free.filter(|at| !self.delivered.contains_key(&(*at, hop))).map(|at| (hop, at)));
        }
        let key = message.routing_key.as_deref().filter(|_| message.moved_from.is_none());
        let keyed = |(_, source): &(HopIx, usize)| {
            let sent = self.crossings[*source].capture.map(|sent| &self.evidence.captures[sent.0]);
            let sent = sent.and_then(|sent| sent.message.as_ref()?.routing_key.as_deref());
            key.is_none() || sent.is_none() || sent == key
        };
        open.retain(keyed);
        let bare = |(_, source): &&(HopIx, usize)| {
            self.crossings[*source].capture.is_some_and(|sent| carried[sent.0].first().is_none())
        };
        let mut untouched = open.iter().filter(bare);
        match (untouched.next(), untouched.next(), open.as_slice()) {
            (Some(one), None, _) | (None, _, [one]) => Some(*one),
            _ => None,
        }
    }

    fn deliver(&mut self, hop: HopIx, source: usize, ix: usize) {
        let times = self.delivered.entry((source, hop)).or_default();
        *times += 1;
        let first = *times == 1;
        let own = self.crossings[source].hop == hop;
        if own && first {
            self.crossings[source].arrival = Some(CaptureIx(ix));
            return;
        }
        let nature = if own || !first { Nature::Redelivered } else { Nature::Moved };
        let (stimulus, capture) = (self.crossings[source].stimulus, self.crossings[source].capture);
        let sender = self.crossings[source].sender;
        let more =
            Crossing { capture, sender, nature, arrival: Some(CaptureIx(ix)), ..crossing(hop, stimulus, ix) };
        self.more.push(more);
    }
}

/// Whether the broker took what was published.
pub fn was_refused(capture: &Capture) -> bool {
    is(capture, MessageDirection::Published)
        && matches!(capture.end, CaptureEnd::Settled(Settlement::Refused) | CaptureEnd::Broken(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_pattern_matches_words() {
        for (pattern, key, fits) in [
            ("order.*", "order.new", true),
            ("order.*", "order.new.eu", false),
            ("order.#", "order.new.eu", true),
            ("#", "", true),
            ("*.eu", "order.eu", true),
            ("order", "orders", false),
        ] {
            assert_eq!(topic_matches(pattern, key), fits, "{pattern} {key}");
        }
    }
}
