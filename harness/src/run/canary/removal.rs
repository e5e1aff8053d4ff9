//! Takes what belongs to canaries out of the evidence, so that it is neither judged nor counted nor kept.

use std::collections::HashSet;

use super::doubt::Doubt;
use super::order;
use crate::crossings::{CarriedFields, CrossingRef, Crossings};
use crate::evidence::{CaptureIx, Completion, Evidence, GapPlace, IdBytes, SpanIx, mark_of};
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
    traces: HashSet<IdBytes>,
}

impl Removal {
    fn of(paired: &Crossings<'_>, story: usize) -> Removal {
        let sides = Sides::of(paired, story);
        // A trace that the story shares stays; of its spans only those of canaries go.
        let mut kept: HashSet<IdBytes> = sides.story.iter().flat_map(|one| traces_of(*one)).collect();
        kept.extend(paired.plan.stimuli[..story].iter().map(minted));
        let of_canaries = sides.canaries.iter().flat_map(|one| traces_of(*one));
        let traces = of_canaries.chain(paired.plan.stimuli[story..].iter().map(minted));
        let mut removal =
            Removal { traces: traces.filter(|trace| !kept.contains(trace)).collect(), ..Removal::default() };
        let sent: HashSet<IdBytes> = sides.story.iter().flat_map(|one| wire_traces_of(*one)).collect();
        removal.add_unattributed(paired, &sent, story);
        removal.add_captures(paired, &sides, story);
        removal.add_spans(paired, &sides, story);
        removal
    }

    /// Adds the calls of canaries that carry nothing of the canary that caused them. Nothing was owed by the story when
    /// the first one was sent, so a span in their trace is not the story's, unless the story sent that trace itself.
    fn add_unattributed(&mut self, paired: &Crossings<'_>, sent: &HashSet<IdBytes>, story: usize) {
        let canaries = paired.evidence.exchanges.iter().filter(|exchange| exchange.stimulus.0 >= story);
        let Some(first_sent) = canaries.map(|exchange| exchange.sent_nanos).min() else { return };
        for (ix, _) in &paired.unattributed {
            if paired.capture(*ix).begun_nanos < first_sent {
                continue;
            }
            self.captures.insert(ix.0);
            let contexts = paired.carried[ix.0].contexts();
            let traces = contexts.map(|context| IdBytes::from(context.trace_id.as_bytes()));
            self.traces.extend(traces.filter(|trace| !sent.contains(trace)));
        }
    }

    fn add_captures(&mut self, paired: &Crossings<'_>, sides: &Sides<'_>, story: usize) {
        for crossing in &sides.canaries {
            self.captures.extend(crossing.sent_capture().map(|ix| ix.0));
            self.captures.extend(crossing.delivery().map(|ix| ix.0));
        }
        let on_hops = paired.unattributed.iter().chain(&paired.background).map(|(ix, _)| *ix);
        for CaptureIx(ix) in on_hops.chain(paired.undeclared.iter().copied()) {
            let mut contexts = paired.carried[ix].contexts();
            if contexts.any(|context| self.traces.contains(&context.trace_id.as_bytes().into())) {
                self.captures.insert(ix);
            }
        }
        for (ix, capture) in paired.evidence.captures.iter().enumerate() {
            if mark_of(&capture.marked).is_some_and(|mark| is_of_canary(mark, paired.plan, story)) {
                self.captures.insert(ix);
            }
        }
        // A stream of gRPC messages may carry both: it stays, without the marks of canaries.
        for crossing in &sides.story {
            for CaptureIx(ix) in crossing.sent_capture().into_iter().chain(crossing.delivery()) {
                self.captures.remove(&ix);
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
        let spans = &paired.evidence.spans;
        self.spans.retain(|ix| !kept.contains(ix) || self.traces.contains(&spans[*ix].trace_id));
    }

    fn apply(&self, story: usize, evidence: &mut Evidence) {
        let ids: HashSet<IdBytes> = self
            .spans
            .iter()
            .map(|ix| evidence.spans[*ix].span_id.clone())
            .filter(|id| !id.is_empty())
            .collect();
        evidence.logs.retain(|log| !self.traces.contains(&log.trace_id) && !ids.contains(&log.span_id));
        evidence
            .collector_spans
            .retain(|span| !self.traces.contains(&span.trace_id) && !ids.contains(&span.span_id));
        let mut ix = 0..;
        evidence.spans.retain(|_| !self.spans.contains(&ix.next().unwrap_or_default()));
        let mut ix = 0..;
        evidence.captures.retain(|_| !self.captures.contains(&ix.next().unwrap_or_default()));
        for capture in &mut evidence.captures {
            capture.further_marks.retain(|mark| mark.stimulus.0 < story);
        }
        evidence.exchanges.retain(|exchange| exchange.stimulus.0 < story);
        evidence.gaps.retain(|gap| !matches!(gap.place, GapPlace::Stimulus(stimulus) if stimulus.0 >= story));
    }
}

fn minted(stimulus: &Stimulus) -> IdBytes {
    stimulus.sent.trace_id.into()
}

fn is_of_canary(mark: Mark, plan: &Plan, story: usize) -> bool {
    mark.run == plan.run && mark.stimulus.0 >= story
}

fn spans_of(crossing: CrossingRef<'_>) -> impl Iterator<Item = SpanIx> {
    let receipt = crossing.receiver_span_ix().into_iter();
    receipt.chain(crossing.call_span_ix()).chain(crossing.named_span_ix())
}

/// Returns the traces of the spans and the wires of a crossing.
fn traces_of(crossing: CrossingRef<'_>) -> impl Iterator<Item = IdBytes> {
    let all = crossing.all();
    spans_of(crossing).map(|ix| all.spans.get(ix).trace_id.clone()).chain(wire_traces_of(crossing))
}

/// Returns the traces that crossed.
fn wire_traces_of(crossing: CrossingRef<'_>) -> impl Iterator<Item = IdBytes> {
    let wires = crossing.wire().into_iter().chain(crossing.arrived()).flat_map(CarriedFields::contexts);
    wires.map(|context| context.trace_id.as_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crossings::kept_evidence::kept;
    use crate::evidence::{Capture, Exchange, Protocol};

    /// Puts a copy of a capture at another time, with a context of its own.
    fn copied(capture: &Capture, begun_nanos: u64, traceparent: &str) -> Capture {
        let mut copy = capture.clone();
        (copy.begun_nanos, copy.ended_nanos) = (begun_nanos, Some(begun_nanos + 1));
        let field = copy.headers.iter_mut().find(|field| field.name == b"traceparent").unwrap();
        field.value = Some(traceparent.as_bytes().to_vec());
        copy
    }

    #[test]
    fn calls_of_canaries_at_once_in_traces_of_their_own_are_removed() {
        let (plan, story) = kept("two-kinds-of-calls-healthy");
        let canaries = [plan.canary(0, 0), plan.canary(0, 1)];
        let mut evidence = story.clone();
        let sent_nanos =
            story.exchanges.iter().filter_map(|exchange| exchange.answered_nanos).max().unwrap() + 10;
        for (number, canary) in (0..).zip(&canaries) {
            let exchange = story.exchanges[0].clone();
            let answered_nanos = Some(sent_nanos + 100);
            evidence.exchanges.push(Exchange { stimulus: canary.ix, sent_nanos, answered_nanos, ..exchange });
            let line = canary.sent.traceparent.as_deref().unwrap();
            let own = format!("00-{number}{}-{number}{}-01", "7".repeat(31), "5".repeat(15));
            let line = String::from_utf8_lossy(line);
            evidence.captures.push(copied(&story.captures[0], sent_nanos + 1, &line));
            evidence.captures.push(copied(&story.captures[2], sent_nanos + 20 + number, &own));
        }
        let seen = without_canaries(&plan, &canaries, evidence);
        assert_eq!(seen.captures.len(), story.captures.len());
        assert_eq!(Crossings::pair(&plan, &seen).unattributed, []);
    }

    #[test]
    fn a_stream_with_messages_of_the_story_and_of_a_canary_stays_with_those_of_the_story() {
        let (plan, story) = kept("grpc-stream-for-all-orders");
        let canary = plan.canary(0, 0);
        let mut evidence = story.clone();
        let sent_nanos = story.exchanges.iter().filter_map(|one| one.answered_nanos).max().unwrap() + 10;
        let answered_nanos = Some(sent_nanos + 100);
        let exchange = story.exchanges[0].clone();
        evidence.exchanges.push(Exchange { stimulus: canary.ix, sent_nanos, answered_nanos, ..exchange });
        let stream =
            evidence.captures.iter_mut().find(|capture| capture.protocol == Protocol::Http2).unwrap();
        let mark = mark_of(&stream.marked).unwrap();
        stream.further_marks.push(Mark { stimulus: canary.ix, ..mark });
        let seen = without_canaries(&plan, &[canary], evidence);
        assert_eq!(seen.captures, story.captures);
    }
}
