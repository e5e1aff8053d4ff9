//! The deliveries of a broker on one channel: their queues, and how the client settles them.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::publications::taken_out;
use crate::evidence::{CaptureEnd, Recording, Settlement};
use crate::tap::read_error::{ReadError, UNSETTLED_LIMIT, WAITING_LIMIT};

#[derive(Debug, Default)]
pub struct Deliveries {
    consumers: HashMap<String, ConsumerQueue>,
    /// The queue that an empty name means (AMQP 0-9-1, `queue` of `basic.consume`).
    last_declared: String,
    /// Requests without an answer; answers come in the same order.
    asked: VecDeque<PendingRequest>,
    /// By delivery tag.
    unsettled: BTreeMap<u64, Recording>,
    /// In a transaction, the acknowledgements that its commit makes valid.
    transaction: Option<Vec<Acknowledgement>>,
}

/// The queue of a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerQueue {
    pub queue: String,
    /// A delivery is settled when it is sent.
    pub no_ack: bool,
}

/// An acknowledgement or rejection of one delivery, or of all up to it.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledgement {
    pub tag: u64,
    pub multiple: bool,
    pub how: Settlement,
}

#[derive(Debug)]
pub enum PendingRequest {
    Declare,
    Consume(ConsumerQueue),
    Get(ConsumerQueue),
}

impl Deliveries {
    pub fn asks(&mut self, asked: PendingRequest) -> Result<(), ReadError> {
        self.asked.push_back(asked);
        if self.asked.len() > WAITING_LIMIT { Err(ReadError::TooMany) } else { Ok(()) }
    }

    /// Removes the oldest request that `which` accepts.
    fn answered<T>(&mut self, which: impl Fn(&PendingRequest) -> Option<T>) -> Option<T> {
        let at = self.asked.iter().position(|asked| which(asked).is_some())?;
        self.asked.remove(at).as_ref().and_then(which)
    }

    pub fn declared(&mut self, queue: String) {
        self.answered(|asked| matches!(asked, PendingRequest::Declare).then_some(()));
        self.last_declared = queue;
    }

    /// Notes a declaration with `no-wait`, which has a name and gets no answer.
    pub fn declares(&mut self, queue: String) {
        self.last_declared = queue;
    }

    pub fn consumes(&mut self, consumer: String, source: ConsumerQueue) {
        let source = self.named(source);
        self.consumers.insert(consumer, source);
    }

    pub fn consuming(&mut self, consumer: String) {
        let asked = self.answered(|asked| match asked {
            PendingRequest::Consume(source) => Some(source.clone()),
            _ => None,
        });
        if let Some(source) = asked {
            self.consumes(consumer, source);
        }
    }

    pub fn cancelled(&mut self, consumer: &str) {
        self.consumers.remove(consumer);
    }

    pub fn source(&self, consumer: &str) -> Option<ConsumerQueue> {
        self.consumers.get(consumer).cloned()
    }

    /// Returns the queue of the oldest `basic.get` without an answer.
    pub fn got(&mut self) -> Option<ConsumerQueue> {
        let asked = self.answered(|asked| match asked {
            PendingRequest::Get(source) => Some(source.clone()),
            _ => None,
        })?;
        Some(self.named(asked))
    }

    fn named(&self, mut source: ConsumerQueue) -> ConsumerQueue {
        if source.queue.is_empty() {
            source.queue.clone_from(&self.last_declared);
        }
        source
    }

    pub fn add(&mut self, tag: u64, recording: Recording) -> Result<(), ReadError> {
        self.unsettled.insert(tag, recording);
        if self.unsettled.len() > UNSETTLED_LIMIT { Err(ReadError::Unsettled) } else { Ok(()) }
    }

    pub fn in_transactions(&mut self) {
        self.transaction.get_or_insert_default();
    }

    pub fn settled(&mut self, settled: Acknowledgement) {
        match &mut self.transaction {
            Some(later) => later.push(settled),
            None => self.settle(settled),
        }
    }

    fn settle(&mut self, settled: Acknowledgement) {
        for recording in taken_out(&mut self.unsettled, settled.tag, settled.multiple) {
            recording.end(CaptureEnd::Settled(settled.how));
        }
    }

    pub fn committed(&mut self) {
        for settled in self.transaction.as_mut().map(std::mem::take).unwrap_or_default() {
            self.settle(settled);
        }
    }

    pub fn rolled_back(&mut self) {
        self.transaction.iter_mut().for_each(Vec::clear);
    }

    /// Ends everything that is not settled: it returns to its queue.
    pub fn given_back(&mut self) {
        self.settle(Acknowledgement { tag: 0, multiple: true, how: Settlement::Returned });
    }

    pub fn broken(&mut self, how: &str) {
        for recording in std::mem::take(&mut self.unsettled).into_values() {
            recording.end(CaptureEnd::Broken(how.to_owned()));
        }
    }
}
