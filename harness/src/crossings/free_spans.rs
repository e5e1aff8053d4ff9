//! Spans that may be for any crossing: begun by nothing in their node or on a wire.

use std::collections::{HashMap, HashSet};

use super::Crossings;
use super::hashing::IdMap;
use super::span_index::is_receipt;
use crate::evidence::{Span, SpanIx};
use crate::plan::StimulusIx;
use crate::scenario::NodeIx;
use crate::wire::{SpanId, TraceId};

/// Traces that are known to be of a stimulus: minted for it, or sent on by a node with it.
pub(super) struct OwnedTraces {
    minted: IdMap<TraceId, StimulusIx>,
    sent_on: HashMap<(NodeIx, TraceId), HashSet<StimulusIx>>,
}

impl OwnedTraces {
    pub fn of(all: &Crossings<'_>) -> OwnedTraces {
        let ids = all.plan.stimuli.iter();
        let minted =
            ids.filter_map(|stimulus| Some((TraceId::new(stimulus.sent.trace_id)?, stimulus.ix))).collect();
        let mut sent_on: HashMap<(NodeIx, TraceId), HashSet<StimulusIx>> = HashMap::new();
        for (_, crossing) in all.records() {
            for context in all.wire(crossing).into_iter().flat_map(|wire| wire.contexts()) {
                let sent = (all.sender(crossing), context.trace_id);
                sent_on.entry(sent).or_default().insert(crossing.stimulus);
            }
        }
        OwnedTraces { minted, sent_on }
    }

    /// Whether a span of `node` is of this stimulus; `None` where its trace tells nothing.
    pub fn says(&self, node: NodeIx, span: &Span, stimulus: StimulusIx) -> Option<bool> {
        let trace = TraceId::from_bytes(&span.trace_id)?;
        let minted = self.minted.get(&trace).map(|owner| *owner == stimulus);
        minted.or_else(|| self.sent_on.get(&(node, trace)).map(|owners| owners.contains(&stimulus)))
    }
}

/// Spans that may be for any crossing, and what tells that they are not.
pub(super) struct FreeSpans {
    /// For something received, begun by nothing in the node or on a wire.
    pub of_node: IdMap<NodeIx, Vec<SpanIx>>,
    pub owned: OwnedTraces,
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
        FreeSpans { of_node, owned: OwnedTraces::of(all) }
    }
}
