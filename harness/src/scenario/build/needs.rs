//! `needs:`, and the nodes that are there for others: databases, caches, identity providers.

use std::collections::HashSet;

use super::builder::Builder;
use super::draft::TemplateSubject;
use crate::diagnostic::Diagnostic;
use crate::scenario::export_target::ExportTarget;
use crate::scenario::index::NodeIx;
use crate::scenario::spelling;
use crate::scenario::tree::Tree;
use crate::source::Place;

impl<'a> Builder<'a, '_> {
    /// Resolves what each node needs, once all hops are known. A node without a hop whose address is given to another
    /// one is needed by that.
    pub(super) fn needs(&mut self) {
        let reached = self.reached();
        for index in 1..self.draft.nodes.len() {
            let user = NodeIx(index);
            let written = self.draft.nodes[index].tree.and_then(|tree| tree.get("needs"));
            let mut needs: Vec<NodeIx> = written
                .map_or(&[][..], Tree::items)
                .iter()
                .filter_map(|item| self.needed(item, user))
                .collect();
            let given =
                self.draft.uses.iter().filter(|used| used.user == user).filter_map(|used| match used.what {
                    TemplateSubject::Http(node)
                    | TemplateSubject::Grpc(node)
                    | TemplateSubject::Address(node) => Some(node),
                    TemplateSubject::Broker(_) | TemplateSubject::SelfPort | TemplateSubject::Mark => None,
                });
            needs.extend(given.filter(|node| *node != user && !reached.contains(node)));
            needs.extend(self.collectors_of(user));
            needs.sort_unstable();
            needs.dedup();
            self.draft.nodes[index].node.needs = needs;
        }
        let needed: HashSet<NodeIx> =
            self.draft.nodes.iter().flat_map(|node| node.node.needs.iter().copied()).collect();
        for node in needed.difference(&reached) {
            let node = &mut self.draft.nodes[node.0].node;
            // A broker without a hop carries nothing.
            if node.kind.as_broker().is_none() && node.kind.as_collector().is_none() {
                (node.is_helper, node.telemetry) = (true, false);
            }
        }
        self.refuse_circle();
    }

    /// Returns the collectors that a node exports to.
    fn collectors_of(&self, node: NodeIx) -> impl Iterator<Item = NodeIx> {
        let node = self.draft.node(node);
        let to = node.kind.as_collector().map_or(&[][..], |collector| &collector.to);
        let behind = to.iter().filter_map(|target| match target {
            ExportTarget::Collector(node) => Some(*node),
            ExportTarget::Sink => None,
        });
        node.exports_to.into_iter().chain(behind)
    }

    /// Returns the nodes at the ends of hops, and the brokers between them.
    fn reached(&self) -> HashSet<NodeIx> {
        let hops = self.draft.hops.iter().map(|hop| &hop.hop);
        hops.flat_map(|hop| [Some(hop.from), Some(hop.to), hop.transport.via()]).flatten().collect()
    }

    fn needed(&mut self, item: &'a Tree, user: NodeIx) -> Option<NodeIx> {
        let node = self.node_named(item)?;
        if node != NodeIx::CLIENT && node != user {
            return Some(node);
        }
        let message = if node == user {
            format!("`{}` cannot need itself", self.draft.node(node).name)
        } else {
            "`client` is the driver, and is always there".to_owned()
        };
        let diagnostic = Diagnostic::new("bad-need", item.place, message).label("not to be waited for");
        self.complaints.report(diagnostic.help("remove it"));
        None
    }

    /// Reports nodes of which each waits for the next one, and the last one for the first.
    fn refuse_circle(&mut self) {
        let mut ready: HashSet<NodeIx> = HashSet::new();
        loop {
            let nodes = self.draft.nodes.iter().zip((0..).map(NodeIx));
            let waiting = nodes.filter(|(_, ix)| !ready.contains(ix));
            let next: Vec<NodeIx> = waiting
                .filter(|(node, _)| node.node.needs.iter().all(|need| ready.contains(need)))
                .map(|(_, ix)| ix)
                .collect();
            if next.is_empty() {
                break;
            }
            ready.extend(next);
        }
        let mut waiting: Vec<NodeIx> =
            (0..self.draft.nodes.len()).map(NodeIx).filter(|node| !ready.contains(node)).collect();
        // One that nobody waits for is behind the circle, not in it.
        loop {
            let is_awaited =
                |node: &NodeIx| waiting.iter().any(|user| self.draft.node(*user).needs.contains(node));
            let awaited: Vec<NodeIx> = waiting.iter().copied().filter(is_awaited).collect();
            if awaited.len() == waiting.len() {
                break;
            }
            waiting = awaited;
        }
        let Some(first) = waiting.first() else { return };
        let names: Vec<&str> = waiting.iter().map(|node| self.draft.node(*node).name.as_str()).collect();
        let message = format!("these nodes wait for each other to be ready: {}", spelling::listed(&names));
        let place = self.place_of_needs(*first);
        let diagnostic = Diagnostic::new("needs-circle", place, message).label("waits for another one");
        let help = "remove one of these needs: a template with the address of a helper is a need too";
        self.complaints.report(diagnostic.help(help));
    }

    fn place_of_needs(&self, node: NodeIx) -> Place {
        let node = &self.draft.nodes[node.0];
        let written = node.tree.and_then(|tree| tree.get("needs"));
        written.map_or(node.node.place, |tree| tree.place)
    }
}
