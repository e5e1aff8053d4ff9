//! Messages that were sent and never given to their receiver: no row can be asked, and the receiver is not judged.

use super::{Breaks, Unseen};
use crate::crossings::CrossingRef;
use crate::crossings::messages::was_refused;
use crate::evidence::{CaptureEnd, Settlement};

/// Returns true where there is nothing to ask about the receiver.
pub(super) fn row(crossing: CrossingRef<'_>, found: &mut Breaks) -> bool {
    if !crossing.is_undelivered() && !crossing.is_unread() {
        return false;
    }
    let why = match crossing.sent() {
        Some(sent) if was_refused(sent) => {
            Unseen::Refused(sent.message.as_ref().and_then(|message| message.refused.clone()))
        }
        Some(_) | None => skipped(crossing).unwrap_or(Unseen::NotRead),
    };
    let unseen = (crossing.hop_ix(), why);
    if !found.unseen.contains(&unseen) {
        found.unseen.push(unseen);
    }
    true
}

/// Returns the place of a record that its group passed over.
fn skipped(crossing: CrossingRef<'_>) -> Option<Unseen> {
    let delivery =
        crossing.received().filter(|arrival| arrival.end == CaptureEnd::Settled(Settlement::Skipped))?;
    let (partition, offset) = delivery.message.as_ref()?.offset?;
    Some(Unseen::Skipped { partition, offset })
}
