//! The sender of a message that one tap sees of several nodes (Kafka): the node whose span the message names; where it
//! carries no context, the node that has a span of sending there that nothing on the wire names.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::attribute_match::fits_message;
use super::messages::{is, read_over};
use super::span_role::is_call;
use super::{CarriedContext, CarriedFields, CrossingRef, Crossings, IdMap, IdSet};
use crate::evidence::{Capture, CaptureIx, Message, MessageDirection, mark_of};
use crate::plan::{Mark, StimulusIx, TapProtocol};
use crate::scenario::{HopIx, NodeIx, Transport};
use crate::wire::SpanId;

#[derive(Debug)]
pub struct SentBy<'c> {
    all: &'c Crossings<'c>,
    /// Ids of spans that are on the wire.
    named: OnceCell<IdSet<SpanId>>,
    /// For each stimulus the captures that have a mark of it.
    of_stimulus: OnceCell<IdMap<StimulusIx, Vec<CaptureIx>>>,
    /// Deliveries that the broker moved from a queue that no hop declares.
    returned: OnceCell<HashMap<MessageTie<'c>, Vec<CaptureIx>>>,
    /// The stimuli and hops of records of which no tap shows the sender.
    doubtful: OnceCell<IdSet<(StimulusIx, HopIx)>>,
}

/// A value that one message has each time it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum MessageTie<'c> {
    Id(&'c str),
    Mark(Mark),
    Context(CarriedContext),
}

impl<'c> SentBy<'c> {
    pub fn new(all: &'c Crossings<'c>) -> SentBy<'c> {
        SentBy {
            all,
            named: OnceCell::new(),
            of_stimulus: OnceCell::new(),
            returned: OnceCell::new(),
            doubtful: OnceCell::new(),
        }
    }

    /// Returns whether a record is one that its reader sends again: one with its mark was given to a reader before, and
    /// nothing that `from` had received for the stimulus was under way any more. A span that `from` made for it proves
    /// the opposite.
    pub fn sent_again(&self, from: NodeIx, ix: CaptureIx) -> bool {
        let capture = self.all.capture(ix);
        let Some(mark) = mark_of(&capture.marked) else { return false };
        self.is_perhaps_sent_again(from, ix) && self.is_done(from, &self.earlier(mark, capture), capture)
    }

    /// Returns whether what a crossing sent may be of the service that read it before: on Kafka no tap sees a
    /// connection. A relay sends by its instructions.
    pub fn is_perhaps_by_reader(&self, crossing: CrossingRef<'_>) -> bool {
        let Some(ix) = crossing.sent_capture() else { return false };
        let is_kafka = self.all.plan.tap(self.all.capture(ix).tap).protocol == TapProtocol::Kafka;
        let is_service = self.all.plan.scenario.node(crossing.receiver()).kind.is_users_service();
        is_kafka && is_service && self.is_perhaps_sent_again(crossing.sender(), ix)
    }

    /// Returns whether a record of this stimulus over this hop may be of its reader.
    pub fn has_doubtful_record(&self, stimulus: StimulusIx, hop: HopIx) -> bool {
        let doubtful = self.doubtful.get_or_init(|| {
            let crossings = self.all.iter().filter(|crossing| crossing.sender() != crossing.receiver());
            let doubtful = crossings.filter(|crossing| self.is_perhaps_by_reader(*crossing));
            doubtful.map(|crossing| (crossing.stimulus_ix(), crossing.hop_ix())).collect()
        });
        doubtful.contains(&(stimulus, hop))
    }

    /// Returns whether a record may be one that its reader sends again, whatever `from` had under way.
    fn is_perhaps_sent_again(&self, from: NodeIx, ix: CaptureIx) -> bool {
        let capture = self.all.capture(ix);
        let (Some(mark), Some(message)) = (mark_of(&capture.marked), &capture.message) else { return false };
        let earlier = self.earlier(mark, capture);
        let context = self.all.carried(ix).first();
        let (mut delivered, mut published, mut copied) = (false, false, false);
        for other in earlier.iter().copied().filter(|other| self.is_alike(*other, mark, message)) {
            delivered |= is(self.all.capture(other), MessageDirection::Delivered);
            if is(self.all.capture(other), MessageDirection::Published) {
                published = true;
                copied |= self.all.carried(other).first() == context;
            }
        }
        let own_span = context.is_some() && self.names_span(from, ix) && !copied;
        delivered && published && !own_span
    }

    /// Returns whether a message is delivered later from this queue, with the same id, mark or context, after the
    /// broker has moved it from one that no hop declares.
    pub fn comes_back(&self, published: CaptureIx, queue: Option<&str>) -> bool {
        let sent = self.all.capture(published);
        let returned = self.returned.get_or_init(|| self.index_returned());
        let same = self.ties(published).filter_map(|tie| returned.get(&tie)).flatten();
        same.map(|ix| self.all.capture(*ix)).any(|back| {
            let from = back.message.as_ref().map(|message| message.destination.as_str());
            from == queue && back.tap == sent.tap && back.begun_nanos > sent.begun_nanos
        })
    }

    /// Returns the values by which one message is found again.
    fn ties(&self, ix: CaptureIx) -> impl Iterator<Item = MessageTie<'c>> {
        let capture = self.all.capture(ix);
        let id = capture.message.as_ref().and_then(|message| message.id.as_deref());
        let context = self.all.carried(ix).first().copied();
        let ties = [
            id.map(MessageTie::Id),
            mark_of(&capture.marked).map(MessageTie::Mark),
            context.map(MessageTie::Context),
        ];
        ties.into_iter().flatten()
    }

    /// Returns whether a hop reads a queue of RabbitMQ, or lets messages wait in it.
    fn is_declared(&self, queue: &str) -> bool {
        self.all.plan.scenario.hops.iter().any(|hop| match &hop.transport {
            Transport::RabbitMq(rabbit) => rabbit.queue == queue || rabbit.delays_in(queue),
            Transport::Http(_) | Transport::Grpc(_) | Transport::Kafka(_) | Transport::Sqs(_) => false,
        })
    }

    fn index_returned(&self) -> HashMap<MessageTie<'c>, Vec<CaptureIx>> {
        let mut returned: HashMap<MessageTie<'c>, Vec<CaptureIx>> = HashMap::new();
        for (ix, capture) in self.all.evidence.captures.iter().enumerate() {
            let from = capture.message.as_ref().and_then(|message| message.moved_from.as_deref());
            let is_moved = from.is_some_and(|queue| !self.is_declared(queue));
            if is_moved && is(capture, MessageDirection::Delivered) {
                for tie in self.ties(CaptureIx(ix)) {
                    returned.entry(tie).or_default().push(CaptureIx(ix));
                }
            }
        }
        returned
    }

    /// Returns the captures with a mark of the same stimulus that began before this one.
    fn earlier(&self, mark: Mark, capture: &Capture) -> Vec<CaptureIx> {
        let marked = self.of_stimulus.get_or_init(|| self.index()).get(&mark.stimulus);
        let mut earlier = marked.cloned().unwrap_or_default();
        earlier.retain(|other| self.all.capture(*other).begun_nanos < capture.begun_nanos);
        earlier
    }

    /// Returns whether a capture is of a message to the same place with the same mark.
    fn is_alike(&self, other: CaptureIx, mark: Mark, message: &Message) -> bool {
        let other = self.all.capture(other);
        let same = other.message.as_ref().is_some_and(|other| other.destination == message.destination);
        same && mark_of(&other.marked) == Some(mark)
    }

    /// Returns whether everything that a node had received for a stimulus had ended when something else was sent.
    fn is_done(&self, node: NodeIx, earlier: &[CaptureIx], later: &Capture) -> bool {
        let plan = self.all.plan;
        let mut received = false;
        for capture in earlier.iter().map(|ix| self.all.capture(*ix)) {
            let to_node = match &capture.message {
                None => plan.tap(capture.tap).to == node,
                Some(_) => read_over(plan, capture).iter().any(|hop| plan.scenario.hop(*hop).to == node),
            };
            if to_node && capture.ended_nanos.is_none_or(|ended| ended > later.begun_nanos) {
                return false;
            }
            received |= to_node;
        }
        received
    }

    fn index(&self) -> IdMap<StimulusIx, Vec<CaptureIx>> {
        let mut found: IdMap<StimulusIx, Vec<CaptureIx>> = IdMap::default();
        for (ix, capture) in self.all.evidence.captures.iter().enumerate() {
            if let Some(mark) = mark_of(&capture.marked).filter(|mark| mark.run == self.all.plan.run) {
                found.entry(mark.stimulus).or_default().push(CaptureIx(ix));
            }
        }
        found
    }

    /// Returns whether a record names a span of the node; for one without a context, whether the node has a span of
    /// sending there that no wire names.
    pub fn names_span(&self, node: NodeIx, ix: CaptureIx) -> bool {
        let spans = &self.all.spans;
        if let Some(context) = self.all.carried(ix).first() {
            return !spans.with_id(node, context.parent_id.as_bytes()).is_empty();
        }
        let Some(message) = &self.all.capture(ix).message else { return false };
        let named = self.named.get_or_init(|| {
            let contexts = self.all.carried.iter().flat_map(CarriedFields::contexts);
            contexts.map(|context| context.parent_id).collect()
        });
        spans.of_node(node).iter().map(|span| spans.get(*span)).any(|span| {
            let id = SpanId::from_bytes(&span.span_id);
            is_call(span) && id.is_some_and(|id| !named.contains(&id)) && fits_message(span, message)
        })
    }
}
