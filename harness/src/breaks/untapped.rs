//! A hop with `tap: none`: the receiver's span is the only witness, and what it cannot tell is named.

use super::fault::Grade;
use super::sender_spans::described;
use super::{Breaks, Class, Side, name, on_crossing, relation};
use crate::crossings::{CrossingIx, Crossings};
use crate::scenario::{NodeIx, Relation};
use crate::wire::TraceId;

pub fn row(all: &Crossings<'_>, ix: CrossingIx, found: &mut Breaks) {
    let crossing = all.get(ix);
    let (from, to) = (all.sender(crossing), all.receiver(crossing));
    let sampled = crossing.expected.sampled != Some(false);
    if !all.exports(to) || !sampled || relation(all, ix) != Relation::Child {
        return;
    }
    let span = crossing.receiver_span.map(|span| all.spans.get(span));
    let Some(expected) = crossing.expected.trace else { return };
    if span.is_some_and(|span| TraceId::from_bytes(&span.trace_id) == Some(expected)) {
        return;
    }
    let who = name(all, to);
    let witness = "a tap on this hop (it says `tap: none`)".to_owned();
    let told = on_crossing(all, ix, Class::NotExtracted, Side::Receiver).missing(witness);
    let due = format!("a span of {who} in trace {expected}");
    found.list.push(match span {
        Some(span) if from == NodeIx::CLIENT => {
            let message = format!("{who} began a new trace although it was sent a `traceparent`");
            told.told(message, due, described(span))
        }
        Some(span) => {
            let message = format!(
                "{who} is in another trace: not-injected by {} or not-extracted by {who}",
                name(all, from)
            );
            told.graded(Grade::Inconclusive).told(message, due, described(span))
        }
        None => {
            let message = format!("{who} exported no span in the trace, and nothing saw what was sent to it");
            let mut told = told.graded(Grade::Inconclusive).told(message, due, "no span".into());
            (told.class, told.side) = (Class::NotExported, Side::Nobody);
            told
        }
    });
}
