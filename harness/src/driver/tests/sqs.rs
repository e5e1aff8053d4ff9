//! Messages as a queue has them, and what SQS has no room for.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use stand_in_brokers::sqs::{Config, SqsBroker};

use super::fixture::Case;
use crate::driver::{Driver, DriverError};
use crate::evidence::Answer;
use crate::plan::StimulusIx;
use crate::runtime::broker_admin::sqs::client;
use crate::scenario::{BrokerKind, NodeIx, SqsHop, Transport};

fn case_to(queue: &str) -> Case {
    let hop = SqsHop { via: NodeIx(2), queue: queue.to_owned(), batch: None };
    Case::message(BrokerKind::Sqs, Transport::Sqs(hop))
}

fn case() -> Case {
    case_to("jobs")
}

async fn broker() -> SqsBroker {
    let broker = SqsBroker::start(Config::default()).await.unwrap();
    broker.create_queue("jobs", &[]).unwrap();
    broker
}

fn driver(case: &Case, broker: &SqsBroker) -> Result<Driver, DriverError> {
    case.driver_through(broker.address(), broker.endpoint_url())
}

async fn received(broker: &SqsBroker, queue: &str) -> Vec<Message> {
    let asking = client(&broker.endpoint_url()).receive_message().queue_url(broker.queue_url(queue));
    let asking = asking.message_attribute_names("All").max_number_of_messages(10);
    let asking = asking.message_system_attribute_names(MessageSystemAttributeName::All);
    asking.send().await.unwrap().messages.unwrap_or_default()
}

fn attributes(message: &Message) -> BTreeMap<&str, &str> {
    let attributes = message.message_attributes().into_iter().flatten();
    attributes.map(|(name, value)| (name.as_str(), value.string_value().unwrap())).collect()
}

#[tokio::test]
async fn headers_are_string_attributes_and_lists_are_one_each() {
    let broker = broker().await;
    let case = case().header("tracestate", "a=1").header("Baggage", "k=v").header("tracestate", "b=2");
    let case =
        case.header("baggage", "l=w").header("awstraceheader", "Root=1-5759e988-bd862e3fe1be46a994272793");
    let case = case.body(r#"{"order": 1}"#);
    let exchange = driver(&case, &broker).unwrap().send(StimulusIx(0)).await;
    assert_eq!(exchange.answer, Answer::Accepted);
    assert!(exchange.answered_nanos.is_some());
    let message = received(&broker, "jobs").await.remove(0);
    let traceparent = String::from_utf8(case.plan().stimuli[0].sent.traceparent.clone().unwrap()).unwrap();
    let wanted = [("Baggage", "k=v,l=w"), ("traceparent", traceparent.as_str()), ("tracestate", "a=1,b=2")];
    assert_eq!(attributes(&message), BTreeMap::from(wanted));
    assert_eq!(message.body(), Some(r#"{"order": 1}"#));
    let system = message.attributes().unwrap();
    assert_eq!(
        system[&MessageSystemAttributeName::AwsTraceHeader],
        "Root=1-5759e988-bd862e3fe1be46a994272793"
    );
}

#[tokio::test]
async fn an_empty_body_is_an_empty_object() {
    let broker = broker().await;
    driver(&case(), &broker).unwrap().send(StimulusIx(0)).await;
    assert_eq!(received(&broker, "jobs").await[0].body(), Some("{}"));
}

#[tokio::test]
async fn in_a_fifo_queue_no_message_waits_for_another_or_is_taken_for_it() {
    let broker = broker().await;
    broker.create_queue("jobs.fifo", &[("ContentBasedDeduplication", "true")]).unwrap();
    let mut case = case_to("jobs.fifo").body("{}");
    (case.drive.times, case.drive.concurrency) = (3, 3);
    let exchanges = driver(&case, &broker).unwrap().drive_all(|_| ()).await;
    assert!(exchanges.iter().all(|exchange| exchange.answer == Answer::Accepted), "{exchanges:?}");
    // A call returns no message of a group while another client holds one of it.
    let mut all = 0;
    for _ in 0..3 {
        all += received(&broker, "jobs.fifo").await.len();
    }
    assert_eq!(all, 3);
}

#[tokio::test]
async fn what_sqs_has_no_room_for_is_refused_before_anything_is_sent() {
    let broker = broker().await;
    let header = |name: &str, value: &str| case().header(name, value);
    let cases = [
        (
            header("x", "1").header("x", "2"),
            "header `x` cannot be sent over `order`: an SQS message has each attribute at most once",
        ),
        (header("a b", "1"), "header `a b` cannot be sent over `order`: SQS does not allow this name"),
        (
            header("AWS.x", "1"),
            "header `AWS.x` cannot be sent over `order`: SQS reserves names that begin with `aws.` and `amazon.`",
        ),
        (header("x", ""), "header `x` cannot be sent over `order`: SQS rejects empty values"),
        (header("x", "\u{1}"), "header `x` cannot be sent over `order`: SQS rejects control characters"),
        (case().body("\0"), "the body cannot be sent over `order`: SQS rejects control characters"),
        (
            (0..10).fold(case(), |case, number| case.header(&format!("h{number}"), "1")),
            "header `h9` cannot be sent over `order`: an SQS message has at most ten attributes",
        ),
    ];
    for (case, wanted) in cases {
        assert_eq!(driver(&case, &broker).unwrap_err().to_string(), wanted);
    }
    let ten = (0..9).fold(case(), |case, number| case.header(&format!("h{number}"), "1"));
    let ten = ten.header("AWSTraceHeader", "Root=1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(driver(&ten, &broker).unwrap().send(StimulusIx(0)).await.answer, Answer::Accepted);
}

#[tokio::test]
async fn a_broker_that_refuses_and_one_that_is_gone_are_named() {
    let broker = broker().await;
    let (address, failed) = (broker.address(), async |case: Case| {
        match driver(&case, &broker).unwrap().send(StimulusIx(0)).await.answer {
            Answer::Failed(why) => why,
            answer => panic!("{answer:?}"),
        }
    });
    let why = failed(case_to("nowhere")).await;
    let wanted = format!("`broker` at {address} rejected the message: queue `nowhere`: ");
    assert!(why.starts_with(&wanted) && why.contains("does not exist"), "{why}");
    let long = "x".repeat(2 * 1024 * 1024);
    let why = failed(case().body(&long)).await;
    assert!(why.starts_with(&format!("`broker` at {address} rejected the message: ")), "{why}");
    broker.stop().await;
    let why = failed(case()).await;
    assert!(why.starts_with(&format!("cannot connect to `broker` at {address}: ")), "{why}");
    assert!(why.to_ascii_lowercase().contains("refused"), "{why}");
}

#[test]
fn a_hop_without_a_broker_has_no_address() {
    let error = case().driver_through("127.0.0.1:9".parse().unwrap(), String::new()).unwrap_err();
    assert!(matches!(error, DriverError::NoAddress { hop } if hop == "order"));
}
