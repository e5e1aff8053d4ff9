//! `expect-traces:`, and the rules that a scenario with collectors always requests.

use super::builder::Builder;
use crate::scenario::expect_traces::{TraceCondition, TraceExpectation, TraceFate};
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
            let when = match item.get("when") {
                None => None,
                Some(when) => match (when.text(), when.get("fails")) {
                    (Some("otherwise"), _) => Some(TraceCondition::Otherwise),
                    (_, Some(node)) => match self.node_named(node) {
                        Some(node) => Some(TraceCondition::Fails(node)),
                        None => continue,
                    },
                    (_, None) => continue,
                },
            };
            self.draft.expect_traces.push(TraceExpectation { place: item.place, when, fate });
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
