//! Takes what belongs to canaries out of the evidence, so that it is neither judged nor counted nor kept.

use std::collections::HashSet;

use super::doubt::Doubt;
use super::order;
use crate::crossings::{CarriedFields, CrossingRef, Crossings};
use crate::evidence::{CaptureIx, Completion, Evidence, GapPlace, SpanIx, mark_of};
use crate::plan::{Mark, Plan, Stimulus, StimulusIx};
use crate::scenario::NodeIx;

/// Returns the evidence of the story: without the captures, spans, log records and exchanges of its canaries. A span
/// that refutes what a canary proved of a node takes the proof back.
pub(in crate::run) fn without_canaries(
    plan: &Plan,
    canaries: &[Stimulus],
    mut evidence: Evidence,
) -> Evidence {
    if canaries.is_empty() {
        return evidence;
    }
    let story = plan.stimuli.len();
    let all = plan.with_canaries(canaries);
    let paired = Crossings::pair(&all, &evidence);
    let (removal, completions) = (Removal::of(&paired, story), revoked(&paired, story));
    drop(paired);
    evidence.completions = completions;
    removal.apply(story, &mut evidence);
    evidence
}

/// Returns the completions, without those that a span refutes: one of the story that came after the proof although its
/// request had ended before the canary was sent.
fn revoked(paired: &Crossings<'_>, story: usize) -> Vec<Completion> {
    let mut completions = paired.evidence.completions.clone();
    for (node, completion) in completions.iter_mut().enumerate() {
        let Completion::Ordered { asked_nanos, answered_nanos, .. } = *completion else { continue };
        let refuting = paired.iter().find(|crossing| {
            let ended = crossing.ended_nanos().is_some_and(|ended| ended <= asked_nanos);
            let span = crossing.receiver_span().filter(|span| span.node == NodeIx(node));
            ended
                && crossing.stimulus_ix().0 < story
                && span.is_some_and(|span| span.arrived_nanos > answered_nanos)
        });
        if let Some(crossing) = refuting {
            let late = order::Disorder::Late { earlier: crossing.stimulus_ix(), later: StimulusIx(story) };
            *completion = Completion::Unknown(Doubt::Disorder(late).words(story));
        }
    }
    completions
}

/// The crossings of the story and those of canaries.
struct Sides<'a> {
    story: Vec<CrossingRef<'a>>,
    canaries: Vec<CrossingRef<'a>>,
}

impl<'a> Sides<'a> {
    fn of(paired: &'a Crossings<'a>, story: usize) -> Sides<'a> {
        let mut sides = Sides { story: Vec::new(), canaries: Vec::new() };
        for crossing in paired.iter() {
            let side = if crossing.stimulus_ix().0 < story { &mut sides.story } else { &mut sides.canaries };
            side.push(crossing);
        }
        sides
    }
}

/// The captures, spans and traces of canaries.
#[derive(Debug, Default)]
struct Removal {
    captures: HashSet<usize>,
    spans: HashSet<usize>,
    traces: HashSet<Vec<u8>>,
}

impl Removal {
    fn of(paired: &Crossings<'_>, story: usize) -> Removal {
        let sides = Sides::of(paired, story);
        let mut traces: HashSet<Vec<u8>> = sides.canaries.iter().flat_map(|one| traces_of(*one)).collect();
        traces.extend(paired.plan.stimuli[story..].iter().map(minted));
        // A trace that the story shares stays; of its spans only those of canaries go.
        let shared = sides.story.iter().flat_map(|one| traces_of(*one));
        for trace in shared.chain(paired.plan.stimuli[..story].iter().map(minted)) {
            traces.remove(&trace);
        }
        let mut removal = Removal { traces, ..Removal::default() };
        removal.add_captures(paired, &sides.canaries, story);
        removal.add_spans(paired, &sides, story);
        removal
    }

    fn add_captures(&mut self, paired: &Crossings<'_>, canaries: &[CrossingRef<'_>], story: usize) {
        for crossing in canaries {
            self.captures.extend(crossing.sent_capture().map(|ix| ix.0));
            self.captures.extend(crossing.delivery().map(|ix| ix.0));
        }
        let on_hops = paired.unattributed.iter().chain(&paired.background).map(|(ix, _)| *ix);
        for CaptureIx(ix) in on_hops.chain(paired.undeclared.iter().copied()) {
            let mut contexts = paired.carried[ix].contexts();
            if contexts.any(|context| self.traces.contains(context.trace_id.as_bytes().as_slice())) {
                self.captures.insert(ix);
            }
        }
        for (ix, capture) in paired.evidence.captures.iter().enumerate() {
            if mark_of(&capture.marked).is_some_and(|mark| is_of_canary(mark, paired.plan, story)) {
                self.captures.insert(ix);
            }
        }
    }

    fn add_spans(&mut self, paired: &Crossings<'_>, sides: &Sides<'_>, story: usize) {
        let kept: HashSet<usize> =
            sides.story.iter().flat_map(|crossing| spans_of(*crossing)).map(|ix| ix.0).collect();
        for span in sides.canaries.iter().flat_map(|crossing| spans_of(*crossing)) {
            let below = paired.spans.below(span).unwrap_or_else(|| vec![span]);
            self.spans.extend(below.iter().map(|ix| ix.0));
        }
        for (ix, span) in paired.evidence.spans.iter().enumerate() {
            let marked = span.marks.iter().any(|mark| is_of_canary(*mark, paired.plan, story));
            if marked || self.traces.contains(&span.trace_id) {
                self.spans.insert(ix);
            }
        }
        self.spans.retain(|ix| !kept.contains(ix));
    }

    fn apply(&self, story: usize, evidence: &mut Evidence) {
        let ids: HashSet<Vec<u8>> = self
            .spans
            .iter()
            .map(|ix| evidence.spans[*ix].span_id.clone())
            .filter(|id| !id.is_empty())
            .collect();
        evidence.logs.retain(|log| !self.traces.contains(&log.trace_id) && !ids.contains(&log.span_id));
        let mut ix = 0..;
        evidence.spans.retain(|_| !self.spans.contains(&ix.next().unwrap_or_default()));
        let mut ix = 0..;
        evidence.captures.retain(|_| !self.captures.contains(&ix.next().unwrap_or_default()));
        evidence.exchanges.retain(|exchange| exchange.stimulus.0 < story);
        evidence.gaps.retain(|gap| !matches!(gap.place, GapPlace::Stimulus(stimulus) if stimulus.0 >= story));
    }
}

fn minted(stimulus: &Stimulus) -> Vec<u8> {
    stimulus.sent.trace_id.to_vec()
}

fn is_of_canary(mark: Mark, plan: &Plan, story: usize) -> bool {
    mark.run == plan.run && mark.stimulus.0 >= story
}

fn spans_of(crossing: CrossingRef<'_>) -> impl Iterator<Item = SpanIx> {
    let receipt = crossing.receiver_span_ix().into_iter();
    receipt.chain(crossing.call_span_ix()).chain(crossing.named_span_ix())
}

/// Returns the traces of the spans and the wires of a crossing.
fn traces_of(crossing: CrossingRef<'_>) -> impl Iterator<Item = Vec<u8>> {
    let all = crossing.all();
    let spans = spans_of(crossing).map(|ix| all.spans.get(ix).trace_id.clone());
    let wires = crossing.wire().into_iter().chain(crossing.arrived()).flat_map(CarriedFields::contexts);
    spans.chain(wires.map(|context| context.trace_id.as_bytes().to_vec()))
}
