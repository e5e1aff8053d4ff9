//! Captures to their hop and stimulus: by mark first, by trace id only without one, else by being alone under
//! way.

use std::collections::{HashMap, HashSet};

use super::{Carried, Crossing, Expected, SpanIndex};
use crate::evidence::{Capture, CaptureIx, Evidence, mark_of};
use crate::plan::{CallIx, Plan, StimulusIx};
use crate::scenario::{HopIx, NodeKind, Transport};
use crate::wire::TraceId;

#[derive(Debug, Default)]
pub struct Attributed {
    pub crossings: Vec<Crossing>,
    pub unattributed: Vec<(CaptureIx, HopIx)>,
    pub undeclared: Vec<CaptureIx>,
}

pub fn attribute(plan: &Plan, evidence: &Evidence, carried: &[Carried], spans: &SpanIndex<'_>) -> Attributed {
    let mut found = Attributed::default();
    let mut order: Vec<usize> = (0..evidence.captures.len()).collect();
    order.sort_by_key(|ix| evidence.captures[*ix].begun_nanos);
    let mut traces = Traces::minted(plan);
    let mut waiting = Vec::new();
    let first_sent = evidence.exchanges.iter().map(|exchange| exchange.sent_nanos).min();
    for ix in order {
        let capture = &evidence.captures[ix];
        // What a node asks of another while it starts, or while we ask whether it is ready, is no part of the story.
        if first_sent.is_some_and(|sent| capture.begun_nanos < sent) {
            continue;
        }
        let Some(hop) = hop_of(plan, capture) else {
            found.undeclared.push(CaptureIx(ix));
            continue;
        };
        match stimulus_of(plan, capture) {
            Some(stimulus) => {
                traces.learn(carried[ix].first().map(|context| context.trace_id), stimulus);
                let marked = mark_of(&capture.marked).into_iter();
                let spans_of = marked.flat_map(|mark| spans.marked(plan.tap(capture.tap).to, mark));
                for span in spans_of {
                    traces.learn(TraceId::from_bytes(&spans.get(*span).trace_id), stimulus);
                }
                found.crossings.push(crossing(hop, stimulus, ix));
            }
            None => waiting.push((ix, hop)),
        }
    }
    by_trace((plan, evidence), carried, &mut traces, waiting, &mut found);
    found
        .crossings
        .sort_by_key(|crossing| crossing.capture.map(|capture| evidence.captures[capture.0].begun_nanos));
    add_untapped(plan, &mut found.crossings);
    found
}

/// By mark, whoever's context it carries: a swapped context would look healthy under the wrong stimulus.
fn stimulus_of(plan: &Plan, capture: &Capture) -> Option<StimulusIx> {
    let mark = mark_of(&capture.marked)?;
    (mark.run == plan.run && mark.stimulus.0 < plan.stimuli.len()).then_some(mark.stimulus)
}

/// What has no mark: by trace id, and what has no known trace either, by time.
fn by_trace(
    (plan, evidence): (&Plan, &Evidence),
    carried: &[Carried],
    traces: &mut Traces,
    waiting: Vec<(usize, HopIx)>,
    found: &mut Attributed,
) {
    let owner = |traces: &Traces, ix: usize| carried[ix].first().and_then(|it| traces.owner(it.trace_id));
    let (known, unknown): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|(ix, _)| owner(traces, *ix).is_some());
    let mut seen: HashMap<(StimulusIx, HopIx), u32> = HashMap::new();
    for crossing in &found.crossings {
        *seen.entry((crossing.stimulus, crossing.hop)).or_default() += 1;
    }
    for (ix, hop) in known.into_iter().chain(unknown) {
        let capture = &evidence.captures[ix];
        let by_time = || {
            let owed = |stimulus: StimulusIx| is_owed(plan, &seen, hop, stimulus);
            alone_at(evidence, capture.begun_nanos, owed)
        };
        match owner(traces, ix).or_else(by_time) {
            Some(stimulus) => {
                if let Some(context) = carried[ix].first() {
                    traces.add(context.trace_id, stimulus);
                }
                *seen.entry((stimulus, hop)).or_default() += 1;
                found.crossings.push(crossing(hop, stimulus, ix));
            }
            None => found.unattributed.push((CaptureIx(ix), hop)),
        }
    }
}

/// Whether a stimulus crossed a hop less often than what caused it makes due.
fn is_owed(plan: &Plan, seen: &HashMap<(StimulusIx, HopIx), u32>, hop: HopIx, stimulus: StimulusIx) -> bool {
    let declared = plan.scenario.hop(hop);
    let times = |hop: HopIx| seen.get(&(stimulus, hop)).copied().unwrap_or_default();
    declared.within.is_some_and(|within| times(hop) < times(within).saturating_mul(declared.times.min))
}

fn crossing(hop: HopIx, stimulus: StimulusIx, ix: usize) -> Crossing {
    Crossing {
        stimulus,
        hop,
        capture: Some(CaptureIx(ix)),
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
                let unseen = Crossing { capture: None, ..crossing(hop, stimulus.ix, 0) };
                crossings.push(unseen);
            }
        }
    }
}

/// A call and all below it.
fn calls_under(plan: &Plan, top: CallIx) -> impl Iterator<Item = CallIx> {
    let mut under = HashSet::from([top]);
    (top.0..plan.calls.len()).map(CallIx).filter(move |call| {
        let parent = plan.calls[call.0].parent;
        let inside = *call == top || parent.is_some_and(|parent| under.contains(&parent));
        inside && (under.insert(*call) || *call == top)
    })
}

/// The hop whose method and path fit; where several do, the one whose call the mark names.
fn hop_of(plan: &Plan, capture: &Capture) -> Option<HopIx> {
    let fitting: Vec<HopIx> = plan.hops_of(capture.tap).filter(|hop| fits(plan, *hop, capture)).collect();
    let marked = mark_of(&capture.marked).filter(|mark| mark.run == plan.run).and_then(|mark| mark.call);
    let named = marked.and_then(|call| plan.calls.get(call.0)).map(|call| call.hop);
    named.filter(|hop| fitting.contains(hop)).or_else(|| fitting.first().copied())
}

fn fits(plan: &Plan, hop: HopIx, capture: &Capture) -> bool {
    let hop = plan.scenario.hop(hop);
    match &hop.transport {
        Transport::Http(http) => {
            let method =
                http.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&capture.method));
            method && http.path.as_ref().is_none_or(|path| path.matches(&capture.path))
        }
        // A relay calls `unbroken.relay.v1.Relay` whatever the method is called.
        Transport::Grpc(grpc) => {
            let by_relay = matches!(plan.scenario.node(hop.from).kind, NodeKind::Relay(_));
            by_relay
                || grpc.method.as_ref().is_none_or(|method| capture.path.trim_start_matches('/') == method)
        }
    }
}

/// Where at most one stimulus was under way: the first one sent until then that this crossing is still due from,
/// be it that it was answered before its background work had ended; else the one under way.
fn alone_at(evidence: &Evidence, nanos: u64, owed: impl Fn(StimulusIx) -> bool) -> Option<StimulusIx> {
    let sent = || evidence.exchanges.iter().filter(|exchange| exchange.sent_nanos <= nanos);
    let mut under_way =
        sent().filter(|exchange| exchange.answered_nanos.is_none_or(|answered| answered >= nanos));
    let alone = match (under_way.next(), under_way.next(), evidence.exchanges.as_slice()) {
        (Some(_), Some(_), _) => return None,
        (Some(one), None, _) => Some(one.stimulus),
        (None, _, [only]) => Some(only.stimulus),
        (None, _, _) => None,
    };
    sent().map(|exchange| exchange.stimulus).find(|stimulus| owed(*stimulus)).or(alone)
}

/// Which stimulus a trace is of, as far as it is known before spans are paired.
#[derive(Debug)]
struct Traces {
    owners: HashMap<TraceId, Option<StimulusIx>>,
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
