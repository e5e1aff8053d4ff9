//! Who belongs to whom: captures, spans, nodes and stimuli paired into crossings, the expected context
//! carried along.
//!
//! Nothing is judged here. A crossing is one stimulus over one hop, once; what was expected of it is re-based
//! after each crossing on what was really carried, so that a break is found once and a second, independent
//! one is still found.

use std::collections::HashSet;

use crate::evidence::{Capture, CaptureEnd, CaptureIx, Evidence, Protocol, SpanIx};
use crate::parallel::side_by_side;
use crate::plan::{Plan, StimulusIx};
use crate::scenario::{HopIx, NodeIx};
use crate::wire::{SpanId, TraceId};

pub mod attribute_match;
pub mod attribution;
pub mod background;
pub mod carried;
pub mod cause;
pub mod crossing_ref;
pub mod expected;
pub mod free_spans;
pub mod hashing;
pub mod messages;
pub mod receiver;
pub mod redelivery;
pub mod sender;
pub mod sent_by;
pub mod span_claims;
pub mod span_index;
pub mod trace_owner;

pub use carried::{Carried, ContextField, KnownLists, Misfit};
pub use crossing_ref::CrossingRef;
pub use expected::Expected;
pub use hashing::{IdMap, IdSet};
pub use span_index::SpanIndex;

/// Index into `Crossings::list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrossingIx(pub usize);

/// How a crossing came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Somebody sent it.
    Sent,
    /// A further delivery of a message that was sent before.
    Redelivered,
    /// The broker moved it here (dead-letter exchange, redrive).
    Moved,
}

/// The surest sign that a crossing took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossingWitness {
    /// A tap saw it.
    Tap,
    /// The receiver exported a span for it.
    ReceiverSpan,
    /// The sender exported a CLIENT or PRODUCER span for it, and nothing shows that it arrived.
    CallSpan,
}

/// One stimulus over one hop, once.
#[derive(Clone, Debug)]
pub struct Crossing {
    pub stimulus: StimulusIx,
    pub hop: HopIx,
    pub nature: Nature,
    /// The hop's sender; its receiver, where that sent a message again.
    pub sender: NodeIx,
    /// What the tap saw as it left the sender; `None` behind `tap: none`.
    pub capture: Option<CaptureIx>,
    /// What a broker gave to the receiver; `None` for a call, and where nothing was delivered.
    pub arrival: Option<CaptureIx>,
    /// The crossing that reached the sender and caused this one; `None` for what the driver sends.
    pub cause: Option<CrossingIx>,
    /// The sender's span for this call: CLIENT or PRODUCER. Behind `tap: none` one that names a call over the hop.
    pub call_span: Option<SpanIx>,
    /// The sender's span whose id is on the wire, of whatever kind.
    pub named_span: Option<SpanIx>,
    /// An earlier crossing that carries the same span id.
    pub same_id_as: Option<CrossingIx>,
    /// The receiver's span.
    pub receiver_span: Option<SpanIx>,
    /// What is expected on the wire.
    pub expected: Expected,
    /// The same after a restart that was due at the sender.
    pub due: Expected,
}

/// All crossings of one case, in the order in which they were seen.
#[derive(Debug)]
pub struct Crossings<'a> {
    pub plan: &'a Plan,
    pub evidence: &'a Evidence,
    pub spans: SpanIndex<'a>,
    /// What each capture carries, by `CaptureIx`.
    pub carried: Vec<Carried>,
    pub list: Vec<Crossing>,
    /// Captures on a declared hop that no stimulus could be found for.
    pub unattributed: Vec<(CaptureIx, HopIx)>,
    /// Captures that fit no hop.
    pub undeclared: Vec<CaptureIx>,
    /// Captures on a declared hop that belong to no stimulus and need not; they are listed, not judged.
    pub background: Vec<(CaptureIx, HopIx)>,
    /// For each trace the stimulus that it is of; a trace that several share is nobody's.
    pub owners: IdMap<TraceId, StimulusIx>,
    /// Topics of Kafka in which an offset alone names no record.
    pub split_topics: HashSet<String>,
    effects: Vec<Vec<CrossingIx>>,
    /// For each span of a receiver the crossings that it stands for; several in a batch.
    by_receiver: IdMap<SpanIx, Vec<CrossingIx>>,
    /// For each hop its crossings.
    by_hop: Vec<Vec<CrossingIx>>,
    /// For each capture of what was sent its crossings; a message has several.
    by_capture: Vec<Vec<CrossingIx>>,
    /// For each stimulus its exchange.
    answered_nanos: IdMap<StimulusIx, Option<u64>>,
}

impl<'a> Crossings<'a> {
    /// Pairs everything that one case left behind.
    pub fn pair(plan: &'a Plan, evidence: &'a Evidence) -> Crossings<'a> {
        let carried = || {
            let mut lists = KnownLists::default();
            evidence.captures.iter().map(|capture| Carried::read(capture, &mut lists)).collect::<Vec<_>>()
        };
        let (spans, carried) = side_by_side(|| SpanIndex::build(&evidence.spans), carried);
        let found = attribution::attribute(plan, evidence, &carried, &spans);
        let list = found.crossings;
        let (unattributed, undeclared) = (found.unattributed, found.undeclared);
        let background = found.background;
        let owners = IdMap::default();
        let effects = vec![Vec::new(); list.len()];
        let by_hop = vec![Vec::new(); plan.scenario.hops.len()];
        let answered = evidence.exchanges.iter().rev();
        let answered_nanos = answered.map(|one| (one.stimulus, one.answered_nanos)).collect();
        let mut all = Crossings {
            plan,
            evidence,
            spans,
            carried,
            list,
            unattributed,
            undeclared,
            background,
            owners,
            split_topics: attribute_match::split_topics(plan, evidence),
            effects,
            by_receiver: IdMap::default(),
            by_hop,
            by_capture: vec![Vec::new(); evidence.captures.len()],
            answered_nanos,
        };
        receiver::pair(&mut all);
        redelivery::add(&mut all);
        all.index();
        cause::find(&mut all);
        all.note_effects();
        sender::pair(&mut all);
        expected::carry(&mut all);
        all.owners = trace_owner::owners(&all);
        all
    }

    fn index(&mut self) {
        self.effects = vec![Vec::new(); self.list.len()];
        for (ix, crossing) in self.list.iter().enumerate() {
            self.by_hop[crossing.hop.0].push(CrossingIx(ix));
            if let Some(capture) = crossing.capture {
                self.by_capture[capture.0].push(CrossingIx(ix));
            }
            if let Some(span) = crossing.receiver_span {
                self.by_receiver.entry(span).or_default().push(CrossingIx(ix));
            }
        }
    }

    fn note_effects(&mut self) {
        for ix in 0..self.list.len() {
            if let Some(cause) = self.list[ix].cause {
                self.effects[cause.0].push(CrossingIx(ix));
            }
        }
    }

    /// The crossings that this one caused.
    pub fn effects(&self, crossing: CrossingIx) -> &[CrossingIx] {
        &self.effects[crossing.0]
    }

    pub fn get(&self, crossing: CrossingIx) -> CrossingRef<'_> {
        CrossingRef::new(self, crossing)
    }

    pub fn iter(&self) -> impl Iterator<Item = CrossingRef<'_>> {
        (0..self.list.len()).map(|ix| self.get(CrossingIx(ix)))
    }

    pub fn of_hop(&self, hop: HopIx) -> impl ExactSizeIterator<Item = CrossingRef<'_>> {
        self.by_hop[hop.0].iter().map(|ix| self.get(*ix))
    }

    pub fn capture(&self, capture: CaptureIx) -> &'a Capture {
        &self.evidence.captures[capture.0]
    }

    /// Returns the parent ids that arrived at each node.
    pub fn carried_ids(&self) -> IdSet<(NodeIx, SpanId)> {
        let mut ids = IdSet::default();
        for crossing in self.iter() {
            for context in crossing.arrived().into_iter().flat_map(Carried::contexts) {
                ids.insert((crossing.receiver(), context.parent_id));
            }
        }
        ids
    }

    /// Returns the name of a node, as the scenario has it.
    pub fn node_name(&self, node: NodeIx) -> &'a str {
        &self.plan.scenario.node(node).name
    }

    /// While crossings are paired: the data of one, as far as it is known.
    pub fn record(&self, crossing: CrossingIx) -> &Crossing {
        &self.list[crossing.0]
    }

    pub fn records(&self) -> impl Iterator<Item = (CrossingIx, &Crossing)> {
        self.list.iter().enumerate().map(|(ix, crossing)| (CrossingIx(ix), crossing))
    }

    pub fn records_of_hop(&self, hop: HopIx) -> impl ExactSizeIterator<Item = (CrossingIx, &Crossing)> {
        self.by_hop[hop.0].iter().map(|ix| (*ix, self.record(*ix)))
    }

    /// What crossed: nothing behind `tap: none`.
    pub fn wire(&self, crossing: &Crossing) -> Option<&Carried> {
        crossing.capture.map(|capture| &self.carried[capture.0])
    }

    /// What reached the receiver, as far as it was seen; of a call, what was sent.
    pub fn arrived(&self, crossing: &Crossing) -> Option<&Carried> {
        self.seen_at_receiver(crossing).map(|capture| &self.carried[capture.0])
    }

    /// The capture nearest to the receiver.
    pub fn seen_at_receiver(&self, crossing: &Crossing) -> Option<CaptureIx> {
        crossing.arrival.or(crossing.capture)
    }

    /// Whether a message was sent that was never given to the receiver; a call is there as soon as it is seen.
    pub fn is_undelivered(&self, crossing: &Crossing) -> bool {
        let message = self.plan.scenario.hop(crossing.hop).transport.via().is_some();
        message && crossing.capture.is_some() && crossing.arrival.is_none()
    }

    /// A record of Kafka that nobody committed past and that has no span: its group has not read it.
    pub fn is_unread(&self, crossing: &Crossing) -> bool {
        let Some(arrival) = crossing.arrival.map(|arrival| &self.evidence.captures[arrival.0]) else {
            return false;
        };
        let open = !matches!(arrival.end, CaptureEnd::Settled(_));
        arrival.protocol == Protocol::Kafka && open && crossing.receiver_span.is_none()
    }

    /// The crossings that one batch took in with this one, itself included.
    pub fn batch_of(&self, crossing: &Crossing) -> &[CrossingIx] {
        crossing.receiver_span.and_then(|span| self.by_receiver.get(&span)).map_or(&[], Vec::as_slice)
    }

    /// The crossings by which one message was sent, one for each hop that it goes over; of a call itself alone.
    pub fn sent_with(&self, crossing: &Crossing) -> impl Iterator<Item = CrossingIx> {
        let same = crossing.capture.map_or(&[][..], |capture| &self.by_capture[capture.0]);
        same.iter().copied().filter(|ix| self.record(*ix).nature == Nature::Sent)
    }

    /// Of a further delivery the first one over the same hop; otherwise the crossing itself.
    pub fn first_delivery(&self, ix: CrossingIx) -> CrossingIx {
        let crossing = self.record(ix);
        let Some(capture) = crossing.capture.filter(|_| crossing.nature == Nature::Redelivered) else {
            return ix;
        };
        let first = |other: &&CrossingIx| {
            let other = self.record(**other);
            other.hop == crossing.hop && other.nature != Nature::Redelivered
        };
        self.by_capture[capture.0].iter().find(first).copied().unwrap_or(ix)
    }

    /// When the receiver got it.
    pub fn begun_nanos(&self, crossing: &Crossing) -> Option<u64> {
        self.seen_at_receiver(crossing).map(|capture| self.evidence.captures[capture.0].begun_nanos)
    }

    pub fn sender(&self, crossing: &Crossing) -> NodeIx {
        crossing.sender
    }

    pub fn receiver(&self, crossing: &Crossing) -> NodeIx {
        self.plan.scenario.hop(crossing.hop).to
    }

    /// The span under which the sender worked when it made this crossing.
    pub fn incoming_span(&self, crossing: &Crossing) -> Option<SpanIx> {
        self.record(crossing.cause?).receiver_span
    }

    /// Whether spans are due from a node at all.
    pub fn exports(&self, node: NodeIx) -> bool {
        self.plan.scenario.node(node).exports_telemetry()
    }

    /// Whether a node was seen to have exported all it had for a crossing that ended at `ended_nanos`.
    pub fn flushed(&self, node: NodeIx, ended_nanos: Option<u64>) -> bool {
        let asked =
            self.evidence.completions.get(node.0).and_then(|completion| completion.flush_asked_nanos());
        matches!((asked, ended_nanos), (Some(asked), Some(ended)) if asked >= ended)
    }

    /// When the answer of a crossing was complete.
    pub fn ended_nanos(&self, crossing: &Crossing) -> Option<u64> {
        if self.is_undelivered(crossing) {
            return None;
        }
        match self.seen_at_receiver(crossing) {
            Some(capture) => self.evidence.captures[capture.0].ended_nanos,
            None => self.answered_nanos.get(&crossing.stimulus).copied().flatten(),
        }
    }
}

#[cfg(test)]
mod tests;
