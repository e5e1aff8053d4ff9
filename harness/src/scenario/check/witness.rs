//! Checks that each hop has a witness: its tap, or the spans of its receiver.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft, NodeDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::node::Role;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for hop in draft.hops.iter().filter(|hop| !hop.hop.tapped) {
        let receiver = &draft.nodes[hop.hop.to.0];
        let misfit = complaints.misfit(hop.tree.value_place("tap"));
        if receiver.known && !misfit && !receiver.node.exports_telemetry() {
            complaints.report(unwitnessed(draft, hop, receiver));
        }
    }
}

fn unwitnessed(draft: &Draft<'_>, hop: &HopDraft<'_>, receiver: &NodeDraft<'_>) -> Diagnostic {
    let (id, name) = (&hop.hop.id, &receiver.node.name);
    let silenced = receiver.tree.and_then(|tree| tree.entry("telemetry"));
    let (why, label) = match receiver.node.role {
        Role::Forwarder => (format!("`{name}` is a forwarder"), "a forwarder"),
        Role::Participant => (format!("`{name}` exports no spans"), "no spans"),
    };
    let message = format!("nothing can witness `{id}`: it has no tap, and {why}");
    let sender = draft.node(hop.hop.from);
    let tap = if sender.kind.runs_already() {
        format!(
            "write `tap: {{ listen: 127.0.0.1:18080 }}` in place of `tap: none`, with a free port, and configure `{}` to call it; \
             or replace `url` at `{}` with `command` or `image`",
            sender.name, sender.name
        )
    } else {
        "remove `tap: none`".to_owned()
    };
    let help = match silenced {
        Some(_) => format!("{tap}; or remove `telemetry: none` from `{name}` if it exports spans"),
        None => tap,
    };
    let place = silenced.map_or(receiver.node.place, |entry| entry.key.place);
    Diagnostic::new("no-witness", hop.tree.place_of("tap"), message)
        .label("no tap")
        .also(place, label)
        .help(help)
}
