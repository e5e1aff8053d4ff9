//! Checks that the steps of a relay and the relation of the hop agree on where a new trace starts.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::index::NodeIx;
use crate::scenario::node::Trust;
use crate::scenario::relation::RestartSide;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for HopDraft { hop, tree, .. } in &draft.hops {
        if complaints.misfit(hop.relation_place) {
            continue;
        }
        let at_sender = hop.relation.restarts_at() == Some(RestartSide::Sender);
        let steps = tree.get("steps").map_or(&[][..], |steps| steps.items());
        let restart = steps.iter().find(|step| step.text() == Some("restart"));
        if let (Some(step), false) = (restart, at_sender) {
            let message = format!(
                "the step `restart` starts a new trace at the sender, and the relation is `{}`",
                relation_with_side(hop.relation)
            );
            let help = "use `relation: restart-with-link, at: sender`, or remove the step";
            let diagnostic =
                Diagnostic::new("contradiction", step.place, message).label("starts a new trace");
            complaints.report(diagnostic.also(hop.relation_place, "no new trace at the sender").help(help));
        }
        let sender = &draft.nodes[hop.from.0];
        if at_sender && sender.node.trust == Trust::Restart {
            let name = &sender.node.name;
            let message = format!(
                "`{name}` starts a new trace when it receives, and `{}` declares another one when it sends",
                hop.id
            );
            let help = format!("remove `relation: {}`, or `trust: restart` at `{name}`", hop.relation.word());
            let diagnostic = Diagnostic::new("contradiction", hop.relation_place, message);
            let diagnostic = diagnostic.label("a second new trace");
            let trust = sender.tree.map_or(sender.node.place, |tree| tree.place_of("trust"));
            complaints.report(diagnostic.also(trust, "the first new trace").help(help));
        }
        if at_sender && hop.from == NodeIx::CLIENT {
            let message = "`client` starts the story, so it has no trace to leave";
            let help = "use `at: receiver` if the receiver should start a new trace";
            let diagnostic = Diagnostic::new("contradiction", hop.relation_place, message)
                .label("needs a sender in a trace");
            complaints.report(diagnostic.help(help));
        }
    }
}

fn relation_with_side(relation: crate::scenario::relation::Relation) -> String {
    match relation.restarts_at() {
        Some(RestartSide::Receiver) => format!("{}, at: receiver", relation.word()),
        _ => relation.word().to_owned(),
    }
}
