//! Names of a case's own for what its hops go through at brokers, so that several cases can share one broker.
//!
//! Only names that nobody but us uses are changed: where a service of the user's sends or reads, the name is that
//! service's configuration, and stays. What a user wrote as text (bodies, templates, expectations) is not looked at.

use super::hop::Transport;
use super::index::NodeIx;
use super::node_kind::BrokerKind;
use super::{Hop, Scenario};

/// Amazon SQS, quotas: a queue's name, with the `.fifo` of a FIFO queue.
const SQS_MOST: usize = 80;
/// Apache Kafka, `Topic.validate`.
const KAFKA_MOST: usize = 249;
/// AMQP 0-9-1, short strings, with room for the `.delay` of a queue in which messages wait.
const AMQP_MOST: usize = 255 - ".delay".len();
/// The end of the name of a FIFO queue.
const FIFO: &str = ".fifo";

/// A scenario whose cases can share brokers, and the names at which they still meet.
#[derive(Clone, Debug)]
pub struct OwnNames {
    pub scenario: Scenario,
    pub kept: Vec<KeptName>,
}

/// A topic, group, exchange or queue that a service of the user's knows by its name: of two cases that keep the same
/// one at the same broker, only one can run at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptName {
    pub broker: NodeIx,
    pub name: String,
}

/// A name that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnName {
    pub broker: NodeIx,
    pub what: NameKind,
    /// As the file has it.
    pub of: String,
    pub own: String,
}

/// A kind of thing that has a name at a broker; each kind has its own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    Topic,
    Group,
    Exchange,
    Queue,
}

impl NameKind {
    pub const ALL: [NameKind; 4] = [NameKind::Topic, NameKind::Group, NameKind::Exchange, NameKind::Queue];

    pub fn word(self) -> &'static str {
        match self {
            NameKind::Topic => "topic",
            NameKind::Group => "group",
            NameKind::Exchange => "exchange",
            NameKind::Queue => "queue",
        }
    }
}

impl Scenario {
    /// Returns the same story with names of its own for what its hops go through at brokers, so that cases can share a
    /// broker: `-SUFFIX` is put behind each. `self` is as it was read; a suffix is short, and of letters and digits.
    ///
    /// A name stays as it is where a service of the user's uses it on any hop. Brokers with an `address` are somebody
    /// else's: there every name stays, and none is listed.
    pub fn with_own_names(&self, suffix: &str) -> OwnNames {
        let mut own: Vec<OwnName> = Vec::new();
        let mut kept = Vec::new();
        let uses: Vec<NameUse<'_>> = self.hops.iter().flat_map(uses).collect();
        for used in &uses {
            let Some(broker) = self.node(used.broker).kind.as_broker() else { continue };
            let of = used.name;
            if broker.address.is_some() || own.iter().any(|known| known.is(used.broker, used.what, of)) {
                continue;
            }
            if uses.iter().filter(|other| used.is_same(other)).all(|other| self.is_ours(other)) {
                let name = suffixed(of, broker.kind, own.len(), suffix);
                own.push(OwnName { broker: used.broker, what: used.what, of: of.to_owned(), own: name });
            } else {
                kept.push(KeptName { broker: used.broker, name: of.to_owned() });
            }
        }
        kept.sort_unstable();
        kept.dedup();
        OwnNames { scenario: self.named(own), kept }
    }

    /// Returns the same story with these names in place of the file's.
    pub fn named(&self, names: Vec<OwnName>) -> Scenario {
        let mut scenario = self.clone();
        for hop in &mut scenario.hops {
            rename(&mut hop.transport, &names);
        }
        scenario.own_names = names;
        scenario
    }

    /// Returns the topic or queue that the receiver of a hop reads, by the name that the file has for it.
    pub fn source_in_file<'s>(&'s self, transport: &'s Transport) -> Option<&'s str> {
        let (broker, source) = (transport.via()?, transport.source()?);
        let renamed = self.own_names.iter().find(|name| {
            name.broker == broker
                && matches!(name.what, NameKind::Topic | NameKind::Queue)
                && name.own == source
        });
        Some(renamed.map_or(source, |name| name.of.as_str()))
    }

    fn is_ours(&self, used: &NameUse<'_>) -> bool {
        used.by.iter().flatten().all(|node| !self.node(*node).kind.is_users_service())
    }
}

impl OwnName {
    fn is(&self, broker: NodeIx, what: NameKind, of: &str) -> bool {
        self.broker == broker && self.what == what && self.of == of
    }
}

/// A hop names something at its broker.
struct NameUse<'h> {
    broker: NodeIx,
    what: NameKind,
    name: &'h str,
    /// The nodes that know it by its name.
    by: [Option<NodeIx>; 2],
}

impl NameUse<'_> {
    fn is_same(&self, other: &NameUse<'_>) -> bool {
        (self.broker, self.what, self.name) == (other.broker, other.what, other.name)
    }
}

/// Returns the names that a hop uses at its broker, each with the nodes that have to know it.
fn uses(hop: &Hop) -> Vec<NameUse<'_>> {
    let (both, reader) = ([Some(hop.from), Some(hop.to)], [None, Some(hop.to)]);
    match &hop.transport {
        Transport::Http(_) | Transport::Grpc(_) => Vec::new(),
        Transport::Kafka(kafka) => vec![
            NameUse { broker: kafka.via, what: NameKind::Topic, name: &kafka.topic, by: both },
            NameUse { broker: kafka.via, what: NameKind::Group, name: &kafka.group, by: reader },
        ],
        Transport::Sqs(sqs) => {
            vec![NameUse { broker: sqs.via, what: NameKind::Queue, name: &sqs.queue, by: both }]
        }
        Transport::RabbitMq(rabbit) if rabbit.is_direct_reply() => Vec::new(),
        Transport::RabbitMq(rabbit) => {
            // Who publishes to an exchange need not know the queues behind it. Who gives messages up may well: a
            // queue is declared with where they go, and that is never an exchange here.
            let by = if rabbit.exchange.is_some() { reader } else { both };
            let queue = NameUse { broker: rabbit.via, what: NameKind::Queue, name: &rabbit.queue, by };
            let exchange = rabbit.exchange.as_ref().map(|exchange| &exchange.name);
            // And who reads may bind its queue itself.
            let exchange =
                exchange.map(|name| NameUse { broker: rabbit.via, what: NameKind::Exchange, name, by: both });
            std::iter::once(queue).chain(exchange).collect()
        }
    }
}

fn rename(transport: &mut Transport, names: &[OwnName]) {
    match transport {
        Transport::Http(_) | Transport::Grpc(_) => {}
        Transport::Kafka(kafka) => {
            replace(names, kafka.via, NameKind::Topic, &mut kafka.topic);
            replace(names, kafka.via, NameKind::Group, &mut kafka.group);
        }
        Transport::Sqs(sqs) => replace(names, sqs.via, NameKind::Queue, &mut sqs.queue),
        Transport::RabbitMq(rabbit) => {
            replace(names, rabbit.via, NameKind::Queue, &mut rabbit.queue);
            match &mut rabbit.exchange {
                Some(exchange) => replace(names, rabbit.via, NameKind::Exchange, &mut exchange.name),
                // The default exchange takes a message to the queue of that name.
                None => rabbit.routing_key.clone_from(&rabbit.queue),
            }
        }
    }
}

fn replace(names: &[OwnName], broker: NodeIx, what: NameKind, name: &mut String) {
    if let Some(known) = names.iter().find(|known| known.is(broker, what, name)) {
        name.clone_from(&known.own);
    }
}

/// Returns `NAME-SUFFIX`. A name that is too long loses its end and gets a number instead, so that names stay distinct.
fn suffixed(name: &str, kind: BrokerKind, number: usize, suffix: &str) -> String {
    let (name, ending, most) = match kind {
        BrokerKind::Kafka => (name, "", KAFKA_MOST),
        BrokerKind::RabbitMq => (name, "", AMQP_MOST),
        BrokerKind::Sqs => match name.strip_suffix(FIFO) {
            Some(name) => (name, FIFO, SQS_MOST),
            None => (name, "", SQS_MOST),
        },
    };
    let end = format!("-{suffix}{ending}");
    if name.len() + end.len() <= most {
        return format!("{name}{end}");
    }
    let end = format!("-{number}{end}");
    let room = name.floor_char_boundary(most.saturating_sub(end.len()));
    format!("{}{end}", &name[..room])
}

#[cfg(test)]
mod tests;
