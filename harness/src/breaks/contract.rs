//! Promises of a relay that its evidence refutes: of two values of one field it always takes the same one,
//! and a flush that is answered leaves nothing to export.

use super::break_kind::ContractDefect;
use super::{Break, BreakKind, Breaks, Grade};
use crate::crossings::id_map::IdMap;
use crate::crossings::{CrossingRef, Crossings};
use crate::evidence::Completion;
use crate::scenario::NodeIx;

/// The one of several values that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    First,
    Later,
    Neither,
}

pub(super) fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    values(all, found);
    flushes(all, found);
}

fn broken(crossing: CrossingRef<'_>, defect: ContractDefect) -> Break {
    Break::by_receiver(crossing, BreakKind::ContractBroken(defect)).graded(Grade::Inconclusive)
}

/// Finds spans of a relay that arrived after it had answered the flush.
fn flushes(all: &Crossings<'_>, found: &mut Breaks) {
    for crossing in all.iter() {
        let completion = all.evidence.completions.get(crossing.receiver().0);
        let Some(Completion::Flushed { answered_nanos, .. }) = completion else { continue };
        let late = crossing.receiver_span().is_some_and(|span| span.arrived_nanos > *answered_nanos);
        if late && crossing.receiver_node().kind.keeps_relay_contract() {
            found.list.push(broken(crossing, ContractDefect::ExportAfterFlush));
        }
    }
}

fn values(all: &Crossings<'_>, found: &mut Breaks) {
    let mut choices: IdMap<NodeIx, Choice> = IdMap::default();
    for crossing in all.iter() {
        let Some(now) = choice(crossing) else { continue };
        if !crossing.receiver_node().kind.keeps_relay_contract() {
            continue;
        }
        if *choices.entry(crossing.receiver()).or_insert(now) != now {
            found.list.push(broken(crossing, ContractDefect::VaryingValue));
        }
    }
}

/// Returns which of several values that differ the receiver took.
fn choice(crossing: CrossingRef<'_>) -> Option<Choice> {
    let wire = crossing.arrived()?;
    let span = crossing.receiver_span()?;
    if !wire.differs() {
        return None;
    }
    let parent = wire.contexts().position(|context| span.parent_id == context.parent_id.as_bytes());
    Some(match parent {
        Some(0) => Choice::First,
        Some(_) => Choice::Later,
        None => Choice::Neither,
    })
}
