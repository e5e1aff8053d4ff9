//! `image:` of a node.

use std::time::Duration;

use super::builder::Builder;
use super::node::ready;
use crate::diagnostic::Diagnostic;
use crate::scenario::index::NodeIx;
use crate::scenario::node_kind::{Image, Mount, Readiness};
use crate::scenario::pattern;
use crate::scenario::reference::TemplateSite;
use crate::scenario::tree::Tree;
use crate::source::Place;

impl<'a> Builder<'a, '_> {
    pub(super) fn image(&mut self, tree: &'a Tree, name: &'a Tree, place: Place, ix: NodeIx) -> Image {
        let args = tree.get("args").map_or(&[][..], Tree::items);
        let ready_within = tree.text_at("ready-within").and_then(pattern::duration);
        Image {
            name: self.template(name, ix, TemplateSite::ImageName),
            args: args.iter().map(|part| self.template(part, ix, TemplateSite::Service)).collect(),
            env: self.env(tree, ix, TemplateSite::Service),
            mounts: self.mounts(tree),
            port: tree.get("port").and_then(Tree::number).and_then(|port| u16::try_from(port).ok()),
            ready: tree.get("ready").and_then(ready).unwrap_or(Readiness::Tcp),
            ready_within: ready_within.unwrap_or(Duration::from_secs(30)),
            place,
        }
    }

    fn mounts(&mut self, tree: &'a Tree) -> Vec<Mount> {
        let mut mounts: Vec<Mount> = Vec::new();
        for item in tree.get("mounts").map_or(&[][..], Tree::items) {
            let (Some(from), Some(to)) = (item.text_at("from"), item.text_at("to")) else { continue };
            let place = item.value_place("to");
            if let Some(first) =
                mounts.iter().find(|mount| mount.to.trim_end_matches('/') == to.trim_end_matches('/'))
            {
                let message = format!("two mounts have the target `{to}`");
                let diagnostic = Diagnostic::new("mount-twice", place, message).label("second");
                self.complaints
                    .report(diagnostic.also(first.place, "first").help("give each mount its own `to`"));
                continue;
            }
            let templates = item.get("templates").and_then(Tree::boolean).unwrap_or(false);
            mounts.push(Mount { from: from.to_owned(), to: to.to_owned(), templates, place });
        }
        mounts
    }
}
