//! What the stub leaves behind at a broker.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use stand_in_brokers::kafka::KafkaBroker;
use tokio::time::{Instant, timeout};

use super::KafkaStub;

const SOON: Duration = Duration::from_secs(20);

fn client(broker: &KafkaBroker) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.address().to_string());
    config
}

/// The sum of what the group has committed.
fn committed(consumer: &BaseConsumer, partitions: i32) -> i64 {
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range("orders", 0, partitions - 1);
    let committed = consumer.committed_offsets(asked, SOON).unwrap();
    let offset = |offset| if let Offset::Offset(next) = offset { next } else { 0 };
    committed.elements().iter().map(|place| offset(place.offset())).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_read_and_committed_also_what_was_there_before() {
    let broker = KafkaBroker::start(Default::default()).await.unwrap();
    broker.create_topic("orders", 2).unwrap();
    let producer: FutureProducer = client(&broker).create().unwrap();
    let record = |partition| FutureRecord::<(), str>::to("orders").partition(partition).payload("x");
    producer.send(record(0), SOON).await.unwrap();
    let stub = KafkaStub::start(&broker.address().to_string(), "orders", "stock").await.unwrap();
    for _ in 0..3 {
        producer.send(record(1), SOON).await.unwrap();
    }
    let consumer: BaseConsumer = client(&broker).set("group.id", "stock").create().unwrap();
    let deadline = Instant::now() + SOON;
    while committed(&consumer, 2) < 4 {
        assert!(Instant::now() < deadline, "{} of 4 are committed", committed(&consumer, 2));
        tokio::task::yield_now().await;
    }
    timeout(SOON, stub.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_gone_keeps_no_stub_from_ending() {
    let broker = KafkaBroker::start(Default::default()).await.unwrap();
    broker.create_topic("orders", 1).unwrap();
    let stub = KafkaStub::start(&broker.address().to_string(), "orders", "stock").await.unwrap();
    broker.stop().await;
    timeout(SOON / 2, stub.stop()).await.unwrap();
}
