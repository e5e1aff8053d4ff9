//! The stub empties its queue as long as it lives.

use stand_in_brokers::sqs::{Config, SqsBroker};
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(20);

async fn send(broker: &SqsBroker) {
    let sending = client(&broker.endpoint_url()).send_message().queue_url(broker.queue_url("jobs"));
    sending.message_body("x").send().await.unwrap();
}

/// Returns the numbers of messages that wait and that are in flight.
async fn left(broker: &SqsBroker) -> Vec<String> {
    use aws_sdk_sqs::types::QueueAttributeName::{
        ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible,
    };
    let asking = client(&broker.endpoint_url()).get_queue_attributes().queue_url(broker.queue_url("jobs"));
    let asking = asking.attribute_names(ApproximateNumberOfMessages);
    let answer = asking.attribute_names(ApproximateNumberOfMessagesNotVisible).send().await.unwrap();
    answer.attributes.unwrap().into_values().collect()
}

#[tokio::test]
async fn every_message_is_deleted_until_the_stub_is_dropped() {
    let broker = SqsBroker::start(Config::default()).await.unwrap();
    broker.create_queue("jobs", &[]).unwrap();
    send(&broker).await;
    let stub = SqsStub::start(&broker.endpoint_url(), "jobs").await.unwrap();
    for _ in 0..12 {
        send(&broker).await;
    }
    let emptied = async {
        while left(&broker).await != ["0", "0"] {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, emptied).await.expect("all are deleted");
    assert_eq!(broker.refusals().list(), []);
    let reading = stub.task.abort_handle();
    drop(stub);
    let ended = async {
        while !reading.is_finished() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, ended).await.expect("the reader has ended");
}

#[tokio::test]
async fn a_missing_queue_is_named() {
    let broker = SqsBroker::start(Config::default()).await.unwrap();
    let error = SqsStub::start(&broker.endpoint_url(), "jobs").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read the queue `jobs`");
    assert!(error.source().unwrap().to_string().contains("does not exist"), "{error:?}");
}

#[test]
fn pauses_double_up_to_a_bound() {
    let mut backoff = Backoff::default();
    let pauses: Vec<_> = (0..8).map(|_| backoff.next().as_millis()).collect();
    assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
}
