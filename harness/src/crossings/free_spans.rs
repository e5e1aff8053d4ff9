//! Spans that may be for any crossing: begun by nothing in their node or on a wire.

use std::collections::{HashMap, HashSet};

use super::span_role::is_receipt;
use super::{Crossings, IdMap};
use crate::evidence::{Span, SpanIx};
use crate::plan::StimulusIx;
use crate::scenario::NodeIx;
use crate::wire::{SpanId, TraceId};

/// The spans, and the evidence that they are of another stimulus.
pub(super) struct FreeSpans {
    of_node: IdMap<NodeIx, Vec<SpanIx>>,
    pub traces: StimulusTraces,
}

impl FreeSpans {
    pub fn of(all: &Crossings<'_>) -> FreeSpans {
        let carried_ids = all.carried_ids();
        let mut of_node: IdMap<NodeIx, Vec<SpanIx>> = IdMap::default();
        for (ix, span) in all.evidence.spans.iter().enumerate().map(|(ix, span)| (SpanIx(ix), span)) {
            let parent = SpanId::from_bytes(&span.parent_id);
            let carried = parent.is_some_and(|parent| carried_ids.contains(&(span.node, parent)));
            if is_receipt(span) && !carried && all.spans.parent(ix).is_none() {
                of_node.entry(span.node).or_default().push(ix);
            }
        }
        FreeSpans { of_node, traces: StimulusTraces::of(all) }
    }

    /// Returns the free spans of a node for something received.
    pub fn of_node(&self, node: NodeIx) -> &[SpanIx] {
        self.of_node.get(&node).map_or(&[], Vec::as_slice)
    }
}

/// Traces that are known to be of a stimulus: minted for it, or sent by a node with it.
pub(super) struct StimulusTraces {
    minted: IdMap<TraceId, StimulusIx>,
    sent: HashMap<(NodeIx, TraceId), HashSet<StimulusIx>>,
}

impl StimulusTraces {
    fn of(all: &Crossings<'_>) -> StimulusTraces {
        // Those of invalid contexts included: an id of one that lives on is the stimulus's.
        let stimuli = all.plan.stimuli.iter();
        let minted =
            stimuli.filter_map(|stimulus| Some((TraceId::new(stimulus.sent.trace_id)?, stimulus.ix)));
        let mut traces = StimulusTraces { minted: minted.collect(), sent: HashMap::new() };
        for crossing in all.iter() {
            for context in crossing.sent_contexts() {
                let sent = (crossing.sender(), context.trace_id);
                traces.sent.entry(sent).or_default().insert(crossing.stimulus_ix());
            }
        }
        traces
    }

    /// Returns whether a span of `node` is of this stimulus; `None` where its trace does not decide.
    pub fn is_of(&self, node: NodeIx, span: &Span, stimulus: StimulusIx) -> Option<bool> {
        let trace = TraceId::from_bytes(&span.trace_id)?;
        if let Some(owner) = self.minted.get(&trace) {
            return Some(*owner == stimulus);
        }
        self.sent.get(&(node, trace)).map(|owners| owners.contains(&stimulus))
    }
}
