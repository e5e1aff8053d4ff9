//! Whether what a relay does on the way and the relation of the hop agree on where a new trace begins.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::index::NodeIx;
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
            let message =
                format!("`restart` begins a new trace, and the relation is `{}`", said(hop.relation));
            let help = "say `relation: restart-with-link`, or leave the step out";
            let mistake =
                Diagnostic::new("contradiction", step.place, message).label("a new trace begins here");
            complaints.say(mistake.also(hop.relation_place, "and none is due").help(help));
        }
        if at_sender && hop.from == NodeIx::CLIENT {
            let message = "`client` begins the story, so it has no trace to leave";
            let help = "say `at: receiver`, if the receiver is to begin a new trace";
            let mistake =
                Diagnostic::new("contradiction", hop.relation_place, message).label("restarted by whom?");
            complaints.say(mistake.help(help));
        }
    }
}

fn said(relation: crate::scenario::relation::Relation) -> String {
    match relation.restarts_at() {
        Some(RestartSide::Receiver) => format!("{}, at: receiver", relation.word()),
        _ => relation.word().to_owned(),
    }
}
