//! What a relay promises and its evidence refutes: of two values of one field it takes always the same one,
//! and a flush that is answered leaves nothing to export.

use super::fault::Grade;
use super::{Breaks, Class, Side, name, on_crossing};
use crate::crossings::hashing::IdMap;
use crate::crossings::{CrossingIx, Crossings};
use crate::evidence::Completion;
use crate::scenario::NodeIx;

/// Which of several values was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    First,
    Later,
    None,
}

pub fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    values(all, found);
    flushes(all, found);
}

/// Spans of a relay that arrived after it had answered the flush.
fn flushes(all: &Crossings<'_>, found: &mut Breaks) {
    for (ix, crossing) in all.iter() {
        let node = all.receiver(crossing);
        let relay = all.plan.scenario.node(node).kind.keeps_relay_contract();
        let Some(Completion::Flushed { answered_nanos, .. }) = all.evidence.completions.get(node.0) else {
            continue;
        };
        let span = crossing.receiver_span.map(|span| all.spans.get(span));
        if relay && span.is_some_and(|span| span.arrived_nanos > *answered_nanos) {
            let message = format!("{} answered a flush and exported spans after it", name(all, node));
            let told =
                on_crossing(all, ix, Class::ContractBroken, Side::Receiver).graded(Grade::Inconclusive);
            found.list.push(told.told(
                message,
                "nothing left to export".into(),
                "spans that came later".into(),
            ));
        }
    }
}

fn values(all: &Crossings<'_>, found: &mut Breaks) {
    let mut taken: IdMap<NodeIx, Taken> = IdMap::default();
    for (ix, crossing) in all.iter() {
        let node = all.receiver(crossing);
        let relay = all.plan.scenario.node(node).kind.keeps_relay_contract();
        let Some(now) = take(all, ix).filter(|_| relay) else { continue };
        let before = *taken.entry(node).or_insert(now);
        if before != now {
            let message =
                format!("{} takes now one and now another of several values of a field", name(all, node));
            let told =
                on_crossing(all, ix, Class::ContractBroken, Side::Receiver).graded(Grade::Inconclusive);
            found.list.push(told.told(
                message,
                "always the same one".into(),
                "not always the same one".into(),
            ));
        }
    }
}

fn take(all: &Crossings<'_>, ix: CrossingIx) -> Option<Taken> {
    let crossing = all.get(ix);
    let wire = all.arrived(crossing).filter(|wire| wire.differs())?;
    let span = all.spans.get(crossing.receiver_span?);
    let parents: Vec<bool> =
        wire.contexts().map(|context| span.parent_id == context.parent_id.as_bytes()).collect();
    Some(match parents.iter().position(|taken| *taken) {
        Some(0) => Taken::First,
        Some(_) => Taken::Later,
        None => Taken::None,
    })
}
