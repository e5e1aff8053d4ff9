//! One stimulus over one hop, once, with everything that was found for it.

use super::{CrossingIx, ExpectedContext};
use crate::evidence::{CaptureIx, SpanIx};
use crate::plan::{Mark, StimulusIx};
use crate::scenario::{HopIx, NodeIx};

/// The way in which a crossing came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// A node sent it.
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
    /// The capture of what left the sender; `None` behind `tap: none`.
    pub capture: Option<CaptureIx>,
    /// The capture of what a broker gave to the receiver; `None` for a call, and where nothing was delivered.
    pub arrival: Option<CaptureIx>,
    /// The mark of the message, for each message of a gRPC stream after the first one with a mark.
    pub stream_mark: Option<Mark>,
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
    /// The context that is expected on the wire.
    pub expected: ExpectedContext,
    /// The same after a restart that was due at the sender.
    pub due: ExpectedContext,
}

impl Crossing {
    /// Builds a crossing that nothing is paired with yet; without a capture behind `tap: none`.
    pub(super) fn sent(
        stimulus: StimulusIx,
        hop: HopIx,
        sender: NodeIx,
        capture: Option<CaptureIx>,
    ) -> Crossing {
        Crossing {
            stimulus,
            hop,
            nature: Nature::Sent,
            sender,
            capture,
            arrival: None,
            stream_mark: None,
            cause: None,
            call_span: None,
            named_span: None,
            same_id_as: None,
            receiver_span: None,
            expected: ExpectedContext::default(),
            due: ExpectedContext::default(),
        }
    }
}
