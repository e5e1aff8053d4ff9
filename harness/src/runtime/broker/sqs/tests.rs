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
    let asked = asking.attribute_names(QueueAttributeName::All).send().await.unwrap();
    asked.attributes.unwrap()
}

/// With its causes.
fn shown(error: &(dyn Error + Send + Sync)) -> String {
    let causes = std::iter::successors(error.source(), |error: &&(dyn Error + 'static)| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[tokio::test]
async fn queues_are_made_after_those_that_they_move_their_messages_to_and_twice_is_once() {
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
async fn a_queue_that_was_there_may_be_moved_to_and_must_not_differ() {
    let broker = broker().await;
    broker.create_queue("dead", &[]).unwrap();
    declare(&broker.endpoint_url(), &plan(&[("work", Some("dead"))])).await.unwrap();
    broker.create_queue("other", &[]).unwrap();
    let error = declare(&broker.endpoint_url(), &plan(&[("work", Some("other"))])).await.unwrap_err();
    let text = shown(&*error);
    assert!(text.starts_with("the queue `work` cannot be made: QueueAlreadyExists: "), "{text}");
}

#[tokio::test]
async fn what_cannot_be_made_is_named() {
    let broker = broker().await;
    let failing = async |queues: &[(&str, Option<&str>)]| {
        shown(&*declare(&broker.endpoint_url(), &plan(queues)).await.unwrap_err())
    };
    assert!(
        failing(&[("a b", None)])
            .await
            .starts_with("the queue `a b` cannot be made: InvalidParameterValue: ")
    );
    let text = failing(&[("a", Some("nowhere"))]).await;
    assert!(text.contains("the queue `a` cannot be made") && text.contains("does not exist"), "{text}");
    let circle = failing(&[("a", Some("b")), ("b", Some("a"))]).await;
    assert_eq!(circle, "the queue `a` moves its messages in a circle");
    broker.stop().await;
    let gone = failing(&[("a", None)]).await;
    assert!(gone.to_ascii_lowercase().contains("refused"), "{gone}");
}
