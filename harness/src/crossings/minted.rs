//! The traces that the plan minted for stimuli.

use crate::plan::{Plan, StimulusIx};
use crate::wire::TraceId;

/// Returns the trace of each stimulus that carries a valid context.
pub fn minted(plan: &Plan) -> impl Iterator<Item = (TraceId, StimulusIx)> + '_ {
    plan.stimuli.iter().filter_map(|stimulus| {
        if !stimulus.sent.valid || stimulus.sent.traceparent.is_none() {
            return None;
        }
        Some((TraceId::new(stimulus.sent.trace_id)?, stimulus.ix))
    })
}
