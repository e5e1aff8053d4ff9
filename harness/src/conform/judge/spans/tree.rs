//! Statements about the parents and times of spans.

use std::collections::BTreeSet;

use super::{Contradiction, ExportedSpan, RequestSpans};
use crate::wire::hex;

/// Clocks of one process may differ by this much between threads.
const CLOCK_SKEW_NANOS: u64 = 1_000_000;

impl RequestSpans<'_> {
    pub(super) fn parents_exist(&self) -> Result<(), Contradiction> {
        self.entry()?;
        let sent = hex::decode(self.exchange.minted.parent_id.as_bytes()).unwrap_or_default();
        for span in self.spans.iter().filter(|span| !span.parent_id.is_empty() && span.parent_id != sent) {
            if !self.spans.iter().any(|other| other.span_id == span.parent_id) {
                let parent = hex::encode(&span.parent_id);
                return Err(Contradiction(format!(
                    "the span {} has the parent {parent}, which was not exported",
                    span.words()
                )));
            }
        }
        Ok(())
    }

    pub(super) fn one_tree(&self) -> Result<(), Contradiction> {
        self.entry()?;
        let mut ids = BTreeSet::new();
        if let Some(span) = self.spans.iter().find(|span| !ids.insert(&span.span_id)) {
            return Err(Contradiction(format!("two spans have the id of {}", span.words())));
        }
        let is_outer = |span: &&&ExportedSpan| !ids.contains(&span.parent_id);
        let outer: Vec<&&ExportedSpan> = self.spans.iter().filter(is_outer).collect();
        match outer.as_slice() {
            [_] => {}
            [] => return Err(Contradiction("the parents of the spans form a cycle".to_owned())),
            [one, other, ..] => {
                return Err(Contradiction(format!(
                    "both {} and {} are outermost spans",
                    one.words(),
                    other.words()
                )));
            }
        }
        let mut reached = BTreeSet::from([&outer[0].span_id]);
        loop {
            let more = self.spans.iter().filter(|span| reached.contains(&span.parent_id));
            let more: Vec<&Vec<u8>> =
                more.map(|span| &span.span_id).filter(|id| !reached.contains(id)).collect();
            if more.is_empty() {
                break;
            }
            reached.extend(more);
        }
        match self.spans.iter().find(|span| !reached.contains(&span.span_id)) {
            Some(span) => Err(Contradiction(format!("the span {} is in a cycle of parents", span.words()))),
            None => Ok(()),
        }
    }

    pub(super) fn times_ordered(&self) -> Result<(), Contradiction> {
        self.entry()?;
        for span in &self.spans {
            if span.start_nanos > span.end_nanos || span.start_nanos == 0 {
                return Err(Contradiction(format!(
                    "the span {} starts at {} and ends at {} (Unix time in ns)",
                    span.words(),
                    span.start_nanos,
                    span.end_nanos
                )));
            }
            let parent = self.spans.iter().find(|other| other.span_id == span.parent_id);
            if let Some(parent) = parent.filter(|one| span.start_nanos + CLOCK_SKEW_NANOS < one.start_nanos) {
                let early = parent.start_nanos - span.start_nanos;
                let (span, parent) = (span.words(), parent.words());
                return Err(Contradiction(format!(
                    "the span {span} starts {early} ns before its parent {parent}"
                )));
            }
        }
        Ok(())
    }
}

/// Returns the ids of the spans that descend from one of these ids or are above one of them.
pub(super) fn connected<'a>(
    spans: impl Iterator<Item = &'a ExportedSpan>,
    mut ids: BTreeSet<&'a [u8]>,
) -> BTreeSet<&'a [u8]> {
    let spans: Vec<&ExportedSpan> = spans.collect();
    loop {
        let before = ids.len();
        for span in &spans {
            if ids.contains(&span.parent_id[..]) {
                ids.insert(&span.span_id);
            } else if ids.contains(&span.span_id[..]) && !span.parent_id.is_empty() {
                ids.insert(&span.parent_id);
            }
        }
        if ids.len() == before {
            return ids;
        }
    }
}
