//! The details of a case that the page has beside the JSON report.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::Case;
use crate::verdict::CaseNode;
use crate::verdict::example::ExampleStimulus;

#[derive(Serialize)]
pub(super) struct CaseDetails<'a> {
    command: String,
    nodes: &'a [CaseNode],
    /// The broker of each hop that goes through one.
    via: BTreeMap<&'a str, &'a str>,
    outputs: Vec<OutputDetails<'a>>,
    examples: &'a [ExampleStimulus],
    /// The examples are not in the page, which would be too large with them.
    left_out: bool,
}

#[derive(Serialize)]
struct OutputDetails<'a> {
    node: &'a str,
    lines: &'a [String],
}

impl<'a> CaseDetails<'a> {
    pub(super) fn of(case: &'a Case, command: String) -> CaseDetails<'a> {
        let mut details = CaseDetails {
            command,
            nodes: &[],
            via: BTreeMap::new(),
            outputs: Vec::new(),
            examples: &[],
            left_out: false,
        };
        let Some(judged) = case.judged() else { return details };
        details.nodes = &judged.nodes;
        details.via =
            judged.hops.iter().filter_map(|hop| Some((hop.id.as_str(), hop.via.as_deref()?))).collect();
        details.outputs = judged.outputs.iter().map(|(node, lines)| OutputDetails { node, lines }).collect();
        details.examples = &judged.examples;
        details
    }

    /// Keeps as many examples as there is room for, and returns the room that is left.
    pub(super) fn keep_examples_within(&mut self, mut room: usize) -> usize {
        let sizes = self.examples.iter().map(|example| json(example).len());
        let fitting = sizes.take_while(|size| {
            let fits = *size <= room;
            room -= if fits { *size } else { 0 };
            fits
        });
        let kept = fitting.count();
        self.left_out = kept < self.examples.len();
        self.examples = &self.examples[..kept];
        room
    }

    pub(super) fn json(&self) -> String {
        json(self)
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings and numbers always serialise")
}
