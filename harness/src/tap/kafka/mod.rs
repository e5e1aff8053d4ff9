//! Kafka's tap: a reader of ours beside the broker, because its clients cannot be redirected.
//!
//! It reads every partition of every topic that hops name, outside any consumer group, from the end that it found when
//! it was started. A record that it reads was published; that a group processed it shows when the group's committed
//! offset has passed it. It reads committed records only: what an aborted transaction wrote has crossed nothing.
//!
//! All of it is done on threads of their own. What could not be read is a gap that names topic and broker.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};

use rdkafka::ClientConfig;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::scene::Scene;
use crate::evidence::Recorder;
use crate::plan::broker::Topic;
use crate::plan::{TapIx, TapPlan};
use crate::tap::threads::Threads;

mod commits;
mod reader;
mod record;

#[cfg(test)]
mod tests;

use commits::Commits;
use reader::{Question, Reader};

/// What the tap needs to know before it reads.
#[derive(Clone, Debug)]
pub struct KafkaTapConfig {
    pub tap: TapIx,
    pub plan: TapPlan,
    /// Marks with another run in them are ignored.
    pub run: u32,
    /// `host:port`, several with commas between them.
    pub bootstrap: String,
    /// Where the first of these is.
    pub at: SocketAddr,
    pub topics: Vec<Topic>,
    /// The broker was started for this run: whoever sends to it has this machine's clock.
    pub same_clock: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the topic `{topic}` cannot be read")]
pub struct KafkaTapError {
    topic: String,
    source: Box<dyn Error + Send + Sync>,
}

/// A tap that reads; it ends when it is dropped.
#[derive(Debug)]
pub struct KafkaTap {
    at: SocketAddr,
    scene: Arc<Scene>,
    /// For each topic who reads it.
    readers: Vec<(String, mpsc::Sender<Question>)>,
    threads: Threads,
}

impl KafkaTap {
    /// Comes back when every topic is read; what is produced from then on is seen.
    pub async fn start(config: KafkaTapConfig, recorder: Recorder) -> Result<KafkaTap, KafkaTapError> {
        let scene = Arc::new(Scene::new(config.tap, config.plan, config.run, recorder));
        let threads = Threads::new();
        let client = client(&config.bootstrap);
        let failed = |topic: &Topic, source| KafkaTapError { topic: topic.name.clone(), source };
        let (deliveries, delivered) = mpsc::channel();
        let groups = |topic: &Topic| -> Vec<(String, String)> {
            topic.groups.iter().map(|group| (group.clone(), topic.name.clone())).collect()
        };
        let expected = config.topics.iter().flat_map(groups).collect();
        let commits = Commits::new(scene.clone(), client.clone(), delivered, expected);
        let started = threads.spawn("commits of kafka", move |life| commits.watch(life));
        if let (Err(error), Some(first)) = (started, config.topics.first()) {
            return Err(failed(first, error.into()));
        }
        let mut readers = Vec::new();
        let mut beginnings = Vec::new();
        for topic in &config.topics {
            let (questions, asked) = mpsc::channel();
            let (begun, beginning) = oneshot::channel();
            let reader =
                Reader::new(topic.clone(), scene.clone(), asked, deliveries.clone(), config.same_clock);
            let (client, name) = (client.clone(), format!("tap of {}", topic.name));
            let started = threads.spawn(&name, move |life| reader.read(&client, begun, life));
            started.map_err(|error| failed(topic, error.into()))?;
            readers.push((topic.name.clone(), questions));
            beginnings.push((topic, beginning));
        }
        for (topic, beginning) in beginnings {
            let begun = beginning.await.unwrap_or_else(|lost| Err(lost.into()));
            begun.map_err(|source| failed(topic, source))?;
        }
        Ok(KafkaTap { at: config.at, scene, readers, threads })
    }

    /// The broker's, which is what its clients are told.
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// Comes back when everything has been read that was there when this was called. What is not read by the deadline
    /// is a gap.
    pub async fn caught_up(&self, deadline: Instant) {
        let mut answers = Vec::new();
        for (topic, questions) in &self.readers {
            let (reply, answer) = oneshot::channel();
            // A reader that has ended drops it, which answers too.
            let _ = questions.send(Question { reply });
            answers.push((topic, answer));
        }
        for (topic, answer) in answers {
            let why = match timeout_at(deadline, answer).await {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(why))) => why,
                Ok(Err(_)) => "its reader has ended".to_owned(),
                Err(_) => "the deadline came first".to_owned(),
            };
            self.scene.gap(format!("the topic `{topic}` at {} was not read to its end: {why}", self.at));
        }
    }

    /// Ends every reader, and comes back when it has ended.
    pub async fn stop(&self) {
        self.threads.stop().await;
    }
}

/// What all clients of the tap have in common: nothing is made, committed or joined, and trouble shows soon.
fn client(bootstrap: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", bootstrap)
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
