//! Kafka's tap: a reader of the broker, because Kafka's clients cannot be redirected.
//!
//! It reads every partition of every topic that hops name, outside any consumer group, from its end at the start of the
//! tap. A record that it reads was published; a group has processed it when the group's committed offset has passed it.
//! It reads committed records only: the records of an aborted transaction cross no hop.
//!
//! All of it runs on threads of its own. A gap that names topic and broker is recorded for what could not be read.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};

use parking_lot::Mutex;
use rdkafka::ClientConfig;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::scene::Scene;
use crate::evidence::{GroupPositions, Recorder};
use crate::plan::broker::Topic;
use crate::plan::{TapIx, TapPlan};
use crate::tap::threads::Threads;

mod commits;
mod reader;
mod record;

#[cfg(test)]
mod tests;

use commits::{Commits, PendingRecord};
use reader::{CatchUpRequest, Reader};

/// The settings of the tap.
#[derive(Clone, Debug)]
pub struct KafkaTapConfig {
    pub tap: TapIx,
    pub plan: TapPlan,
    /// Marks with another run in them are ignored.
    pub run: u32,
    /// `host:port`, several with commas between them.
    pub bootstrap: String,
    /// The address of the first of these.
    pub at: SocketAddr,
    pub topics: Vec<Topic>,
    /// The broker was started for this run: its producers have this machine's clock.
    pub same_clock: bool,
    /// The positions of the groups, if the broker reports it.
    pub positions: Option<GroupPositions>,
}

/// The reason why a topic cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the topic `{topic}`")]
pub struct KafkaTapError {
    topic: String,
    source: Box<dyn Error + Send + Sync>,
}

impl KafkaTapError {
    fn new(topic: &Topic, source: Box<dyn Error + Send + Sync>) -> Self {
        Self { topic: topic.name.clone(), source }
    }
}

/// A tap that reads; it ends when it is dropped.
#[derive(Debug)]
pub struct KafkaTap {
    at: SocketAddr,
    scene: Arc<Scene>,
    /// The reader of each topic.
    readers: Vec<(String, mpsc::Sender<CatchUpRequest>)>,
    /// Taken at the end: the watcher of commits ends when nobody can send to it.
    commits: Mutex<Option<mpsc::Sender<PendingRecord>>>,
    threads: Threads,
}

impl KafkaTap {
    /// Resolves when every topic is read; what is produced from then on is seen.
    pub async fn start(config: KafkaTapConfig, recorder: Recorder) -> Result<KafkaTap, KafkaTapError> {
        let scene = Arc::new(Scene::new(config.tap, config.plan, config.run, recorder));
        let threads = Threads::new();
        let client = client(&config.bootstrap);
        let (deliveries, delivered) = mpsc::channel();
        let mut expected = Vec::new();
        for topic in &config.topics {
            expected.extend(topic.groups.iter().map(|group| (group.clone(), topic.name.clone())));
        }
        let commits =
            Commits::new(scene.clone(), client.clone(), delivered, expected, config.positions.clone());
        let started = threads.spawn("commits of kafka", move |life| commits.watch(life));
        if let (Err(error), Some(first)) = (started, config.topics.first()) {
            return Err(KafkaTapError::new(first, error.into()));
        }
        let mut readers = Vec::new();
        let mut beginnings = Vec::new();
        for topic in &config.topics {
            let (requests, received) = mpsc::channel();
            let (begun, beginning) = oneshot::channel();
            let reader =
                Reader::new(topic.clone(), scene.clone(), received, deliveries.clone(), config.same_clock);
            let (client, name) = (client.clone(), format!("tap of {}", topic.name));
            let started = threads.spawn(&name, move |life| reader.read(&client, begun, life));
            started.map_err(|error| KafkaTapError::new(topic, error.into()))?;
            readers.push((topic.name.clone(), requests));
            beginnings.push((topic, beginning));
        }
        for (topic, beginning) in beginnings {
            let begun = beginning.await.unwrap_or_else(|lost| Err(lost.into()));
            begun.map_err(|source| KafkaTapError::new(topic, source))?;
        }
        Ok(KafkaTap { at: config.at, scene, readers, commits: Mutex::new(Some(deliveries)), threads })
    }

    /// Returns the broker's address, which its clients call.
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// Resolves when everything was read that was there when this was called. A gap is recorded for what is not read by
    /// the deadline.
    pub async fn caught_up(&self, deadline: Instant) {
        let mut answers = Vec::new();
        for (topic, requests) in &self.readers {
            let (reply, answer) = oneshot::channel();
            // A reader that has ended drops it, which answers too.
            let _ = requests.send(CatchUpRequest { reply });
            answers.push((topic, answer));
        }
        for (topic, answer) in answers {
            let reason = match timeout_at(deadline, answer).await {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(error))) => error.to_string(),
                Ok(Err(_)) => "its reader has ended".to_owned(),
                Err(_) => "the deadline came first".to_owned(),
            };
            self.scene.gap(format!("the topic `{topic}` at {} was not read to its end: {reason}", self.at));
        }
    }

    /// Ends every reader; resolves when they have ended.
    pub async fn stop(&self) {
        self.commits.lock().take();
        self.threads.stop().await;
    }
}

/// Returns the settings of all clients of the tap: they create, commit and join nothing, and detect failures soon.
fn client(bootstrap: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", bootstrap)
        .set("client.id", "unbroken-tap")
        .set("allow.auto.create.topics", "false")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "500")
        .set("fetch.error.backoff.ms", "50")
        .set("fetch.wait.max.ms", "100")
        .set("topic.metadata.propagation.max.ms", "1000");
    client
}
