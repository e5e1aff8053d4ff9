//! A handle on one crossing: its own data, and everything that belongs to it in the plan and the evidence.
//!
//! It answers questions and judges nothing. While pairing is under way, it answers from what is paired so far.

use super::span_role::is_call;
use super::{
    CarriedContext, CarriedFields, Crossing, CrossingIx, CrossingWitness, Crossings, ExpectedContext, Nature,
};
use crate::evidence::{
    Capture, CaptureEnd, CaptureIx, Message, Protocol, Span, SpanIx, is_propagation_field, mark_of,
};
use crate::plan::{Mark, Stimulus, StimulusIx};
use crate::scenario::{Hop, HopIx, Node, NodeIx, Relation};

#[derive(Clone, Copy, Debug)]
pub struct CrossingRef<'a> {
    all: &'a Crossings<'a>,
    ix: CrossingIx,
}

impl PartialEq for CrossingRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.ix == other.ix
    }
}

impl<'a> CrossingRef<'a> {
    pub(super) fn new(all: &'a Crossings<'a>, ix: CrossingIx) -> CrossingRef<'a> {
        CrossingRef { all, ix }
    }

    pub fn ix(self) -> CrossingIx {
        self.ix
    }

    /// Returns the crossings that it is one of.
    pub fn all(self) -> &'a Crossings<'a> {
        self.all
    }

    fn data(self) -> &'a Crossing {
        &self.all.list[self.ix.0]
    }

    /// Returns its data, as far as they are known.
    pub(super) fn record(self) -> Crossing {
        self.data().clone()
    }

    pub fn stimulus_ix(self) -> StimulusIx {
        self.data().stimulus
    }

    pub fn stimulus(self) -> &'a Stimulus {
        self.all.plan.stimulus(self.data().stimulus)
    }

    pub fn nature(self) -> Nature {
        self.data().nature
    }

    pub fn hop_ix(self) -> HopIx {
        self.data().hop
    }

    pub fn hop(self) -> &'a Hop {
        self.all.plan.scenario.hop(self.data().hop)
    }

    pub fn relation(self) -> Relation {
        self.hop().relation
    }

    /// Returns the node that sent it: the hop's sender, or its receiver where that sent a message again.
    pub fn sender(self) -> NodeIx {
        self.data().sender
    }

    pub fn sender_node(self) -> &'a Node {
        self.all.plan.scenario.node(self.sender())
    }

    pub fn sender_name(self) -> &'a str {
        &self.sender_node().name
    }

    pub fn receiver(self) -> NodeIx {
        self.hop().to
    }

    pub fn receiver_node(self) -> &'a Node {
        self.all.plan.scenario.node(self.receiver())
    }

    pub fn receiver_name(self) -> &'a str {
        &self.receiver_node().name
    }

    /// Returns whether the driver sent it.
    pub fn is_from_client(self) -> bool {
        self.sender() == NodeIx::CLIENT
    }

    /// Returns whether it goes through a broker.
    pub fn is_message(self) -> bool {
        self.hop().transport.via().is_some()
    }

    /// Returns the capture of what left the sender; `None` behind `tap: none`.
    pub fn sent_capture(self) -> Option<CaptureIx> {
        self.data().capture
    }

    /// Returns the capture of what a broker gave to the receiver; `None` for a call.
    pub fn delivery(self) -> Option<CaptureIx> {
        self.data().arrival
    }

    /// Returns the capture nearest to the receiver.
    pub fn received_capture(self) -> Option<CaptureIx> {
        self.data().arrival.or(self.data().capture)
    }

    pub fn sent(self) -> Option<&'a Capture> {
        Some(self.all.capture(self.sent_capture()?))
    }

    pub fn received(self) -> Option<&'a Capture> {
        Some(self.all.capture(self.received_capture()?))
    }

    /// Returns what left the sender: nothing behind `tap: none`.
    pub fn wire(self) -> Option<&'a CarriedFields> {
        Some(&self.all.carried[self.sent_capture()?.0])
    }

    /// Returns what reached the receiver, as far as a tap saw it; of a call, what was sent.
    pub fn arrived(self) -> Option<&'a CarriedFields> {
        Some(&self.all.carried[self.received_capture()?.0])
    }

    /// Returns every context that left the sender; several where the field is doubled.
    pub fn sent_contexts(self) -> impl Iterator<Item = &'a CarriedContext> {
        self.wire().into_iter().flat_map(CarriedFields::contexts)
    }

    /// Returns every context that reached the receiver.
    pub fn arrived_contexts(self) -> impl Iterator<Item = &'a CarriedContext> + Clone {
        self.arrived().into_iter().flat_map(CarriedFields::contexts)
    }

    /// Returns the message that reached the receiver; `None` for a call.
    pub fn received_message(self) -> Option<&'a Message> {
        self.received()?.message.as_ref()
    }

    /// Returns the mark, where the capture has one of this run.
    pub fn mark(self) -> Option<Mark> {
        self.data().stream_mark.or_else(|| mark_of(&self.received()?.marked))
    }

    /// Returns the first crossing of the same message: of several messages of a gRPC stream with one mark, it cannot be
    /// known which of them caused something, nor whether each has to.
    pub fn first_of_mark(self) -> CrossingRef<'a> {
        if self.data().stream_mark.is_none() {
            return self;
        }
        self.sent_with().find(|other| other.mark() == self.mark()).unwrap_or(self)
    }

    /// Returns what is expected on the wire.
    pub fn expected(self) -> &'a ExpectedContext {
        &self.data().expected
    }

    /// Returns what is expected on the wire after a restart that was due at the sender.
    pub fn due(self) -> &'a ExpectedContext {
        &self.data().due
    }

    /// Returns the crossing that reached the sender and caused this one.
    pub fn cause(self) -> Option<CrossingRef<'a>> {
        Some(self.all.get(self.data().cause?))
    }

    /// Returns whether a call without a context caused it, or a message that a relay reads alone: no batch and no poll
    /// shares the trace that it begins.
    pub fn is_begun_alone(self) -> bool {
        let Some(cause) = self.cause() else { return false };
        let unbatched = cause.hop().transport.batch().is_none();
        let alone = !cause.is_message() || (unbatched && cause.receiver_node().kind.keeps_relay_contract());
        alone && cause.arrived().is_some_and(|wire| wire.context().is_none())
    }

    /// Returns the crossings that this one caused.
    pub fn effects(self) -> impl Iterator<Item = CrossingRef<'a>> + Clone {
        let all = self.all;
        all.effects[self.ix.0].iter().map(move |ix| all.get(*ix))
    }

    /// Returns the crossings of one batch with this one, itself included.
    pub fn batch(self) -> impl Iterator<Item = CrossingRef<'a>> + Clone {
        let all = self.all;
        let batch = self.receiver_span_ix().and_then(|span| all.by_receiver.get(&span));
        batch.map_or(&[][..], Vec::as_slice).iter().map(move |ix| all.get(*ix))
    }

    /// Returns the crossings by which one message was sent, one for each hop that it goes over; of a call itself alone,
    /// of a gRPC stream those of its messages that are of the same stimulus.
    pub fn sent_with(self) -> impl Iterator<Item = CrossingRef<'a>> {
        let all = self.all;
        let same = self.sent_capture().map_or(&[][..], |capture| &all.by_capture[capture.0]);
        let sent = same.iter().map(move |ix| all.get(*ix)).filter(|other| other.nature() == Nature::Sent);
        sent.filter(move |other| other.stimulus_ix() == self.stimulus_ix())
    }

    /// Returns whether it is the first crossing by which its message was sent: rows about the sender are for it alone.
    pub fn sends_first(self) -> bool {
        self.sent_with().next() == Some(self)
    }

    /// Returns the first delivery over the same hop of what was delivered again, and otherwise the crossing itself.
    pub fn first_delivery(self) -> CrossingRef<'a> {
        let (Nature::Redelivered, Some(capture)) = (self.nature(), self.sent_capture()) else { return self };
        for ix in &self.all.by_capture[capture.0] {
            let other = self.all.get(*ix);
            if other.hop_ix() == self.hop_ix() && other.nature() != Nature::Redelivered {
                return other;
            }
        }
        self
    }

    /// Returns an earlier crossing that carries the same span id.
    pub fn same_id_as(self) -> Option<CrossingRef<'a>> {
        Some(self.all.get(self.data().same_id_as?))
    }

    /// Returns the span under which the sender worked when it made this crossing.
    pub fn incoming_span_ix(self) -> Option<SpanIx> {
        self.cause()?.receiver_span_ix()
    }

    pub fn incoming_span(self) -> Option<&'a Span> {
        Some(self.all.spans.get(self.incoming_span_ix()?))
    }

    /// Returns the sender's span for this call: CLIENT or PRODUCER.
    pub fn call_span_ix(self) -> Option<SpanIx> {
        self.data().call_span
    }

    /// Returns the sender's span whose id is on the wire, of whatever kind.
    pub fn named_span_ix(self) -> Option<SpanIx> {
        self.data().named_span
    }

    pub fn receiver_span_ix(self) -> Option<SpanIx> {
        self.data().receiver_span
    }

    pub fn receiver_span(self) -> Option<&'a Span> {
        Some(self.all.spans.get(self.receiver_span_ix()?))
    }

    /// Returns the surest sign that it took place, or `None` where it is only due: no tap and no span shows it.
    pub fn witness(self) -> Option<CrossingWitness> {
        if self.received_capture().is_some() {
            return Some(CrossingWitness::Tap);
        }
        if self.receiver_span_ix().is_some() {
            return Some(CrossingWitness::ReceiverSpan);
        }
        self.call_span_ix().map(|_| CrossingWitness::CallSpan)
    }

    /// Returns whether a message was sent that was never given to the receiver; a call arrives as soon as it is seen.
    pub fn is_undelivered(self) -> bool {
        self.is_message() && self.sent_capture().is_some() && self.delivery().is_none()
    }

    /// Returns whether it is a record of Kafka that its group has not read: skipped, or without a commit past it, and
    /// without a span.
    pub fn is_unread(self) -> bool {
        let Some(arrival) = self.delivery().map(|arrival| self.all.capture(arrival)) else { return false };
        let unread = !arrival.end.was_read();
        arrival.protocol == Protocol::Kafka && unread && self.receiver_span_ix().is_none()
    }

    /// Returns whether a call was refused by a server or something before it that may not have taken it up: status 429,
    /// 502, 503 or 504, or gRPC RESOURCE_EXHAUSTED or UNAVAILABLE. No span is due for it.
    pub fn is_refused(self) -> bool {
        const HTTP: [u16; 4] = [429, 502, 503, 504];
        const GRPC: [u32; 2] = [8, 14];
        self.received().is_some_and(|capture| match &capture.end {
            CaptureEnd::Answered { status, grpc_status } => {
                HTTP.contains(status) || grpc_status.is_some_and(|code| GRPC.contains(&code))
            }
            CaptureEnd::Open | CaptureEnd::Broken(_) | CaptureEnd::Settled(_) => false,
        })
    }

    /// Returns the names of propagation fields that the message has and that its receiver did not request (SQS).
    pub fn fields_not_requested(self) -> Vec<&'a str> {
        let message = self.received().and_then(|capture| capture.message.as_ref());
        let names = message.into_iter().flat_map(|message| &message.not_requested).map(String::as_str);
        names.filter(|name| is_propagation_field(name.as_bytes())).collect()
    }

    /// Returns whether the call has no answer and was still under way when every stimulus had been answered, such as a
    /// gRPC stream that ends with its process: the sender's span may not have ended either.
    pub fn outlives_story(self) -> bool {
        self.sent().is_some_and(|capture| match capture.end {
            CaptureEnd::Open => true,
            CaptureEnd::Broken(_) => {
                self.all.last_answered.is_some_and(|last| capture.ended_nanos.is_none_or(|end| end > last))
            }
            CaptureEnd::Answered { .. } | CaptureEnd::Settled(_) => false,
        })
    }

    /// Returns whether the receiver shows that nothing traces what it receives: no span of it continues a request over
    /// this hop, and at least two calls that this one caused are roots of traces of their own.
    pub fn is_uninstrumented(self) -> bool {
        // No span is due for an unsampled request, so the lack of one shows nothing.
        let begins = self.relation().receiver_may_begin();
        let context = self.arrived().and_then(CarriedFields::context);
        let due = context.is_some_and(|context| begins || context.flags.sampled());
        if !due || !self.all.is_spanless(self.hop_ix()) || !self.all.exports(self.receiver()) {
            return false;
        }
        let (mut calls, spans) = (0, &self.all.spans);
        for effect in self.effects() {
            let Some(context) = effect.sent_contexts().next() else { return false };
            let root = effect.named_span_ix().map(|named| spans.get(spans.top_of(named)));
            let begun = root.is_some_and(|root| is_call(root) && root.parent_id.is_empty());
            let left = self.arrived_contexts().all(|came| came.trace_id != context.trace_id);
            if context.flags.sampled() && !(begun && left) {
                return false;
            }
            calls += usize::from(context.flags.sampled());
        }
        calls > 1
    }

    /// Returns when the receiver got it.
    pub fn begun_nanos(self) -> Option<u64> {
        Some(self.received()?.begun_nanos)
    }

    /// Returns when the answer was complete.
    pub fn ended_nanos(self) -> Option<u64> {
        if self.is_undelivered() {
            return None;
        }
        match self.received() {
            Some(capture) => capture.ended_nanos,
            None => self.all.answered_nanos.get(&self.stimulus_ix()).copied().flatten(),
        }
    }
}
