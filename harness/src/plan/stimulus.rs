//! Stimuli: the requests that the driver sends, each with its own ids and its own mark.

use super::index::{CallIx, StimulusIx};
use super::mark::Mark;
use crate::scenario::HopIx;
use crate::wire::Decision;

#[derive(Clone, Debug)]
pub struct Stimulus {
    pub ix: StimulusIx,
    /// Index into `Scenario::drives`.
    pub drive: usize,
    /// The hop from `client` that it is sent over.
    pub hop: HopIx,
    pub call: CallIx,
    pub mark: Mark,
    pub sent: StimulusContext,
}

/// The context that a stimulus carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StimulusContext {
    /// The ids that were minted for it, valid or not, with or without a traceparent.
    pub trace_id: [u8; 16],
    pub parent_id: [u8; 8],
    /// The context as a `traceparent`, whatever the formats of the hop; `None` with `context: none`.
    pub traceparent: Option<Vec<u8>>,
    /// The fields that carry it, as they go out.
    pub fields: Vec<(String, Vec<u8>)>,
    /// False when there is a `traceparent` that does not parse.
    pub valid: bool,
    pub sampled: bool,
    /// The decision of a valid context.
    pub decision: Decision,
    /// Each `tracestate` line of the drive's headers, templates filled.
    pub tracestate: Vec<Vec<u8>>,
    pub baggage: Vec<Vec<u8>>,
}
