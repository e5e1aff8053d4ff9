//! Reads one topic, record by record, on a thread of its own.
//!
//! A topic has a reader of its own, because the end of a partition is told by its number alone.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::sync::oneshot;

use super::commits::Delivery;
use super::record::Record;
use crate::evidence::{CaptureEnd, Settlement};
use crate::plan::broker::Topic;
use crate::tap::scene::Scene;
use crate::tap::threads::Life;

/// How long one look for a record takes when there is none.
const LOOK: Duration = Duration::from_millis(10);
/// How long the broker may take for an answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How long the broker may take to tell where its topics end, at the start.
const BEGIN: Duration = Duration::from_secs(10);
/// Nothing came for so long although the end is not reached: what stands there is no record.
const STILL: Duration = Duration::from_millis(200);
/// Trouble that is still there after this is told.
const PATIENCE: Duration = Duration::from_secs(2);

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Whether everything that is there has been read.
pub struct Question {
    pub reply: oneshot::Sender<Result<(), String>>,
}

pub struct Reader {
    topic: Topic,
    scene: Arc<Scene>,
    questions: mpsc::Receiver<Question>,
    deliveries: mpsc::Sender<Delivery>,
    /// Whoever makes records has this machine's clock.
    same_clock: bool,
}

/// A question that waits for its answer.
struct Waiting {
    reply: oneshot::Sender<Result<(), String>>,
    /// For each partition that is not read to there where it ended when the question came.
    ends: BTreeMap<i32, i64>,
    /// When the position was set anew, from where the end is told once more.
    sought: bool,
}

/// A reader at work.
struct Reading<'a> {
    reader: &'a Reader,
    consumer: BaseConsumer,
    /// Asked how far the topic goes, on a connection of its own: the other one answers in order, and its long polls are
    /// what would be waited for.
    ends: BaseConsumer,
    /// For each partition the offset that comes next.
    next: BTreeMap<i32, i64>,
    waiting: Vec<Waiting>,
    last_record: Instant,
    trouble: Option<(Instant, KafkaError)>,
    /// Said once: what is not read is a gap, however much of it there is.
    told: bool,
}

impl Reader {
    pub fn new(
        topic: Topic,
        scene: Arc<Scene>,
        questions: mpsc::Receiver<Question>,
        deliveries: mpsc::Sender<Delivery>,
        same_clock: bool,
    ) -> Self {
        Self { topic, scene, questions, deliveries, same_clock }
    }

    /// Until its life is over; `begun` hears when records are seen, or why they will not be.
    pub fn read(self, client: &ClientConfig, begun: oneshot::Sender<Result<(), Problem>>, life: &Life) {
        let mut reading = match self.begin(client) {
            Ok(reading) => reading,
            Err(problem) => return drop(begun.send(Err(problem))),
        };
        // Nobody waits for it any more: then the life is over, too.
        let _ = begun.send(Ok(()));
        while !life.is_over() {
            reading.turn();
        }
    }

    /// Where a partition ends. One that was made a moment ago may not have its leader yet.
    fn end_of(&self, ends: &BaseConsumer, partition: i32) -> Result<i64, Problem> {
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

    fn begin(&self, client: &ClientConfig) -> Result<Reading<'_>, Problem> {
        let mut client = client.clone();
        // A name is needed to read at all. No group is joined under it, and nothing committed.
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
            return Err("the broker does not have it".into());
        }
        consumer.assign(&assignment)?;
        let (waiting, last_record) = (Vec::new(), Instant::now());
        Ok(Reading { reader: self, consumer, ends, next, waiting, last_record, trouble: None, told: false })
    }
}

impl Reading<'_> {
    fn turn(&mut self) {
        while let Ok(question) = self.reader.questions.try_recv() {
            self.ask(question);
        }
        let Some(polled) = self.consumer.poll(LOOK) else { return self.idle() };
        match polled {
            Ok(message) => {
                let (partition, offset) = seen(self.reader, &message);
                drop(message);
                self.reached(partition, offset + 1);
            }
            Err(KafkaError::PartitionEOF(partition)) => self.at_end(partition),
            Err(error) if is_passing(&error) => {
                self.trouble.get_or_insert_with(|| (Instant::now(), error));
            }
            Err(error) => self.lost(&error),
        }
        self.in_trouble();
    }

    fn reached(&mut self, partition: i32, next: i64) {
        self.next.insert(partition, next);
        self.last_record = Instant::now();
        self.trouble = None;
        for waiting in &mut self.waiting {
            waiting.ends.retain(|ended, end| *ended != partition || *end > next);
        }
        self.answer();
    }

    fn at_end(&mut self, partition: i32) {
        self.trouble = None;
        // An end that was told before the question, or before it could be, proves nothing.
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.sought) {
            waiting.ends.remove(&partition);
        }
        self.answer();
    }

    fn ask(&mut self, question: Question) {
        let mut ends = BTreeMap::new();
        for (partition, next) in &self.next {
            match self.ends.fetch_watermarks(&self.reader.topic.name, *partition, ANSWER) {
                Ok((_, end)) if end > *next => drop(ends.insert(*partition, end)),
                Ok(_) => {}
                Err(error) => return drop(question.reply.send(Err(error.to_string()))),
            }
        }
        self.last_record = Instant::now();
        self.waiting.push(Waiting { reply: question.reply, ends, sought: false });
        self.answer();
    }

    fn answer(&mut self) {
        let (answered, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.ends.is_empty());
        self.waiting = waiting;
        for waiting in Vec::from_iter::<Vec<Waiting>>(answered) {
            // Whoever asked may have given up.
            let _ = waiting.reply.send(Ok(()));
        }
    }

    /// Markers of transactions have offsets and are no records: the position stays before them. Set anew, it comes to
    /// the end, and that is told.
    fn idle(&mut self) {
        self.in_trouble();
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

    /// What is there and cannot be read: another codec than this build's, a broken batch, a topic that is gone.
    fn lost(&mut self, error: &KafkaError) {
        if !std::mem::replace(&mut self.told, true) {
            let topic = &self.reader.topic.name;
            self.reader.scene.gap(format!("the topic `{topic}` could not be read: {error}"));
        }
    }

    /// A broker may come back, and then nothing is lost: what was written is still there to be read.
    fn in_trouble(&mut self) {
        let Some((since, error)) = self.trouble.take_if(|(since, _)| since.elapsed() > PATIENCE) else {
            return;
        };
        let topic = &self.reader.topic.name;
        let still_there =
            self.next.keys().next().map(|partition| self.ends.fetch_watermarks(topic, *partition, ANSWER));
        if matches!(still_there, Some(Err(_))) && !std::mem::replace(&mut self.told, true) {
            let time = since.elapsed().as_secs();
            self.reader.scene.gap(format!("the topic `{topic}` could not be read for {time} s: {error}"));
        }
    }
}

/// Whether it is the broker's connection that is in trouble, which may be mended.
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

/// Writes down what was read; returns its partition and offset.
fn seen(reader: &Reader, message: &BorrowedMessage<'_>) -> (i32, i64) {
    let Reader { scene, topic, deliveries, .. } = reader;
    let record = Record::new(scene, message);
    // A reader beside the broker may come late: a consumer has called on by then.
    let made = record
        .made
        .filter(|_| reader.same_clock)
        .map(|made| scene.writer.recorder.nanos_at_millisecond(made));
    let published = scene.writer.recorder.message(record.published(scene));
    if let Some(made) = made {
        published.began(made);
    }
    published.end(CaptureEnd::Settled(Settlement::Accepted));
    for group in &topic.groups {
        let recording = scene.writer.recorder.message(record.delivered(scene, group));
        if let Some(made) = made {
            recording.began(made);
        }
        let place = (topic.name.clone(), record.partition);
        // Who watches commits ends after everyone who sends it these.
        let _ = deliveries.send(Delivery { group: group.clone(), place, offset: record.offset, recording });
    }
    (record.partition, record.offset)
}
