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
use crate::scenario::{ExchangeKind, Hop, HopIx, NodeIx, RabbitMqHop, Transport};
use crate::wire::TraceParent;

/// The hops that a published message goes over, and who sent it.
pub(super) fn hops_of(
    plan: &Plan,
    capture: &Capture,
    message: &Message,
    by: impl Fn(NodeIx) -> bool,
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
        true => hop.to != hop.from && by(hop.to) && !by(hop.from),
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

/// Gives every delivery to the crossing of what was published; further ones become crossings of their own.
pub(super) fn deliver(
    (plan, evidence): (&Plan, &Evidence),
    carried: &[Carried],
    crossings: &mut Vec<Crossing>,
    unattributed: &mut Vec<(CaptureIx, HopIx)>,
) {
    let delivered =
        evidence.captures.iter().enumerate().filter(|(_, capture)| is(capture, MessageDirection::Delivered));
    let mut order: Vec<usize> = delivered.map(|(ix, _)| ix).collect();
    order.sort_by_key(|ix| evidence.captures[*ix].begun_nanos);
    let mut published = Published::of((plan, evidence), carried, crossings);
    for ix in order {
        let hops = read_over(plan, &evidence.captures[ix]);
        let Some(first) = hops.first() else { continue };
        let found = hops.iter().find_map(|hop| Some((*hop, published.source(plan, carried, *hop, ix)?)));
        match found {
            Some((hop, source)) => published.deliver(hop, source, ix),
            None => unattributed.push((CaptureIx(ix), *first)),
        }
    }
    let more = published.more;
    crossings.extend(more);
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

    /// The crossing of what was published and is delivered here; what a broker moved was published over the hop
    /// that it was moved from.
    fn source(&self, plan: &Plan, carried: &[Carried], hop: HopIx, ix: usize) -> Option<usize> {
        let before = |hop: &HopIx| plan.scenario.hop(*hop).dead_letter_of;
        let mut origins = std::iter::successors(Some(hop), before).take(plan.scenario.hops.len());
        origins.find_map(|origin| self.among(self.of_hop.get(&origin)?, carried, hop, ix))
    }

    /// By offset or id, by mark, by what it carries, or because no other can be meant.
    fn among(&self, index: &Index<'_>, carried: &[Carried], hop: HopIx, ix: usize) -> Option<usize> {
        let capture = &self.evidence.captures[ix];
        let message = capture.message.as_ref()?;
        if let Some(offset) = &message.offset {
            return index.by_offset.get(offset).copied();
        }
        let earlier = |at: &usize| {
            let sent = self.crossings[*at].capture.map(|sent| self.evidence.captures[sent.0].begun_nanos);
            sent.is_some_and(|sent| sent <= capture.begun_nanos)
        };
        let open = |at: &usize| !self.delivered.contains_key(&(*at, hop));
        let pool = |found: Option<&Vec<usize>>| -> Vec<usize> {
            found.into_iter().flatten().copied().filter(earlier).collect()
        };
        let (mark, context) = (mark_of(&capture.marked), carried[ix].first());
        let marked = pool(mark.and_then(|mark| index.by_mark.get(&mark)));
        let named = pool(message.id.as_deref().and_then(|id| index.by_id.get(id)));
        let carrying = pool(context.and_then(|context| index.by_context.get(context)));
        let both: Vec<usize> = marked.iter().copied().filter(|at| named.contains(at)).collect();
        let pool = [both, named, marked, carrying].into_iter().find(|pool| !pool.is_empty());
        let pool = pool.or_else(|| {
            let open: Vec<usize> = index.all.iter().copied().filter(earlier).filter(open).collect();
            (mark.is_none() && context.is_none() && open.len() == 1).then_some(open)
        })?;
        let first = pool.iter().copied().find(open);
        let last = pool.iter().copied().rfind(|at| !open(at));
        let again = message.deliveries > 1 && message.moved_from.is_none();
        if again { last.or(first) } else { first.or(last) }
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
