//! The messages of SQS that the taps of one run have seen: a message is sent on one connection, received on another and
//! deleted on a third, often through several taps.
//!
//! A broker may deliver a message before it has returned the message's id to the sender, so both are matched in either
//! order. The end of a visibility timeout is not visible on the wire: the next delivery of the message shows it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use super::outcome::ReceivedMessage;
use super::requested_attributes::RequestedAttributes;
use crate::evidence::{CaptureEnd, CaptureIx, Field, Recorder, Recording, Settlement};
use crate::tap::tap_recorder::TapRecorder;

/// The most messages that are remembered.
const REMEMBERED: usize = 100_000;

/// A cheap handle; clones share the same messages.
#[derive(Clone, Debug, Default)]
pub struct Messages(Arc<Mutex<MessageLog>>);

#[derive(Debug, Default)]
struct MessageLog {
    receives: u64,
    /// By the id that the broker assigned.
    messages: HashMap<String, MessageState>,
    /// The ids, the oldest first.
    order: VecDeque<String>,
    forgot: bool,
    /// The ids of what is open, by receipt handle.
    handles: HashMap<String, String>,
}

#[derive(Debug, Default)]
struct MessageState {
    /// With all values; the recorder decides what leaves memory.
    sent: Option<Vec<Field>>,
    deliveries: u32,
    /// With its reader, by its receipt handle.
    open: Option<(String, Recording)>,
    lacking: Vec<IncompleteDelivery>,
}

/// A delivery that did not request all attributes, and came before the sender's were known.
#[derive(Debug)]
struct IncompleteDelivery {
    recorder: Recorder,
    ix: CaptureIx,
    asked: RequestedAttributes,
    arrived: Vec<Field>,
    kept: Vec<String>,
}

/// A delivery as it is to be recorded.
#[derive(Debug)]
pub struct Delivery {
    pub received: ReceivedMessage,
    /// The number of this delivery of the message, from 1.
    pub number: u32,
    /// With the attributes that were sent and not requested.
    pub fields: Vec<Field>,
    /// The names of those that were not requested.
    pub not_requested: Vec<String>,
}

impl Messages {
    /// Returns a number for the messages of one answer.
    pub fn next_receive(&self) -> u64 {
        let mut seen = self.0.lock();
        seen.receives += 1;
        seen.receives
    }

    /// Notes that the broker accepted a message and assigned this id.
    pub fn sent(&self, writer: &TapRecorder, id: &str, fields: Vec<Field>) {
        let mut seen = self.0.lock();
        let known = seen.known(writer, id);
        for lacking in known.lacking.drain(..) {
            let left_out = lacking.asked.left_out(&fields, &lacking.arrived);
            if !left_out.is_empty() {
                lacking.recorder.add_not_requested(lacking.ix, left_out, &lacking.kept);
            }
        }
        known.sent = Some(fields);
    }

    /// Notes a delivery: ends the earlier delivery of the message, and records this one with `record`.
    pub fn delivered(
        &self,
        writer: &TapRecorder,
        received: ReceivedMessage,
        asked: &RequestedAttributes,
        record: impl FnOnce(Delivery) -> Recording,
    ) {
        let mut seen = self.0.lock();
        let (id, handle) = (received.id.clone(), received.handle.clone());
        let known = seen.known(writer, &id);
        let earlier = known.open.take().map(|(handle, recording)| {
            recording.end(CaptureEnd::Settled(Settlement::Returned));
            handle
        });
        known.deliveries = received.receive_count.unwrap_or(known.deliveries.saturating_add(1));
        let arrived = received.fields.clone();
        let sent = known.sent.as_deref();
        let left_out = sent.map(|sent| asked.left_out(sent, &arrived)).unwrap_or_default();
        let not_requested = left_out.iter().map(Field::name_text).collect();
        let fields = arrived.iter().cloned().chain(left_out).collect();
        let recording = record(Delivery { received, number: known.deliveries, fields, not_requested });
        if let (None, Some(ix), false) = (sent, recording.ix(), asked.is_everything()) {
            let (recorder, kept) = (writer.recorder.clone(), writer.kept.clone());
            known.lacking.push(IncompleteDelivery { recorder, ix, asked: asked.clone(), arrived, kept });
        }
        known.open = Some((handle.clone(), recording));
        if let Some(earlier) = earlier {
            seen.handles.remove(&earlier);
        }
        seen.handles.insert(handle, id);
    }

    /// Ends the delivery with this receipt handle, if it is still known.
    pub fn settled(&self, handle: &str, how: Settlement) {
        let mut seen = self.0.lock();
        let Some(id) = seen.handles.remove(handle) else { return };
        if let Some((_, recording)) = seen.messages.get_mut(&id).and_then(|known| known.open.take()) {
            recording.end(CaptureEnd::Settled(how));
        }
    }
}

impl MessageLog {
    fn known(&mut self, writer: &TapRecorder, id: &str) -> &mut MessageState {
        if !self.messages.contains_key(id) {
            if self.order.len() >= REMEMBERED {
                self.forget_one(writer);
            }
            self.order.push_back(id.to_owned());
        }
        self.messages.entry(id.to_owned()).or_default()
    }

    fn forget_one(&mut self, writer: &TapRecorder) {
        let known = self.order.pop_front().and_then(|id| self.messages.remove(&id));
        if let Some((handle, _)) = known.and_then(|known| known.open) {
            self.handles.remove(&handle);
        }
        if !std::mem::replace(&mut self.forgot, true) {
            writer.gap(format!("the tap no longer follows the oldest of more than {REMEMBERED} messages"));
        }
    }
}
