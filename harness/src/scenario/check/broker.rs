//! Checks that hops through one broker agree on its topics, exchanges and queues, and on their readers.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::{Hop, Transport};
use crate::scenario::relation::{Relation, RestartSide};
use crate::source::Place;

/// A check of two hops through one broker, in the order of the file.
type PairCheck = fn(&Draft<'_>, &HopDraft<'_>, &HopDraft<'_>) -> Option<Diagnostic>;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for (index, second) in draft.hops.iter().enumerate() {
        let Some(via) = second.hop.transport.via() else { continue };
        let earlier = &draft.hops[..index];
        let same: Vec<&HopDraft<'_>> =
            earlier.iter().filter(|first| first.hop.transport.via() == Some(via)).collect();
        let asked: [PairCheck; 5] = [partitions, exchanges, readers, batches, delays];
        for ask in asked {
            complaints.extend(same.iter().find_map(|first| ask(draft, first, second)));
        }
        // A relay has one setting for the messages of all brokers.
        complaints.extend(earlier.iter().find_map(|first| relations(draft, first, second)));
    }
}

fn differ(what: String, key: &str, first: &HopDraft<'_>, second: &HopDraft<'_>) -> Diagnostic {
    let (one, two) = (&first.hop.id, &second.hop.id);
    let message = format!("`{one}` and `{two}` set different values of `{key}` for {what}");
    Diagnostic::new("contradiction", place_of(second, key), message)
        .label("second value")
        .also(place_of(first, key), "first value")
        .help("use the same value at both hops")
}

fn place_of(hop: &HopDraft<'_>, key: &str) -> Place {
    hop.transport.entry(key).map_or(hop.hop.place, |entry| entry.value.place)
}

/// Reports two numbers of partitions for one topic. A number at one hop holds for the topic.
fn partitions(_: &Draft<'_>, first: &HopDraft<'_>, second: &HopDraft<'_>) -> Option<Diagnostic> {
    let (Transport::Kafka(one), Transport::Kafka(two)) = (&first.hop.transport, &second.hop.transport) else {
        return None;
    };
    let both_set = [first, second].iter().all(|hop| hop.transport.entry("partitions").is_some());
    let differs = one.topic == two.topic && both_set && one.partitions != two.partitions;
    differs.then(|| differ(format!("the topic `{}`", one.topic), "partitions", first, second))
}

fn exchanges(_: &Draft<'_>, first: &HopDraft<'_>, second: &HopDraft<'_>) -> Option<Diagnostic> {
    let (Transport::RabbitMq(one), Transport::RabbitMq(two)) = (&first.hop.transport, &second.hop.transport)
    else {
        return None;
    };
    let (one, two) = (one.exchange.as_ref()?, two.exchange.as_ref()?);
    let differs = one.name == two.name && one.kind != two.kind;
    differs.then(|| differ(format!("the exchange `{}`", one.name), "exchange-type", first, second))
}

/// Reports two readers of one queue, or in one group: either may get a message.
fn readers(draft: &Draft<'_>, first: &HopDraft<'_>, second: &HopDraft<'_>) -> Option<Diagnostic> {
    let (what, help) = match (&first.hop.transport, &second.hop.transport) {
        (Transport::Kafka(one), Transport::Kafka(two)) if one.group == two.group => {
            (format!("read in the same group `{}`", one.group), "give each hop its own `group`")
        }
        (Transport::RabbitMq(_), Transport::RabbitMq(_)) | (Transport::Sqs(_), Transport::Sqs(_)) => {
            let queue =
                first.hop.transport.source().filter(|queue| Some(*queue) == second.hop.transport.source())?;
            (format!("read the same queue `{queue}`"), "give each hop its own `queue`")
        }
        _ => return None,
    };
    if first.hop.to == second.hop.to {
        return None;
    }
    let (one, two) = (&draft.node(first.hop.to).name, &draft.node(second.hop.to).name);
    let message = format!("`{one}` and `{two}` {what}, so either may get a message");
    let diagnostic = Diagnostic::new("competing-readers", second.transport.value_place("to"), message);
    Some(diagnostic.label("second reader").also(first.transport.value_place("to"), "first reader").help(help))
}

/// Reports two batch sizes of one reader: a node reads a queue in one way, for every sender.
fn batches(_: &Draft<'_>, first: &HopDraft<'_>, second: &HopDraft<'_>) -> Option<Diagnostic> {
    let differs = first.hop.shares_source(&second.hop)
        && first.hop.to == second.hop.to
        && first.hop.transport.batch() != second.hop.transport.batch();
    differs.then(|| differ(source(&second.hop), "batch", first, second))
}

/// Reports two delays of one queue, and a queue with the name that the delay of another needs.
fn delays(_: &Draft<'_>, first: &HopDraft<'_>, second: &HopDraft<'_>) -> Option<Diagnostic> {
    let (Transport::RabbitMq(one), Transport::RabbitMq(two)) = (&first.hop.transport, &second.hop.transport)
    else {
        return None;
    };
    let both = one.delay.is_some() && two.delay.is_some();
    // Bound alike, one message would come both at once and after its delay.
    let bound_alike = one.exchange.is_some() && one.sent_alike(two);
    if one.queue == two.queue && one.delay != two.delay && (both || bound_alike) {
        return Some(differ(format!("the queue `{}`", one.queue), "delay", first, second));
    }
    let (holder, other) = if one.delays_in(&two.queue) {
        (first, second)
    } else if two.delays_in(&one.queue) {
        (second, first)
    } else {
        return None;
    };
    let message = format!(
        "the queue name `{}` is reserved: messages of `{}` wait there",
        other.hop.transport.source()?,
        holder.hop.id
    );
    let diagnostic = Diagnostic::new("reserved-name", other.transport.value_place("queue"), message);
    let also = holder.transport.place_of("delay");
    Some(diagnostic.also(also, "needs this queue").help("choose another name"))
}

/// Reports two relations at one relay, which relates all its messages in one way (relay contract, section 3,
/// `RELAY_CONSUMER_RELATION`); batches are always linked.
fn relations(draft: &Draft<'_>, first: &HopDraft<'_>, second: &HopDraft<'_>) -> Option<Diagnostic> {
    let (one, two) = (&first.hop, &second.hop);
    if one.to != two.to || !draft.is_relay(one.to) || wants_link(one)? == wants_link(two)? {
        return None;
    }
    let name = &draft.node(one.to).name;
    let message =
        format!("the relay `{name}` handles all its messages in one way, and these two hops differ");
    let help = format!("use the same relation at both, or let a node other than `{name}` read one of them");
    let diagnostic = Diagnostic::new("relation-of-relay", two.relation_place, message)
        .label(format!("`{}`", two.relation.word()));
    Some(diagnostic.also(one.relation_place, format!("`{}`", one.relation.word())).help(help))
}

/// Returns whether the span of a relay that reads a message must link; `None` where either will do.
fn wants_link(hop: &Hop) -> Option<bool> {
    hop.transport.via()?;
    if hop.transport.batch().is_some() {
        return None;
    }
    match hop.relation {
        Relation::Child => Some(false),
        Relation::Link => Some(true),
        Relation::Restart(at) | Relation::RestartWithLink(at) => {
            (at == RestartSide::Receiver).then_some(true)
        }
        Relation::ChildOrLink | Relation::Unchanged | Relation::None => None,
    }
}

fn source(hop: &Hop) -> String {
    match &hop.transport {
        Transport::Kafka(kafka) => format!("the group `{}`", kafka.group),
        transport => format!("the queue `{}`", transport.source().unwrap_or_default()),
    }
}
