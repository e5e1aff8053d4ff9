//! The topics, exchanges and queues that a broker needs before the first node starts, and their readers.

use std::time::Duration;

use crate::scenario::{AmqpExchange, BrokerKind, ExchangeKind, Hop, HopIx, NodeIx, Scenario, Transport};

/// Everything that hops name at one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerPlan {
    pub node: NodeIx,
    pub kind: BrokerKind,
    pub topics: Vec<Topic>,
    pub exchanges: Vec<AmqpExchange>,
    pub queues: Vec<Queue>,
    pub bindings: Vec<Binding>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub partitions: u16,
    /// Consumer groups of the scenario's hops, whose committed offsets show what was processed.
    pub groups: Vec<String>,
}

/// A partition that a consumer group reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPartition {
    pub group: String,
    pub topic: String,
    pub partition: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    pub name: String,
    /// Messages that wait longer are moved to `moves_to`.
    pub expires: Option<Duration>,
    /// The queue that gets what expires or is given up by its reader (RabbitMQ: dead-letter exchange; SQS: redrive
    /// after one receive).
    pub moves_to: Option<String>,
}

/// A queue of RabbitMQ that gets what is published to an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub exchange: String,
    pub routing_key: String,
    pub queue: String,
}

/// A topic or queue that a node reads from a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub broker: NodeIx,
    pub source: MessageSource,
    pub batch: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageSource {
    Kafka { topic: String, group: String },
    RabbitMq { queue: String },
    Sqs { queue: String },
}

pub(super) fn brokers(scenario: &Scenario) -> Vec<BrokerPlan> {
    let nodes = scenario.nodes.iter().enumerate();
    let brokers = nodes.filter_map(|(ix, node)| Some((NodeIx(ix), node.kind.as_broker()?.kind)));
    brokers
        .map(|(node, kind)| {
            let mut plan = BrokerPlan {
                node,
                kind,
                topics: Vec::new(),
                exchanges: Vec::new(),
                queues: Vec::new(),
                bindings: Vec::new(),
            };
            for (ix, hop) in scenario.hops.iter().enumerate() {
                if hop.transport.via() == Some(node) {
                    plan.add(scenario, HopIx(ix), hop);
                }
            }
            plan
        })
        .collect()
}

impl BrokerPlan {
    /// Returns every partition that a consumer group of the hops reads.
    pub fn group_partitions(&self) -> Vec<GroupPartition> {
        let mut all = Vec::new();
        for topic in &self.topics {
            for group in &topic.groups {
                all.extend((0..topic.partitions).map(|partition| GroupPartition {
                    group: group.clone(),
                    topic: topic.name.clone(),
                    partition: i32::from(partition),
                }));
            }
        }
        all
    }

    fn add(&mut self, scenario: &Scenario, ix: HopIx, hop: &Hop) {
        let moved_to = scenario.hops.iter().find(|other| other.dead_letter_of == Some(ix));
        let moves_to = moved_to.and_then(|other| other.transport.source()).map(str::to_owned);
        match &hop.transport {
            Transport::Kafka(kafka) => self.topic(&kafka.topic, kafka.partitions, &kafka.group),
            Transport::Sqs(sqs) => self.queue(&sqs.queue, None, moves_to),
            Transport::RabbitMq(rabbit) if rabbit.is_direct_reply() => {}
            Transport::RabbitMq(rabbit) => {
                self.queue(&rabbit.queue, None, moves_to);
                let mut bound = rabbit.queue.clone();
                if let Some(delay) = rabbit.delay {
                    bound = rabbit.delay_queue();
                    self.queue(&bound, Some(delay), Some(rabbit.queue.clone()));
                }
                if let Some(exchange) = &rabbit.exchange {
                    if !self.exchanges.contains(exchange) {
                        self.exchanges.push(exchange.clone());
                    }
                    let routing_key = match exchange.kind {
                        ExchangeKind::Fanout => String::new(),
                        ExchangeKind::Direct | ExchangeKind::Topic => rabbit.routing_key.clone(),
                    };
                    let binding = Binding { exchange: exchange.name.clone(), routing_key, queue: bound };
                    if !self.bindings.contains(&binding) {
                        self.bindings.push(binding);
                    }
                }
            }
            Transport::Http(_) | Transport::Grpc(_) => {}
        }
    }

    /// Adds a hop of a topic. Of hops that share a topic, the one with the most partitions decides.
    fn topic(&mut self, name: &str, partitions: u16, group: &str) {
        let known = self.topics.iter().position(|topic| topic.name == name);
        let ix = known.unwrap_or_else(|| {
            self.topics.push(Topic { name: name.to_owned(), partitions, groups: Vec::new() });
            self.topics.len() - 1
        });
        let topic = &mut self.topics[ix];
        topic.partitions = topic.partitions.max(partitions);
        if !topic.groups.iter().any(|known| known == group) {
            topic.groups.push(group.to_owned());
        }
    }

    fn queue(&mut self, name: &str, expires: Option<Duration>, moves_to: Option<String>) {
        match self.queues.iter_mut().find(|queue| queue.name == name) {
            Some(known) => known.moves_to = known.moves_to.take().or(moves_to),
            None => self.queues.push(Queue { name: name.to_owned(), expires, moves_to }),
        }
    }
}

/// Returns for each node what it reads; two hops that end at the same queue are one subscription.
pub(super) fn subscriptions(scenario: &Scenario) -> Vec<Vec<Subscription>> {
    let mut subscriptions = vec![Vec::new(); scenario.nodes.len()];
    for hop in &scenario.hops {
        let Some(broker) = hop.transport.via() else { continue };
        let source = match &hop.transport {
            Transport::Kafka(kafka) => {
                MessageSource::Kafka { topic: kafka.topic.clone(), group: kafka.group.clone() }
            }
            Transport::RabbitMq(rabbit) => MessageSource::RabbitMq { queue: rabbit.queue.clone() },
            Transport::Sqs(sqs) => MessageSource::Sqs { queue: sqs.queue.clone() },
            Transport::Http(_) | Transport::Grpc(_) => continue,
        };
        let own: &mut Vec<Subscription> = &mut subscriptions[hop.to.0];
        let batch = hop.transport.batch();
        match own.iter_mut().find(|known| known.broker == broker && known.source == source) {
            Some(known) => known.batch = known.batch.max(batch),
            None => own.push(Subscription { broker, source, batch }),
        }
    }
    subscriptions
}
