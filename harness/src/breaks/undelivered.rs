//! Messages that were sent and never given to their receiver: no row can be asked, and nothing is said of the receiver.

use super::Breaks;
use crate::crossings::messages::was_refused;
use crate::crossings::{CrossingIx, Crossings};

/// True when there is nothing to ask the receiver.
pub fn row(all: &Crossings<'_>, ix: CrossingIx, found: &mut Breaks) -> bool {
    let crossing = all.get(ix);
    if !all.is_undelivered(crossing) && !all.is_unread(crossing) {
        return false;
    }
    let hop = all.plan.scenario.hop(crossing.hop);
    let who = &all.plan.scenario.node(hop.to).name;
    let source = hop.transport.source().unwrap_or_default();
    let refused = crossing.capture.map(|capture| &all.evidence.captures[capture.0]);
    let why = match refused.filter(|capture| was_refused(capture)) {
        Some(capture) => {
            let reason = capture.message.as_ref().and_then(|message| message.refused.as_deref());
            let reason = reason.unwrap_or("see its answer to the sender");
            format!("the broker did not take the message for `{source}`: {reason}")
        }
        None => format!(
            "the message was taken by the broker, and `{who}` did not read it from `{source}` by the deadline: has \
             it joined, and does it read this?"
        ),
    };
    if !found.unseen.contains(&(crossing.hop, why.clone())) {
        found.unseen.push((crossing.hop, why));
    }
    true
}
