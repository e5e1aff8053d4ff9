//! Who sent what one tap sees of several nodes (Kafka): whose span it names; where it carries no context, who has a
//! span of sending there that nothing on the wire names.

use std::cell::OnceCell;

use super::attribute_match::fits_message;
use super::hashing::{IdMap, IdSet};
use super::messages::read_over;
use super::span_index::is_call;
use super::{Carried, SpanIndex};
use crate::evidence::{Capture, CaptureIx, Evidence, MessageDirection, mark_of};
use crate::plan::{Plan, StimulusIx};
use crate::scenario::NodeIx;
use crate::wire::SpanId;

#[derive(Debug)]
pub struct SentBy<'a> {
    spans: &'a SpanIndex<'a>,
    carried: &'a [Carried],
    plan: &'a Plan,
    evidence: &'a Evidence,
    /// Ids of spans that are on the wire.
    named: OnceCell<IdSet<SpanId>>,
    /// For each stimulus the captures that have a mark of it.
    of_stimulus: OnceCell<IdMap<StimulusIx, Vec<CaptureIx>>>,
}

impl<'a> SentBy<'a> {
    pub fn new(
        (plan, evidence): (&'a Plan, &'a Evidence),
        spans: &'a SpanIndex<'a>,
        carried: &'a [Carried],
    ) -> SentBy<'a> {
        SentBy { spans, carried, plan, evidence, named: OnceCell::new(), of_stimulus: OnceCell::new() }
    }

    /// Whether a record is one that its reader sends again: one with its mark was given to a reader before, and nothing
    /// that `from` had received for the stimulus was under way any more. A span that `from` made for it says otherwise.
    pub fn sent_again(&self, from: NodeIx, capture: &Capture, carried: &Carried) -> bool {
        let (Some(mark), Some(message)) = (mark_of(&capture.marked), &capture.message) else { return false };
        let marked = self.of_stimulus.get_or_init(|| self.index()).get(&mark.stimulus);
        let marked = marked.map_or(&[][..], Vec::as_slice).iter().copied();
        let earlier = marked.map(|ix| (ix, &self.evidence.captures[ix.0]));
        let earlier: Vec<_> = earlier.filter(|(_, other)| other.begun_nanos < capture.begun_nanos).collect();
        let same = |other: &Capture, direction: MessageDirection| {
            let of = other.message.as_ref().filter(|_| mark_of(&other.marked) == Some(mark));
            of.is_some_and(|of| of.direction == direction && of.destination == message.destination)
        };
        let delivered = earlier.iter().any(|(_, other)| same(other, MessageDirection::Delivered));
        let published = || earlier.iter().filter(|(_, other)| same(other, MessageDirection::Published));
        let copied = published().any(|(ix, _)| self.carried[ix.0].first() == carried.first());
        let own_span = carried.first().is_some() && self.is(from, capture, carried) && !copied;
        delivered && published().next().is_some() && !own_span && self.is_done(from, &earlier, capture)
    }

    /// Whether all that a node had received for a stimulus had ended when something else was sent.
    fn is_done(&self, node: NodeIx, earlier: &[(CaptureIx, &Capture)], later: &Capture) -> bool {
        let came = earlier.iter().map(|(_, other)| *other).filter(|other| match &other.message {
            None => self.plan.tap(other.tap).to == node,
            Some(_) => read_over(self.plan, other).iter().any(|hop| self.plan.scenario.hop(*hop).to == node),
        });
        let mut came = came.peekable();
        came.peek().is_some() && came.all(|one| one.ended_nanos.is_some_and(|at| at <= later.begun_nanos))
    }

    fn index(&self) -> IdMap<StimulusIx, Vec<CaptureIx>> {
        let mut found: IdMap<StimulusIx, Vec<CaptureIx>> = IdMap::default();
        for (ix, capture) in self.evidence.captures.iter().enumerate() {
            if let Some(mark) = mark_of(&capture.marked).filter(|mark| mark.run == self.plan.run) {
                found.entry(mark.stimulus).or_default().push(CaptureIx(ix));
            }
        }
        found
    }

    pub fn is(&self, node: NodeIx, capture: &Capture, carried: &Carried) -> bool {
        if let Some(context) = carried.first() {
            return !self.spans.with_id(node, context.parent_id.as_bytes()).is_empty();
        }
        let Some(message) = &capture.message else { return false };
        let of_wire = || self.carried.iter().flat_map(|carried| carried.contexts());
        let named = self.named.get_or_init(|| of_wire().map(|context| context.parent_id).collect());
        self.spans.of_node(node).iter().map(|span| self.spans.get(*span)).any(|span| {
            let id = SpanId::from_bytes(&span.span_id);
            is_call(span) && id.is_some_and(|id| !named.contains(&id)) && fits_message(span, message)
        })
    }
}
