//! One message that crosses several hops: the hops must agree on it, and all relays read the same instruction.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::{Hop, Step, Transport};
use crate::scenario::index::{HopIx, NodeIx};
use crate::scenario::relation::{Relation, RestartSide};
use crate::scenario::spelling;
use crate::source::Place;

const ONE_BODY: &str =
    "all relays read the same instruction: replace all but one of them with a `command` or a `stub`";

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for (index, hop) in draft.hops.iter().enumerate() {
        let (ix, dead_letter) = (HopIx(index), hop.hop.dead_letter_of.is_some());
        if hop.hop.transport.via().is_none() || dead_letter {
            continue;
        }
        let first = draft.hops.iter().find(|first| first.hop.shares_message(&hop.hop)).unwrap_or(hop);
        if first.hop.place != hop.hop.place {
            same_message(draft, first, hop, complaints);
        } else if !draft.incomplete {
            one_body(draft, ix, complaints);
        }
        if !draft.incomplete {
            reaches_others(draft, ix, complaints);
        }
    }
}

/// Returns the hops over which the message that is sent over `hop` arrives: all readers, and where a broker moves it.
pub(super) fn readers(draft: &Draft<'_>, hop: HopIx) -> Vec<HopIx> {
    let all = || draft.hops.iter().enumerate().map(|(ix, hop)| (HopIx(ix), &hop.hop));
    let sent = draft.hop(hop);
    let mut readers: Vec<HopIx> =
        all().filter(|(ix, other)| *ix == hop || other.shares_message(sent)).map(|(ix, _)| ix).collect();
    let mut at = 0;
    while let Some(reader) = readers.get(at).copied() {
        let moved = all().filter(|(_, other)| other.dead_letter_of == Some(reader)).map(|(ix, _)| ix);
        let new: Vec<HopIx> = moved.filter(|moved| !readers.contains(moved)).collect();
        readers.extend(new);
        at += 1;
    }
    readers
}

/// Returns whether its receiver follows the body, or forwards it to a node that may.
fn reads_instruction(draft: &Draft<'_>, hop: HopIx) -> bool {
    let to = draft.node(draft.hop(hop).to);
    to.kind.keeps_relay_contract() || to.passes_bodies()
}

/// Reports where hops disagree on the one message that crosses them.
fn same_message(draft: &Draft<'_>, first: &HopDraft<'_>, second: &HopDraft<'_>, complaints: &mut Complaints) {
    let (one, two) = (&first.hop, &second.hop);
    let differing = [
        ("times", one.times != two.times),
        ("relation", context_sent(one) != context_sent(two) && !complaints.misfit(two.relation_place)),
        ("tap", one.tapped != two.tapped),
        ("key", key(one) != key(two)),
        ("routing-key", routing_key(one) != routing_key(two)),
    ];
    let apart = match &two.transport {
        Transport::Kafka(_) | Transport::Sqs(_) => "to two topics",
        _ if routing_key(one).is_some_and(|key| routing_key(two) == Some(key)) => "with two routing keys",
        _ => "to two exchanges",
    };
    for (key, _) in differing.into_iter().filter(|(_, differs)| *differs) {
        let message = format!(
            "one message crosses `{}` and `{}`, and they set different values of `{key}`",
            one.id, two.id
        );
        let diagnostic = Diagnostic::new("fan-out", place_of(second, key), message).label("second value");
        let help = format!("use the same value at both hops, or send two messages {apart}");
        complaints.report(diagnostic.also(place_of(first, key), "first value").help(help));
    }
    if two.steps.iter().any(is_of_sender) && draft.is_relay(two.from) {
        let message = format!(
            "`{}` is the same message as `{}`, which comes first in the file and holds the sender's steps",
            two.id, one.id
        );
        let diagnostic = Diagnostic::new("fan-out", second.tree.place_of("steps"), message);
        let help = format!("move these steps to `{}`", one.id);
        complaints.report(diagnostic.also(one.place, "first in the file").help(help));
    }
}

/// Returns what the relation says of the context on the wire: whether it is of a new trace, and whether it is absent.
fn context_sent(hop: &Hop) -> (bool, bool) {
    (hop.relation.restarts_at() == Some(RestartSide::Sender), hop.relation == Relation::None)
}

fn key(hop: &Hop) -> Option<&str> {
    match &hop.transport {
        Transport::Kafka(kafka) => kafka.key.as_deref(),
        Transport::Http(_) | Transport::Grpc(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => None,
    }
}

fn routing_key(hop: &Hop) -> Option<&str> {
    match &hop.transport {
        Transport::RabbitMq(rabbit) => rabbit.exchange.as_ref().map(|_| rabbit.routing_key.as_str()),
        Transport::Http(_) | Transport::Grpc(_) | Transport::Kafka(_) | Transport::Sqs(_) => None,
    }
}

fn is_of_sender(step: &Step) -> bool {
    match step {
        Step::Wait(_) | Step::Spawn | Step::Retry(_) | Step::Log(_) => true,
        Step::Fail(_) | Step::Restart => false,
    }
}

fn place_of(hop: &HopDraft<'_>, key: &str) -> Place {
    let entry = hop.tree.entry(key).or_else(|| hop.transport.entry(key));
    entry.map_or(hop.hop.place, |entry| entry.value.place)
}

/// Reports several relays that would all follow one body.
fn one_body(draft: &Draft<'_>, sent: HopIx, complaints: &mut Complaints) {
    let readers = readers(draft, sent);
    let instructed: Vec<HopIx> =
        readers.iter().copied().filter(|reader| reads_instruction(draft, *reader)).collect();
    if instructed.len() < 2 {
        return;
    }
    let mut names: Vec<&str> =
        instructed.iter().map(|hop| draft.node(draft.hop(*hop).to).name.as_str()).collect();
    names.dedup();
    let names = spelling::listed(&names);
    for below in &draft.hops {
        let hop = &below.hop;
        let of_a_relay =
            hop.within.is_some_and(|within| instructed.contains(&within)) && is_a_relay(draft, hop.from);
        if !of_a_relay || hop.dead_letter_of.is_some() {
            continue;
        }
        let message = format!("`{}` would be sent by every relay that reads the message: {names}", hop.id);
        let mut diagnostic =
            Diagnostic::new("fan-out-below", hop.place, message).label("in the instruction of all of them");
        for reader in &instructed {
            diagnostic = diagnostic.also(draft.hop(*reader).place, "reads the message");
        }
        complaints.report(diagnostic.help(ONE_BODY));
    }
    let at_once = instructed.iter().filter(|reader| draft.hop(**reader).dead_letter_of.is_none()).count();
    for reader in instructed.iter().map(|reader| &draft.hops[reader.0]) {
        let fails = reader.hop.steps.iter().any(|step| matches!(step, Step::Fail(_)));
        if fails && at_once > 1 {
            let message = format!("every relay that reads the message would fail: {names}");
            let diagnostic = Diagnostic::new("fan-out-below", reader.tree.value_place("steps"), message);
            complaints.report(diagnostic.label("in the instruction of all of them").help(ONE_BODY));
        }
    }
}

fn is_a_relay(draft: &Draft<'_>, node: NodeIx) -> bool {
    draft.is_relay(node) || draft.node(node).passes_bodies()
}

/// Reports readers that no hop declares: a broker gives a message to every group and queue, also of another sender.
fn reaches_others(draft: &Draft<'_>, ix: HopIx, complaints: &mut Complaints) {
    let sent = draft.hop(ix);
    let others = draft.hops.iter().map(|hop| &hop.hop).filter(|other| {
        let elsewhere =
            (other.from, other.within) != (sent.from, sent.within) && other.dead_letter_of.is_none();
        elsewhere && other.transport.sent_alike(&sent.transport) && !is_declared(draft, sent, other)
    });
    for other in others {
        let (from, to) = (&draft.node(sent.from).name, &draft.node(other.to).name);
        let message =
            format!("`{to}` also reads what `{from}` sends over `{}`, and no hop declares it", sent.id);
        let diagnostic =
            Diagnostic::new("undeclared-reader", sent.place, message).label(format!("reaches `{to}`"));
        let help = format!(
            "add a hop from `{from}` to `{to}` like `{}`, or use another topic or exchange",
            other.id
        );
        complaints.report(diagnostic.also(other.place, "read here").help(help));
    }
}

/// Returns whether a hop of the sender declares that the reader of `other` reads what is sent.
fn is_declared(draft: &Draft<'_>, sent: &Hop, other: &Hop) -> bool {
    draft.hops.iter().any(|hop| hop.hop.shares_message(sent) && hop.hop.shares_source(other))
}
