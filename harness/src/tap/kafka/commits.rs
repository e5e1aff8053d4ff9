//! Watches what consumer groups have committed: a committed offset past a record says that it was processed.
//!
//! No group is joined. The broker is asked only while there are records that a group has not committed past.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::evidence::{CaptureEnd, Recording, Settlement};
use crate::tap::scene::Scene;
use crate::tap::threads::Life;

/// From the first look to the next, and then twice as long each time ...
const SOON: Duration = Duration::from_millis(5);
/// ... up to this.
const AT_LEAST_EVERY: Duration = Duration::from_millis(200);
/// How long the broker may take for an answer.
const ANSWER: Duration = Duration::from_secs(1);
/// Trouble that is still there after this is told.
const PATIENCE: Duration = Duration::from_secs(5);

/// A record that a group has to process.
pub struct Delivery {
    pub group: String,
    /// Topic and partition.
    pub place: (String, i32),
    pub offset: i64,
    pub recording: Recording,
}

pub struct Commits {
    scene: Arc<Scene>,
    client: ClientConfig,
    deliveries: mpsc::Receiver<Delivery>,
    groups: BTreeMap<String, Group>,
    /// Group and topic, for each group that will read.
    expected: Vec<(String, String)>,
}

/// What a group has still to process.
#[derive(Default)]
struct Group {
    /// Made when it is first needed.
    consumer: Option<BaseConsumer>,
    open: BTreeMap<(String, i32), BTreeMap<i64, Recording>>,
    failing_since: Option<Instant>,
    told: bool,
}

impl Commits {
    pub fn new(
        scene: Arc<Scene>,
        client: ClientConfig,
        deliveries: mpsc::Receiver<Delivery>,
        expected: Vec<(String, String)>,
    ) -> Self {
        Self { scene, client, deliveries, groups: BTreeMap::new(), expected }
    }

    /// Finds each group's coordinator while the nodes are starting: it takes longer than everything after it.
    fn find_coordinators(&mut self) {
        for (name, topic) in std::mem::take(&mut self.expected) {
            let group = self.groups.entry(name.clone()).or_default();
            group.open.insert((topic, 0), BTreeMap::new());
            // What goes wrong here goes wrong again when it matters, and is told then.
            let _ = group.committed(&name, &self.client);
            group.open.clear();
        }
    }

    /// Until nobody brings deliveries any more.
    pub fn watch(mut self, life: &Life) {
        let mut pause = SOON;
        let mut next_look = None;
        self.find_coordinators();
        while !life.is_over() {
            let received = match next_look {
                None => self.deliveries.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
                Some(at) => {
                    self.deliveries.recv_timeout(Instant::saturating_duration_since(&at, Instant::now()))
                }
            };
            match received {
                Ok(delivery) => {
                    self.add(delivery);
                    pause = SOON;
                    next_look = Some(next_look.unwrap_or_else(Instant::now).min(Instant::now() + SOON));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let open = self.look();
                    next_look = open.then(|| Instant::now() + pause);
                    pause = (pause * 2).min(AT_LEAST_EVERY);
                }
            }
        }
    }

    fn add(&mut self, delivery: Delivery) {
        let group = self.groups.entry(delivery.group).or_default();
        group.open.entry(delivery.place).or_default().insert(delivery.offset, delivery.recording);
    }

    /// Asks what each group has committed; true as long as one has something left.
    fn look(&mut self) -> bool {
        let (scene, client) = (&self.scene, &self.client);
        for (name, group) in self.groups.iter_mut().filter(|(_, group)| !group.open.is_empty()) {
            match group.committed(name, client) {
                Ok(committed) => group.settle(&committed),
                Err(error) => {
                    let since = *group.failing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > PATIENCE && !std::mem::replace(&mut group.told, true) {
                        scene.gap(format!("what the group `{name}` has committed cannot be read: {error}"));
                    }
                }
            }
        }
        self.groups.values().any(|group| !group.open.is_empty())
    }
}

impl Group {
    fn committed(&mut self, name: &str, client: &ClientConfig) -> KafkaResult<TopicPartitionList> {
        let consumer = match self.consumer.take() {
            Some(consumer) => consumer,
            None => client.clone().set("group.id", name).create()?,
        };
        let mut asked = TopicPartitionList::new();
        for (topic, partition) in self.open.keys() {
            asked.add_partition(topic, *partition);
        }
        self.consumer.insert(consumer).committed_offsets(asked, ANSWER)
    }

    fn settle(&mut self, committed: &TopicPartitionList) {
        (self.failing_since, self.told) = (None, false);
        for place in committed.elements() {
            let Offset::Offset(next) = place.offset() else { continue };
            let key = (place.topic().to_owned(), place.partition());
            let Some(open) = self.open.get_mut(&key) else { continue };
            let left = open.split_off(&next);
            for (_, recording) in std::mem::replace(open, left) {
                recording.end(CaptureEnd::Settled(Settlement::Done));
            }
        }
        self.open.retain(|_, open| !open.is_empty());
    }
}
