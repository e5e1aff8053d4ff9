//! Shards: the part of a run that one of several machines takes, and which cases it has.
//!
//! There is no scheduler: each machine works out the same assignment from the same cases and the same durations.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Part `number` of `of`, counted from 1: `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    number: u32,
    of: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it must be K/N with K from 1 to N, such as `2/4`")]
pub struct ShardError;

/// A run has at most this many shards.
const MOST: u32 = 1000;

impl Shard {
    pub fn new(number: u32, of: u32) -> Result<Shard, ShardError> {
        if number == 0 || number > of || of > MOST { Err(ShardError) } else { Ok(Shard { number, of }) }
    }

    pub fn number(self) -> u32 {
        self.number
    }

    pub fn of(self) -> u32 {
        self.of
    }

    /// Returns, for each title, whether this shard has it. The longest cases are placed first, each on the shard with
    /// the least work so far; a title without a duration counts as one of average length.
    pub fn has(self, titles: &[&str], durations_ms: &BTreeMap<String, u64>) -> Vec<bool> {
        let known: Vec<u64> = titles.iter().filter_map(|title| durations_ms.get(*title)).copied().collect();
        let average = known.iter().sum::<u64>().checked_div(known.len() as u64).unwrap_or(1).max(1);
        let mut order: Vec<usize> = (0..titles.len()).collect();
        let lengths: Vec<u64> =
            titles.iter().map(|title| durations_ms.get(*title).copied().unwrap_or(average).max(1)).collect();
        order.sort_by(|one, other| (lengths[*other], titles[*one]).cmp(&(lengths[*one], titles[*other])));
        let mut loads = vec![0_u64; self.of as usize];
        let mut has = vec![false; titles.len()];
        for at in order {
            let least = loads.iter().enumerate().min_by_key(|(shard, load)| (**load, *shard));
            let (shard, _) = least.expect("there is at least one shard");
            loads[shard] += lengths[at];
            has[at] = shard + 1 == self.number as usize;
        }
        has
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Shard, ShardError> {
        let (number, of) = text.split_once('/').ok_or(ShardError)?;
        Shard::new(number.parse().map_err(|_| ShardError)?, of.parse().map_err(|_| ShardError)?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_in_one_shard_and_the_order_of_the_cases_does_not_matter() {
        let titles: Vec<String> = (0..23).map(|number| format!("case-{number}")).collect();
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let mut backwards = titles.clone();
        backwards.reverse();
        let mut times = vec![0; titles.len()];
        for number in 1..=4 {
            let shard = Shard::new(number, 4).unwrap();
            let has = shard.has(&titles, &BTreeMap::new());
            let mut again = shard.has(&backwards, &BTreeMap::new());
            again.reverse();
            assert_eq!(has, again);
            assert!((5..=6).contains(&has.iter().filter(|has| **has).count()), "{has:?}");
            has.iter().zip(&mut times).for_each(|(has, times)| *times += usize::from(*has));
        }
        assert!(times.iter().all(|times| *times == 1), "{times:?}");
    }

    #[test]
    fn durations_balance_the_shards() {
        let durations = [("long", 90), ("a", 30), ("b", 30)].map(|(title, ms)| (title.to_owned(), ms));
        let has = Shard::new(1, 2).unwrap().has(&["a", "b", "long", "new"], &BTreeMap::from(durations));
        assert_eq!(has, [false, false, true, false], "90 ms against 30 + 30 + 50 for the new case");
    }

    #[test]
    fn a_shard_is_read_and_printed_and_nonsense_is_refused() {
        assert_eq!("2/4".parse::<Shard>().unwrap().to_string(), "2/4");
        for text in ["0/4", "5/4", "1/0", "4", "1/2/3", "-1/2", "1/1001", ""] {
            assert_eq!(text.parse::<Shard>(), Err(ShardError), "{text}");
        }
    }
}
