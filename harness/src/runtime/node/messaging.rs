//! The variables of a node that uses brokers, besides templates: the environment of the relay contract
//! (`fixtures/CONTRACT.md`, section 3), and what the AWS SDKs need to start.

use crate::plan::Subscription;
use crate::plan::broker::MessageSource;
use crate::plan::instruction::{destination, escaped};
use crate::runtime::broker::BrokerReach;
use crate::runtime::client_settings;
use crate::runtime::error::RuntimeError;
use crate::runtime::wiring::CaseWiring;
use crate::scenario::{BrokerKind, NodeIx, Relation};

type Variables = Vec<(&'static str, String)>;

/// Returns a relay's brokers, its subscriptions, and the relation that its consumers keep.
pub fn of_relay(node: NodeIx, wiring: &CaseWiring) -> Result<Variables, RuntimeError> {
    let mut variables = credentials(node, wiring);
    let mut set: Vec<&str> = Vec::new();
    for reach in wiring.brokers_of(node) {
        let name = client_settings::broker_variable(reach.kind);
        // The contract has one of each kind: `brokers-of-relay` of the scenario's checks.
        if !set.contains(&name) {
            set.push(name);
            variables.push((name, wiring.broker_url(node, reach.node)?));
        }
    }
    let subscriptions = wiring.plan().subscriptions.get(node.0).map(Vec::as_slice).unwrap_or_default();
    if !subscriptions.is_empty() {
        let subscriptions: Vec<String> = subscriptions.iter().map(subscription).collect();
        variables.push(("RELAY_CONSUME", subscriptions.join(",")));
        variables.push(("RELAY_CONSUMER_RELATION", consumer_relation(node, wiring).to_owned()));
        variables.extend(dead_letters(node, wiring).map(|url| ("RELAY_MODEL_DEAD_LETTERS", url)));
    }
    Ok(variables)
}

/// Returns region and keys for a service that uses SQS.
/// Everything else a service of the user's gets by templates.
pub fn credentials(node: NodeIx, wiring: &CaseWiring) -> Variables {
    let Some(reach) = wiring.brokers_of(node).find(|reach| reach.kind == BrokerKind::Sqs) else {
        return Vec::new();
    };
    let variables = client_settings::AWS.into_iter().filter(|(name, _)| is_needed(reach, name));
    variables.map(|(name, value)| (name, value.to_owned())).collect()
}

/// Returns whether a variable is set: the user's own keys are for the user's own broker only.
fn is_needed(reach: &BrokerReach, name: &str) -> bool {
    reach.own || std::env::var_os(name).is_none()
}

fn subscription(subscription: &Subscription) -> String {
    let mut options = Vec::new();
    let address = match &subscription.source {
        MessageSource::Kafka { topic, group } => {
            options.push(format!("group={}", escaped(group)));
            format!("kafka://{}", escaped(topic))
        }
        MessageSource::RabbitMq { queue } => format!("amqp:///{}", escaped(queue)),
        MessageSource::Sqs { queue } => format!("sqs://{}", escaped(queue)),
    };
    options.extend(subscription.batch.map(|batch| format!("batch={batch}")));
    if options.is_empty() { address } else { format!("{address}?{}", options.join("&")) }
}

/// Returns the queue to which the broker moves rejected messages; some faults of the model relay send there themselves.
fn dead_letters(node: NodeIx, wiring: &CaseWiring) -> Option<String> {
    let scenario = &wiring.plan().scenario;
    let mut hops = scenario.hops.iter();
    let moved = hops.find(|hop| hop.dead_letter_of.is_some_and(|of| scenario.hop(of).to == node))?;
    destination(&moved.transport)
}

/// Returns the relation of everything that a relay reads one by one: `link` if one hop needs it. Batches always link.
fn consumer_relation(node: NodeIx, wiring: &CaseWiring) -> &'static str {
    let read =
        wiring.plan().scenario.hops.iter().filter(|hop| hop.to == node && hop.transport.via().is_some());
    let read = read.filter(|hop| hop.transport.batch().is_none());
    if read.map(|hop| hop.relation).any(Relation::receiver_begins) { "link" } else { "child" }
}
