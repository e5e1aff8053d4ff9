//! Log records that a relay was instructed to write: they carry the ids of the span that they were written in.

use super::break_kind::LogDefect;
use super::{Break, BreakKind, Breaks, Side, Value};
use crate::crossings::{Crossings, IdSet};
use crate::evidence::LogRecord;
use crate::scenario::{HopIx, NodeIx};
use crate::wire::{SpanId, TraceId};

pub(super) fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    let spanless = spanless(all);
    for (ix, record) in all.evidence.logs.iter().enumerate() {
        if record.body.is_empty() {
            continue;
        }
        let Some(defect) = defect(all, &spanless, record) else { continue };
        let Some(hop) = all.plan.scenario.hops.iter().position(|hop| hop.to == record.node) else { continue };
        let kind = BreakKind::LogUncorrelated(defect);
        let wrong = Break::new(kind, Side::Receiver, HopIx(hop), record.node);
        found.list.push(wrong.values(Value::Implied, Value::LogRecord(ix)));
    }
}

/// Returns the traces that arrived at each node in a request for which no span came.
fn spanless(all: &Crossings<'_>) -> IdSet<(NodeIx, TraceId)> {
    let mut traces = IdSet::default();
    for crossing in all.iter().filter(|crossing| crossing.receiver_span_ix().is_none()) {
        traces.extend(crossing.arrived_contexts().map(|context| (crossing.receiver(), context.trace_id)));
    }
    traces
}

fn defect(all: &Crossings<'_>, spanless: &IdSet<(NodeIx, TraceId)>, record: &LogRecord) -> Option<LogDefect> {
    let (Some(trace), Some(_)) = (TraceId::from_bytes(&record.trace_id), SpanId::from_bytes(&record.span_id))
    else {
        return Some(LogDefect::NoIds);
    };
    let spans = all.spans.in_trace(record.node, &record.trace_id);
    if spans.is_empty() {
        return (!all.owners.contains_key(&trace)).then_some(LogDefect::ForeignTrace);
    }
    // A span for what was received that did not come is R3's; its log records follow from it.
    let lost = spanless.contains(&(record.node, trace));
    let unknown = all.spans.with_id(record.node, &record.span_id).is_empty();
    (unknown && !lost).then_some(LogDefect::UnexportedSpan)
}
