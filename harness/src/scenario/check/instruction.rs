//! Checks that every relay gets an instruction: `client` sends them, and only relays and forwarders pass them on.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::Step;
use crate::scenario::index::{HopIx, NodeIx};

use super::fan_out::readers;

/// Checks the driven hops. `driven` holds for each hop whether a drive causes it in the end; the causes of such a hop
/// have no circle.
pub(super) fn check(draft: &Draft<'_>, driven: &[bool], complaints: &mut Complaints) {
    for (index, hop) in draft.hops.iter().enumerate().filter(|(index, _)| driven[*index]) {
        let ix = HopIx(index);
        if hop.hop.from == NodeIx::CLIENT || hop.hop.dead_letter_of.is_some() {
            continue;
        }
        let Some(service) = service_before(draft, ix) else { continue };
        if draft.is_relay(hop.hop.from) {
            complaints.report(never_sent(draft, hop, service));
        } else if draft.is_relay(hop.hop.to) {
            complaints.extend(never_failed(draft, hop, service));
        }
    }
}

/// Returns the nearest node above the sender of a hop, itself included, that passes no instruction on.
pub(super) fn service_before(draft: &Draft<'_>, hop: HopIx) -> Option<NodeIx> {
    let mut at = Some(hop);
    while let Some(ix) = at {
        let hop = draft.hop(ix);
        // A gateway passes the body on with all the rest, and a broker moves a message as it is.
        let passes = draft.node(hop.from).passes_bodies() || hop.dead_letter_of.is_some();
        if hop.from != NodeIx::CLIENT && !draft.is_relay(hop.from) && !passes {
            return Some(hop.from);
        }
        at = hop.within;
    }
    None
}

/// Returns the relay that reads what is sent over a hop, be it behind forwarders.
pub(super) fn relay_behind(draft: &Draft<'_>, hop: HopIx) -> Option<NodeIx> {
    let mut seen = Vec::new();
    let mut left = readers(draft, hop);
    while let Some(reader) = left.pop() {
        if seen.contains(&reader) {
            continue;
        }
        seen.push(reader);
        let to = draft.hop(reader).to;
        if draft.is_relay(to) {
            return Some(to);
        }
        if draft.node(to).passes_bodies() {
            let next = draft.hops.iter().position(|below| below.hop.within == Some(reader));
            left.extend(next.into_iter().flat_map(|next| readers(draft, HopIx(next))));
        }
    }
    None
}

fn never_sent(draft: &Draft<'_>, hop: &HopDraft<'_>, service: NodeIx) -> Diagnostic {
    let (relay, service) = (&draft.node(hop.hop.from).name, draft.node(service));
    let message = format!(
        "the relay `{relay}` would never send `{}`: it is reached through `{}`, which passes no instruction on",
        hop.hop.id, service.name
    );
    let help = format!(
        "replace `{relay}` with a `command` or `image` that makes this call, or reach it from `client` or another relay"
    );
    Diagnostic::new("relay-without-instruction", hop.hop.place, message)
        .label("never sent")
        .also(service.place, "a service of yours")
        .help(help)
}

fn never_failed(draft: &Draft<'_>, hop: &HopDraft<'_>, service: NodeIx) -> Option<Diagnostic> {
    let fails = hop.hop.steps.iter().any(|step| matches!(step, Step::Fail(_)));
    if !fails {
        return None;
    }
    let (relay, service) = (&draft.node(hop.hop.to).name, draft.node(service));
    let message = format!(
        "the relay `{relay}` would never fail: it is reached through `{}`, which passes no instruction on",
        service.name
    );
    let help = format!("remove the step, or put a `stub` with `answers` in place of `{relay}`");
    let found = Diagnostic::new("relay-without-instruction", hop.tree.value_place("steps"), message)
        .label("never done");
    Some(found.also(service.place, "a service of yours").help(help))
}
