//! Captures to their hop and stimulus: by mark first, by trace id only without one, else by being alone under
//! way.

use std::collections::HashMap;

use super::background::{self, OnHops, Unsorted};
use super::hashing::{IdMap, IdSet};
use super::sent_by::SentBy;
use super::{Carried, Crossing, Expected, Nature, SpanIndex, messages};
use crate::evidence::{Capture, CaptureIx, Evidence, Exchange, MessageDirection, mark_of};
use crate::plan::{CallIx, Plan, StimulusIx, fan_out};
use crate::scenario::{HopIx, NodeIx, Transport};
use crate::wire::TraceId;

#[derive(Debug, Default)]
pub struct Attributed {
    pub crossings: Vec<Crossing>,
    pub unattributed: Vec<(CaptureIx, HopIx)>,
    pub undeclared: Vec<CaptureIx>,
    /// What belongs to no stimulus and need not: requests that a node sends by itself, and messages that others left.
    pub background: Vec<(CaptureIx, HopIx)>,
}

pub fn attribute(plan: &Plan, evidence: &Evidence, carried: &[Carried], spans: &SpanIndex<'_>) -> Attributed {
    let mut found = Attributed::default();
    let mut order: Vec<usize> = (0..evidence.captures.len()).collect();
    order.sort_by_key(|ix| evidence.captures[*ix].begun_nanos);
    let mut traces = Traces::minted(plan);
    let (mut waiting, mut early) = (Vec::new(), Vec::new());
    let sent_by = SentBy::new((plan, evidence), spans, carried);
    let first_sent = evidence.exchanges.iter().map(|exchange| exchange.sent_nanos).min();
    for ix in order {
        let capture = &evidence.captures[ix];
        // What a node asks of another while it starts, or while we ask whether it is ready, is no part of the story.
        let hops = hops_of((plan, &sent_by), capture, &carried[ix]);
        if first_sent.is_some_and(|sent| capture.begun_nanos < sent) {
            early.extend(hops.first().map(|(hop, _)| (ix, *hop)));
            continue;
        }
        if hops.is_empty() {
            if !messages::is(capture, MessageDirection::Delivered)
                || messages::read_over(plan, capture).is_empty()
            {
                found.undeclared.push(CaptureIx(ix));
            }
            continue;
        }
        match stimulus_of(plan, capture) {
            Some(stimulus) => {
                let hops = of_stimulus(plan, capture, hops, stimulus);
                traces.learn(carried[ix].first().map(|context| context.trace_id), stimulus);
                let marked = mark_of(&capture.marked).into_iter();
                let receivers = hops.iter().map(|(hop, _)| plan.scenario.hop(*hop).to);
                let receivers: Vec<NodeIx> = receivers.collect();
                let spans_of =
                    marked.flat_map(|mark| receivers.iter().flat_map(move |to| spans.marked(*to, mark)));
                for span in spans_of {
                    traces.learn(TraceId::from_bytes(&spans.get(*span).trace_id), stimulus);
                }
                found.crossings.extend(sent(&hops, stimulus, ix));
            }
            None => waiting.push((ix, hops)),
        }
    }
    let waiting = without_background((plan, evidence), carried, &traces, (waiting, &early), &mut found);
    by_trace((plan, evidence), carried, &mut traces, waiting, &mut found);
    let Attributed { crossings, unattributed, .. } = &mut found;
    let foreign = messages::deliver((plan, evidence), carried, crossings, unattributed);
    let sent = found.background.iter().map(|(capture, _)| capture.0).chain(early.iter().map(|(ix, _)| *ix));
    let sent: Vec<usize> = sent.collect();
    let told = background::move_deliveries(evidence, carried, &sent, &mut found.unattributed);
    found.background.extend(foreign.into_iter().chain(told));
    found.crossings.sort_by_key(|crossing| {
        let first = if crossing.nature == Nature::Sent { crossing.capture } else { crossing.arrival };
        first.map(|capture| evidence.captures[capture.0].begun_nanos)
    });
    add_untapped(plan, &mut found.crossings);
    found
}

/// By mark, whoever's context it carries: a swapped context would look healthy under the wrong stimulus.
fn stimulus_of(plan: &Plan, capture: &Capture) -> Option<StimulusIx> {
    let mark = mark_of(&capture.marked)?;
    (mark.run == plan.run && mark.stimulus.0 < plan.stimuli.len()).then_some(mark.stimulus)
}

/// Takes out what a node sends by itself.
fn without_background(
    (plan, evidence): (&Plan, &Evidence),
    carried: &[Carried],
    traces: &Traces,
    (waiting, early): (Vec<OnHops>, &[(usize, HopIx)]),
    found: &mut Attributed,
) -> Vec<OnHops> {
    let owned = |ix: usize| carried[ix].first().is_some_and(|it| traces.owner(it.trace_id).is_some());
    let marked = found.crossings.iter().filter_map(|one| Some((one.capture?.0, one.hop)));
    let (known, untied): (Vec<_>, Vec<_>) =
        waiting.iter().map(|(ix, hops)| (*ix, hops[0].0)).partition(|(ix, _)| owned(*ix));
    let unsorted = Unsorted { early, tied: marked.chain(known).collect(), untied };
    let background = background::find(plan, evidence, &unsorted);
    let (own, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(ix, _)| background.contains(ix));
    found.background.extend(own.into_iter().map(|(ix, hops)| (CaptureIx(ix), hops[0].0)));
    rest
}

/// What has no mark: by trace id, and what has no known trace either, by time.
fn by_trace(
    (plan, evidence): (&Plan, &Evidence),
    carried: &[Carried],
    traces: &mut Traces,
    waiting: Vec<(usize, Vec<(HopIx, NodeIx)>)>,
    found: &mut Attributed,
) {
    let owner = |traces: &Traces, ix: usize| carried[ix].first().and_then(|it| traces.owner(it.trace_id));
    let (known, unknown): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|(ix, _)| owner(traces, *ix).is_some());
    let mut seen = Seen::new();
    for crossing in &found.crossings {
        *seen.entry((crossing.stimulus, crossing.hop)).or_default() += 1;
    }
    let mut under_way = UnderWay::of(&evidence.exchanges);
    for (ix, hops) in known.into_iter().chain(unknown) {
        let capture = &evidence.captures[ix];
        let hop = hops[0].0;
        let other_is_owed = |other: StimulusIx| is_owed(plan, &seen, hop, other) == Some(true);
        let mut by_time = || {
            let owed = |stimulus: StimulusIx| is_owed(plan, &seen, hop, stimulus);
            under_way.chosen_at(capture.begun_nanos, hop, owed)
        };
        // A trace that goes on into the time of another stimulus, which is owed this one, is shared by both.
        let surplus = |of: StimulusIx| is_owed(plan, &seen, hop, of) == Some(false);
        let by_trace = owner(traces, ix);
        let chosen = by_time();
        let other = chosen.filter(|other| by_trace.is_some_and(surplus) && other_is_owed(*other));
        match other.or(by_trace).or(chosen) {
            Some(stimulus) => {
                if let Some(context) = carried[ix].first() {
                    traces.add(context.trace_id, stimulus);
                }
                let hops = of_stimulus(plan, capture, hops, stimulus);
                *seen.entry((stimulus, hops[0].0)).or_default() += 1;
                found.crossings.extend(sent(&hops, stimulus, ix));
            }
            None => found.unattributed.push((CaptureIx(ix), hop)),
        }
    }
}

/// Whether a stimulus crossed a hop less often than what caused it makes due; `None` before anything caused it.
fn is_owed(plan: &Plan, seen: &Seen, hop: HopIx, stimulus: StimulusIx) -> Option<bool> {
    let declared = plan.scenario.hop(hop);
    let times = |hop: HopIx| seen.get(&(stimulus, hop)).copied().unwrap_or_default();
    let causes = declared.within.map(times).filter(|causes| *causes > 0)?;
    Some(times(hop) < causes.saturating_mul(declared.times.min))
}

/// How often each stimulus was seen to cross each hop.
type Seen = HashMap<(StimulusIx, HopIx), u32>;

/// One crossing for each hop that shares what was sent.
fn sent(hops: &[(HopIx, NodeIx)], stimulus: StimulusIx, ix: usize) -> impl Iterator<Item = Crossing> {
    hops.iter().map(move |(hop, sender)| Crossing { sender: *sender, ..crossing(*hop, stimulus, ix) })
}

pub(super) fn crossing(hop: HopIx, stimulus: StimulusIx, ix: usize) -> Crossing {
    Crossing {
        stimulus,
        hop,
        nature: Nature::Sent,
        sender: NodeIx::CLIENT,
        capture: Some(CaptureIx(ix)),
        arrival: None,
        cause: None,
        call_span: None,
        named_span: None,
        same_id_as: None,
        receiver_span: None,
        expected: Expected::default(),
        due: Expected::default(),
    }
}

/// Hops with `tap: none` cross unseen: one crossing for each call that is due.
fn add_untapped(plan: &Plan, crossings: &mut Vec<Crossing>) {
    for stimulus in &plan.stimuli {
        for hop in calls_under(plan, stimulus.call).map(|call| plan.calls[call.0].hop) {
            if plan.hop_taps[hop.0].is_none() {
                let sender = plan.scenario.hop(hop).from;
                let unseen = Crossing { capture: None, sender, ..crossing(hop, stimulus.ix, 0) };
                crossings.push(unseen);
            }
        }
    }
}

/// A call and all below it.
fn calls_under(plan: &Plan, top: CallIx) -> impl Iterator<Item = CallIx> {
    let mut under = IdSet::from_iter([top]);
    (top.0..plan.calls.len()).map(CallIx).filter(move |call| {
        let parent = plan.calls[call.0].parent;
        let inside = *call == top || parent.is_some_and(|parent| under.contains(&parent));
        inside && (under.insert(*call) || *call == top)
    })
}

/// The hops that a capture goes over, each with who sent it; only a message goes over several.
fn hops_of(
    (plan, sent_by): (&Plan, &SentBy<'_>),
    capture: &Capture,
    carried: &Carried,
) -> Vec<(HopIx, NodeIx)> {
    match &capture.message {
        None => hop_of(plan, capture).map(|hop| (hop, plan.scenario.hop(hop).from)).into_iter().collect(),
        Some(message) if message.direction == MessageDirection::Delivered => Vec::new(),
        Some(message) => {
            let by = |node| sent_by.is(node, capture, carried);
            let again = |from| sent_by.sent_again(from, capture, carried);
            messages::hops_of(plan, capture, message, (by, again))
        }
    }
}

/// The hop whose method and path fit; where several do, the one whose call the mark names.
fn hop_of(plan: &Plan, capture: &Capture) -> Option<HopIx> {
    let fitting: Vec<HopIx> = plan.hops_of(capture.tap).filter(|hop| fits(plan, *hop, capture)).collect();
    let marked = mark_of(&capture.marked).filter(|mark| mark.run == plan.run).and_then(|mark| mark.call);
    let named = marked.and_then(|call| plan.calls.get(call.0)).map(|call| call.hop);
    named.filter(|hop| fitting.contains(hop)).or_else(|| fitting.first().copied())
}

/// Of calls that differ only in their cause, the one that the stimulus causes in the end. Messages are narrowed by who
/// sent them.
fn of_stimulus(
    plan: &Plan,
    capture: &Capture,
    hops: Vec<(HopIx, NodeIx)>,
    stimulus: StimulusIx,
) -> Vec<(HopIx, NodeIx)> {
    let driven = fan_out(&plan.scenario, plan.stimulus(stimulus).hop);
    let caused = |hop: HopIx| driven.contains(&plan.scenario.first_cause(hop));
    match hops.as_slice() {
        [(hop, from)] if capture.message.is_none() && !caused(*hop) => {
            let fitting = plan.hops_of(capture.tap).filter(|other| fits(plan, *other, capture));
            vec![(fitting.into_iter().find(|other| caused(*other)).unwrap_or(*hop), *from)]
        }
        _ => hops,
    }
}

fn fits(plan: &Plan, hop: HopIx, capture: &Capture) -> bool {
    let hop = plan.scenario.hop(hop);
    match &hop.transport {
        Transport::Http(http) => {
            let method =
                http.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&capture.method));
            method && http.path.as_ref().is_none_or(|path| path.matches(&capture.path))
        }
        // Messages are attributed by where they went.
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => false,
        // A relay calls `unbroken.relay.v1.Relay` whatever the method is called.
        Transport::Grpc(grpc) => {
            let by_relay = plan.scenario.node(hop.from).kind.keeps_relay_contract();
            by_relay
                || grpc.method.as_ref().is_none_or(|method| capture.path.trim_start_matches('/') == method)
        }
    }
}

/// Which exchanges were under way when.
struct UnderWay<'e> {
    exchanges: &'e [Exchange],
    /// When each began and which it is, by time.
    begun: Moments,
    /// When each that ended did.
    ended: Moments,
    /// By the time at which they were sent.
    sent: Vec<(u64, StimulusIx)>,
    /// For each hop, how many of them, from the first on, are owed nothing any more.
    served: HashMap<HopIx, usize>,
}

/// Times in their order, each with the exclusive or of all numbers up to it: what is left of two such sums is the
/// number of the only exchange that is in one and not in the other.
struct Moments(Vec<(u64, usize)>);

impl Moments {
    fn new(times: impl Iterator<Item = (u64, usize)>) -> Moments {
        let mut times: Vec<(u64, usize)> = times.collect();
        times.sort_unstable();
        let mut sum = 0;
        for (_, number) in &mut times {
            sum ^= *number;
            *number = sum;
        }
        Moments(times)
    }

    /// How many have come while `before` holds, and the sum of their numbers.
    fn come(&self, before: impl Fn(u64) -> bool) -> (usize, usize) {
        let come = self.0.partition_point(|(time, _)| before(*time));
        (come, come.checked_sub(1).map_or(0, |last| self.0[last].1))
    }
}

impl<'e> UnderWay<'e> {
    fn of(exchanges: &'e [Exchange]) -> UnderWay<'e> {
        // One that ended before it began is never under way.
        let numbered = exchanges.iter().enumerate();
        let numbered =
            numbered.filter(|(_, one)| one.answered_nanos.is_none_or(|ended| ended >= one.sent_nanos));
        let ended = numbered.clone().filter_map(|(ix, one)| Some((one.answered_nanos?, ix)));
        let ended = Moments::new(ended);
        let begun = Moments::new(numbered.map(|(ix, one)| (one.sent_nanos, ix)));
        let mut sent: Vec<_> = exchanges.iter().map(|one| (one.sent_nanos, one.stimulus)).collect();
        sent.sort_unstable();
        UnderWay { exchanges, begun, ended, sent, served: HashMap::new() }
    }

    /// Where at most one stimulus was under way: the first one sent until then that this crossing is still due from,
    /// be it that it was answered before its background work had ended; else the one under way.
    fn chosen_at(
        &mut self,
        nanos: u64,
        hop: HopIx,
        owed: impl Fn(StimulusIx) -> Option<bool>,
    ) -> Option<StimulusIx> {
        let (begun, begun_sum) = self.begun.come(|time| time <= nanos);
        let (ended, ended_sum) = self.ended.come(|time| time < nanos);
        let alone = match (begun - ended, self.exchanges) {
            (0, [only]) => Some(only.stimulus),
            (0, _) => None,
            (1, exchanges) => Some(exchanges[begun_sum ^ ended_sum].stimulus),
            _ => return None,
        };
        let served = self.served.entry(hop).or_default();
        while self.sent.get(*served).is_some_and(|(_, stimulus)| owed(*stimulus) == Some(false)) {
            *served += 1;
        }
        let sent = self.sent[*served..].iter().take_while(|(sent, _)| *sent <= nanos);
        sent.map(|(_, stimulus)| *stimulus).find(|stimulus| owed(*stimulus) == Some(true)).or(alone)
    }
}

/// Which stimulus a trace is of, as far as it is known before spans are paired.
#[derive(Debug)]
struct Traces {
    owners: IdMap<TraceId, Option<StimulusIx>>,
}

impl Traces {
    fn minted(plan: &Plan) -> Self {
        let valid =
            plan.stimuli.iter().filter(|stimulus| stimulus.sent.valid && stimulus.sent.traceparent.is_some());
        let ids =
            valid.filter_map(|stimulus| Some((TraceId::new(stimulus.sent.trace_id)?, Some(stimulus.ix))));
        Self { owners: ids.collect() }
    }

    fn add(&mut self, trace: TraceId, stimulus: StimulusIx) {
        let owner = self.owners.entry(trace).or_insert(Some(stimulus));
        if *owner != Some(stimulus) {
            *owner = None;
        }
    }

    fn owner(&self, trace: TraceId) -> Option<StimulusIx> {
        self.owners.get(&trace).copied().flatten()
    }

    /// A marked capture tells of the traces that its stimulus went on in: those that nobody has yet.
    fn learn(&mut self, trace: Option<TraceId>, stimulus: StimulusIx) {
        if let Some(trace) = trace.filter(|trace| !self.owners.contains_key(trace)) {
            self.add(trace, stimulus);
        }
    }
}
