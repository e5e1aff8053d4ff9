//! Creates the topics that hops name.
//!
//! A topic that exists already must have at least as many partitions as the hops declare. Nothing else of it is
//! checked.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::runtime::Handle;

use crate::client_end;
use crate::error_chain::BoxedError;
use crate::plan::BrokerPlan;
use crate::plan::broker::Topic;

/// The time that the broker may take for all of it.
const WITHIN: Duration = Duration::from_secs(10);

/// Each broker has a setting of its own for it; version 4 of the request, Kafka 2.4, and later.
const BROKERS_DEFAULT: TopicReplication<'_> = TopicReplication::Fixed(-1);

#[derive(Debug, thiserror::Error)]
enum TopicError {
    #[error("the broker rejected the topic `{topic}`")]
    Rejected { topic: String, source: KafkaError },
    #[error(
        "the topic `{topic}` exists with {there} partitions, and the hops need {needed}: delete it, or correct \
         `partitions:`"
    )]
    TooNarrow { topic: String, there: usize, needed: u16 },
}

/// Creates the topics of the plan that do not exist yet. `address` is `host:port`.
pub async fn declare(address: &str, plan: &BrokerPlan) -> Result<(), BoxedError> {
    let (address, topics) = (address.to_owned(), plan.topics.clone());
    // An admin client waits for its own threads when it is dropped.
    tokio::task::spawn_blocking(move || declare_all(&address, &topics)).await?
}

fn declare_all(address: &str, topics: &[Topic]) -> Result<(), BoxedError> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address).set("allow.auto.create.topics", "false");
    let client: BaseConsumer = config.create()?;
    // Fails where no Kafka broker answers.
    client.fetch_metadata(None, WITHIN)?;
    let new: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|topic| NewTopic::new(&topic.name, i32::from(topic.partitions), BROKERS_DEFAULT))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let admin: AdminClient<DefaultClientContext> = config.create()?;
    let options = AdminOptions::new().request_timeout(Some(WITHIN)).operation_timeout(Some(WITHIN));
    let created = Handle::current().block_on(admin.create_topics(&new, &options));
    client_end::in_background(admin);
    for made in created? {
        match made {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(TopicError::Rejected { topic, source: KafkaError::AdminOp(code) }.into());
            }
        }
    }
    let deadline = Instant::now() + WITHIN;
    let seen = topics.iter().try_for_each(|topic| await_topic(&client, topic, deadline));
    client_end::in_background(client);
    seen
}

/// Deletes the topics of the plan, and waits until they are gone: the next case may use the same name. The offsets of
/// their groups are deleted with them.
pub async fn delete(address: &str, plan: &BrokerPlan) -> Result<(), BoxedError> {
    let (address, topics) = (address.to_owned(), plan.topics.clone());
    tokio::task::spawn_blocking(move || delete_all(&address, &topics)).await?
}

fn delete_all(address: &str, topics: &[Topic]) -> Result<(), BoxedError> {
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address).set("allow.auto.create.topics", "false");
    let admin: AdminClient<DefaultClientContext> = config.create()?;
    let options = AdminOptions::new().request_timeout(Some(WITHIN)).operation_timeout(Some(WITHIN));
    let deleted = Handle::current().block_on(admin.delete_topics(&names, &options));
    client_end::in_background(admin);
    for deleted in deleted? {
        match deleted {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
            Err((topic, code)) => {
                return Err(TopicError::Rejected { topic, source: KafkaError::AdminOp(code) }.into());
            }
        }
    }
    Ok(())
}

/// Waits until clients see the topic: a broker answers the creation before that.
fn await_topic(client: &BaseConsumer, topic: &Topic, deadline: Instant) -> Result<(), BoxedError> {
    let mut pause = Duration::from_millis(5);
    loop {
        let metadata = client.fetch_metadata(Some(&topic.name), WITHIN)?;
        let seen = metadata.topics().iter().find(|seen| seen.name() == topic.name && seen.error().is_none());
        let there = seen.map_or(0, |seen| seen.partitions().len());
        if there >= usize::from(topic.partitions) {
            return Ok(());
        }
        if there > 0 || Instant::now() >= deadline {
            let (topic, needed) = (topic.name.clone(), topic.partitions);
            return Err(TopicError::TooNarrow { topic, there, needed }.into());
        }
        thread::park_timeout(pause);
        pause *= 2;
    }
}
