//! Waits until consumer groups of a running Kafka have the partitions of the topics that hops name.
//!
//! No group is joined or changed. The broker reports who is assigned what, and not where a member reads: one that
//! starts at the end of a topic (`auto.offset.reset=latest`) asks for that end a moment after its assignment.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::time::{Instant, sleep};

use crate::client_end;
use crate::plan::broker::GroupPartition;

/// The time that the broker may take for one answer.
const ANSWER: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Resolves when each of these is assigned to a member of its group, or at the deadline. Returns those that are not.
pub async fn wait(address: &str, mut open: Vec<GroupPartition>, deadline: Instant) -> Vec<GroupPartition> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address).set("allow.auto.create.topics", "false");
    // A broker that does not answer is reported where it is used.
    let Ok(mut client) = config.create::<BaseConsumer>() else { return open };
    let mut pause = FIRST_PAUSE;
    loop {
        // A client waits for its own threads when it is dropped, so it is used and dropped where that may block.
        let asked = tokio::task::spawn_blocking(move || {
            open.retain(|one| !is_assigned(&client, one));
            (client, open)
        });
        let Ok(answered) = asked.await else { return Vec::new() };
        (client, open) = answered;
        if open.is_empty() || Instant::now() >= deadline {
            client_end::in_background(client);
            return open;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn is_assigned(client: &BaseConsumer, wanted: &GroupPartition) -> bool {
    let Ok(list) = client.fetch_group_list(Some(&wanted.group), ANSWER) else { return false };
    let groups = list.groups().iter();
    let mut stable = groups.filter(|group| group.name() == wanted.group && group.state() == "Stable");
    stable.any(|group| {
        group.members().iter().any(|member| {
            let partitions = assigned(member.assignment().unwrap_or_default(), &wanted.topic);
            partitions.is_some_and(|partitions| partitions.contains(&wanted.partition))
        })
    })
}

/// Returns the partitions of the topic in a member's assignment (`ConsumerProtocolAssignment` of Apache Kafka), or
/// `None` where it is something else.
fn assigned(assignment: &[u8], topic: &str) -> Option<BTreeSet<i32>> {
    let mut bytes = Bytes(assignment);
    // The version.
    bytes.take(2)?;
    let mut found = BTreeSet::new();
    for _ in 0..bytes.number()? {
        let length = bytes.take(2)?;
        let name = bytes.take(usize::from(u16::from_be_bytes([length[0], length[1]])))?;
        for _ in 0..bytes.number()? {
            let partition = bytes.number()?;
            if name == topic.as_bytes() {
                found.insert(partition);
            }
        }
    }
    Some(found)
}

/// Bytes that are read from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partitions_of_a_topic_are_read_from_an_assignment() {
        let assignment = [
            &[0, 1][..],
            &[0, 0, 0, 2],
            &[0, 1, b'a'],
            &[0, 0, 0, 1, 0, 0, 0, 7],
            &[0, 2, b'b', b'c'],
            &[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3],
            &[0, 0, 0, 0],
        ]
        .concat();
        assert_eq!(assigned(&assignment, "a"), Some(BTreeSet::from([7])));
        assert_eq!(assigned(&assignment, "bc"), Some(BTreeSet::from([0, 3])));
        assert_eq!(assigned(&assignment, "b"), Some(BTreeSet::new()));
        for length in 0..assignment.len() - 4 {
            assert_eq!(assigned(&assignment[..length], "a"), None, "{length}");
        }
    }
}
