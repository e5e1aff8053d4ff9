//! Requests and messages that a node sends by itself: polls, health checks, ticks of a scheduler.
//!
//! A kind (method and path, or the destination of a message) is background when it was seen before the story, or while
//! nothing was under way and all that was due had crossed without it; or when all that may cross has crossed without
//! it, and each request of it carries a trace of its own in which its sender, which traces its other calls, made no
//! span. Any other kind that is seen only under a stimulus stays judged.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;

use super::Crossings;
use crate::evidence::{CaptureIx, MessageDirection, SpanIx};
use crate::scenario::{HopIx, NodeIx, Transport};

/// The captures on declared hops, by the way in which their stimulus is known.
pub(super) struct CaptureGroups<'w> {
    /// Before the first stimulus.
    pub early: &'w [(CaptureIx, HopIx)],
    /// By mark or by trace.
    pub tied: Vec<(CaptureIx, HopIx)>,
    pub untied: Vec<(CaptureIx, HopIx)>,
}

/// A hop, and what distinguishes one kind of request on it from another.
type Kind = (HopIx, String);

/// Returns the untied captures that are background.
pub(super) fn find(all: &Crossings<'_>, groups: &CaptureGroups<'_>) -> HashSet<CaptureIx> {
    let mut background = HashSet::new();
    if groups.untied.is_empty() {
        return background;
    }
    let early: HashSet<Kind> = groups.early.iter().map(|(ix, hop)| kind(all, *hop, *ix)).collect();
    let traffic = Traffic::of(all, groups);
    for (kind, captures) in &traffic.kinds {
        if early.contains(kind)
            || traffic.has_surplus(kind, captures)
            || traffic.is_polled_without_spans(kind, captures)
        {
            background.extend(captures.iter().copied());
        }
    }
    background
}

/// The captures of each hop, by kind and by time.
struct Traffic<'c> {
    all: &'c Crossings<'c>,
    /// The times at which a stimulus was under way, in order and apart from each other.
    busy: Vec<RangeInclusive<u64>>,
    tied: BTreeMap<HopIx, TiedCaptures>,
    untied: BTreeMap<HopIx, Times>,
    /// The untied captures of each kind.
    kinds: BTreeMap<Kind, Vec<CaptureIx>>,
}

/// The captures of one hop whose stimulus is known.
#[derive(Default)]
struct TiedCaptures {
    begun: Times,
    kinds: HashSet<Kind>,
    /// One is in no span of its sender.
    spanless: bool,
}

/// The times at which captures began, in nanoseconds and in order.
#[derive(Default)]
struct Times(Vec<u64>);

impl Times {
    fn of(all: &Crossings<'_>, captures: &[CaptureIx]) -> Times {
        let mut times: Vec<u64> = captures.iter().map(|ix| all.capture(*ix).begun_nanos).collect();
        times.sort_unstable();
        Times(times)
    }

    fn before(&self, at: u64) -> usize {
        self.0.partition_point(|begun| *begun < at)
    }
}

impl<'c> Traffic<'c> {
    fn of(all: &'c Crossings<'c>, groups: &CaptureGroups<'_>) -> Traffic<'c> {
        let (mut kinds, mut untied): (BTreeMap<Kind, Vec<_>>, BTreeMap<HopIx, Vec<_>>) = Default::default();
        for (ix, hop) in &groups.untied {
            kinds.entry(kind(all, *hop, *ix)).or_default().push(*ix);
            untied.entry(*hop).or_default().push(*ix);
        }
        let mut on_hop: BTreeMap<HopIx, Vec<CaptureIx>> = BTreeMap::new();
        for (ix, hop) in &groups.tied {
            on_hop.entry(*hop).or_default().push(*ix);
        }
        let tied = on_hop.into_iter().map(|(hop, captures)| {
            let sender = all.plan.scenario.hop(hop).from;
            let tied = TiedCaptures {
                begun: Times::of(all, &captures),
                kinds: captures.iter().map(|ix| kind(all, hop, *ix)).collect(),
                spanless: captures.iter().any(|ix| named_span(all, sender, *ix).is_none()),
            };
            (hop, tied)
        });
        let tied = tied.collect();
        let untied = untied.into_iter().map(|(hop, captures)| (hop, Times::of(all, &captures))).collect();
        Traffic { all, busy: busy(all), tied, untied, kinds }
    }

    fn tied_before(&self, hop: HopIx, at: u64) -> usize {
        self.tied.get(&hop).map_or(0, |tied| tied.begun.before(at))
    }

    fn is_under_way(&self, at: u64) -> bool {
        let next = self.busy.partition_point(|range| *range.end() < at);
        self.busy.get(next).is_some_and(|range| range.contains(&at))
    }

    /// Returns whether nothing was under way when one of these was sent, and all that was due on their hop had crossed
    /// without their kind.
    fn has_surplus(&self, of: &Kind, captures: &[CaptureIx]) -> bool {
        let declared = self.all.plan.scenario.hop(of.0);
        let Some(within) = declared.within else { return false };
        // What may have caused it is not known.
        if self.untied.contains_key(&within) {
            return false;
        }
        let min = usize::try_from(declared.times.min).unwrap_or(usize::MAX);
        let own = Times::of(self.all, captures);
        own.0.iter().any(|at| {
            let others = self.untied.get(&of.0).map_or(0, |untied| untied.before(*at)) - own.before(*at);
            let due = min.saturating_mul(self.tied_before(within, *at));
            due > 0 && self.tied_before(of.0, *at) + others >= due && !self.is_under_way(*at)
        })
    }

    /// Returns whether the other kinds on a hop were sent as often as the scenario allows and are in spans of their
    /// sender, and each request of this kind is in a trace of its own, in which its sender made no span.
    fn is_polled_without_spans(&self, of: &Kind, captures: &[CaptureIx]) -> bool {
        let declared = self.all.plan.scenario.hop(of.0);
        let Some(within) = declared.within else { return false };
        let (Some(causes), Some(tied)) = (self.tied.get(&within), self.tied.get(&of.0)) else { return false };
        let most = usize::try_from(declared.times.max).unwrap_or(usize::MAX);
        let allowed = most.saturating_mul(causes.begun.0.len());
        if allowed == 0 || tied.begun.0.len() < allowed || self.untied.contains_key(&within) {
            return false;
        }
        if tied.spanless || tied.kinds.contains(of) {
            return false;
        }
        let mut traces = HashSet::new();
        captures.iter().all(|ix| {
            let context = self.all.carried(*ix).context();
            let own = context.is_some_and(|context| {
                traces.insert(context.trace_id)
                    && self.all.spans.in_trace(declared.from, context.trace_id.as_bytes()).is_empty()
            });
            own && named_span(self.all, declared.from, *ix).is_none()
        })
    }
}

/// Returns the times at which a stimulus was under way: those that overlap are one.
fn busy(all: &Crossings<'_>) -> Vec<RangeInclusive<u64>> {
    let exchanges = all.evidence.exchanges.iter();
    let mut ranges: Vec<_> =
        exchanges.map(|one| (one.sent_nanos, one.answered_nanos.unwrap_or(u64::MAX))).collect();
    ranges.sort_unstable();
    let mut busy: Vec<RangeInclusive<u64>> = Vec::new();
    for (start, end) in ranges {
        match busy.last_mut() {
            Some(last) if start <= *last.end() => *last = *last.start()..=end.max(*last.end()),
            Some(_) | None => busy.push(start..=end),
        }
    }
    busy
}

fn named_span(all: &Crossings<'_>, node: NodeIx, ix: CaptureIx) -> Option<SpanIx> {
    all.spans.named(node, all.carried(ix).first()?)
}

fn kind(all: &Crossings<'_>, hop: HopIx, ix: CaptureIx) -> Kind {
    let capture = all.capture(ix);
    let name = match (&capture.message, &all.plan.scenario.hop(hop).transport) {
        (Some(message), _) => {
            format!("{} {}", message.destination, message.routing_key.as_deref().unwrap_or_default())
        }
        (None, Transport::Http(http)) if http.path.is_some() => capture.method.to_string(),
        (None, _) => format!("{} {}", capture.method, capture.path),
    };
    (hop, name)
}

/// Moves deliveries of messages that are background, or were sent before the story, to the background.
pub(super) fn move_deliveries(
    all: &Crossings<'_>,
    sent: &[CaptureIx],
    unattributed: &mut Vec<(CaptureIx, HopIx)>,
) -> Vec<(CaptureIx, HopIx)> {
    unattributed.extract_if(.., |(ix, _)| sent.iter().any(|sent| is_delivery_of(all, *ix, *sent))).collect()
}

fn is_delivery_of(all: &Crossings<'_>, delivery: CaptureIx, sent: CaptureIx) -> bool {
    let (Some(message), Some(other)) = (&all.capture(delivery).message, &all.capture(sent).message) else {
        return false;
    };
    let id = message.id.is_some() && message.id == other.id;
    let context = all.carried(delivery).first();
    message.direction == MessageDirection::Delivered
        && match message.offset {
            Some(_) => message.offset == other.offset && message.destination == other.destination,
            None => id || (context.is_some() && context == all.carried(sent).first()),
        }
}
