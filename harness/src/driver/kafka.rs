//! Kafka through `rdkafka`: one producer a broker, each record sent once and waited for until the broker has it.
//!
//! The drive's headers are the record's headers, names as they are written. A record that the broker did not take is a
//! failed stimulus; nothing is tried again.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::DriverError;
use super::outgoing::Outgoing;
use super::route::{Route, Way};
use crate::evidence::Answer;

pub(super) struct Kafka {
    /// By the address of the broker.
    producers: BTreeMap<String, FutureProducer>,
}

/// Whether what is to be sent can be: a header's name ends at a zero byte.
pub(super) fn check(route: &Route, outgoing: &Outgoing) -> Result<(), DriverError> {
    match outgoing.headers.iter().find(|(name, _)| name.is_empty() || name.contains('\0')) {
        None => Ok(()),
        Some((name, _)) => Err(DriverError::Header {
            hop: route.hop_name.clone(),
            header: name.clone(),
            why: "it has no name that can be sent",
        }),
    }
}

impl Kafka {
    pub(super) fn new(routes: &[Route]) -> Result<Self, DriverError> {
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

    pub(super) async fn send(&self, route: &Route, outgoing: Outgoing) -> Answer {
        let (Way::Kafka { topic, key }, Some(producer)) = (&route.way, self.producers.get(&route.broker))
        else {
            return Answer::Failed(route.unreachable("the address is not one of a Kafka broker"));
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
                "the topic `{topic}` at {} did not take the record: {error}",
                route.broker
            )),
        }
    }
}

/// A producer waits for its broker when it is dropped, and that may be gone.
impl Drop for Kafka {
    fn drop(&mut self) {
        let producers = std::mem::take(&mut self.producers);
        if !producers.is_empty() {
            // Without a thread they are dropped here.
            let _ = thread::Builder::new().name("end of kafka".to_owned()).spawn(move || drop(producers));
        }
    }
}
