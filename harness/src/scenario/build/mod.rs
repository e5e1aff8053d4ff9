//! Builds the model from the tree: names become indices, text becomes values, defaults are filled in.
//!
//! `shape_check` has reported what has the wrong shape, so it is skipped here; `check` asks whether the parts fit
//! together.

mod builder;
mod collector;
mod draft;
mod drive;
mod expect_traces;
mod formats;
mod hop;
mod image;
mod message;
mod needs;
mod node;
mod template;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use self::builder::Builder;
pub(super) use self::draft::{Draft, DriveDraft, HopDraft, NodeDraft, TemplateSubject, TemplateUse};
use super::complaints::Complaints;
use super::matrix::MatrixCase;
use super::tree::{KeyValue, Tree};
use super::{Expectation, Expectations, HopIx, NodeIx, Scenario, pattern};
use crate::diagnostic::Diagnostic;
use crate::source::{Place, Source};
use crate::wire::Format;

/// Builds one case; it may be used if there are no complaints.
pub(super) fn draft<'a>(
    source: &'a Source,
    root: &'a Tree,
    case: &MatrixCase<'a>,
    complaints: &mut Complaints,
) -> Draft<'a> {
    let mut builder = Builder {
        draft: Draft {
            nodes: vec![NodeDraft { node: node::client(), tree: None, known: true }],
            otlp_listen: otlp_listen(root),
            formats: vec![Format::TraceContext],
            node_names: HashMap::from([("client", NodeIx::CLIENT)]),
            brokers: HashMap::new(),
            hops: Vec::new(),
            hop_names: HashMap::new(),
            drives: Vec::new(),
            expect: Expectations::All,
            expect_traces: Vec::new(),
            uses: Vec::new(),
            misread: HashSet::new(),
            incomplete: false,
        },
        source,
        case,
        complaints,
    };
    builder.default_formats(root);
    builder.nodes(root);
    builder.hops(root);
    builder.needs();
    builder.drives(root);
    builder.expectations(root);
    builder.trace_expectations(root);
    builder.draft
}

/// Returns the model of a draft without errors.
pub(super) fn finish(draft: Draft<'_>, root: &Tree, case: &MatrixCase<'_>, source: &Arc<Source>) -> Scenario {
    let timeout = root.text_at("timeout").and_then(pattern::duration);
    Scenario {
        source: Arc::clone(source),
        name: root.text_at("scenario").unwrap_or_default().to_owned(),
        name_place: root.value_place("scenario"),
        case: case.name.clone(),
        about: root.text_at("about").map(|about| about.trim_end().to_owned()),
        nodes: draft.nodes.into_iter().map(|node| node.node).collect(),
        hops: draft.hops.into_iter().map(|hop| hop.hop).collect(),
        drives: draft.drives.into_iter().map(|drive| drive.drive).collect(),
        expect: draft.expect,
        otlp_listen: draft.otlp_listen.and_then(|listen| pattern::listen_address(listen.text()?).ok()),
        expect_traces: draft.expect_traces,
        timeout: timeout.unwrap_or(Duration::from_secs(10)),
        own_names: Vec::new(),
    }
}

/// Returns `otlp: { listen: ... }` of the scenario.
fn otlp_listen(root: &Tree) -> Option<&Tree> {
    root.get("otlp")?.get("listen")
}

impl<'a> Builder<'a, '_> {
    fn nodes(&mut self, root: &'a Tree) {
        let entries = root.get("nodes").map_or(&[][..], Tree::entries);
        let entries = self.bounded(entries, 200, "nodes");
        let mut trees = Vec::new();
        for KeyValue { key, value } in entries {
            if node::reserved(&key.value) {
                let message = format!("the node name `{}` is reserved", key.value);
                let help = "choose another name: `client` is the driver, and `self`, `env`, `otlp`, `scenario` and `mark` are used in templates";
                self.complaints.report(Diagnostic::new("reserved-name", key.place, message).help(help));
                continue;
            }
            // Named before any is made, because templates may name nodes that come later.
            let ix = NodeIx(1 + trees.len());
            self.draft.node_names.insert(&key.value, ix);
            self.draft.brokers.extend(node::broker_kind(value).map(|kind| (ix, kind)));
            trees.push((key, value));
        }
        for (name, tree) in trees {
            let draft = self.node(name, tree);
            self.draft.incomplete |= !draft.known;
            self.draft.nodes.push(draft);
        }
    }

    fn hops(&mut self, root: &'a Tree) {
        let entries = root.get("hops").map_or(&[][..], Tree::entries);
        for KeyValue { key, value } in self.bounded(entries, 1_000, "hops") {
            let made = self.hop(key, value);
            let ix = made.is_some().then_some(HopIx(self.draft.hops.len()));
            self.draft.incomplete |= made.is_none();
            self.draft.hop_names.insert(&key.value, ix);
            self.draft.hops.extend(made);
        }
        self.dead_letters();
        self.withins();
        self.forwarded_formats();
    }

    fn drives(&mut self, root: &'a Tree) {
        for tree in root.get("drive").map_or(&[][..], Tree::items) {
            let drive = self.drive(tree);
            self.draft.incomplete |= drive.is_none();
            self.draft.drives.extend(drive);
        }
        self.draft.incomplete |= self.draft.drives.is_empty();
    }

    fn expectations(&mut self, root: &'a Tree) {
        let Some(list) = root.get("expect") else { return };
        let mut only: Vec<(Expectation, Place)> = Vec::new();
        for item in list.items() {
            let Some(rule) = item.text().and_then(rule) else { continue };
            if let Some((_, first)) = only.iter().find(|(known, _)| *known == rule) {
                let message = format!("the rule `{}` appears twice", rule.id());
                let diagnostic = Diagnostic::new("duplicate-rule", item.place, message).label("second");
                self.complaints.report(diagnostic.also(*first, "first").help("remove one of them"));
                continue;
            }
            only.push((rule, item.place));
        }
        self.draft.expect = Expectations::Only(only);
    }
}

fn rule(id: &str) -> Option<Expectation> {
    Expectation::ALL.iter().copied().find(|rule| rule.id() == id)
}
