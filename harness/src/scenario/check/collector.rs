//! Checks the ways of the telemetry: who exports to which collector, and where collectors stand.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, NodeDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::export_target::ExportTarget;
use crate::scenario::index::NodeIx;
use crate::scenario::tree::Tree;
use crate::source::Place;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    if draft.incomplete {
        return;
    }
    expectations(draft, complaints);
    let nodes = || draft.nodes.iter().zip((0..).map(NodeIx)).skip(1);
    for (node, _) in nodes() {
        exports_to_a_collector(draft, node, complaints);
        targets_are_collectors(draft, node, complaints);
    }
    for (node, ix) in nodes().filter(|(node, _)| node.node.kind.as_collector().is_some()) {
        is_fed(draft, node, ix, complaints);
        is_beside_the_hops(draft, node, ix, complaints);
        sink_is_free(draft, node, complaints);
    }
}

/// Reports expectations of traces that apply to nothing.
fn expectations(draft: &Draft<'_>, complaints: &mut Complaints) {
    let collects = draft.nodes.iter().any(|node| node.node.exports_to.is_some());
    let mut all: Option<Place> = None;
    for expectation in &draft.expect_traces {
        if !collects {
            let message = "no node exports to a collector, so there is nothing to expect of traces";
            let help = "add a node of kind `collector`, and `exports-to` to the nodes that export to it";
            let diagnostic = Diagnostic::new("expectation-without-collector", expectation.place, message);
            return complaints.report(diagnostic.help(help));
        }
        if let Some(before) = all {
            let message = "this expectation never applies: the one before it applies to every trace";
            let diagnostic = Diagnostic::new("expectation-never-applies", expectation.place, message);
            let help = "put it before the other one, or remove it";
            return complaints.report(diagnostic.also(before, "applies to every trace").help(help));
        }
        match expectation.fails {
            None => all = Some(expectation.place),
            Some(node) if draft.node(node).exports_to.is_none() => {
                let name = &draft.node(node).name;
                let message = format!("`{name}` exports to no collector, so its spans decide nothing");
                let help = format!("add `exports-to` to `{name}`, or name another node");
                let diagnostic = Diagnostic::new("expectation-never-applies", expectation.place, message);
                complaints.report(diagnostic.help(help));
            }
            Some(_) => {}
        }
    }
}

fn exports_to_a_collector(draft: &Draft<'_>, node: &NodeDraft<'_>, complaints: &mut Complaints) {
    let Some(to) = node.node.exports_to else { return };
    let place = node.tree.map_or(node.node.place, |tree| tree.value_place("exports-to"));
    if draft.node(to).kind.as_collector().is_none() {
        return not_a_collector(draft, to, place, complaints);
    }
    if !node.node.exports_telemetry() {
        let message = format!("`{}` exports no telemetry, so `exports-to` has no effect", node.node.name);
        let help = "remove `exports-to`, or remove `telemetry: none` and give a gateway `role: participant`";
        complaints.report(Diagnostic::new("stray-key", place, message).help(help));
    }
}

fn targets_are_collectors(draft: &Draft<'_>, node: &NodeDraft<'_>, complaints: &mut Complaints) {
    let Some(collector) = node.node.kind.as_collector() else { return };
    let items = node.tree.and_then(|tree| tree.get("collector")?.get("to")).map_or(&[][..], Tree::items);
    for (target, item) in collector.to.iter().zip(items) {
        match target {
            ExportTarget::Collector(to) if draft.node(*to).kind.as_collector().is_none() => {
                not_a_collector(draft, *to, item.place, complaints);
            }
            ExportTarget::Collector(_) | ExportTarget::Sink => {}
        }
    }
}

fn not_a_collector(draft: &Draft<'_>, node: NodeIx, place: Place, complaints: &mut Complaints) {
    let name = &draft.node(node).name;
    let message = format!("`{name}` is not a collector");
    let help =
        format!("name a node of kind `collector`, such as `{name}: {{ collector: {{ config: ... }} }}`");
    complaints.report(Diagnostic::new("not-a-collector", place, message).label("not a collector").help(help));
}

/// Reports a collector that nothing exports to: it would never be judged.
fn is_fed(draft: &Draft<'_>, node: &NodeDraft<'_>, ix: NodeIx, complaints: &mut Complaints) {
    let fed = draft.nodes.iter().map(|node| &node.node).any(|other| {
        let to = other.kind.as_collector().map_or(&[][..], |collector| &collector.to);
        other.exports_to == Some(ix) || to.contains(&ExportTarget::Collector(ix))
    });
    if !fed {
        let name = &node.node.name;
        let message = format!("no node exports to the collector `{name}`");
        let help = format!("add `exports-to: {name}` to a node, or `to: [{name}]` to a collector before it");
        complaints
            .report(Diagnostic::new("unused-node", node.node.place, message).label("unused").help(help));
    }
}

/// Reports a hop that begins or ends at a collector.
fn is_beside_the_hops(draft: &Draft<'_>, node: &NodeDraft<'_>, ix: NodeIx, complaints: &mut Complaints) {
    if let Some(hop) = draft.hops.iter().find(|hop| hop.hop.from == ix || hop.hop.to == ix) {
        let key = if hop.hop.from == ix { "from" } else { "to" };
        let message = format!("a hop cannot use the collector `{}`", node.node.name);
        let help =
            "a collector carries telemetry and no requests: use `exports-to` at the nodes that export to it";
        let diagnostic = Diagnostic::new("collector-in-hop", hop.transport.value_place(key), message);
        complaints.report(diagnostic.also(node.node.place, "a collector").help(help));
    }
}

/// Reports a node whose name hides the sink.
fn sink_is_free(draft: &Draft<'_>, node: &NodeDraft<'_>, complaints: &mut Complaints) {
    let Some(named) = draft.node_names.get(ExportTarget::SINK) else { return };
    let message = "the node name `sink` is reserved in a scenario with a collector";
    let help = "choose another name: `sink` is where the last collector exports to";
    let diagnostic = Diagnostic::new("reserved-name", draft.node(*named).place, message);
    complaints.report(diagnostic.also(node.node.place, "a collector").help(help));
}
