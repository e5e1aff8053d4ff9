//! C1: a hop that was crossed less often than it declares; and hops that nothing could cross because of it.

use std::cell::OnceCell;

use super::break_kind::{Duplication, Miss};
use super::{Break, BreakKind, Breaks, Grade, Side, Unseen, Value, Witness};
use crate::crossings::id_map::{IdMap, IdSet};
use crate::crossings::sent_by::SentBy;
use crate::crossings::{CarriedFields, CrossingIx, CrossingRef, Crossings, Nature};
use crate::evidence::{CaptureEnd, Field, Settlement};
use crate::plan::{StimulusIx, TapProtocol};
use crate::scenario::{Hop, HopIx, NodeIx, Role};
use crate::wire::TraceId;

pub(super) fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    let effects = EffectCounts::of(all);
    let (arrived, sent_by) = (OnceCell::new(), SentBy::new(all));
    let unattributed: IdSet<HopIx> = all.unattributed.iter().map(|(_, hop)| *hop).collect();
    for (ix, hop) in all.plan.scenario.hops.iter().enumerate().map(|(ix, hop)| (HopIx(ix), hop)) {
        let Some(within) = hop.within else { continue };
        let causes = all.of_hop(within).filter(|cause| cause.nature() != Nature::Redelivered);
        let mut causes = causes.filter(|cause| cause.first_of_mark() == *cause).peekable();
        if causes.peek().is_none() {
            found.consequences.push((ix, within));
        }
        for cause in causes {
            let mut others = all.plan.scenario.hops_within(within);
            let made_no_call = others.all(|other| effects.by(cause, other).is_empty());
            let (seen, arrived, sent_by) = (effects.by(cause, ix), &arrived, &sent_by);
            let count = HopCount { ix, hop, cause, seen, made_no_call, arrived, sent_by };
            if count.times() < hop.times.min {
                // A delivery whose message its reader sends again is a failed attempt, which owes nothing.
                let is_sent_again = !effects.by(cause, within).is_empty();
                // The gap of a tap that stopped reading says why.
                if is_sent_again || effects.is_retried(cause) || all.has_tap_gap(ix) {
                    continue;
                }
                found.list.extend(count.too_few(unattributed.contains(&ix)));
            } else if count.times() > hop.times.max.saturating_mul(effects.deliveries(cause)) {
                found.list.extend(count.too_many());
            }
        }
    }
    not_arrived(all, found);
}

/// The crossings that each crossing caused; those that a further delivery, or a further message of a stream with the
/// same mark, caused count as the first one's.
#[derive(Default)]
struct EffectCounts {
    seen: IdMap<(CrossingIx, HopIx), Vec<CrossingIx>>,
    /// Further deliveries and messages of each.
    deliveries: IdMap<CrossingIx, u32>,
}

impl EffectCounts {
    fn of(all: &Crossings<'_>) -> EffectCounts {
        let mut effects = EffectCounts::default();
        for crossing in all.iter() {
            let first = crossing.first_delivery().first_of_mark();
            if first != crossing {
                *effects.deliveries.entry(first.ix()).or_default() += 1;
            }
            if crossing.nature() == Nature::Redelivered {
                continue;
            }
            if let Some(cause) = crossing.cause() {
                let by = (cause.first_delivery().first_of_mark().ix(), crossing.hop_ix());
                effects.seen.entry(by).or_default().push(crossing.ix());
            }
        }
        effects
    }

    fn by(&self, cause: CrossingRef<'_>, hop: HopIx) -> &[CrossingIx] {
        self.seen.get(&(cause.ix(), hop)).map_or(&[], Vec::as_slice)
    }

    /// Returns whether a call failed and its sender called again with success, as often as the hop declares: the failed
    /// attempt owes nothing.
    fn is_retried(&self, attempt: CrossingRef<'_>) -> bool {
        let failed =
            |crossing: CrossingRef<'_>| crossing.received().is_some_and(|capture| !capture.end.is_success());
        let Some(cause) = attempt.cause() else { return false };
        if !failed(attempt) {
            return false;
        }
        let all = attempt.all();
        let attempts = self.by(cause.first_delivery().first_of_mark(), attempt.hop_ix());
        let done = attempts.iter().filter(|other| !failed(all.get(**other))).count();
        let due = usize::try_from(attempt.hop().times.min).unwrap_or(usize::MAX);
        attempts.len() > due && done >= due
    }

    /// Returns how often the message of a crossing was delivered; a call counts once, a stream once for each message.
    fn deliveries(&self, cause: CrossingRef<'_>) -> u32 {
        self.deliveries.get(&cause.ix()).copied().unwrap_or_default() + 1
    }
}

/// The count of the crossings of a hop that one crossing caused.
struct HopCount<'c> {
    ix: HopIx,
    hop: &'c Hop,
    cause: CrossingRef<'c>,
    seen: &'c [CrossingIx],
    /// The cause led to no crossing of any hop.
    made_no_call: bool,
    /// The traces that arrived at each node.
    arrived: &'c OnceCell<IdSet<(NodeIx, TraceId)>>,
    sent_by: &'c SentBy<'c>,
}

impl HopCount<'_> {
    fn times(&self) -> u32 {
        u32::try_from(self.seen.len()).unwrap_or(u32::MAX)
    }

    fn broken(&self, kind: BreakKind) -> Break {
        Break {
            stimulus: Some(self.cause.stimulus_ix()),
            capture: self.cause.received_capture(),
            ..Break::new(kind, Side::Sender, self.ix, self.hop.from)
        }
    }

    fn too_few(&self, unattributed: bool) -> Option<Break> {
        if !self.hop.tapped {
            return None;
        }
        let call = self.hop.transport.via().is_none();
        let miss = if unattributed {
            Miss::Unattributed
        } else if call && self.went_past_the_tap() {
            Miss::PastTheTap
        } else if self.may_not_know_the_tap() {
            Miss::PerhapsPastTheTap
        } else if self.hop.dead_letter_of.is_some() {
            Miss::NotMoved
        } else if self.hop.transport.source().is_some() {
            Miss::NoMessage
        } else {
            Miss::NoCall
        };
        let (due, seen) = (Value::Crossings(self.hop.times.min), Value::Crossings(self.times()));
        if call && self.was_refused() {
            if self.may_be_refused() {
                return None;
            }
            let side = match self.cause.all().plan.scenario.node(self.hop.from).role {
                Role::Forwarder => Side::Intermediary,
                Role::Participant => Side::Sender,
            };
            return Some(Break { side, ..self.broken(BreakKind::Refused).values(due, seen) });
        }
        let missed = self.broken(BreakKind::NotCrossed(miss)).values(due, seen);
        let past = matches!(miss, Miss::PastTheTap | Miss::PerhapsPastTheTap);
        Some(if unattributed {
            missed.graded(Grade::Inconclusive).missing(Witness::Marker)
        } else if past {
            missed.graded(Grade::Inconclusive).missing(Witness::TapAddress)
        } else if self.sent_by.has_doubtful_record(self.cause.stimulus_ix(), self.cause.hop_ix()) {
            missed.graded(Grade::Inconclusive).missing(Witness::SenderOfRecord)
        } else if !self.cause_succeeded() {
            missed.graded(Grade::Inconclusive).missing(Witness::Answer(self.cause.ix()))
        } else if self.cause.all().evidence.has_died(self.hop.from) {
            // What it owed then is no fault of its tracing.
            missed.graded(Grade::Inconclusive).missing(Witness::Flush)
        } else {
            missed
        })
    }

    /// Returns whether the sender is a gateway that answered the request with an error of the client's (4xx) by itself:
    /// where it made another call first, such as one for authentication, that one may have decided.
    fn was_refused(&self) -> bool {
        let sender = self.cause.all().plan.scenario.node(self.hop.from);
        let end = self.cause.received().map(|capture| &capture.end);
        self.made_no_call
            && sender.is_gateway
            && matches!(end, Some(CaptureEnd::Answered { status: 400..=499, .. }))
    }

    /// Returns whether a field line of the request is longer than the gateway says that it takes. Only the fields of
    /// propagation are compared: evidence has the values of no others.
    fn may_be_refused(&self) -> bool {
        let limit = self.cause.all().plan.scenario.node(self.hop.from).longest_field_line;
        let (Some(limit), Some(capture)) = (limit, self.cause.received()) else { return false };
        capture.headers.iter().any(|field| line_length(field) > limit as usize)
    }

    /// Returns whether the sender already ran and nothing of it went through the tap. Kafka's tap is not called.
    fn may_not_know_the_tap(&self) -> bool {
        let all = self.cause.all();
        let Some(tap) = all.plan.hop_taps[self.ix.0] else { return false };
        all.plan.scenario.node(self.hop.from).kind.runs_already()
            && all.plan.tap(tap).protocol != TapProtocol::Kafka
            && !all.evidence.was_called(tap)
    }

    /// Returns whether the receiver exported a span in the trace of what caused the crossing, and no tap saw it called.
    fn went_past_the_tap(&self) -> bool {
        let all = self.cause.all();
        let receiver = self.hop.to;
        let cause = self.cause.received_capture().map(|capture| &all.carried[capture.0]);
        let mut traces: Vec<TraceId> =
            cause.into_iter().flat_map(CarriedFields::contexts).map(|it| it.trace_id).collect();
        traces.extend(self.cause.receiver_span().and_then(|span| TraceId::from_bytes(&span.trace_id)));
        let arrived = self.arrived.get_or_init(|| all.arrived_traces(|_crossing| true));
        traces.iter().any(|trace| {
            let called = arrived.contains(&(receiver, *trace));
            !called && !all.spans.in_trace(receiver, trace.as_bytes()).is_empty()
        })
    }

    /// Returns whether the sender took what it received, so that it owes the crossing. A message that its reader
    /// acknowledged is never moved to a dead-letter queue: the acknowledgement is the proof.
    fn cause_succeeded(&self) -> bool {
        let Some(end) = self.cause.received().map(|capture| &capture.end) else { return true };
        if self.hop.dead_letter_of.is_some() {
            *end == CaptureEnd::Settled(Settlement::Done)
        } else {
            end.is_success() && !self.cause.is_undelivered()
        }
    }

    /// Returns a note for more calls than declared, and a break for a message that is sent once too often.
    fn too_many(&self) -> Option<Break> {
        let last = self.cause.all().get(*self.seen.last()?);
        let (limit, seen) = (Value::AtMost(self.hop.times.max), Value::Crossings(self.times()));
        if self.hop.transport.via().is_none() {
            let surplus = self.broken(BreakKind::NotCrossed(Miss::TooOften)).graded(Grade::Note);
            return Some(surplus.values(limit, seen));
        }
        if !last.sends_first() {
            return None;
        }
        let doubled = self.broken(BreakKind::Duplicated(Duplication::Message)).values(limit, seen);
        let doubled = Break { crossing: Some(last.ix()), capture: last.sent_capture(), ..doubled };
        Some(if self.sent_by.is_perhaps_by_reader(last) {
            Break { side: Side::Unknown, ..doubled }
                .graded(Grade::Inconclusive)
                .missing(Witness::SenderOfRecord)
        } else {
            doubled
        })
    }
}

/// Returns the length of a field line without its end.
fn line_length(field: &Field) -> usize {
    field.name.len() + ": ".len() + field.value.as_ref().map_or(0, Vec::len)
}

/// Finds requests that the driver sent and no tap saw.
fn not_arrived(all: &Crossings<'_>, found: &mut Breaks) {
    let arrived: IdSet<StimulusIx> =
        all.iter().filter(|crossing| crossing.is_from_client()).map(CrossingRef::stimulus_ix).collect();
    for exchange in &all.evidence.exchanges {
        let hop = all.plan.stimulus(exchange.stimulus).hop;
        if all.plan.scenario.hop(hop).tapped && !arrived.contains(&exchange.stimulus) {
            found.unseen.push((hop, Unseen::NotArrived(exchange.answer.clone())));
        }
    }
}
