//! Spans as they left a collector: what judging compares with the spans that came in.
//!
//! The spans that nodes exported are `Evidence::spans`; here is only what came out of a collector, once for each
//! receiver.

use in_memory_collector as otlp;

use super::Link;
use super::collected::link;
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
    pub trace_id: Vec<u8>,
    pub span_id: Vec<u8>,
    /// Empty for a root.
    pub parent_id: Vec<u8>,
    pub flags: u32,
    pub trace_state: String,
    pub name: String,
    pub links: Vec<Link>,
}

impl CollectorSpan {
    /// Reads a span that a collector exported.
    pub fn read(span: &otlp::Span, from: NodeIx, to: ExportTarget) -> CollectorSpan {
        CollectorSpan {
            from,
            to,
            trace_id: span.trace_id_bytes().to_vec(),
            span_id: span.span_id_bytes().to_vec(),
            parent_id: span.parent_id_bytes().to_vec(),
            flags: span.flags(),
            trace_state: span.trace_state().to_owned(),
            name: span.name().to_owned(),
            links: span.links().into_iter().map(link).collect(),
        }
    }
}
