//! The reason why nothing was seen to cross a hop.

use super::answer;
use crate::breaks::Unseen;
use crate::scenario::{HopIx, Scenario};

/// Returns why nothing crossed a hop, and what to look at.
pub fn unseen(scenario: &Scenario, hop: HopIx, why: &Unseen) -> String {
    let hop = scenario.hop(hop);
    let source = hop.transport.source().unwrap_or_default();
    match why {
        Unseen::NotArrived(got) => format!("the driver's request did not arrive: {}", answer(got)),
        Unseen::Refused(reason) => {
            let reason = reason.as_deref().unwrap_or("see its answer to the sender");
            format!("the broker refused the message for `{source}`: {reason}")
        }
        Unseen::NotRead => format!(
            "the broker accepted the message, and `{}` did not read it from `{source}` by the deadline: has it joined, \
             and does it read this?",
            scenario.node(hop.to).name
        ),
        Unseen::Skipped { partition, offset } => format!(
            "`{}` did not process the record at offset {offset} of partition {partition} of `{source}`: its group began \
             to read behind it or sought past it, so it is not judged: look at `auto.offset.reset` and `seek`",
            scenario.node(hop.to).name
        ),
    }
}
