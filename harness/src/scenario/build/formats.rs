//! `formats:` of the scenario, of nodes and of hops, and which of them holds on a hop.

use super::builder::Builder;
use crate::diagnostic::Diagnostic;
use crate::scenario::index::{HopIx, NodeIx};
use crate::scenario::node::Role;
use crate::scenario::tree::Tree;
use crate::wire::Format;

impl<'a> Builder<'a, '_> {
    pub(super) fn default_formats(&mut self, root: &'a Tree) {
        let formats = self.formats(root);
        if !formats.is_empty() {
            self.draft.formats = formats;
        }
    }

    /// Returns the formats that the key `formats` lists; none without the key.
    pub(super) fn formats(&mut self, tree: &'a Tree) -> Vec<Format> {
        let mut formats = Vec::new();
        for item in tree.get("formats").map_or(&[][..], Tree::items) {
            let Some(format) = item.text().and_then(Format::from_word) else { continue };
            if formats.contains(&format) {
                let message = format!("the format `{}` appears twice", format.word());
                let help = "remove one of them";
                self.complaints.report(Diagnostic::new("duplicate-format", item.place, message).help(help));
                continue;
            }
            formats.push(format);
        }
        formats
    }

    /// Returns the formats of a hop: its own, or those of its sender, or those of the scenario.
    pub(super) fn formats_of_hop(&mut self, tree: &'a Tree, from: NodeIx) -> Vec<Format> {
        let own = self.formats(tree);
        if !own.is_empty() {
            return own;
        }
        let sent = &self.draft.node(from).formats;
        if sent.is_empty() { self.draft.formats.clone() } else { sent.clone() }
    }

    /// Sets the formats of what a forwarder sends, which are those of what it received, once causes are known.
    pub(super) fn forwarded_formats(&mut self) {
        for index in 0..self.draft.hops.len() {
            let formats = self.received_formats(HopIx(index));
            self.draft.hops[index].hop.formats = formats;
        }
    }

    fn received_formats(&self, ix: HopIx) -> Vec<Format> {
        let mut at = ix;
        // A circle of causes is reported elsewhere.
        for _ in 0..self.draft.hops.len() {
            let hop = self.draft.hop(at);
            let sender = self.draft.node(hop.from);
            let declared =
                self.draft.hops[at.0].tree.entry("formats").is_some() || !sender.formats.is_empty();
            match hop.within {
                Some(cause) if sender.role == Role::Forwarder && !declared => at = cause,
                Some(_) | None => break,
            }
        }
        self.draft.hop(at).formats.clone()
    }
}
