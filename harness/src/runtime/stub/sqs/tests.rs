//! What the stub leaves in a queue: nothing, as long as it lives.

use stand_in_brokers::sqs::{Config, SqsBroker};
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(20);

async fn send(broker: &SqsBroker) {
    let sending = client(&broker.endpoint_url()).send_message().queue_url(broker.queue_url("jobs"));
    sending.message_body("x").send().await.unwrap();
}

/// Messages that wait and those that somebody has.
async fn left(broker: &SqsBroker) -> Vec<String> {
    use aws_sdk_sqs::types::QueueAttributeName::{
        ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible,
    };
    let asking = client(&broker.endpoint_url()).get_queue_attributes().queue_url(broker.queue_url("jobs"));
    let asking = asking.attribute_names(ApproximateNumberOfMessages);
    let asked = asking.attribute_names(ApproximateNumberOfMessagesNotVisible).send().await.unwrap();
    asked.attributes.unwrap().into_values().collect()
}

#[tokio::test]
async fn everything_is_read_and_deleted_until_it_is_dropped() {
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
    timeout(SOON, ended).await.expect("nobody reads any more");
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_named() {
    let broker = SqsBroker::start(Config::default()).await.unwrap();
    let error = SqsStub::start(&broker.endpoint_url(), "jobs").await.unwrap_err();
    assert_eq!(error.to_string(), "the queue `jobs` cannot be read");
    assert!(error.source().unwrap().to_string().contains("does not exist"), "{error:?}");
}

#[test]
fn it_rests_longer_and_longer_up_to_a_bound() {
    let mut rest = Rest::default();
    let pauses: Vec<_> = (0..8).map(|_| rest.next().as_millis()).collect();
    assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
}
