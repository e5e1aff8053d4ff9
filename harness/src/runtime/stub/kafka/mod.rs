//! A stub at the far end of a topic: it reads every record and commits it.

use std::error::Error;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};

use crate::tap::threads::{Life, Threads};

/// The time that one poll waits for a record.
const POLL: Duration = Duration::from_millis(20);

/// A consumer of one topic; it ends when it is dropped.
#[derive(Debug)]
pub struct KafkaStub {
    threads: Threads,
}

impl KafkaStub {
    /// Starts to read `topic` from its beginning as a member of `group`. `bootstrap` is `host:port`.
    pub async fn start(
        bootstrap: &str,
        topic: &str,
        group: &str,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", bootstrap)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "500")
            .set("fetch.wait.max.ms", "100");
        let consumer: BaseConsumer = config.create()?;
        consumer.subscribe(&[topic])?;
        let threads = Threads::new();
        threads.spawn("stub of kafka", move |life| read(&consumer, life))?;
        Ok(Self { threads })
    }

    /// Leaves the group; returns when it has left.
    pub async fn stop(&self) {
        self.threads.stop().await;
    }
}

/// Commits every record until the stub ends.
fn read(consumer: &BaseConsumer, life: &Life) {
    while !life.is_over() {
        // The tap reports a broker that fails.
        if let Some(Ok(message)) = consumer.poll(POLL) {
            let _ = consumer.commit_message(&message, CommitMode::Async);
        }
    }
}

#[cfg(test)]
mod tests;
