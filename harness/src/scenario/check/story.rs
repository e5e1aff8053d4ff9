//! Checks that every hop and node takes part in the story: a drive causes each hop in the end.

use std::collections::HashSet;

use crate::diagnostic::Diagnostic;
use crate::scenario::build::Draft;
use crate::scenario::complaints::Complaints;
use crate::scenario::index::{HopIx, NodeIx};
use crate::scenario::spelling;

/// Returns which hops are driven, directly or through others.
pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) -> Vec<bool> {
    let sent: HashSet<HopIx> = draft.drives.iter().map(|drive| drive.drive.send).collect();
    let mut driven = vec![false; draft.hops.len()];
    let mut reported = HashSet::new();
    for (index, driven) in driven.iter_mut().enumerate() {
        let chain = chain(draft, HopIx(index));
        match chain {
            Chain::From(first) => {
                *driven = sent.iter().any(|sent| *sent == first || shared(draft, *sent, first));
                if !*driven && !draft.incomplete && reported.insert(first) {
                    complaints.report(never_driven(draft, first));
                }
            }
            Chain::Circle(circle) => {
                if reported.insert(circle[0]) {
                    complaints.report(goes_round(draft, &circle));
                }
            }
        }
    }
    unused_nodes(draft, complaints);
    driven
}

/// Returns whether a drive of one hop reaches the other: it reaches all hops of a fan-out.
fn shared(draft: &Draft<'_>, one: HopIx, two: HopIx) -> bool {
    draft.hop(one).shares_message(draft.hop(two))
}

enum Chain {
    /// The hop that no other causes.
    From(HopIx),
    /// Each within the next, the first one first in the file.
    Circle(Vec<HopIx>),
}

fn chain(draft: &Draft<'_>, hop: HopIx) -> Chain {
    let mut seen = vec![hop];
    let mut at = hop;
    // A thousand hops at most, and a chain without a circle is no longer than that.
    while let Some(cause) = draft.hop(at).within {
        if let Some(position) = seen.iter().position(|known| *known == cause) {
            let mut circle = seen.split_off(position);
            let first = circle.iter().enumerate().min_by_key(|(_, hop)| **hop).map_or(0, |(at, _)| at);
            circle.rotate_left(first);
            return Chain::Circle(circle);
        }
        seen.push(cause);
        at = cause;
    }
    Chain::From(at)
}

fn never_driven(draft: &Draft<'_>, hop: HopIx) -> Diagnostic {
    let hop = draft.hop(hop);
    let from = &draft.node(hop.from).name;
    let message = format!("no drive causes the hop `{}`", hop.id);
    if hop.from == NodeIx::CLIENT {
        return Diagnostic::new("never-driven", hop.place, message)
            .label("never sent")
            .help(format!("add `- {{ send: {} }}` to `drive`", hop.id));
    }
    Diagnostic::new("never-driven", hop.place, message)
        .label(format!("no hop ends at `{from}`"))
        .help(format!("add the hop that reaches `{from}`"))
}

fn goes_round(draft: &Draft<'_>, circle: &[HopIx]) -> Diagnostic {
    let names: Vec<&str> = circle.iter().map(|hop| draft.hop(*hop).id.as_str()).collect();
    let message = format!("these hops cause each other in a circle: {}", spelling::listed(&names));
    let first = draft.hops[circle[0].0].tree;
    let key = if first.entry("dead-letter-of").is_some() { "dead-letter-of" } else { "within" };
    let place = first.value_place(key);
    let help = format!("change `{key}` so that a hop from `client` causes each hop in the end");
    let mut diagnostic = Diagnostic::new("within-circle", place, message).label("in the circle").help(help);
    for hop in &circle[1..] {
        diagnostic = diagnostic.also(draft.hop(*hop).place, "in the circle");
    }
    diagnostic
}

fn unused_nodes(draft: &Draft<'_>, complaints: &mut Complaints) {
    if draft.incomplete {
        return;
    }
    let ends = draft.hops.iter().flat_map(|hop| [hop.hop.from, hop.hop.to]);
    let used: HashSet<NodeIx> =
        ends.chain(draft.hops.iter().filter_map(|hop| hop.hop.transport.via())).collect();
    for (index, node) in draft.nodes.iter().enumerate().skip(1) {
        let beside = node.node.is_helper || node.node.kind.as_collector().is_some();
        if !used.contains(&NodeIx(index)) && !beside {
            let name = &node.node.name;
            let broker = node.node.kind.as_broker().is_some();
            let what = if broker { "broker" } else { "node" };
            let message = format!("no hop uses the {what} `{name}`");
            let help = if broker {
                format!("add a hop with `via: {name}`, or remove the broker")
            } else {
                "add a hop from or to it, name it in `needs:` of a node that uses it, or remove it".to_owned()
            };
            let diagnostic = Diagnostic::new("unused-node", node.node.place, message).label("unused");
            complaints.report(diagnostic.help(help));
        }
    }
}
