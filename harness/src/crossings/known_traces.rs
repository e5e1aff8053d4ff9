//! The stimulus that a trace is of, as far as it is known before spans are paired.

use super::IdMap;
use super::minted::minted;
use crate::plan::{Plan, StimulusIx};
use crate::wire::TraceId;

#[derive(Debug)]
pub struct KnownTraces {
    /// `None` for a trace that several stimuli share.
    owners: IdMap<TraceId, Option<StimulusIx>>,
}

impl KnownTraces {
    /// Builds it from the traces that were minted.
    pub fn minted(plan: &Plan) -> KnownTraces {
        KnownTraces { owners: minted(plan).map(|(trace, stimulus)| (trace, Some(stimulus))).collect() }
    }

    /// Notes that a stimulus continued in a trace; one that was another's before is nobody's.
    pub fn add(&mut self, trace: TraceId, stimulus: StimulusIx) {
        let owner = self.owners.entry(trace).or_insert(Some(stimulus));
        if *owner != Some(stimulus) {
            *owner = None;
        }
    }

    pub fn owner(&self, trace: TraceId) -> Option<StimulusIx> {
        self.owners.get(&trace).copied().flatten()
    }

    /// Notes the trace of a marked capture, where it is unknown: its stimulus continued in it.
    pub fn learn(&mut self, trace: Option<TraceId>, stimulus: StimulusIx) {
        if let Some(trace) = trace
            && !self.owners.contains_key(&trace)
        {
            self.add(trace, stimulus);
        }
    }
}
