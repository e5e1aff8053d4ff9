//! What is still due, given what was seen so far: pure, on the same pairing that judging uses.

use crate::crossings::{Crossing, Crossings};
use crate::evidence::CaptureEnd;
use crate::scenario::{At, HopIx, NodeIx, Relation};

/// Whether one of `senders` still owes a crossing: it took part in a crossing that ended well, and not every
/// hop that this one causes was crossed as often as it declares. A request under way may still cause some.
pub(super) fn crossings_due(seen: &Crossings<'_>, senders: &[NodeIx]) -> bool {
    let hops = &seen.plan.scenario.hops;
    hops.iter().enumerate().any(|(ix, hop)| {
        let tapped = seen.plan.hop_taps[ix].is_some();
        tapped && senders.contains(&hop.from) && hop_is_due(seen, HopIx(ix))
    })
}

fn hop_is_due(seen: &Crossings<'_>, hop: HopIx) -> bool {
    let declared = seen.plan.scenario.hop(hop);
    let Some(cause) = declared.within else { return false };
    let times = usize::try_from(declared.times.min).unwrap_or(usize::MAX);
    let mut due = vec![0_usize; seen.plan.stimuli.len()];
    for (_, crossing) in seen.of_hop(cause).filter(|(_, crossing)| may_cause(seen, crossing)) {
        due[crossing.stimulus.0] = due[crossing.stimulus.0].saturating_add(times);
    }
    for (_, crossing) in seen.of_hop(hop) {
        due[crossing.stimulus.0] = due[crossing.stimulus.0].saturating_sub(1);
    }
    let unattributed = seen.unattributed.iter().filter(|(_, at)| *at == hop).count();
    due.iter().sum::<usize>() > unattributed
}

/// A crossing that failed owes nothing further; one that nobody watches is taken to have gone well.
fn may_cause(seen: &Crossings<'_>, crossing: &Crossing) -> bool {
    crossing.capture.is_none_or(|capture| {
        let end = &seen.evidence.captures[capture.0].end;
        end.is_success() || *end == CaptureEnd::Open
    })
}

/// Whether a request to or from one of `nodes` is still under way.
pub(super) fn under_way(seen: &Crossings<'_>, nodes: &[NodeIx]) -> bool {
    seen.evidence.captures.iter().any(|capture| {
        let tap = seen.plan.tap(capture.tap);
        capture.end == CaptureEnd::Open && (nodes.contains(&tap.from) || nodes.contains(&tap.to))
    })
}

/// Whether a span of `node` is still due for a sampled crossing that it received or sent.
pub(super) fn spans_due(seen: &Crossings<'_>, node: NodeIx) -> bool {
    seen.exports(node)
        && seen.iter().any(|(_, crossing)| {
            let sampled = match seen.wire(crossing) {
                Some(carried) => carried.first().is_some_and(|context| context.flags.sampled()),
                None => crossing.due.sampled == Some(true),
            };
            let received = seen.receiver(crossing) == node && receiver_exports(seen, crossing);
            let sent = seen.sender(crossing) == node && crossing.capture.is_some();
            let received = received && crossing.receiver_span.is_none();
            let sent = sent && crossing.call_span.is_none() && crossing.named_span.is_none();
            sampled && (received || sent)
        })
}

/// A receiver that begins a trace decides anew about sampling: nothing may be due from it.
fn receiver_exports(seen: &Crossings<'_>, crossing: &Crossing) -> bool {
    let relation = seen.plan.scenario.hop(crossing.hop).relation;
    !matches!(relation, Relation::Link | Relation::None) && relation.restarts_at() != Some(At::Receiver)
}

/// Whether anything of `node` has arrived at all.
pub(super) fn has_exported(seen: &Crossings<'_>, node: NodeIx) -> bool {
    seen.evidence.spans.iter().any(|span| span.node == node)
}
