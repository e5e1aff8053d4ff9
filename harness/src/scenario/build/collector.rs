//! `collector:`, and where it exports to.

use std::time::Duration;

use super::builder::Builder;
use super::node;
use crate::scenario::export_target::ExportTarget;
use crate::scenario::index::NodeIx;
use crate::scenario::node_kind::{CollectorProcess, OwnFile, Readiness, ServiceCommand};
use crate::scenario::pattern;
use crate::scenario::reference::TemplateSite;
use crate::scenario::tree::Tree;
use crate::source::Place;

impl<'a> Builder<'a, '_> {
    pub(super) fn collector(
        &mut self,
        tree: &'a Tree,
        collector: &'a Tree,
        place: Place,
        ix: NodeIx,
    ) -> CollectorProcess {
        let ready_within = tree.text_at("ready-within").and_then(pattern::duration);
        let program = tree.get("program").map(|program| self.template(program, ix, TemplateSite::Collector));
        let config = collector.text_at("config").unwrap_or_default();
        let command = ServiceCommand {
            argv: program.into_iter().collect(),
            env: self.env(tree, ix, TemplateSite::Collector),
            cwd: None,
            ready: tree.get("ready").and_then(node::ready).unwrap_or(Readiness::Tcp),
            ready_within: ready_within.unwrap_or(Duration::from_secs(30)),
            port: None,
            files: vec![OwnFile { name: "collector.yaml".to_owned(), from: config.to_owned() }],
            gateway: None,
            place,
        };
        let to = collector.get("to").map_or(&[][..], Tree::items);
        let mut to: Vec<ExportTarget> = to.iter().filter_map(|item| self.export_target(item)).collect();
        if collector.get("to").is_none() {
            to.push(ExportTarget::Sink);
        }
        CollectorProcess { command, to }
    }

    fn export_target(&mut self, item: &'a Tree) -> Option<ExportTarget> {
        if item.text() == Some(ExportTarget::SINK) {
            return Some(ExportTarget::Sink);
        }
        self.node_named(item).map(ExportTarget::Collector)
    }
}
