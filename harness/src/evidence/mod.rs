//! The evidence of one case: captures, spans, logs, and the gaps between them with their reasons. Immutable once
//! frozen.
//!
//! Nothing is parsed further than needed to distinguish requests: a malformed header is evidence. Values of fields that
//! are neither propagation fields nor declared markers are dropped, unless `keep_raw` is set.

use crate::plan::{Mark, StimulusIx, TapIx};
use crate::scenario::NodeIx;

pub mod arrival;
pub mod capture;
pub mod collected;
pub mod collector_span;
pub mod exchange;
pub mod file;
pub mod group_positions;
mod id_bytes;
pub mod preflight;
pub mod recorder;
pub mod span;
pub mod span_owner;

pub use arrival::{ExportingProcess, SpanArrival};
pub use capture::{
    Capture, CaptureEnd, CaptureIx, CaptureMark, Field, FieldKind, Message, MessageDirection, Protocol,
    RawFields, Settlement,
};
pub use collector_span::{CollectorSpan, CollectorSpanIx, SpanParts};
pub use exchange::{Answer, Exchange};
pub use group_positions::GroupPositions;
pub use id_bytes::IdBytes;
pub use preflight::Preflight;
pub use recorder::{Head, MessageHead, Recorder, Recording, is_propagation_field};
pub use span::{Link, LogRecord, Span, SpanIx, SpanKind};

/// Everything that was seen in one case.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// In the order in which the taps saw them.
    pub captures: Vec<Capture>,
    /// In the order in which they arrived; identical duplicates are counted in the span, not repeated.
    pub spans: Vec<Span>,
    pub logs: Vec<LogRecord>,
    /// The spans that left collectors, in the order in which they arrived behind them.
    pub collector_spans: Vec<CollectorSpan>,
    /// One for each stimulus that was sent.
    pub exchanges: Vec<Exchange>,
    /// One for each drive with an `origin`.
    pub preflights: Vec<Preflight>,
    /// For each node of the scenario, in its order, why its telemetry is considered complete.
    pub completions: Vec<Completion>,
    pub gaps: Vec<Gap>,
    /// The port of each tap of the plan, in its order, as the nodes saw it; 0 for a tap without a port.
    pub tap_ports: Vec<u16>,
    /// For each stimulus the lines of its baggage as they read in this evidence; `None` if baggage is not masked.
    pub masked_baggage: Option<Vec<Vec<Vec<u8>>>>,
}

impl Evidence {
    /// Returns whether a node ended during the run although nobody stopped it.
    pub fn has_died(&self, node: NodeIx) -> bool {
        self.gaps.iter().any(|gap| gap.place == GapPlace::DeadNode(node))
    }

    /// Returns whether anything went through a tap, readable or not.
    pub fn was_called(&self, tap: TapIx) -> bool {
        self.captures.iter().any(|capture| capture.tap == tap)
            || self.gaps.iter().any(|gap| gap.place.tap() == Some(tap))
    }
}

/// The reason to consider the spans and logs of a node complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The node exports nothing by declaration (client, stub, forwarder, `telemetry: none`).
    NothingDue,
    /// It answered a flush that was requested at this time.
    Flushed { asked_nanos: u64, answered_nanos: u64 },
    /// It exited after the stop signal that was sent at this time.
    Stopped { asked_nanos: u64, status: String },
    /// The spans of a further request, sent at this time, arrived from the only process that exports for the node. An
    /// exporter sends spans in the order in which they ended, so what ended before had been exported.
    Ordered { asked_nanos: u64, answered_nanos: u64, process: String },
    /// Nothing arrived during the quiet window, which does not prove that nothing was left to export.
    Quiet { since_nanos: u64 },
    /// Nothing proves it, with the reason.
    Unknown(String),
}

impl Completion {
    /// Returns the time of the flush request that counts as evidence; `u64::MAX` if nothing is due.
    pub fn flush_asked_nanos(&self) -> Option<u64> {
        match self {
            Completion::NothingDue => Some(u64::MAX),
            Completion::Flushed { asked_nanos, .. }
            | Completion::Stopped { asked_nanos, .. }
            | Completion::Ordered { asked_nanos, .. } => Some(*asked_nanos),
            Completion::Quiet { .. } | Completion::Unknown(_) => None,
        }
    }
}

/// Something that could not be seen, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub place: GapPlace,
    /// Lower case, without a full stop: what is missing, and what to do next.
    pub what: String,
    /// The last output of a node that died, and the like.
    pub lines: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapPlace {
    Run,
    Node(NodeIx),
    /// A node that ended during the run.
    DeadNode(NodeIx),
    Tap(TapIx),
    /// A tap whose receiver took no connection.
    UnreachableReceiver(TapIx),
    Stimulus(StimulusIx),
}

impl GapPlace {
    /// Returns the tap that reports it.
    pub fn tap(self) -> Option<TapIx> {
        match self {
            GapPlace::Tap(tap) | GapPlace::UnreachableReceiver(tap) => Some(tap),
            GapPlace::Run | GapPlace::Node(_) | GapPlace::DeadNode(_) | GapPlace::Stimulus(_) => None,
        }
    }
}

/// Returns the mark, if it is one of this run.
pub fn mark_of(marked: &CaptureMark) -> Option<Mark> {
    match marked {
        CaptureMark::By(mark) => Some(*mark),
        CaptureMark::Absent | CaptureMark::Unreadable(_) => None,
    }
}
