//! Consumer groups that had no position before the first stimulus was sent, and so may have skipped what was sent.

use std::collections::BTreeMap;

use crate::evidence::{Capture, CaptureEnd, Gap, GapPlace, MessageDirection, Settlement};
use crate::plan::broker::GroupPartition;

/// Returns a gap for each late group and topic of which a record was not processed.
pub(super) fn gaps(late: &[GroupPartition], captures: &[Capture]) -> Vec<Gap> {
    let mut unread: BTreeMap<(&str, &str), Vec<i32>> = BTreeMap::new();
    for one in late.iter().filter(|one| captures.iter().any(|capture| is_unprocessed(capture, one))) {
        unread.entry((&one.group, &one.topic)).or_default().push(one.partition);
    }
    let gaps = unread.into_iter().map(|((group, topic), partitions)| {
        let partitions: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        let what = format!(
            "the consumer group `{group}` had no position in partition {} of `{topic}` before the `timeout:` of the \
             scenario, so the driver sent before it read: start its consumer with the program, or give it more time",
            partitions.join(", ")
        );
        Gap { place: GapPlace::Run, what, lines: Vec::new() }
    });
    gaps.collect()
}

fn is_unprocessed(capture: &Capture, late: &GroupPartition) -> bool {
    let Some(message) = &capture.message else { return false };
    message.direction == MessageDirection::Delivered
        && message.reader.as_ref() == Some(&late.group)
        && message.destination == late.topic
        && message.offset.is_some_and(|(partition, _)| partition == late.partition)
        && matches!(capture.end, CaptureEnd::Open | CaptureEnd::Settled(Settlement::Skipped))
}
