//! `expect-traces:`, and the rules that a scenario with collectors always requests.

use super::builder::Builder;
use crate::scenario::expect_traces::{TraceExpectation, TraceFate};
use crate::scenario::tree::Tree;
use crate::scenario::{Expectation, Expectations};

impl<'a> Builder<'a, '_> {
    pub(super) fn trace_expectations(&mut self, root: &'a Tree) {
        for item in root.get("expect-traces").map_or(&[][..], Tree::items) {
            let fate = match (item.text_at("kept"), item.text_at("dropped")) {
                (Some("whole"), _) => TraceFate::Kept,
                (Some("whole-or-nothing"), _) => TraceFate::KeptOrDropped,
                (_, Some("whole")) => TraceFate::Dropped,
                (_, _) => continue,
            };
            // `when: otherwise` says the same as no `when`.
            let named = item.get("when").and_then(|when| when.get("fails"));
            let fails = named.and_then(|node| self.node_named(node));
            if named.is_none() || fails.is_some() {
                self.draft.expect_traces.push(TraceExpectation { place: item.place, fails, fate });
            }
        }
        self.request_rules_of_collectors(root);
    }

    /// Adds the rules of collectors beside those that `expect:` lists: `expect-traces` is an expectation too.
    fn request_rules_of_collectors(&mut self, root: &'a Tree) {
        let has_collector = self.draft.nodes.iter().any(|node| node.node.kind.as_collector().is_some());
        let traces = (!self.draft.expect_traces.is_empty()).then(|| root.value_place("expect-traces"));
        let Expectations::Only(listed) = &mut self.draft.expect else { return };
        let place = listed.first().map_or(root.value_place("expect"), |(_, place)| *place);
        let wanted = [
            (Expectation::CollectorsUnchanged, has_collector.then_some(place)),
            (Expectation::TracesKept, traces),
        ];
        for (rule, place) in wanted {
            if let Some(place) = place
                && listed.iter().all(|(known, _)| *known != rule)
            {
                listed.push((rule, place));
            }
        }
    }
}
