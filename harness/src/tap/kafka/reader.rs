//! Reads one topic, record by record, on a thread of its own.
//!
//! Each topic has a reader of its own, because the client reports the end of a partition by its number alone.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::sync::oneshot;

use super::commits::PendingRecord;
use super::record::Record;
use crate::client_end;
use crate::error_chain::BoxedError;
use crate::evidence::{CaptureEnd, Settlement};
use crate::plan::broker::Topic;
use crate::tap::scene::Scene;
use crate::tap::threads::Life;

/// The time that one poll waits for a record.
const POLL: Duration = Duration::from_millis(10);
/// The time that the broker may take for an answer.
const ANSWER: Duration = Duration::from_secs(2);
/// The time that the broker may take to report the ends of its topics, at the start.
const BEGIN: Duration = Duration::from_secs(10);
/// When no record has come for this long before the end is reached, the rest is not records.
const STILL: Duration = Duration::from_millis(200);
/// A failure that lasts longer than this is a gap.
const PATIENCE: Duration = Duration::from_secs(2);

/// A request to be notified when everything that is there has been read.
pub struct CatchUpRequest {
    pub reply: oneshot::Sender<Result<(), KafkaError>>,
}

pub struct Reader {
    topic: Topic,
    scene: Arc<Scene>,
    requests: mpsc::Receiver<CatchUpRequest>,
    deliveries: mpsc::Sender<PendingRecord>,
    /// Producers have this machine's clock.
    same_clock: bool,
}

/// A request that waits for its answer.
struct PendingCatchUp {
    reply: oneshot::Sender<Result<(), KafkaError>>,
    /// The end, when the request came, of each partition that is not read to it.
    ends: BTreeMap<i32, i64>,
    /// The position was set again, so that the client reports the end once more.
    sought: bool,
}

/// The state of a reader that reads.
struct ActiveReader<'a> {
    reader: &'a Reader,
    consumer: BaseConsumer,
    /// Reports the ends of the topic on a connection of its own: the other one answers in order, behind its long polls.
    ends: BaseConsumer,
    /// The next offset of each partition.
    next: BTreeMap<i32, i64>,
    waiting: Vec<PendingCatchUp>,
    last_record: Instant,
    failure: Option<(Instant, KafkaError)>,
    /// One gap is recorded, however much is not read.
    gap_recorded: bool,
}

impl Reader {
    pub fn new(
        topic: Topic,
        scene: Arc<Scene>,
        requests: mpsc::Receiver<CatchUpRequest>,
        deliveries: mpsc::Sender<PendingRecord>,
        same_clock: bool,
    ) -> Self {
        Self { topic, scene, requests, deliveries, same_clock }
    }

    /// Reads until the thread is ended; `begun` gets the result of the start.
    pub fn read(self, client: &ClientConfig, begun: oneshot::Sender<Result<(), BoxedError>>, life: &Life) {
        let mut reading = match self.begin(client) {
            Ok(reading) => reading,
            Err(problem) => return drop(begun.send(Err(problem))),
        };
        // It fails where nobody waits: then the thread is ended, too.
        let _ = begun.send(Ok(()));
        while !life.is_over() {
            reading.turn();
        }
        let ActiveReader { consumer, ends, .. } = reading;
        client_end::in_background((consumer, ends));
    }

    /// Returns the end of a partition. A new partition may not have a leader yet.
    fn end_of(&self, ends: &BaseConsumer, partition: i32) -> Result<i64, BoxedError> {
        const NOT_YET: &[RDKafkaErrorCode] = &[
            RDKafkaErrorCode::NotLeaderForPartition,
            RDKafkaErrorCode::LeaderNotAvailable,
            RDKafkaErrorCode::UnknownTopicOrPartition,
            RDKafkaErrorCode::UnknownPartition,
        ];
        let deadline = Instant::now() + BEGIN;
        let mut pause = Duration::from_millis(5);
        loop {
            match ends.fetch_watermarks(&self.topic.name, partition, BEGIN) {
                Ok((_, end)) => return Ok(end),
                Err(error)
                    if error.rdkafka_error_code().is_some_and(|code| NOT_YET.contains(&code))
                        && Instant::now() < deadline =>
                {
                    thread::park_timeout(pause);
                    pause *= 2;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn begin(&self, client: &ClientConfig) -> Result<ActiveReader<'_>, BoxedError> {
        let mut client = client.clone();
        // The client needs the name of a group to read; it does not join the group, and commits nothing.
        let name = format!("unbroken-tap-{:08x}", self.scene.run);
        let ends: BaseConsumer = client.create()?;
        let consumer: BaseConsumer =
            client.set("group.id", name).set("enable.partition.eof", "true").create()?;
        let metadata = ends.fetch_metadata(Some(&self.topic.name), BEGIN)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic.name);
        let partitions = topic.map(|topic| topic.partitions()).unwrap_or_default();
        let (mut next, mut assignment) = (BTreeMap::new(), TopicPartitionList::new());
        for partition in partitions.iter().map(|partition| partition.id()) {
            let end = self.end_of(&ends, partition)?;
            assignment.add_partition_offset(&self.topic.name, partition, Offset::Offset(end))?;
            next.insert(partition, end);
        }
        if next.is_empty() {
            return Err("the broker has no such topic".into());
        }
        consumer.assign(&assignment)?;
        let (waiting, last_record) = (Vec::new(), Instant::now());
        Ok(ActiveReader {
            reader: self,
            consumer,
            ends,
            next,
            waiting,
            last_record,
            failure: None,
            gap_recorded: false,
        })
    }
}

impl ActiveReader<'_> {
    fn turn(&mut self) {
        while let Ok(request) = self.reader.requests.try_recv() {
            self.ask(request);
        }
        let Some(polled) = self.consumer.poll(POLL) else { return self.idle() };
        match polled {
            Ok(message) => {
                let (partition, offset) = seen(self.reader, &message);
                drop(message);
                self.reached(partition, offset + 1);
            }
            Err(KafkaError::PartitionEOF(partition)) => self.at_end(partition),
            Err(error) if is_passing(&error) => {
                self.failure.get_or_insert_with(|| (Instant::now(), error));
            }
            Err(error) => self.lost(&error),
        }
        self.check_failure();
    }

    fn reached(&mut self, partition: i32, next: i64) {
        self.next.insert(partition, next);
        self.last_record = Instant::now();
        self.failure = None;
        for waiting in &mut self.waiting {
            waiting.ends.retain(|ended, end| *ended != partition || *end > next);
        }
        self.answer();
    }

    fn at_end(&mut self, partition: i32) {
        self.failure = None;
        // An end that was reported before the position was set again proves nothing.
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.sought) {
            waiting.ends.remove(&partition);
        }
        self.answer();
    }

    fn ask(&mut self, request: CatchUpRequest) {
        let mut ends = BTreeMap::new();
        for (partition, next) in &self.next {
            match self.ends.fetch_watermarks(&self.reader.topic.name, *partition, ANSWER) {
                Ok((_, end)) if end > *next => drop(ends.insert(*partition, end)),
                Ok(_) => {}
                Err(error) => return drop(request.reply.send(Err(error))),
            }
        }
        self.last_record = Instant::now();
        self.waiting.push(PendingCatchUp { reply: request.reply, ends, sought: false });
        self.answer();
    }

    fn answer(&mut self) {
        let (answered, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.ends.is_empty());
        self.waiting = waiting;
        for waiting in Vec::from_iter::<Vec<PendingCatchUp>>(answered) {
            // It fails where the caller no longer waits.
            let _ = waiting.reply.send(Ok(()));
        }
    }

    /// Sets the position again where nothing has come for a while: the markers of transactions have offsets and are not
    /// records, so the position stays before them. Set again, it reaches the end, and the client reports that.
    fn idle(&mut self) {
        self.check_failure();
        if self.last_record.elapsed() < STILL {
            return;
        }
        for waiting in self.waiting.iter_mut().filter(|waiting| !waiting.sought) {
            waiting.sought = waiting.ends.keys().all(|partition| {
                let next = Offset::Offset(self.next[partition]);
                self.consumer.seek(&self.reader.topic.name, *partition, next, ANSWER).is_ok()
            });
        }
    }

    /// Reports a gap for records that cannot be read: a codec that is not built in, a broken batch, a deleted topic.
    fn lost(&mut self, error: &KafkaError) {
        if !std::mem::replace(&mut self.gap_recorded, true) {
            let topic = &self.reader.topic.name;
            self.reader.scene.gap(format!("the tap could not read the topic `{topic}`: {error}"));
        }
    }

    /// Reports a gap for a failure that lasts. After a short one nothing is lost: the records can still be read.
    fn check_failure(&mut self) {
        let Some((since, error)) = self.failure.take_if(|(since, _)| since.elapsed() > PATIENCE) else {
            return;
        };
        let topic = &self.reader.topic.name;
        let still_there =
            self.next.keys().next().map(|partition| self.ends.fetch_watermarks(topic, *partition, ANSWER));
        if matches!(still_there, Some(Err(_))) && !std::mem::replace(&mut self.gap_recorded, true) {
            let time = since.elapsed().as_secs();
            self.reader
                .scene
                .gap(format!("the tap could not read the topic `{topic}` for {time} s: {error}"));
        }
    }
}

/// Returns whether the connection to the broker failed, which the client restores.
fn is_passing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let passing = [
        Code::AllBrokersDown,
        Code::BrokerTransportFailure,
        Code::Resolve,
        Code::OperationTimedOut,
        Code::MessageTimedOut,
        Code::NetworkException,
        Code::RequestTimedOut,
        Code::LeaderNotAvailable,
        Code::NotLeaderForPartition,
        Code::CoordinatorNotAvailable,
        Code::CoordinatorLoadInProgress,
        Code::NotCoordinator,
    ];
    error.rdkafka_error_code().is_some_and(|code| passing.contains(&code))
}

/// Writes the captures of a record; returns its partition and offset.
fn seen(reader: &Reader, message: &BorrowedMessage<'_>) -> (i32, i64) {
    let Reader { scene, topic, deliveries, .. } = reader;
    let record = Record::new(scene, message);
    // This reader may be late: a consumer may have processed the record and made its calls by then.
    let made = if reader.same_clock { record.made } else { None };
    let made = made.map(|made| scene.writer.recorder.nanos_at_millisecond(made));
    let published = record.published(scene);
    if let Some(made) = made {
        published.began(made);
    }
    published.end(CaptureEnd::Settled(Settlement::Accepted));
    for group in &topic.groups {
        let recording = record.delivered(scene, group);
        if let Some(made) = made {
            recording.began(made);
        }
        let place = (topic.name.clone(), record.partition);
        // The watcher of commits ends after every reader.
        let delivery = PendingRecord { group: group.clone(), place, offset: record.offset, recording };
        let _ = deliveries.send(delivery);
    }
    (record.partition, record.offset)
}
