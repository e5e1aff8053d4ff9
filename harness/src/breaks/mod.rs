//! The table of breaks: each crossing gets its class, side and hop, or nothing.
//!
//! One file a side, rows in the table's order and under its names (S0 to S12, T1, R0 to R9, X; C1 before
//! them, span hygiene beside them). Of S0 to S8 the first that holds, of R0 to R9 too; S9 to S12, T1 and X
//! each on its own. `rules` decides whether a class counts, and makes the words: here a break is data, and classes are
//! always worked out.

use crate::crossings::id_map::IdSet;
use crate::crossings::{CrossingIx, CrossingRef, Crossings};
use crate::evidence::Answer;
use crate::parallel::side_by_side;
use crate::scenario::{HopIx, NodeIx, Relation, Role};

pub mod between;
pub mod break_kind;
pub mod break_record;
pub mod class;
pub mod collectors;
pub mod contract;
pub mod crossed;
pub mod hygiene;
pub mod lists;
pub mod logs;
pub mod preflights;
pub mod receiver;
pub mod reported;
pub mod sender;
pub mod sender_spans;
pub mod undeclared;
pub mod undelivered;
pub mod uninstrumented;
pub mod untapped;
pub mod value;

pub use break_kind::{BreakKind, ContextFields, Flag};
pub use break_record::{Break, Caret, Grade, Remark, Witness};
pub use class::{Class, Side};
pub use value::{List, Value};

/// Everything that is wrong or worth saying, in the order of the crossings.
#[derive(Debug, Default)]
pub struct Breaks {
    pub list: Vec<Break>,
    /// Hops that nothing could cross because of a break before them: (the hop, the hop that ended the story).
    pub consequences: Vec<(HopIx, HopIx)>,
    /// Hops that nothing crossed although nothing is wrong so far, and why; inconclusive.
    pub unseen: Vec<(HopIx, Unseen)>,
    /// Crossings whose tracestate a break before it leaves without anything to compare with.
    pub uncompared: Vec<ComparisonGap>,
    /// Log records that relays were instructed to write.
    pub logs: Vec<LogCount>,
}

/// A crossing whose tracestate was not compared, and the class of the break that prevents it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparisonGap {
    pub crossing: CrossingIx,
    pub class: Class,
}

/// The log records that one relay was instructed to write, and those that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogCount {
    pub node: NodeIx,
    pub due: usize,
    pub arrived: usize,
}

/// The reason why nothing was seen to cross a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// The driver sent it, and it did not arrive: what the driver got instead of it.
    NotArrived(Answer),
    /// The broker did not take the message, for this reason if it gave one.
    Refused(Option<String>),
    /// The broker took the message, and its receiver did not read it.
    NotRead,
    /// Its consumer group passed over the record at this partition and offset, and did not process it.
    Skipped { partition: i32, offset: i64 },
}

impl Breaks {
    /// Applies the whole table.
    pub fn find(all: &Crossings<'_>) -> Breaks {
        // About as long as each other; neither needs what the other finds.
        let (beside, mut found) =
            side_by_side(|| Breaks::beside_the_crossings(all), || Breaks::of_the_crossings(all));
        found.list.extend(beside.list);
        found.logs = beside.logs;
        found
    }

    fn of_the_crossings(all: &Crossings<'_>) -> Breaks {
        let mut found = Breaks::default();
        let senders = lists::Senders::of(all.plan);
        for crossing in all.iter() {
            if crossing.sent_capture().is_none() {
                continue;
            }
            let before = found.list.len();
            if crossing.sends_first() {
                sender::rows(crossing, &senders, &mut found);
                name_others(crossing, &mut found.list[before..]);
            }
            let forwards = crossing.sender_node().role == Role::Forwarder;
            let mixed_up = found.list[before..].iter().any(|one| one.class() == Class::Swapped);
            if !(forwards && mixed_up) {
                between::row(crossing, &mut found);
            }
            if crossing.sender_node().is_gateway {
                between::additions(crossing, &mut found);
                between::notes(crossing, &mut found);
            }
        }
        let explained = receiver::explained(&found);
        let known: IdSet<CrossingIx> = found.list.iter().filter_map(|one| one.crossing).collect();
        for crossing in all.iter() {
            if crossing.sent_capture().is_none() {
                if !known.contains(&crossing.ix()) {
                    untapped::row(crossing, &mut found);
                }
                continue;
            }
            if undelivered::row(crossing, &mut found) {
                continue;
            }
            if crossing.relation() != Relation::None {
                receiver::rows(crossing, &explained, &mut found);
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
        preflights::rows(all, &mut found);
        undeclared::rows(all, &mut found);
        collectors::rows(all, &mut found);
        found
    }
}

/// Adds the crossings of other hops: a break of a message is one for each hop that the message goes over.
fn name_others(crossing: CrossingRef<'_>, found: &mut [Break]) {
    for one in found.iter_mut().filter(|one| one.crossing == Some(crossing.ix())) {
        let others = crossing.sent_with().filter(|other| *other != crossing);
        one.shared = others.map(CrossingRef::ix).collect();
    }
}
