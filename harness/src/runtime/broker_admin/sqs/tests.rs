//! Queues as the service has them afterwards.

use std::collections::HashMap;

use stand_in_brokers::sqs::{Config, SqsBroker};

use super::*;
use crate::scenario::{BrokerKind, NodeIx};

fn plan(queues: &[(&str, Option<&str>)]) -> BrokerPlan {
    let queue = |(name, moves_to): &(&str, Option<&str>)| Queue {
        name: (*name).to_owned(),
        expires: None,
        moves_to: moves_to.map(str::to_owned),
    };
    BrokerPlan {
        node: NodeIx(1),
        kind: BrokerKind::Sqs,
        topics: Vec::new(),
        exchanges: Vec::new(),
        queues: queues.iter().map(queue).collect(),
        bindings: Vec::new(),
    }
}

async fn broker() -> SqsBroker {
    SqsBroker::start(Config::default()).await.unwrap()
}

async fn settings(broker: &SqsBroker, queue: &str) -> HashMap<QueueAttributeName, String> {
    let asking = client(&broker.endpoint_url()).get_queue_attributes().queue_url(broker.queue_url(queue));
    let answer = asking.attribute_names(QueueAttributeName::All).send().await.unwrap();
    answer.attributes.unwrap()
}

fn shown(error: &(dyn Error + Send + Sync + 'static)) -> String {
    error_chain::one_line(error)
}

#[tokio::test]
async fn queues_are_created_after_their_dead_letter_queues_and_creating_twice_succeeds() {
    let broker = broker().await;
    let plan =
        plan(&[("work", Some("dead")), ("dead", None), ("in.fifo", Some("out.fifo")), ("out.fifo", None)]);
    for _ in 0..2 {
        declare(&broker.endpoint_url(), &plan).await.unwrap();
    }
    let work = settings(&broker, "work").await;
    assert_eq!(work[&QueueAttributeName::VisibilityTimeout], "30");
    let policy = &work[&QueueAttributeName::RedrivePolicy];
    assert!(policy.contains(&broker.queue_arn("dead")) && policy.contains("\"1\""), "{policy}");
    let fifo = settings(&broker, "in.fifo").await;
    assert_eq!(fifo[&QueueAttributeName::ContentBasedDeduplication], "true");
    assert_eq!(settings(&broker, "dead").await.get(&QueueAttributeName::RedrivePolicy), None);
}

#[tokio::test]
async fn an_existing_queue_may_be_a_dead_letter_queue_and_must_not_differ() {
    let broker = broker().await;
    broker.create_queue("dead", &[]).unwrap();
    declare(&broker.endpoint_url(), &plan(&[("work", Some("dead"))])).await.unwrap();
    broker.create_queue("other", &[]).unwrap();
    let error = declare(&broker.endpoint_url(), &plan(&[("work", Some("other"))])).await.unwrap_err();
    let text = shown(&*error);
    assert!(text.starts_with("cannot create the queue `work`: QueueAlreadyExists: "), "{text}");
}

#[tokio::test]
async fn a_queue_that_cannot_be_created_is_named() {
    let broker = broker().await;
    let failing = async |queues: &[(&str, Option<&str>)]| {
        shown(&*declare(&broker.endpoint_url(), &plan(queues)).await.unwrap_err())
    };
    assert!(
        failing(&[("a b", None)]).await.starts_with("cannot create the queue `a b`: InvalidParameterValue: ")
    );
    let text = failing(&[("a", Some("nowhere"))]).await;
    assert!(text.contains("cannot create the queue `a`") && text.contains("does not exist"), "{text}");
    let circle = failing(&[("a", Some("b")), ("b", Some("a"))]).await;
    assert_eq!(circle, "the queue `a` moves its messages in a circle");
    broker.stop().await;
    let gone = failing(&[("a", None)]).await;
    assert!(gone.to_ascii_lowercase().contains("refused"), "{gone}");
}
