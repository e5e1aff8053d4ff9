//! The commits of the stub, and its end.

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

/// Returns the sum of the committed offsets of the group.
fn committed(consumer: &BaseConsumer, partitions: i32) -> i64 {
    let mut partitions_of_topic = TopicPartitionList::new();
    partitions_of_topic.add_partition_range("orders", 0, partitions - 1);
    let committed = consumer.committed_offsets(partitions_of_topic, SOON).unwrap();
    let offset = |offset| if let Offset::Offset(next) = offset { next } else { 0 };
    committed.elements().iter().map(|place| offset(place.offset())).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_committed_also_earlier_ones() {
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
async fn a_stopped_broker_does_not_delay_the_end_of_a_stub() {
    let broker = KafkaBroker::start(Default::default()).await.unwrap();
    broker.create_topic("orders", 1).unwrap();
    let stub = KafkaStub::start(&broker.address().to_string(), "orders", "stock").await.unwrap();
    broker.stop().await;
    timeout(SOON / 2, stub.stop()).await.unwrap();
}
