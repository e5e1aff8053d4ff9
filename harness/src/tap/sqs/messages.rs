//! What the taps of one run know of the messages of SQS: a message is sent on one connection, received on another and
//! deleted on a third, often through several taps.
//!
//! A broker may hand a message to its reader before it has told the sender the message's id; so what was sent and
//! what was received are put together whichever comes first. That a visibility time-out has run out is not seen on
//! the wire: the next delivery of the message tells.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::asked::Asked;
use super::outcome::Received;
use crate::evidence::{CaptureEnd, CaptureIx, Field, Recorder, Recording, Settlement};
use crate::tap::tap_recorder::TapRecorder;

/// The most messages that are remembered.
const REMEMBERED: usize = 100_000;

/// A cheap handle; clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Messages(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    receives: u64,
    /// By the id that the broker gave it.
    messages: HashMap<String, Known>,
    /// The ids, the oldest first.
    order: VecDeque<String>,
    forgot: bool,
    /// The ids of what is open, by receipt handle.
    handles: HashMap<String, String>,
}

#[derive(Debug, Default)]
struct Known {
    /// With all values; what leaves memory is the recorder's to say.
    sent: Option<Vec<Field>>,
    deliveries: u32,
    /// With its reader, by its receipt handle.
    open: Option<(String, Recording)>,
    lacking: Vec<Lacking>,
}

/// A delivery that was not asked for everything before it was known what was sent.
#[derive(Debug)]
struct Lacking {
    recorder: Recorder,
    ix: CaptureIx,
    asked: Asked,
    arrived: Vec<Field>,
    kept: Vec<String>,
}

/// A delivery as it is to be recorded.
#[derive(Debug)]
pub struct Delivery {
    pub received: Received,
    /// Which delivery of this message it is, from 1.
    pub number: u32,
    /// With what was sent and not asked for.
    pub fields: Vec<Field>,
}

impl Messages {
    /// A number for the messages of one answer.
    pub fn next_receive(&self) -> u64 {
        let mut seen = self.lock();
        seen.receives += 1;
        seen.receives
    }

    /// The broker has taken a message and given it this id.
    pub fn sent(&self, writer: &TapRecorder, id: &str, fields: Vec<Field>) {
        let mut seen = self.lock();
        let known = seen.known(writer, id);
        for lacking in known.lacking.drain(..) {
            let left_out = lacking.asked.left_out(&fields, &lacking.arrived);
            if !left_out.is_empty() {
                lacking.recorder.add_fields(lacking.ix, left_out, &lacking.kept);
            }
        }
        known.sent = Some(fields);
    }

    /// A message is on its way to a reader: its earlier delivery has ended, and `record` writes this one down.
    pub fn delivered(
        &self,
        writer: &TapRecorder,
        received: Received,
        asked: &Asked,
        record: impl FnOnce(Delivery) -> Recording,
    ) {
        let mut seen = self.lock();
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
        let fields = arrived.iter().cloned().chain(left_out).collect();
        let recording = record(Delivery { received, number: known.deliveries, fields });
        if let (None, Some(ix), false) = (sent, recording.ix(), asked.is_everything()) {
            let (recorder, kept) = (writer.recorder.clone(), writer.kept.clone());
            known.lacking.push(Lacking { recorder, ix, asked: asked.clone(), arrived, kept });
        }
        known.open = Some((handle.clone(), recording));
        if let Some(earlier) = earlier {
            seen.handles.remove(&earlier);
        }
        seen.handles.insert(handle, id);
    }

    /// The reader is through with what it got by this receipt handle; one that is not known any more says nothing.
    pub fn settled(&self, handle: &str, how: Settlement) {
        let mut seen = self.lock();
        let Some(id) = seen.handles.remove(handle) else { return };
        if let Some((_, recording)) = seen.messages.get_mut(&id).and_then(|known| known.open.take()) {
            recording.end(CaptureEnd::Settled(how));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn known(&mut self, writer: &TapRecorder, id: &str) -> &mut Known {
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
            writer.gap(format!("of more than {REMEMBERED} messages the oldest are not followed any further"));
        }
    }
}
