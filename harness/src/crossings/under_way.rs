//! The exchanges that were under way at a moment, for captures that neither a mark nor a trace attributes.

use std::collections::HashMap;

use crate::evidence::Exchange;
use crate::plan::StimulusIx;
use crate::scenario::HopIx;

pub(super) struct UnderWay<'e> {
    exchanges: &'e [Exchange],
    /// The begin of each exchange with its number, by time.
    begun: Moments,
    /// The end of each exchange that ended.
    ended: Moments,
    /// The stimuli by the time at which they were sent.
    sent: Vec<(u64, StimulusIx)>,
    /// For each hop the number of stimuli, from the first one, to which it owes nothing any more.
    served: HashMap<HopIx, usize>,
}

/// Times in their order, each with the exclusive or of all numbers up to it: what is left of two such sums is the
/// number of the only exchange that is in one and not in the other.
struct Moments(Vec<(u64, usize)>);

impl Moments {
    fn new(times: impl Iterator<Item = (u64, usize)>) -> Moments {
        let mut times: Vec<(u64, usize)> = times.collect();
        times.sort_unstable();
        let mut sum = 0;
        for (_, number) in &mut times {
            sum ^= *number;
            *number = sum;
        }
        Moments(times)
    }

    /// Returns the number of moments for which `before` holds, and the sum of their numbers.
    fn count(&self, before: impl Fn(u64) -> bool) -> (usize, usize) {
        let count = self.0.partition_point(|(time, _)| before(*time));
        (count, count.checked_sub(1).map_or(0, |last| self.0[last].1))
    }
}

impl<'e> UnderWay<'e> {
    pub fn of(exchanges: &'e [Exchange]) -> UnderWay<'e> {
        // One that ended before it began is never under way.
        let numbered = exchanges
            .iter()
            .enumerate()
            .filter(|(_, one)| one.answered_nanos.is_none_or(|ended| ended >= one.sent_nanos));
        let ended = Moments::new(numbered.clone().filter_map(|(ix, one)| Some((one.answered_nanos?, ix))));
        let begun = Moments::new(numbered.map(|(ix, one)| (one.sent_nanos, ix)));
        let mut sent: Vec<_> = exchanges.iter().map(|one| (one.sent_nanos, one.stimulus)).collect();
        sent.sort_unstable();
        UnderWay { exchanges, begun, ended, sent, served: HashMap::new() }
    }

    /// Returns the stimulus that a capture at `nanos` belongs to, where at most one was under way: the first one sent
    /// until then that this hop still owes a crossing, even if it was answered before its background work had ended;
    /// else the one under way.
    pub fn chosen_at(
        &mut self,
        nanos: u64,
        hop: HopIx,
        owed: impl Fn(StimulusIx) -> Option<bool>,
    ) -> Option<StimulusIx> {
        let (begun, begun_sum) = self.begun.count(|time| time <= nanos);
        let (ended, ended_sum) = self.ended.count(|time| time < nanos);
        let alone = match (begun - ended, self.exchanges) {
            (0, [only]) => Some(only.stimulus),
            (0, _) => None,
            (1, exchanges) => Some(exchanges[begun_sum ^ ended_sum].stimulus),
            (_, _) => return None,
        };
        let served = self.served.entry(hop).or_default();
        while self.sent.get(*served).is_some_and(|(_, stimulus)| owed(*stimulus) == Some(false)) {
            *served += 1;
        }
        let sent = self.sent[*served..].iter().take_while(|(sent, _)| *sent <= nanos);
        sent.map(|(_, stimulus)| *stimulus).find(|stimulus| owed(*stimulus) == Some(true)).or(alone)
    }
}
