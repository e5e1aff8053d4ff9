//! Kafka through `rdkafka`: one producer for each broker; each record is sent once and awaited until it is
//! acknowledged.
//!
//! The headers of the drive become headers of the record, with unchanged names. A record that the broker rejects is a
//! failed stimulus; nothing is retried.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::DriverError;
use super::outgoing::OutgoingRequest;
use super::route::{DriveRoute, Way};
use crate::client_end;
use crate::evidence::Answer;

pub(super) struct Kafka {
    /// By the address of the broker.
    producers: BTreeMap<String, FutureProducer>,
}

/// Checks that the record can be sent: the client cuts the name of a header at a zero byte.
pub(super) fn check(route: &DriveRoute, outgoing: &OutgoingRequest) -> Result<(), DriverError> {
    match outgoing.headers.iter().find(|(name, _)| name.is_empty() || name.contains('\0')) {
        None => Ok(()),
        Some((name, _)) => Err(DriverError::Header {
            hop: route.hop_name.clone(),
            header: name.clone(),
            why: "its name is empty or has a zero byte",
        }),
    }
}

impl Kafka {
    pub(super) fn new(routes: &[DriveRoute]) -> Result<Self, DriverError> {
        let mut producers = BTreeMap::new();
        for route in routes.iter().filter(|route| matches!(route.way, Way::Kafka { .. })) {
            if !producers.contains_key(&route.broker) {
                let within = route.deadline.max(Duration::from_secs(1));
                let producer = ClientConfig::new()
                    .set("bootstrap.servers", &route.broker)
                    .set("linger.ms", "0")
                    .set("message.send.max.retries", "0")
                    .set("message.timeout.ms", within.as_millis().to_string())
                    .set("topic.metadata.propagation.max.ms", "1000")
                    .create();
                let producer = producer.map_err(|error| DriverError::Client(Box::new(error)))?;
                producers.insert(route.broker.clone(), producer);
            }
        }
        Ok(Self { producers })
    }

    pub(super) async fn send(&self, route: &DriveRoute, outgoing: OutgoingRequest) -> Answer {
        let (Way::Kafka { topic, key }, Some(producer)) = (&route.way, self.producers.get(&route.broker))
        else {
            return Answer::Failed(route.unreachable("its address is not valid for Kafka"));
        };
        let headers = outgoing.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let mut record = FutureRecord::to(topic).payload(&outgoing.body).headers(headers);
        if let Some(key) = key {
            record = record.key(key.as_bytes());
        }
        match producer.send(record, route.deadline).await {
            Ok(_) => Answer::Accepted,
            Err((error, _)) => Answer::Failed(format!(
                "the topic `{topic}` at {} rejected the record: {error}",
                route.broker
            )),
        }
    }
}

/// Drops the producers in the background: each waits for its broker, which may have stopped.
impl Drop for Kafka {
    fn drop(&mut self) {
        let producers = std::mem::take(&mut self.producers);
        if !producers.is_empty() {
            client_end::in_background(producers);
        }
    }
}
