//! The keys under `kafka:`, `rabbitmq:` and `sqs:` of a hop.

use super::builder::Builder;
use crate::diagnostic::Diagnostic;
use crate::scenario::hop::Transport;
use crate::scenario::index::NodeIx;
use crate::scenario::message::{AmqpExchange, ExchangeKind, KafkaHop, RabbitMqHop, SqsHop};
use crate::scenario::node_kind::BrokerKind;
use crate::scenario::tree::Tree;
use crate::scenario::{pattern, spelling};

impl<'a> Builder<'a, '_> {
    pub(super) fn kafka(&mut self, tree: &'a Tree) -> Option<Transport> {
        let via = self.via(tree, BrokerKind::Kafka)?;
        let group = tree.text_at("group").or_else(|| tree.text_at("to"))?;
        let partitions = tree.get("partitions").and_then(Tree::number);
        Some(Transport::Kafka(KafkaHop {
            via,
            topic: tree.text_at("topic")?.to_owned(),
            group: group.to_owned(),
            key: tree.text_at("key").map(str::to_owned),
            partitions: partitions.and_then(|number| u16::try_from(number).ok()).unwrap_or(1),
            batch: batch(tree),
        }))
    }

    pub(super) fn rabbitmq(&mut self, tree: &'a Tree) -> Option<Transport> {
        let via = self.via(tree, BrokerKind::RabbitMq)?;
        let queue = tree.text_at("queue")?;
        let exchange =
            tree.text_at("exchange").map(|name| AmqpExchange { name: name.to_owned(), kind: kind(tree) });
        // A fanout does not look at it, and every queue behind it gets the same message.
        let fanout = exchange.as_ref().is_some_and(|exchange| exchange.kind == ExchangeKind::Fanout);
        let usual = if fanout { "" } else { queue };
        Some(Transport::RabbitMq(RabbitMqHop {
            via,
            exchange,
            routing_key: tree.text_at("routing-key").unwrap_or(usual).to_owned(),
            queue: queue.to_owned(),
            delay: tree.text_at("delay").and_then(pattern::duration),
            batch: batch(tree),
        }))
    }

    pub(super) fn sqs(&mut self, tree: &'a Tree) -> Option<Transport> {
        let via = self.via(tree, BrokerKind::Sqs)?;
        Some(Transport::Sqs(SqsHop { via, queue: tree.text_at("queue")?.to_owned(), batch: batch(tree) }))
    }

    /// Returns the broker of this kind that `via` names.
    fn via(&mut self, tree: &'a Tree, kind: BrokerKind) -> Option<NodeIx> {
        let via = self.end(tree, "via")?;
        let found = self.draft.brokers.get(&via).copied();
        if found == Some(kind) {
            return Some(via);
        }
        let (name, word) = (tree.text_at("via").unwrap_or_default(), kind.word());
        let message = match found {
            Some(found) => {
                format!("this hop needs a `{word}` broker, and `{name}` is a `{}` broker", found.word())
            }
            None => format!("this hop needs a `{word}` broker, and `{name}` is not a broker"),
        };
        let fitting =
            self.draft.node_names.iter().filter(|(_, ix)| self.draft.brokers.get(ix) == Some(&kind));
        let mut fitting: Vec<&str> = fitting.map(|(name, _)| *name).collect();
        fitting.sort_unstable();
        let help = match fitting.as_slice() {
            [] => format!("add a node such as `my-{word}: {{ {word}: {{}} }}` and name it in `via`"),
            [only] => format!("did you mean `{only}`?"),
            some => spelling::help(name, some, &format!("`{word}` brokers")),
        };
        let diagnostic = Diagnostic::new("wrong-broker", tree.value_place("via"), message);
        self.complaints.report(diagnostic.label("not such a broker").help(help));
        None
    }
}

fn batch(tree: &Tree) -> Option<u32> {
    tree.get("batch").and_then(Tree::number).and_then(|number| u32::try_from(number).ok())
}

fn kind(tree: &Tree) -> ExchangeKind {
    match tree.text_at("exchange-type") {
        Some("fanout") => ExchangeKind::Fanout,
        Some("topic") => ExchangeKind::Topic,
        _ => ExchangeKind::Direct,
    }
}
