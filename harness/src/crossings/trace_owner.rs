//! The stimulus that a trace is of: the one it was minted for, or in whose expected context it was.

use super::minted::minted;
use super::{Crossings, IdMap};
use crate::plan::StimulusIx;
use crate::wire::TraceId;

/// Returns the stimulus of each trace that is of one alone.
pub(super) fn owners(all: &Crossings<'_>) -> IdMap<TraceId, StimulusIx> {
    let minted: IdMap<TraceId, StimulusIx> = minted(all.plan).collect();
    let mut owners: IdMap<TraceId, Option<StimulusIx>> =
        minted.iter().map(|(trace, stimulus)| (*trace, Some(*stimulus))).collect();
    for crossing in all.iter() {
        let stimulus = crossing.stimulus_ix();
        for trace in [crossing.expected().trace, crossing.due().trace].into_iter().flatten() {
            let ours = minted.get(&trace).is_none_or(|owner| *owner == stimulus);
            let owner = owners.entry(trace).or_insert(Some(stimulus));
            // Of several requests without a context that share one the first began it.
            if ours && *owner != Some(stimulus) && !crossing.is_begun_alone() {
                *owner = None;
            }
        }
    }
    owners.into_iter().filter_map(|(trace, owner)| Some((trace, owner?))).collect()
}
