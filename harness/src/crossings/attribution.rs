//! Captures to their hop and stimulus: by mark first, by trace id only without one, else to the only stimulus under
//! way.

use std::collections::HashMap;
use std::iter::repeat_n;

use super::background::{self, CaptureGroups};
use super::deliveries;
use super::known_traces::KnownTraces;
use super::messages::{is, read_over};
use super::routes::RoutedCapture;
use super::sent_by::SentBy;
use super::under_way::UnderWay;
use super::{Crossing, Crossings, IdSet, Nature, same_calls};
use crate::evidence::{Capture, CaptureIx, MessageDirection, SpanIx, mark_of};
use crate::plan::{CallIx, Mark, Plan, StimulusIx};
use crate::scenario::HopIx;
use crate::wire::TraceId;

#[derive(Debug, Default)]
pub(super) struct Attribution {
    pub crossings: Vec<Crossing>,
    pub unattributed: Vec<(CaptureIx, HopIx)>,
    pub undeclared: Vec<CaptureIx>,
    /// Captures of no stimulus that need none: requests that a node sends by itself, and messages that others left.
    pub background: Vec<(CaptureIx, HopIx)>,
}

/// Assigns the captures of a case whose list of crossings is still empty.
pub(super) fn attribute(all: &Crossings<'_>) -> Attribution {
    let mut sorter = Sorter { all, traces: KnownTraces::minted(all.plan), found: Attribution::default() };
    let (waiting, early) = sorter.by_mark();
    let waiting = sorter.without_background(waiting, &early);
    sorter.by_trace(waiting);
    sorter.deliver(&early);
    let mut found = sorter.found;
    found.crossings.sort_by_key(|crossing| {
        let first = if crossing.nature == Nature::Sent { crossing.capture } else { crossing.arrival };
        first.map(|capture| all.capture(capture).begun_nanos)
    });
    same_calls::distinguish(all, &mut found.crossings);
    add_untapped(all.plan, &mut found.crossings);
    found
}

/// Returns the marks of the capture that name a stimulus, whichever context it carries: a swapped context would look
/// healthy under the wrong stimulus. A gRPC stream has one for each marked message.
fn stimulus_marks(plan: &Plan, capture: &Capture) -> impl Iterator<Item = Mark> {
    let marks = mark_of(&capture.marked).into_iter().chain(capture.further_marks.iter().copied());
    marks.filter(|mark| mark.run == plan.run && mark.stimulus.0 < plan.stimuli.len())
}

/// The state of attribution, from one step to the next.
struct Sorter<'c> {
    all: &'c Crossings<'c>,
    traces: KnownTraces,
    found: Attribution,
}

impl Sorter<'_> {
    /// Assigns all captures that have a mark. Returns the others, and those from before the first stimulus.
    fn by_mark(&mut self) -> (Vec<RoutedCapture>, Vec<(CaptureIx, HopIx)>) {
        let all = self.all;
        let sent_by = SentBy::new(all);
        let mut order: Vec<CaptureIx> = (0..all.evidence.captures.len()).map(CaptureIx).collect();
        order.sort_by_key(|ix| all.capture(*ix).begun_nanos);
        let first_sent = all.evidence.exchanges.iter().map(|exchange| exchange.sent_nanos).min();
        let (mut waiting, mut early) = (Vec::new(), Vec::new());
        for ix in order {
            let capture = all.capture(ix);
            let routed = RoutedCapture::of(all, &sent_by, ix);
            // What a node requests of another while it starts, or while we probe whether it is ready, is no part of the
            // story.
            // A message in a stream from before is one, where its mark is that of a stimulus.
            let marked = stimulus_marks(all.plan, capture).next().is_some();
            if !marked && first_sent.is_some_and(|sent| capture.begun_nanos < sent) {
                early.extend(routed.first_hop().map(|hop| (ix, hop)));
            } else if routed.routes.is_empty() {
                let delivered = is(capture, MessageDirection::Delivered);
                if !delivered || read_over(all.plan, capture).is_empty() {
                    self.found.undeclared.push(ix);
                }
            } else if marked {
                self.tie_by_mark(routed);
            } else {
                waiting.push(routed);
            }
        }
        (waiting, early)
    }

    fn tie_by_mark(&mut self, routed: RoutedCapture) {
        let all = self.all;
        let capture = all.capture(routed.capture);
        // One for each mark; all but a gRPC stream have one, which needs no copy.
        let copies = repeat_n(routed, stimulus_marks(all.plan, capture).count());
        for ((number, mark), mut routed) in stimulus_marks(all.plan, capture).enumerate().zip(copies) {
            routed.narrow(all.plan, capture, mark.stimulus);
            // The context of a stream is that of its first message.
            if number == 0 {
                self.traces.learn(self.trace_of(&routed), mark.stimulus);
            }
            for route in &routed.routes {
                let receiver = all.plan.scenario.hop(route.hop).to;
                let shared = |span: &&SpanIx| all.spans.get(**span).marks.len() > 1;
                for span in
                    all.spans.marked(receiver, mark).iter().filter(|span| number == 0 || !shared(span))
                {
                    self.traces.learn(TraceId::from_bytes(&all.spans.get(*span).trace_id), mark.stimulus);
                }
            }
            let first = self.found.crossings.len();
            self.add(&routed, mark.stimulus);
            if number > 0 {
                self.found.crossings[first..].iter_mut().for_each(|added| added.stream_mark = Some(mark));
            }
        }
    }

    fn trace_of(&self, routed: &RoutedCapture) -> Option<TraceId> {
        self.all.carried(routed.capture).first().map(|context| context.trace_id)
    }

    /// Returns the stimulus whose trace the capture carries.
    fn owner(&self, routed: &RoutedCapture) -> Option<StimulusIx> {
        self.traces.owner(self.trace_of(routed)?)
    }

    /// Adds one crossing for each hop that shares what was sent.
    fn add(&mut self, routed: &RoutedCapture, stimulus: StimulusIx) {
        for route in &routed.routes {
            let crossing = Crossing::sent(stimulus, route.hop, route.sender, Some(routed.capture));
            self.found.crossings.push(crossing);
        }
    }

    /// Takes out the requests that a node sends by itself.
    fn without_background(
        &mut self,
        waiting: Vec<RoutedCapture>,
        early: &[(CaptureIx, HopIx)],
    ) -> Vec<RoutedCapture> {
        let mut groups = CaptureGroups { early, tied: Vec::new(), untied: Vec::new() };
        for crossing in &self.found.crossings {
            groups.tied.extend(crossing.capture.map(|capture| (capture, crossing.hop)));
        }
        for routed in &waiting {
            let known = self.owner(routed).is_some();
            let list = if known { &mut groups.tied } else { &mut groups.untied };
            list.extend(routed.first_hop().map(|hop| (routed.capture, hop)));
        }
        let background = background::find(self.all, &groups);
        let mut rest = Vec::new();
        for routed in waiting {
            match routed.first_hop() {
                Some(hop) if background.contains(&routed.capture) => {
                    self.found.background.push((routed.capture, hop));
                }
                Some(_) | None => rest.push(routed),
            }
        }
        rest
    }

    /// Assigns what has no mark: by trace id, and what has no known trace either, by time.
    fn by_trace(&mut self, waiting: Vec<RoutedCapture>) {
        let all = self.all;
        let (mut ordered, mut unknown) = (Vec::new(), Vec::new());
        for routed in waiting {
            let list = if self.owner(&routed).is_some() { &mut ordered } else { &mut unknown };
            list.push(routed);
        }
        ordered.append(&mut unknown);
        let mut counts = CrossingCounts::of(all.plan, &self.found.crossings);
        let mut under_way = UnderWay::of(&all.evidence.exchanges);
        for mut routed in ordered {
            let Some(hop) = routed.first_hop() else { continue };
            let capture = all.capture(routed.capture);
            let by_trace = self.owner(&routed);
            let by_time = under_way.chosen_at(capture.begun_nanos, hop, |other| counts.owes(hop, other));
            // A trace that is carried into the time of another stimulus, to which the hop owes this one, is shared by
            // both.
            let surplus = by_trace.is_some_and(|owner| counts.owes(hop, owner) == Some(false));
            let other = by_time.filter(|other| surplus && counts.owes(hop, *other) == Some(true));
            let Some(stimulus) = other.or(by_trace).or(by_time) else {
                self.found.unattributed.push((routed.capture, hop));
                continue;
            };
            if let Some(trace) = self.trace_of(&routed) {
                self.traces.add(trace, stimulus);
            }
            routed.narrow(all.plan, capture, stimulus);
            counts.add(stimulus, routed.first_hop().unwrap_or(hop));
            self.add(&routed, stimulus);
        }
    }

    /// Pairs the deliveries with what was published.
    fn deliver(&mut self, early: &[(CaptureIx, HopIx)]) {
        let unpaired = deliveries::deliver(self.all, &mut self.found.crossings);
        self.found.unattributed.extend(unpaired.unattributed);
        let sent = self.found.background.iter().chain(early);
        let sent: Vec<CaptureIx> = sent.map(|(capture, _)| *capture).collect();
        let moved = background::move_deliveries(self.all, &sent, &mut self.found.unattributed);
        self.found.background.extend(unpaired.foreign.into_iter().chain(moved));
    }
}

/// The number of times that each stimulus was seen to cross each hop.
struct CrossingCounts<'p> {
    plan: &'p Plan,
    seen: HashMap<(StimulusIx, HopIx), u32>,
}

impl<'p> CrossingCounts<'p> {
    fn of(plan: &'p Plan, crossings: &[Crossing]) -> CrossingCounts<'p> {
        let mut counts = CrossingCounts { plan, seen: HashMap::new() };
        for crossing in crossings {
            counts.add(crossing.stimulus, crossing.hop);
        }
        counts
    }

    fn add(&mut self, stimulus: StimulusIx, hop: HopIx) {
        *self.seen.entry((stimulus, hop)).or_default() += 1;
    }

    fn times(&self, stimulus: StimulusIx, hop: HopIx) -> u32 {
        self.seen.get(&(stimulus, hop)).copied().unwrap_or_default()
    }

    /// Returns whether a stimulus crossed a hop less often than its cause makes due; `None` before anything caused it.
    fn owes(&self, hop: HopIx, stimulus: StimulusIx) -> Option<bool> {
        let declared = self.plan.scenario.hop(hop);
        let causes = self.times(stimulus, declared.within?);
        (causes > 0).then(|| self.times(stimulus, hop) < causes.saturating_mul(declared.times.min))
    }
}

/// Adds one crossing for each call that is due over a hop with `tap: none`, which nothing sees.
fn add_untapped(plan: &Plan, crossings: &mut Vec<Crossing>) {
    for stimulus in &plan.stimuli {
        for hop in calls_under(plan, stimulus.call).map(|call| plan.calls[call.0].hop) {
            if plan.hop_taps[hop.0].is_none() {
                crossings.push(Crossing::sent(stimulus.ix, hop, plan.scenario.hop(hop).from, None));
            }
        }
    }
}

/// Returns a call and all below it.
fn calls_under(plan: &Plan, top: CallIx) -> impl Iterator<Item = CallIx> {
    let mut under = IdSet::from_iter([top]);
    (top.0..plan.calls.len()).map(CallIx).filter(move |call| {
        let parent = plan.calls[call.0].parent;
        let inside = *call == top || parent.is_some_and(|parent| under.contains(&parent));
        inside && (under.insert(*call) || *call == top)
    })
}
