//! Watches the committed offsets of consumer groups: an offset past a record proves that the record was processed,
//! unless the group passed over the record, as the broker's positions show.
//!
//! No group is joined. The broker is polled only while there are records that a group has not committed past.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::client_end;
use crate::evidence::{CaptureEnd, GroupPositions, Recording, Settlement};
use crate::tap::scene::Scene;
use crate::tap::threads::Life;

/// The pause between the first poll and the next; it doubles each time ...
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// ... up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// The time that the broker may take for an answer.
const ANSWER: Duration = Duration::from_secs(1);
/// A failure that lasts longer than this is a gap.
const PATIENCE: Duration = Duration::from_secs(5);

/// A record that a group has to process.
pub struct PendingRecord {
    pub group: String,
    /// Topic and partition.
    pub place: (String, i32),
    pub offset: i64,
    pub recording: Recording,
}

pub struct Commits {
    scene: Arc<Scene>,
    client: ClientConfig,
    deliveries: mpsc::Receiver<PendingRecord>,
    groups: BTreeMap<String, Group>,
    /// Group and topic, for each group that will read.
    expected: Vec<(String, String)>,
    /// The positions of the groups, if the broker reports it.
    positions: Option<GroupPositions>,
}

/// The records that a group has not processed.
#[derive(Default)]
struct Group {
    /// Created when it is first needed.
    consumer: Option<BaseConsumer>,
    open: BTreeMap<(String, i32), BTreeMap<i64, Recording>>,
    failing_since: Option<Instant>,
    gap_recorded: bool,
}

impl Commits {
    pub fn new(
        scene: Arc<Scene>,
        client: ClientConfig,
        deliveries: mpsc::Receiver<PendingRecord>,
        expected: Vec<(String, String)>,
        positions: Option<GroupPositions>,
    ) -> Self {
        Self { scene, client, deliveries, groups: BTreeMap::new(), expected, positions }
    }

    /// Finds each group's coordinator while the nodes are starting: it takes longer than everything after it.
    fn find_coordinators(&mut self) {
        for (name, topic) in std::mem::take(&mut self.expected) {
            let group = self.groups.entry(name.clone()).or_default();
            group.open.insert((topic, 0), BTreeMap::new());
            // A failure here repeats when it matters, and is recorded then.
            let _ = group.committed(&name, &self.client);
            group.open.clear();
        }
    }

    /// Polls until no reader sends deliveries any more.
    pub fn watch(mut self, life: &Life) {
        self.watch_until_over(life);
        let consumers: Vec<_> = self.groups.values_mut().filter_map(|group| group.consumer.take()).collect();
        client_end::in_background(consumers);
    }

    fn watch_until_over(&mut self, life: &Life) {
        let mut pause = FIRST_PAUSE;
        let mut next_poll = None;
        self.find_coordinators();
        while !life.is_over() {
            let received = match next_poll {
                None => self.deliveries.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
                Some(at) => {
                    self.deliveries.recv_timeout(Instant::saturating_duration_since(&at, Instant::now()))
                }
            };
            match received {
                Ok(delivery) => {
                    self.add(delivery);
                    pause = FIRST_PAUSE;
                    next_poll =
                        Some(next_poll.unwrap_or_else(Instant::now).min(Instant::now() + FIRST_PAUSE));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let open = self.poll();
                    next_poll = open.then(|| Instant::now() + pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn add(&mut self, delivery: PendingRecord) {
        let group = self.groups.entry(delivery.group).or_default();
        group.open.entry(delivery.place).or_default().insert(delivery.offset, delivery.recording);
    }

    /// Polls the committed offsets; returns whether a group has records left.
    fn poll(&mut self) -> bool {
        let (scene, client, positions) = (&self.scene, &self.client, self.positions.as_ref());
        for (name, group) in self.groups.iter_mut().filter(|(_, group)| !group.open.is_empty()) {
            match group.committed(name, client) {
                Ok(committed) => group.settle(name, &committed, positions),
                Err(error) => {
                    let since = *group.failing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > PATIENCE && !std::mem::replace(&mut group.gap_recorded, true) {
                        scene.gap(format!(
                            "the tap could not read the committed offsets of the group `{name}`: {error}"
                        ));
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
            // A name of its own: a broker may take what the tap reads for what the group reads.
            None => client.clone().set("group.id", name).set("client.id", "unbroken-commits").create()?,
        };
        let mut partitions = TopicPartitionList::new();
        for (topic, partition) in self.open.keys() {
            partitions.add_partition(topic, *partition);
        }
        self.consumer.insert(consumer).committed_offsets(partitions, ANSWER)
    }

    /// Ends the records that the group has passed: by its first position, or by its commits. The positions are read
    /// after the commits, so that they are at least as new.
    fn settle(&mut self, name: &str, committed: &TopicPartitionList, positions: Option<&GroupPositions>) {
        (self.failing_since, self.gap_recorded) = (None, false);
        for place in committed.elements() {
            let (topic, partition) = (place.topic(), place.partition());
            let start = positions.and_then(|known| known.start(name, topic, partition)).unwrap_or(0);
            let next = if let Offset::Offset(next) = place.offset() { next.max(start) } else { start };
            let Some(open) = self.open.get_mut(&(topic.to_owned(), partition)) else { continue };
            let left = open.split_off(&next);
            for (offset, recording) in std::mem::replace(open, left) {
                let skipped =
                    positions.is_some_and(|known| known.has_skipped(name, topic, partition, offset));
                let end = if skipped { Settlement::Skipped } else { Settlement::Done };
                recording.end(CaptureEnd::Settled(end));
            }
        }
        self.open.retain(|_, open| !open.is_empty());
    }
}
