//! Spans as they left a collector: what judging compares with the spans that came in.
//!
//! The spans that nodes exported are `Evidence::spans`; here is only what came out of a collector, once for each
//! receiver.

use compact_str::CompactString;
use in_memory_collector as otlp;

use super::collected::link;
use super::{IdBytes, Link, Span};
use crate::scenario::{ExportTarget, NodeIx};

/// Index into `Evidence::collector_spans`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectorSpanIx(pub usize);

/// A span as it left a collector. Ids are bytes as exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorSpan {
    /// The collector that exported it.
    pub from: NodeIx,
    pub to: ExportTarget,
    pub trace_id: IdBytes,
    pub span_id: IdBytes,
    /// Empty for a root.
    pub parent_id: IdBytes,
    pub flags: u32,
    pub trace_state: CompactString,
    pub name: CompactString,
    pub links: Vec<Link>,
}

impl CollectorSpan {
    /// Reads a span that a collector exported.
    pub fn read(span: &otlp::Span, from: NodeIx, to: ExportTarget) -> CollectorSpan {
        CollectorSpan {
            from,
            to,
            trace_id: span.trace_id_bytes().into(),
            span_id: span.span_id_bytes().into(),
            parent_id: span.parent_id_bytes().into(),
            flags: span.flags(),
            trace_state: span.trace_state().into(),
            name: span.name().into(),
            links: span.links().into_iter().map(link).collect(),
        }
    }
}

/// The parts of a span that a collector must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanParts<'e> {
    pub trace_id: &'e [u8],
    pub span_id: &'e [u8],
    pub parent_id: &'e [u8],
    pub flags: u32,
    pub trace_state: &'e str,
    pub links: &'e [Link],
}

impl<'e> From<&'e Span> for SpanParts<'e> {
    fn from(span: &'e Span) -> Self {
        let Span { trace_id, span_id, parent_id, flags, trace_state, links, .. } = span;
        SpanParts { trace_id, span_id, parent_id, flags: *flags, trace_state, links }
    }
}

impl<'e> From<&'e CollectorSpan> for SpanParts<'e> {
    fn from(span: &'e CollectorSpan) -> Self {
        let CollectorSpan { trace_id, span_id, parent_id, flags, trace_state, links, .. } = span;
        SpanParts { trace_id, span_id, parent_id, flags: *flags, trace_state, links }
    }
}
