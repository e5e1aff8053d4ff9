//! What a broker delivers on one channel: from which queue, and what the client makes of it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::published::taken_out;
use crate::evidence::{CaptureEnd, Recording, Settlement};
use crate::tap::refused::{Refused, UNSETTLED_LIMIT, WAITING_LIMIT};

#[derive(Debug, Default)]
pub struct Delivered {
    consumers: HashMap<String, Source>,
    /// What an empty name of a queue stands for (AMQP 0-9-1, `queue` of `basic.consume`).
    last_declared: String,
    /// Requests without their answers, which come in the same order.
    asked: VecDeque<Asked>,
    /// By delivery tag.
    unsettled: BTreeMap<u64, Recording>,
    /// In a transaction, what counts only from its commit on.
    transaction: Option<Vec<Settled>>,
}

/// Where deliveries come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub queue: String,
    /// Settled by being delivered.
    pub no_ack: bool,
}

/// What a client says of one delivery, or of all up to it.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    pub tag: u64,
    pub multiple: bool,
    pub how: Settlement,
}

#[derive(Debug)]
pub enum Asked {
    Declare,
    Consume(Source),
    Get(Source),
}

impl Delivered {
    pub fn asks(&mut self, asked: Asked) -> Result<(), Refused> {
        self.asked.push_back(asked);
        if self.asked.len() > WAITING_LIMIT { Err(Refused::TooMany) } else { Ok(()) }
    }

    /// Takes out the oldest request of which `which` makes something.
    fn answered<T>(&mut self, which: impl Fn(&Asked) -> Option<T>) -> Option<T> {
        let at = self.asked.iter().position(|asked| which(asked).is_some())?;
        self.asked.remove(at).as_ref().and_then(which)
    }

    pub fn declared(&mut self, queue: String) {
        self.answered(|asked| matches!(asked, Asked::Declare).then_some(()));
        self.last_declared = queue;
    }

    /// No answer is due, so the name has to be there already.
    pub fn declares(&mut self, queue: String) {
        self.last_declared = queue;
    }

    pub fn consumes(&mut self, consumer: String, source: Source) {
        let source = self.named(source);
        self.consumers.insert(consumer, source);
    }

    pub fn consuming(&mut self, consumer: String) {
        let asked = self.answered(|asked| match asked {
            Asked::Consume(source) => Some(source.clone()),
            _ => None,
        });
        if let Some(source) = asked {
            self.consumes(consumer, source);
        }
    }

    pub fn cancelled(&mut self, consumer: &str) {
        self.consumers.remove(consumer);
    }

    pub fn source(&self, consumer: &str) -> Option<Source> {
        self.consumers.get(consumer).cloned()
    }

    /// Of the oldest `basic.get` that was not answered.
    pub fn got(&mut self) -> Option<Source> {
        let asked = self.answered(|asked| match asked {
            Asked::Get(source) => Some(source.clone()),
            _ => None,
        })?;
        Some(self.named(asked))
    }

    fn named(&self, mut source: Source) -> Source {
        if source.queue.is_empty() {
            source.queue.clone_from(&self.last_declared);
        }
        source
    }

    pub fn add(&mut self, tag: u64, recording: Recording) -> Result<(), Refused> {
        self.unsettled.insert(tag, recording);
        if self.unsettled.len() > UNSETTLED_LIMIT { Err(Refused::Unsettled) } else { Ok(()) }
    }

    pub fn in_transactions(&mut self) {
        self.transaction.get_or_insert_default();
    }

    pub fn settled(&mut self, settled: Settled) {
        match &mut self.transaction {
            Some(later) => later.push(settled),
            None => self.settle(settled),
        }
    }

    fn settle(&mut self, settled: Settled) {
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

    /// Whatever is not settled goes back to its queue.
    pub fn given_back(&mut self) {
        self.settle(Settled { tag: 0, multiple: true, how: Settlement::Returned });
    }

    pub fn broken(&mut self, how: &str) {
        for recording in std::mem::take(&mut self.unsettled).into_values() {
            recording.end(CaptureEnd::Broken(how.to_owned()));
        }
    }
}
