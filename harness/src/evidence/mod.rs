//! What was seen in one case: captures, spans, logs, and what was not seen and why. Immutable once frozen.
//!
//! Nothing here is parsed further than needed to tell one request from the next: a malformed header is
//! evidence. Values of fields that are neither propagation fields nor declared markers never get in
//! (`keep_raw` lets them).

use crate::plan::{Mark, StimulusIx, TapIx};
use crate::scenario::NodeIx;

pub mod capture;
pub mod collected;
pub mod exchange;
pub mod file;
pub mod recorder;
pub mod span;

pub use capture::{
    Capture, CaptureEnd, CaptureIx, CaptureMark, Field, FieldKind, Message, MessageDirection, Protocol,
    Settlement,
};
pub use exchange::{Answer, Exchange};
pub use recorder::{Head, MessageHead, Recorder, Recording};
pub use span::{Link, LogRecord, Span, SpanIx, SpanKind};

/// Everything that one case left behind.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// In the order in which the taps saw them.
    pub captures: Vec<Capture>,
    /// In the order in which they arrived; identical duplicates are counted in the span, not repeated.
    pub spans: Vec<Span>,
    pub logs: Vec<LogRecord>,
    /// One for each stimulus that was sent.
    pub exchanges: Vec<Exchange>,
    /// For each node of the scenario, in its order, why what it exported is thought complete.
    pub completions: Vec<Completion>,
    pub gaps: Vec<Gap>,
    /// The port of each tap of the plan, in its order, as the nodes saw it; 0 where there is none.
    pub tap_ports: Vec<u16>,
}

/// Why a node's spans and logs are thought complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The node exports nothing by declaration (client, stub, forwarder, `telemetry: none`).
    NothingDue,
    /// It answered a flush that was asked for at this time.
    Flushed { asked_nanos: u64, answered_nanos: u64 },
    /// It ended by itself after the stop signal sent at this time, and exited.
    Stopped { asked_nanos: u64, status: String },
    /// Nothing arrived for the quiet window; no evidence that nothing more would have come.
    Quiet { since_nanos: u64 },
    /// None of these, and why.
    Unknown(String),
}

impl Completion {
    /// When the flush was asked for that counts as evidence; `u64::MAX` where nothing is due.
    pub fn flush_asked_nanos(&self) -> Option<u64> {
        match self {
            Completion::NothingDue => Some(u64::MAX),
            Completion::Flushed { asked_nanos, .. } | Completion::Stopped { asked_nanos, .. } => {
                Some(*asked_nanos)
            }
            Completion::Quiet { .. } | Completion::Unknown(_) => None,
        }
    }
}

/// Something that could not be seen, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub place: GapPlace,
    /// Lower case, no full stop, names what is missing and what to do.
    pub what: String,
    /// The last output of a node that died, and the like.
    pub lines: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapPlace {
    Run,
    Node(NodeIx),
    Tap(TapIx),
    Stimulus(StimulusIx),
}

/// The mark that a thing carries, if it carries one of this run.
pub fn mark_of(marked: &CaptureMark) -> Option<Mark> {
    match marked {
        CaptureMark::By(mark) => Some(*mark),
        CaptureMark::Absent | CaptureMark::Unreadable(_) => None,
    }
}
