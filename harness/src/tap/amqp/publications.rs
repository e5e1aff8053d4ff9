//! The publications of a client on one channel, until the broker has accepted or refused them.
//!
//! With confirms the broker does so by number (RabbitMQ, "Publisher Confirms"), in a transaction at its end. Without
//! either it only reports a refusal, by `basic.return` or by closing the channel: a publication that counts as accepted
//! is kept for a while, so that a late refusal still finds it.

use std::collections::{BTreeMap, VecDeque};

use super::method::{CloseReason, Destination};
use crate::evidence::{CaptureEnd, Recording, Settlement};
use crate::tap::read_error::{ReadError, UNSETTLED_LIMIT};

/// The number of publications that a late refusal can find on a channel without confirms.
const OPEN_TO_REFUSALS: usize = 1024;

#[derive(Debug, Default)]
pub struct Publications {
    mode: Mode,
    /// The number of the last publication; from 1 since `confirm.select`.
    last: u64,
    /// Not confirmed or not committed.
    waiting: BTreeMap<u64, Publication>,
    /// Without confirms, oldest first.
    taken: VecDeque<Publication>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Plain,
    Confirms,
    Transactions,
}

#[derive(Debug)]
pub struct Publication {
    pub recording: Recording,
    pub to: Destination,
    /// Of a mandatory message: the hash by which a return of it is recognised.
    pub print: Option<u64>,
}

impl Publication {
    /// Returns whether a `basic.return` from this destination may be about it.
    fn may_return_from(&self, to: &Destination) -> bool {
        self.print.is_some() && self.to == *to
    }

    /// Returns whether the broker closed the channel because of its exchange.
    fn is_named_by(&self, closing: &CloseReason) -> bool {
        closing.by_publish && closing.why.contains(&format!("'{}'", self.to.exchange))
    }

    fn accepted(self) {
        self.recording.end(CaptureEnd::Settled(Settlement::Accepted));
    }

    pub fn refused(self, why: &str) {
        self.recording.message(|message| message.refused = Some(why.to_owned()));
        self.recording.end(CaptureEnd::Settled(Settlement::Refused));
    }

    fn broken(self, how: String) {
        self.recording.end(CaptureEnd::Broken(how));
    }
}

impl Publications {
    pub fn with_confirms(&mut self) {
        if self.mode != Mode::Confirms {
            (self.mode, self.last) = (Mode::Confirms, 0);
        }
    }

    pub fn in_transactions(&mut self) {
        self.mode = Mode::Transactions;
    }

    /// Returns the number of the next publication; those that cannot be read count, too.
    pub fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub fn add(&mut self, number: u64, mut publication: Publication) -> Result<(), ReadError> {
        if self.mode == Mode::Plain {
            publication.recording.ended_so_far(CaptureEnd::Settled(Settlement::Accepted));
            if self.taken.len() == OPEN_TO_REFUSALS {
                self.taken.pop_front();
            }
            self.taken.push_back(publication);
            return Ok(());
        }
        self.waiting.insert(number, publication);
        if self.waiting.len() > UNSETTLED_LIMIT { Err(ReadError::Unsettled) } else { Ok(()) }
    }

    pub fn confirmed(&mut self, tag: u64, multiple: bool) {
        taken_out(&mut self.waiting, tag, multiple).for_each(Publication::accepted);
    }

    pub fn refused(&mut self, tag: u64, multiple: bool) {
        taken_out(&mut self.waiting, tag, multiple)
            .for_each(|publication| publication.refused("basic.nack from the broker"));
    }

    pub fn committed(&mut self) {
        self.all_waiting().for_each(Publication::accepted);
    }

    pub fn rolled_back(&mut self) {
        self.all_waiting()
            .for_each(|publication| publication.broken("the client rolled back its transaction".to_owned()));
    }

    /// Refuses the publication of a `basic.return`, which has no number: the oldest mandatory one for the same
    /// destination, if possible with the same content.
    pub fn returned(&mut self, to: &Destination, print: u64, why: &str) {
        let mut waiting = self.waiting.iter().filter(|(_, one)| one.may_return_from(to));
        let number = waiting.clone().find(|(_, one)| one.print == Some(print)).or_else(|| waiting.next());
        if let Some(number) = number.map(|(number, _)| *number) {
            self.waiting.remove(&number).into_iter().for_each(|one| one.refused(why));
            return;
        }
        let mut taken = self.taken.iter().enumerate().filter(|(_, one)| one.may_return_from(to));
        let at = taken.clone().find(|(_, one)| one.print == Some(print)).or_else(|| taken.next());
        if let Some(at) = at.map(|(at, _)| at) {
            self.taken.remove(at).into_iter().for_each(|one| one.refused(why));
        }
    }

    /// Notes that the broker closes the channel. If that was for a publish, the publications to the exchange that it
    /// names are refused, or all that wait if it names no exchange of theirs; the fate of the others is unknown.
    pub fn closed_by_broker(&mut self, closing: &CloseReason) {
        let any_named = self.waiting.values().chain(&self.taken).any(|one| one.is_named_by(closing));
        for publication in std::mem::take(&mut self.taken) {
            if publication.is_named_by(closing) {
                publication.refused(&closing.why);
            }
        }
        for publication in self.all_waiting() {
            if publication.is_named_by(closing) || (closing.by_publish && !any_named) {
                publication.refused(&closing.why);
            } else {
                publication.broken(format!("the broker closed the channel: {}", closing.why));
            }
        }
    }

    /// Ends every publication that waits: its fate is unknown.
    pub fn broken(&mut self, how: &str) {
        self.all_waiting().for_each(|publication| publication.broken(how.to_owned()));
    }

    fn all_waiting(&mut self) -> impl Iterator<Item = Publication> + use<> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

/// Removes the entry of one tag; with `multiple` all up to it, and all entries for 0.
pub fn taken_out<V>(
    entries: &mut BTreeMap<u64, V>,
    tag: u64,
    multiple: bool,
) -> impl Iterator<Item = V> + use<V> {
    let taken = match (multiple, tag.checked_add(1)) {
        (false, _) => entries.remove_entry(&tag).into_iter().collect(),
        (true, Some(next)) if tag > 0 => {
            let rest = entries.split_off(&next);
            std::mem::replace(entries, rest)
        }
        (true, _) => std::mem::take(entries),
    };
    taken.into_values()
}
