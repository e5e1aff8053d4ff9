//! Records as a broker stores them, and brokers that reject them.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use stand_in_brokers::kafka::{Config, KafkaBroker};
use tokio::time::timeout;

use super::fixture::Case;
use crate::driver::Driver;
use crate::evidence::Answer;
use crate::plan::StimulusIx;
use crate::scenario::{BrokerKind, KafkaHop, NodeIx, TemplatePart, Transport};

const SOON: Duration = Duration::from_secs(20);

fn case(key: Option<&str>) -> Case {
    let hop = KafkaHop {
        via: NodeIx(2),
        topic: "orders".to_owned(),
        group: "shop".to_owned(),
        key: key.map(str::to_owned),
        partitions: 1,
        batch: None,
    };
    Case::message(BrokerKind::Kafka, Transport::Kafka(hop))
}

async fn broker(auto_create_topics: bool) -> KafkaBroker {
    KafkaBroker::start(Config { auto_create_topics, ..Config::default() }).await.unwrap()
}

fn driver(case: &Case, broker: &KafkaBroker) -> Driver {
    case.driver(broker.address()).unwrap()
}

/// The first record of the topic: key, headers, value.
type Record = (Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>, Vec<u8>);

fn first_record(broker: &KafkaBroker) -> Record {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.address().to_string()).set("group.id", "reader");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut all = TopicPartitionList::new();
    all.add_partition_offset("orders", 0, Offset::Beginning).unwrap();
    consumer.assign(&all).unwrap();
    let record = consumer.poll(SOON).expect("a record is there").unwrap();
    let headers = record.headers().map(|headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    (
        record.key().map(<[u8]>::to_vec),
        headers.unwrap_or_default(),
        record.payload().unwrap_or_default().to_vec(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_has_the_key_the_headers_in_their_order_and_the_body() {
    let broker = broker(true).await;
    let case = case(Some("customer-7")).header("TraceState", "acme=1").header("baggage", "a=1");
    let case = case.header("baggage", "b=2").body(r#"{"order": 1}"#);
    let exchange = driver(&case, &broker).send(StimulusIx(0)).await;
    assert_eq!(exchange.answer, Answer::Accepted);
    assert!(exchange.answered_nanos.is_some());
    let (key, headers, value) = first_record(&broker);
    let traceparent = case.plan().stimuli[0].sent.traceparent.clone();
    let text = |name: &str, value: &str| (name.to_owned(), Some(value.as_bytes().to_vec()));
    assert_eq!(key.as_deref(), Some(b"customer-7".as_slice()));
    assert_eq!(
        headers,
        [
            ("traceparent".to_owned(), traceparent),
            text("TraceState", "acme=1"),
            text("baggage", "a=1"),
            text("baggage", "b=2")
        ]
    );
    assert_eq!(value, br#"{"order": 1}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_receives_its_instruction_in_the_value_and_the_record_has_no_key() {
    let broker = broker(true).await;
    let case = case(None).relay();
    assert_eq!(driver(&case, &broker).send(StimulusIx(0)).await.answer, Answer::Accepted);
    let (key, _, value) = first_record(&broker);
    assert_eq!(key, None);
    let steps = String::from_utf8(value).unwrap();
    assert!(steps.starts_with(r#"[{"url":"mark:ub"#), "{steps}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_the_broker_does_not_have_is_named() {
    let broker = broker(false).await;
    let exchange = timeout(SOON, driver(&case(None), &broker).send(StimulusIx(0))).await.unwrap();
    let Answer::Failed(why) = exchange.answer else { panic!("{:?}", exchange.answer) };
    assert!(why.starts_with(&format!("the topic `orders` at {}", broker.address())), "{why}");
    assert!(why.contains("Unknown topic"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_gone_is_no_answer_and_hangs_nothing() {
    let broker = broker(true).await;
    let mut case = case(None);
    case.drive.within = Some(Duration::from_secs(2));
    let driver = driver(&case, &broker);
    broker.stop().await;
    let exchange = timeout(SOON, driver.send(StimulusIx(0))).await.unwrap();
    assert!(matches!(exchange.answer, Answer::Failed(_) | Answer::TimedOut), "{:?}", exchange.answer);
    let dropping = std::time::Instant::now();
    drop(driver);
    assert!(dropping.elapsed() < Duration::from_millis(250), "{:?}", dropping.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_no_record_can_have_is_refused_beforehand() {
    let broker = broker(true).await;
    let case = case(None).header_of("no\0name", TemplatePart::Text("x".to_owned()));
    let error = case.driver(broker.address()).unwrap_err().to_string();
    assert!(error.contains("over `order`"), "{error}");
}
