//! The table of breaks: each crossing gets its class, side and hop, or nothing.
//!
//! One file a side, rows in the table's order and under its names (S0 to S12, T1, R0 to R9, X; C1 before
//! them, span hygiene beside them). Of S0 to S8 the first that holds, of R0 to R9 too; S9 to S12, T1 and X
//! each on its own. Whether a class counts is for `rules` to say: here classes are always worked out.

use crate::crossings::{CrossingIx, Crossings};
use crate::parallel::side_by_side;
use crate::plan::StimulusIx;
use crate::scenario::{HopIx, NodeIx, Relation};

pub mod between;
pub mod class;
pub mod contract;
pub mod crossed;
pub mod fault;
pub mod hygiene;
pub mod lists;
pub mod logs;
pub mod receiver;
pub mod reported;
pub mod sender;
pub mod sender_spans;
pub mod undeclared;
pub mod undelivered;
pub mod untapped;

pub use class::{Class, Side};
pub use fault::{Break, Caret, Grade};

/// Everything that is wrong or worth saying, in the order of the crossings.
#[derive(Debug, Default)]
pub struct Breaks {
    pub list: Vec<Break>,
    /// Hops that nothing could cross because of a break before them: (the hop, the hop that ended the story).
    pub consequences: Vec<(HopIx, HopIx)>,
    /// Hops that nothing crossed although nothing is wrong so far, and why; inconclusive.
    pub unseen: Vec<(HopIx, String)>,
}

impl Breaks {
    /// Applies the whole table.
    pub fn find(all: &Crossings<'_>) -> Breaks {
        // About as long as each other; neither needs what the other finds.
        let (beside, mut found) =
            side_by_side(|| Breaks::beside_the_crossings(all), || Breaks::of_the_crossings(all));
        found.list.extend(beside.list);
        found
    }

    fn of_the_crossings(all: &Crossings<'_>) -> Breaks {
        let mut found = Breaks::default();
        let senders = lists::Senders::of(all.plan);
        for (ix, crossing) in all.iter() {
            if crossing.capture.is_none() {
                untapped::row(all, ix, &mut found);
                continue;
            }
            if sends_first(all, ix) {
                let before = found.list.len();
                sender::rows(all, ix, &senders, &mut found);
                name_others(all, ix, &mut found.list[before..]);
            }
            between::row(all, ix, &mut found);
        }
        let tellers = receiver::tellers(&found);
        for (ix, crossing) in all.iter() {
            if undelivered::row(all, ix, &mut found) {
                continue;
            }
            if crossing.capture.is_some() && relation(all, ix) != Relation::None {
                receiver::rows(all, ix, &tellers, &mut found);
            }
        }
        reported::rows(all, &mut found);
        crossed::rows(all, &mut found);
        found
    }

    fn beside_the_crossings(all: &Crossings<'_>) -> Breaks {
        let mut found = Breaks::default();
        hygiene::rows(all, &mut found);
        contract::rows(all, &mut found);
        logs::rows(all, &mut found);
        undeclared::rows(all, &mut found);
        found
    }
}

/// The sender's rows are asked once for each message: not for a further delivery, and of the hops that share it on the
/// first.
fn sends_first(all: &Crossings<'_>, ix: CrossingIx) -> bool {
    all.sent_with(all.get(ix)).next() == Some(ix)
}

/// What is wrong with a message is wrong for all who read it.
fn name_others(all: &Crossings<'_>, ix: CrossingIx, told: &mut [Break]) {
    for told in told {
        told.shared = all.sent_with(all.get(ix)).filter(|other| *other != ix).collect();
    }
}

fn relation(all: &Crossings<'_>, crossing: CrossingIx) -> Relation {
    all.plan.scenario.hop(all.get(crossing).hop).relation
}

/// A break on a crossing; the rest is filled in by the row.
fn on_crossing(all: &Crossings<'_>, ix: CrossingIx, class: Class, side: Side) -> Break {
    let crossing = all.get(ix);
    let hop = all.plan.scenario.hop(crossing.hop);
    let node = match side {
        Side::Receiver => hop.to,
        Side::Intermediary => hop.transport.via().unwrap_or(crossing.sender),
        Side::Sender | Side::Nobody => crossing.sender,
    };
    Break {
        stimulus: Some(crossing.stimulus),
        crossing: Some(ix),
        ..Break::new(class, side, crossing.hop, node)
    }
}

/// The node's name in backticks.
fn name(all: &Crossings<'_>, node: NodeIx) -> String {
    format!("`{}`", all.plan.scenario.node(node).name)
}

/// How a stimulus is called in texts; counted from 1.
fn stimulus_name(stimulus: StimulusIx) -> String {
    format!("stimulus {}", stimulus.0 + 1)
}
