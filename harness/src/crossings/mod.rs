//! Pairing: captures, spans, nodes and stimuli become crossings, and the expected context is carried along.
//!
//! Nothing is judged here. A crossing is one stimulus over one hop, once; what was expected of it is re-based
//! after each crossing on what was really carried, so that a break is found once and a second, independent
//! one is still found.

use std::collections::HashSet;

use declared_formats::DeclaredFormats;

use crate::evidence::{Capture, CaptureIx, Evidence, SpanIx, mark_of};
use crate::parallel::side_by_side;
use crate::plan::{Plan, StimulusIx};
use crate::scenario::{BodyCarrier, HopIx, NodeIx};
use crate::wire::{SpanId, TraceId};

pub mod attribute_match;
pub mod attribution;
pub mod background;
pub mod carried;
pub mod carried_context;
pub mod cause;
pub mod crossing;
pub mod crossing_ref;
pub mod declared_formats;
pub mod deliveries;
pub mod expected;
pub mod expected_context;
pub mod free_spans;
pub mod id_map;
pub mod known_traces;
pub mod messages;
pub mod minted;
pub mod polls;
pub mod receiver;
pub mod redelivery;
pub mod routes;
pub mod same_calls;
pub mod sender;
pub mod sent_by;
pub mod span_claims;
pub mod span_index;
pub mod span_role;
pub mod strays;
pub mod trace_owner;
pub mod under_way;

pub use carried::{CarriedFields, ContextField, KnownLists, Misfit};
pub use carried_context::CarriedContext;
pub use crossing::{Crossing, CrossingWitness, Nature};
pub use crossing_ref::CrossingRef;
pub use expected_context::ExpectedContext;
pub use id_map::{IdMap, IdSet};
pub use span_index::SpanIndex;

/// Index into `Crossings::list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrossingIx(pub usize);

/// All crossings of one case, in the order in which they were seen.
#[derive(Debug)]
pub struct Crossings<'a> {
    pub plan: &'a Plan,
    pub evidence: &'a Evidence,
    pub spans: SpanIndex<'a>,
    /// The propagation fields of each capture, by `CaptureIx`.
    pub carried: Vec<CarriedFields>,
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
    /// For each hop whether none of its crossings has a span of its receiver.
    spanless: Vec<bool>,
    /// For each capture of what was sent its crossings; a message has several.
    by_capture: Vec<Vec<CrossingIx>>,
    /// For each stimulus its exchange.
    answered_nanos: IdMap<StimulusIx, Option<u64>>,
    /// When the last of them was answered.
    last_answered: Option<u64>,
}

impl<'a> Crossings<'a> {
    /// Pairs everything that one case left behind.
    pub fn pair(plan: &'a Plan, evidence: &'a Evidence) -> Crossings<'a> {
        let mut all = Crossings::unpaired(plan, evidence);
        let found = attribution::attribute(&all);
        all.effects = vec![Vec::new(); found.crossings.len()];
        all.list = found.crossings;
        all.unattributed = found.unattributed;
        all.undeclared = found.undeclared;
        all.background = found.background;
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

    /// Returns whether a call is background, or fits no hop and carries nothing of any stimulus.
    pub fn is_beside_story(&self, ix: CaptureIx) -> bool {
        let of_stimulus = || {
            let mut contexts = self.carried[ix.0].contexts();
            mark_of(&self.capture(ix).marked).is_some()
                || contexts.any(|context| self.owners.contains_key(&context.trace_id))
        };
        self.background.iter().any(|(found, _)| *found == ix)
            || (self.undeclared.contains(&ix) && !of_stimulus())
    }

    /// Reads captures and spans; the list of crossings is still empty.
    fn unpaired(plan: &'a Plan, evidence: &'a Evidence) -> Crossings<'a> {
        let (spans, carried) = side_by_side(
            || SpanIndex::build(&evidence.spans),
            || {
                let (mut lists, formats) = (KnownLists::default(), DeclaredFormats::of(plan));
                let captures = evidence.captures.iter();
                captures
                    .map(|capture| CarriedFields::read(capture, formats.of_capture(capture), &mut lists))
                    .collect()
            },
        );
        let answered = evidence.exchanges.iter().rev();
        Crossings {
            plan,
            evidence,
            spans,
            carried,
            list: Vec::new(),
            unattributed: Vec::new(),
            undeclared: Vec::new(),
            background: Vec::new(),
            owners: IdMap::default(),
            split_topics: attribute_match::split_topics(plan, evidence),
            effects: Vec::new(),
            by_receiver: IdMap::default(),
            by_hop: vec![Vec::new(); plan.scenario.hops.len()],
            spanless: vec![true; plan.scenario.hops.len()],
            by_capture: vec![Vec::new(); evidence.captures.len()],
            answered_nanos: answered.map(|one| (one.stimulus, one.answered_nanos)).collect(),
            last_answered: evidence.exchanges.iter().filter_map(|one| one.answered_nanos).max(),
        }
    }

    fn index(&mut self) {
        self.effects = vec![Vec::new(); self.list.len()];
        for (ix, crossing) in self.list.iter().enumerate() {
            self.by_hop[crossing.hop.0].push(CrossingIx(ix));
            if let Some(capture) = crossing.capture {
                self.by_capture[capture.0].push(CrossingIx(ix));
            }
            if let Some(span) = crossing.receiver_span {
                self.spanless[crossing.hop.0] = false;
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

    pub fn get(&self, crossing: CrossingIx) -> CrossingRef<'_> {
        CrossingRef::new(self, crossing)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = CrossingRef<'_>> {
        (0..self.list.len()).map(|ix| self.get(CrossingIx(ix)))
    }

    pub fn of_hop(&self, hop: HopIx) -> impl ExactSizeIterator<Item = CrossingRef<'_>> {
        self.by_hop[hop.0].iter().map(|ix| self.get(*ix))
    }

    pub fn capture(&self, capture: CaptureIx) -> &'a Capture {
        &self.evidence.captures[capture.0]
    }

    /// Returns where the body of a capture carries the context; `None` where headers do.
    pub fn carrier_of(&self, capture: CaptureIx) -> Option<&BodyCarrier> {
        let capture = self.capture(capture);
        let source = capture.message.as_ref().map(|message| message.destination.as_str());
        self.plan.tap(capture.tap).carrier(source)
    }

    /// Returns the propagation fields of a capture.
    pub fn carried(&self, capture: CaptureIx) -> &CarriedFields {
        &self.carried[capture.0]
    }

    /// Returns the parent ids that arrived at each node.
    pub fn carried_ids(&self) -> IdSet<(NodeIx, SpanId)> {
        let mut ids = IdSet::default();
        for crossing in self.iter() {
            for context in crossing.arrived_contexts() {
                ids.insert((crossing.receiver(), context.parent_id));
            }
        }
        ids
    }

    /// Returns the traces that arrived at each node in some of the crossings.
    pub fn arrived_traces(&self, is_meant: impl Fn(CrossingRef<'_>) -> bool) -> IdSet<(NodeIx, TraceId)> {
        let mut traces = IdSet::default();
        for crossing in self.iter().filter(|crossing| is_meant(*crossing)) {
            traces.extend(crossing.arrived_contexts().map(|context| (crossing.receiver(), context.trace_id)));
        }
        traces
    }

    /// Returns the name of a node, as the scenario has it.
    pub fn node_name(&self, node: NodeIx) -> &'a str {
        &self.plan.scenario.node(node).name
    }

    /// Returns whether no crossing of a hop has a span of its receiver.
    fn is_spanless(&self, hop: HopIx) -> bool {
        self.spanless[hop.0]
    }

    /// Returns whether spans are due from a node at all.
    pub fn exports(&self, node: NodeIx) -> bool {
        self.plan.scenario.node(node).exports_telemetry()
    }

    /// Returns whether a tap of a hop could not read a part of what went through it.
    pub fn has_tap_gap(&self, hop: HopIx) -> bool {
        let taps = [self.plan.hop_taps[hop.0], self.plan.arrival_taps[hop.0]];
        self.evidence.gaps.iter().filter_map(|gap| gap.place.tap()).any(|tap| taps.contains(&Some(tap)))
    }

    /// Returns whether a node was seen to have exported everything for a crossing that ended at `ended_nanos`.
    pub fn flushed(&self, node: NodeIx, ended_nanos: Option<u64>) -> bool {
        let asked =
            self.evidence.completions.get(node.0).and_then(|completion| completion.flush_asked_nanos());
        matches!((asked, ended_nanos), (Some(asked), Some(ended)) if asked >= ended)
    }
}

#[cfg(test)]
pub(crate) mod kept_evidence;
#[cfg(test)]
mod tests;
