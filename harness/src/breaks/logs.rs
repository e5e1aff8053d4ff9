//! Log records that a relay was told to write: they carry the ids of the span that they were written in.

use super::fault::Break;
use super::{Breaks, Class, Side, name};
use crate::crossings::Crossings;
use crate::evidence::LogRecord;
use crate::scenario::HopIx;
use crate::wire::{SpanId, TraceId};

pub fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    for record in all.evidence.logs.iter().filter(|record| !record.body.is_empty()) {
        let Some(actual) = wrong(all, record) else { continue };
        let hops = all.plan.scenario.hops.iter().enumerate();
        let Some((hop, _)) = hops.into_iter().find(|(_, hop)| hop.to == record.node) else { continue };
        let told = Break::new(Class::LogUncorrelated, Side::Receiver, HopIx(hop), record.node);
        let message = format!("{} wrote the log record `{}` {actual}", name(all, record.node), record.body);
        found.list.push(told.told(
            message,
            "the trace id and span id of the span it was written in".into(),
            actual,
        ));
    }
}

fn wrong(all: &Crossings<'_>, record: &LogRecord) -> Option<String> {
    let (Some(trace), Some(_)) = (TraceId::from_bytes(&record.trace_id), SpanId::from_bytes(&record.span_id))
    else {
        return Some("without the ids of a span".into());
    };
    let in_story =
        all.owners.contains_key(&trace) || !all.spans.in_trace(record.node, &record.trace_id).is_empty();
    if !in_story {
        return Some(format!("in trace {trace}, which is none of the story"));
    }
    let spans = all.spans.in_trace(record.node, &record.trace_id);
    let known = all.spans.with_id(record.node, &record.span_id);
    (!spans.is_empty() && known.is_empty()).then(|| "under a span that was not exported".into())
}
