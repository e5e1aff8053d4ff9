//! Calls that look alike and differ only in the hop that caused them: two hops between the same nodes, with the same
//! method and path, in one story.

use super::routes::{alike_hops, marked_hop};
use super::{Crossing, Crossings, IdMap};
use crate::evidence::CaptureIx;
use crate::plan::StimulusIx;
use crate::scenario::HopIx;

/// Moves each of these calls to the hop of its cause: the one whose request is above the span on the wire; else one
/// that is owed a call, and whose cause is under way and began last. Crossings are in the order of time.
pub(super) fn distinguish(all: &Crossings<'_>, crossings: &mut [Crossing]) {
    let mut of_stimulus: IdMap<StimulusIx, Vec<usize>> = IdMap::default();
    let mut alike_calls = Vec::new();
    for (ix, crossing) in crossings.iter().enumerate() {
        let Some(capture) = crossing.capture else { continue };
        of_stimulus.entry(crossing.stimulus).or_default().push(ix);
        let hops = alike_hops(all.plan, all.capture(capture), crossing.stimulus);
        if hops.len() > 1 && marked_hop(all.plan, all.capture(capture)).is_none() {
            alike_calls.push((ix, capture, hops));
        }
    }
    let alike: Vec<usize> = alike_calls.iter().map(|(ix, _, _)| *ix).collect();
    for (ix, capture, hops) in alike_calls {
        let with = of_stimulus.get(&crossings[ix].stimulus).map_or(&[][..], Vec::as_slice);
        // Those that come later have no hop yet.
        let known: Vec<&Crossing> = with
            .iter()
            .filter(|other| **other < ix || alike.binary_search(other).is_err())
            .map(|other| &crossings[*other])
            .collect();
        let story = Story { all, known };
        if let Some(hop) = story.by_span(capture, &hops).or_else(|| story.by_time(capture, &hops)) {
            crossings[ix].hop = hop;
        }
    }
}

/// The crossings of one stimulus whose hop is known.
struct Story<'c> {
    all: &'c Crossings<'c>,
    known: Vec<&'c Crossing>,
}

impl Story<'_> {
    /// Returns the requests that may have caused a call over the hop, begun before it.
    fn causes(&self, capture: CaptureIx, hop: HopIx) -> impl Iterator<Item = CaptureIx> {
        let within = self.all.plan.scenario.hop(hop).within;
        let begun = self.all.capture(capture).begun_nanos;
        let causes = self.known.iter().filter(move |cause| Some(cause.hop) == within);
        let captures = causes.filter_map(|cause| cause.arrival.or(cause.capture));
        captures.filter(move |cause| self.all.capture(*cause).begun_nanos <= begun)
    }

    /// Returns the only hop whose cause carried the parent of a span above the one on the wire.
    fn by_span(&self, capture: CaptureIx, hops: &[HopIx]) -> Option<HopIx> {
        let spans = &self.all.spans;
        let sender = self.all.plan.scenario.hop(*hops.first()?).from;
        let named = spans.named(sender, self.all.carried(capture).first()?)?;
        let top = spans.get(spans.top_of(named));
        only(hops, |hop| {
            self.causes(capture, hop).any(|cause| {
                let mut contexts = self.all.carried(cause).contexts();
                contexts.any(|context| {
                    top.trace_id == context.trace_id.as_bytes()
                        && top.parent_id == context.parent_id.as_bytes()
                })
            })
        })
    }

    /// Returns the hop that is owed a call, and whose cause is still under way and began last.
    fn by_time(&self, capture: CaptureIx, hops: &[HopIx]) -> Option<HopIx> {
        let begun = self.all.capture(capture).begun_nanos;
        hops.iter().copied().rev().max_by_key(|hop| {
            let latest = self.causes(capture, *hop).max_by_key(|cause| self.all.capture(*cause).begun_nanos);
            let latest = latest.map(|cause| self.all.capture(cause));
            let ended = latest.and_then(|cause| cause.ended_nanos);
            let under_way = latest.is_some() && ended.is_none_or(|ended| ended >= begun);
            (self.is_owed(capture, *hop), under_way, latest.map(|cause| cause.begun_nanos))
        })
    }

    /// Returns whether a hop was crossed less often than its causes make due.
    fn is_owed(&self, capture: CaptureIx, hop: HopIx) -> bool {
        let begun = self.all.capture(capture).begun_nanos;
        let min = usize::try_from(self.all.plan.scenario.hop(hop).times.min).unwrap_or(usize::MAX);
        let crossed = self.known.iter().filter(|other| {
            let before = other.capture.is_some_and(|at| self.all.capture(at).begun_nanos < begun);
            other.hop == hop && before
        });
        crossed.count() < self.causes(capture, hop).count().saturating_mul(min)
    }
}

/// Returns the hop that meets the condition, if only one does.
fn only(hops: &[HopIx], meets: impl Fn(HopIx) -> bool) -> Option<HopIx> {
    let mut met = hops.iter().copied().filter(|hop| meets(*hop));
    match (met.next(), met.next()) {
        (Some(one), None) => Some(one),
        (None, _) | (Some(_), Some(_)) => None,
    }
}
