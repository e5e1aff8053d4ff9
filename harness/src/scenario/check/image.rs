//! Checks that a service in a container can be reached, and shows when it is ready: both need its `port`.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, NodeDraft, TemplateSubject};
use crate::scenario::complaints::Complaints;
use crate::scenario::index::NodeIx;
use crate::scenario::node_kind::{Image, NodeKind, Readiness};
use crate::scenario::tree::Tree;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for (index, node) in draft.nodes.iter().enumerate() {
        if let NodeKind::Image(image) = &node.node.kind {
            has_a_port(draft, NodeIx(index), node, image, complaints);
        }
    }
}

fn has_a_port(
    draft: &Draft<'_>,
    ix: NodeIx,
    node: &NodeDraft<'_>,
    image: &Image,
    complaints: &mut Complaints,
) {
    // One that is out of range was reported already.
    if image.port.is_some() || node.tree.is_some_and(|tree| tree.entry("port").is_some()) {
        return;
    }
    let name = &node.node.name;
    let help = format!("add `port: NUMBER` to `{name}`: the port on which it listens in its container");
    let mut reported = false;
    for used in draft.uses.iter().filter(|used| used.user == ix && used.what == TemplateSubject::SelfPort) {
        let message = format!("`${{self.port}}` needs the `port` of `{name}`");
        complaints.report(Diagnostic::new("port-missing", used.place, message).help(help.as_str()));
        reported = true;
    }
    for hop in draft.hops.iter().filter(|hop| hop.hop.to == ix && hop.hop.transport.via().is_none()) {
        let message = format!("`{name}` is called over {} and has no `port`", hop.hop.transport.word());
        let diagnostic = Diagnostic::new("port-missing", hop.transport.value_place("to"), message);
        let diagnostic = diagnostic.label("called at an unknown port").also(node.node.place, "no `port`");
        complaints.report(diagnostic.help(help.as_str()));
        reported = true;
    }
    if !reported {
        shows_readiness(node, image, complaints);
    }
}

fn shows_readiness(node: &NodeDraft<'_>, image: &Image, complaints: &mut Complaints) {
    if matches!(image.ready, Readiness::Output(_)) {
        return;
    }
    let name = &node.node.name;
    let asked = node.tree.and_then(|tree| tree.get("ready")).and_then(|ready: &Tree| ready.entries().first());
    let diagnostic = match asked {
        Some(asked) => {
            let message = format!("`ready: {}` needs the `port` of `{name}`", asked.key.value);
            Diagnostic::new("port-missing", asked.key.place, message).label("probed at an unknown port")
        }
        None => {
            let message = format!("`{name}` needs `port` or `ready`, to detect when it is ready");
            Diagnostic::new("port-missing", node.node.place, message)
        }
    };
    complaints.report(diagnostic.help("add `ready: { output: \"...\" }`, or the `port` on which it listens"));
}
