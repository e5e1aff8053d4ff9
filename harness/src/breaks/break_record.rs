//! One break as data: its kind, where it is, the values on both sides, and what would show more.
//!
//! Nothing here is a sentence: `rules::wording` makes the words, for the one example of a finding that is shown.

use std::ops::Range;

use super::break_kind::{ContextFields, LeakedField, Swap};
use super::{BreakKind, Class, Side, Value};
use crate::crossings::{ContextField, CrossingIx, CrossingRef};
use crate::evidence::{CaptureIx, SpanIx};
use crate::plan::StimulusIx;
use crate::scenario::{HopIx, NodeIx};
use crate::wire::Format;

#[derive(Clone, Debug, PartialEq)]
pub struct Break {
    pub kind: BreakKind,
    pub side: Side,
    pub hop: HopIx,
    /// The node that broke it.
    pub node: NodeIx,
    pub crossing: Option<CrossingIx>,
    /// Crossings of other hops that the same message goes over.
    pub shared: Vec<CrossingIx>,
    pub stimulus: Option<StimulusIx>,
    pub grade: Grade,
    pub expected: Value,
    pub actual: Value,
    /// The format whose context it is about.
    pub format: Format,
    /// The bytes on the wire that it is about.
    pub caret: Caret,
    /// The capture that it speaks of: the request or message that its words name.
    pub capture: Option<CaptureIx>,
    /// The span that it speaks of.
    pub span: Option<SpanIx>,
    pub missing_witness: Option<Witness>,
    /// Remarks that are not findings of their own.
    pub remarks: Vec<Remark>,
    /// The class of the break of the same crossing that it follows from: it counts only where that class does not.
    pub follows: Option<Class>,
}

/// The weight of a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Legal, and the same for every service with this SDK: one line for each node, never a finding about a service.
    Quirk,
    /// Legal for a service, a finding under `--strict` and in the reference suite.
    Note,
    /// The witnesses at hand do not suffice.
    Inconclusive,
    Fault,
}

/// The bytes that a break is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caret {
    Nothing,
    /// The whole field.
    Field(ContextField),
    /// Bytes of one of the field's lines, counted from 0.
    Bytes {
        field: ContextField,
        line: usize,
        at: Range<usize>,
    },
    /// Fields of a format that is not W3C Trace Context.
    Format(Format),
    /// Parts of the context.
    TraceId,
    ParentId,
    Flags,
}

impl Caret {
    /// Returns the field that it stands in.
    pub fn field(&self) -> Option<ContextField> {
        match self {
            Caret::Field(field) | Caret::Bytes { field, .. } => Some(*field),
            Caret::TraceId | Caret::ParentId | Caret::Flags => Some(ContextField::TraceParent),
            Caret::Nothing | Caret::Format(_) => None,
        }
    }

    /// Returns which of the field's lines it stands in, from 0.
    pub fn line(&self) -> usize {
        match self {
            Caret::Bytes { line, .. } => *line,
            Caret::Nothing
            | Caret::Field(_)
            | Caret::Format(_)
            | Caret::TraceId
            | Caret::ParentId
            | Caret::Flags => 0,
        }
    }

    /// Returns the bytes of a field's value that it points at: of `00-<32>-<16>-<2>` the part, of a context in another
    /// format all of it. `None` where the value, of `length` bytes, is shorter.
    pub fn range(&self, format: Format, length: usize) -> Option<Range<usize>> {
        let part = match self {
            Caret::Nothing | Caret::Format(_) => return None,
            Caret::Field(_) => 0..length,
            Caret::Bytes { at, .. } => at.clone(),
            Caret::TraceId | Caret::ParentId | Caret::Flags if format != Format::TraceContext => 0..length,
            Caret::TraceId => 3..35,
            Caret::ParentId => 36..52,
            Caret::Flags => 53..55,
        };
        (part.end <= length).then_some(part)
    }
}

/// A witness that would have shown more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Witness {
    /// A marker: a request on this hop belongs to no known stimulus.
    Marker,
    /// A successful answer to what this crossing brought to the sender.
    Answer(CrossingIx),
    /// A tap, on a hop that says `tap: none`.
    Tap,
    /// The call through the tap: the sender may not have its address.
    TapAddress,
    /// The connection over which a record was sent: on Kafka no tap shows it.
    SenderOfRecord,
    /// The node's own span for what it received.
    IncomingSpan,
    /// Any span of the node.
    AnySpan,
    /// A flush of the node after the call.
    Flush,
}

/// A remark on a break that is not a break of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// The sender extracted what it received correctly, into this span.
    ExtractedCorrectly(SpanIx),
    /// The same where a wire shows in which trace the span had to be.
    ExtractedIntoItsTrace(SpanIx),
    /// The node exported no span for what it received.
    NoIncomingSpan(NodeIx),
}

impl Break {
    pub fn new(kind: BreakKind, side: Side, hop: HopIx, node: NodeIx) -> Break {
        Break {
            kind,
            side,
            hop,
            node,
            crossing: None,
            shared: Vec::new(),
            stimulus: None,
            grade: Grade::Fault,
            expected: Value::Implied,
            actual: Value::Implied,
            format: Format::TraceContext,
            caret: Caret::Nothing,
            capture: None,
            span: None,
            missing_witness: None,
            remarks: Vec::new(),
            follows: None,
        }
    }

    /// Returns a break on a crossing, of the node on that side of it.
    pub fn on(crossing: CrossingRef<'_>, kind: BreakKind, side: Side) -> Break {
        let (node, capture, span) = match side {
            Side::Receiver => (crossing.receiver(), crossing.received_capture(), crossing.receiver_span_ix()),
            Side::Intermediary => {
                let node = crossing.hop().transport.via().unwrap_or(crossing.sender());
                (node, crossing.received_capture(), None)
            }
            Side::Sender | Side::Unknown => {
                let span = crossing.call_span_ix().or(crossing.named_span_ix());
                (crossing.sender(), crossing.sent_capture(), span)
            }
        };
        Break {
            stimulus: Some(crossing.stimulus_ix()),
            crossing: Some(crossing.ix()),
            format: crossing.hop().format(),
            capture,
            span,
            ..Break::new(kind, side, crossing.hop_ix(), node)
        }
    }

    /// Returns a break of the sender of a crossing.
    pub fn by_sender(crossing: CrossingRef<'_>, kind: BreakKind) -> Break {
        Break::on(crossing, kind, Side::Sender)
    }

    /// Returns a break of the receiver of a crossing.
    pub fn by_receiver(crossing: CrossingRef<'_>, kind: BreakKind) -> Break {
        Break::on(crossing, kind, Side::Receiver)
    }

    /// Returns the name of a field in the format that it is about.
    pub fn field_name(&self, field: ContextField) -> &'static str {
        field.name_in(self.format)
    }

    /// Returns the names of the fields that it is about, none for a break of spans or of the graph.
    pub fn field_names(&self) -> impl Iterator<Item = String> {
        let fields = match self.kind {
            BreakKind::Leaked(LeakedField::Context(fields)) | BreakKind::Swapped(Swap::Injected(fields)) => {
                Some(fields)
            }
            kind => kind.fields().or_else(|| self.caret.field().map(ContextFields::of)),
        };
        let format = self.format;
        let of_context = fields.into_iter().flat_map(ContextFields::iter);
        let names = of_context.map(move |field| field.name_in(format).to_owned());
        names.chain(self.expected.header_names().to_vec())
    }

    pub fn class(&self) -> Class {
        self.kind.class()
    }

    pub fn values(self, expected: Value, actual: Value) -> Break {
        Break { expected, actual, ..self }
    }

    pub fn at(self, caret: Caret) -> Break {
        Break { caret, ..self }
    }

    pub fn graded(self, grade: Grade) -> Break {
        Break { grade, ..self }
    }

    pub fn missing(self, witness: Witness) -> Break {
        Break { missing_witness: Some(witness), ..self }
    }

    pub fn of_span(self, span: SpanIx) -> Break {
        Break { span: Some(span), ..self }
    }

    pub fn with(mut self, remark: Remark) -> Break {
        self.remarks.push(remark);
        self
    }
}
