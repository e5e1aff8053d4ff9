//! Kafka through `rdkafka`: records to the target, and a reader of what it sends on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::names::{INWARD, OUTWARD};
use super::send_failure::SendFailure;
use crate::conform::listener::CallSink;
use crate::error_chain::BoxedError;
use crate::evidence::RawFields;

/// The time that one poll waits for a record.
const POLL: Duration = Duration::from_millis(20);
const SENT_WITHIN: Duration = Duration::from_secs(5);

pub(super) struct KafkaClient {
    producer: FutureProducer,
    is_over: Arc<AtomicBool>,
}

impl std::fmt::Debug for KafkaClient {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("KafkaClient")
    }
}

impl KafkaClient {
    pub fn start(address: &str, sink: Arc<CallSink>) -> Result<KafkaClient, BoxedError> {
        let producer: FutureProducer =
            ClientConfig::new().set("bootstrap.servers", address).set("linger.ms", "0").create()?;
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", address)
            .set("group.id", "unbroken-reader")
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "50")
            .create()?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(OUTWARD, 0, Offset::Beginning)?;
        consumer.assign(&assignment)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&is_over);
        thread::Builder::new().name("conform kafka".to_owned()).spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                if let Some(Ok(record)) = consumer.poll(POLL) {
                    let body = record.payload().map(String::from_utf8_lossy).unwrap_or_default();
                    sink.take(&body, fields(&record));
                }
            }
        })?;
        Ok(KafkaClient { producer, is_over })
    }

    pub async fn send(&self, fields: &RawFields, body: &str) -> Result<(), SendFailure> {
        let mut headers = OwnedHeaders::new();
        for (name, value) in fields {
            let key = std::str::from_utf8(name).map_err(|error| SendFailure(error.to_string()))?;
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let record: FutureRecord<'_, [u8], str> = FutureRecord::to(INWARD).payload(body).headers(headers);
        let sent = self.producer.send(record, SENT_WITHIN).await;
        sent.map(drop).map_err(|(error, _)| SendFailure(format!("Kafka rejected the record: {error}")))
    }
}

fn fields(record: &BorrowedMessage<'_>) -> RawFields {
    let headers = record.headers().map(|headers| headers.iter()).into_iter().flatten();
    headers.map(|one| (one.key.as_bytes().to_vec(), one.value.unwrap_or_default().to_vec())).collect()
}

impl Drop for KafkaClient {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
