//! The positions of consumer groups of Kafka, as a broker in this process reports them.
//!
//! A record before the first position of a group, or one that the group passed over later, was not processed, although
//! a commit has passed it. A real broker does not report positions.

use std::collections::BTreeMap;
use std::ops::Range;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::plan::broker::GroupPartition;

/// The ranges of offsets that a group has not read, by group, topic and partition. The first is everything before its
/// first position; a partition without one is missing.
pub type UnreadRanges = BTreeMap<(String, String, i32), Vec<Range<i64>>>;

/// Follows the positions of all groups of one broker.
#[derive(Clone, Debug)]
pub struct GroupPositions(watch::Receiver<UnreadRanges>);

impl GroupPositions {
    pub fn new(ranges: watch::Receiver<UnreadRanges>) -> Self {
        Self(ranges)
    }

    /// Returns the first position of a group in a partition, if it has one.
    pub fn start(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let ranges = self.0.borrow();
        let own = ranges.get(&(group.to_owned(), topic.to_owned(), partition))?;
        Some(own.first().map_or(0, |first| first.end))
    }

    /// Returns whether the group has passed over this offset.
    pub fn has_skipped(&self, group: &str, topic: &str, partition: i32, offset: i64) -> bool {
        let ranges = self.0.borrow();
        let own = ranges.get(&(group.to_owned(), topic.to_owned(), partition));
        own.into_iter().flatten().any(|range| range.contains(&offset))
    }

    /// Waits until there is a position in each of these, or the deadline. Returns those without one.
    pub async fn wait(&self, wanted: &[GroupPartition], deadline: Instant) -> Vec<GroupPartition> {
        let mut ranges = self.0.clone();
        let all_known = ranges.wait_for(|known| missing(wanted, known).is_empty());
        // Both ends of the wait without a position leave the same answer.
        let _ = timeout_at(deadline, all_known).await;
        missing(wanted, &self.0.borrow())
    }
}

fn missing(wanted: &[GroupPartition], known: &UnreadRanges) -> Vec<GroupPartition> {
    let is_missing =
        |one: &&GroupPartition| !known.contains_key(&(one.group.clone(), one.topic.clone(), one.partition));
    wanted.iter().filter(is_missing).cloned().collect()
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a group may have skipped one range")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(group: &str, partition: i32) -> GroupPartition {
        GroupPartition { group: group.to_owned(), topic: "orders".to_owned(), partition }
    }

    fn key(group: &str, partition: i32) -> (String, String, i32) {
        (group.to_owned(), "orders".to_owned(), partition)
    }

    #[tokio::test]
    async fn the_wait_ends_with_the_last_position_or_names_what_has_none_at_the_deadline() {
        let (sender, receiver) = watch::channel(UnreadRanges::new());
        let positions = GroupPositions::new(receiver);
        let wanted = [of("billing", 0), of("billing", 1)];
        sender.send_modify(|ranges| drop(ranges.insert(key("billing", 0), vec![0..3])));
        let now = positions.wait(&wanted, Instant::now()).await;
        assert_eq!(now, [of("billing", 1)]);
        let until = Instant::now() + Duration::from_secs(20);
        let waiting = tokio::spawn({
            let positions = positions.clone();
            async move { positions.wait(&wanted, until).await }
        });
        sender.send_modify(|ranges| drop(ranges.insert(key("billing", 1), vec![0..0])));
        assert_eq!(waiting.await.unwrap(), []);
    }

    #[test]
    fn an_offset_before_the_start_or_inside_a_jump_is_skipped() {
        let (sender, receiver) = watch::channel(UnreadRanges::new());
        let positions = GroupPositions::new(receiver);
        assert_eq!(positions.start("billing", "orders", 0), None);
        sender.send_modify(|ranges| drop(ranges.insert(key("billing", 0), vec![0..2, 4..5])));
        assert_eq!(positions.start("billing", "orders", 0), Some(2));
        let skipped: Vec<i64> =
            (0..7).filter(|offset| positions.has_skipped("billing", "orders", 0, *offset)).collect();
        assert_eq!(skipped, [0, 1, 4]);
    }
}
