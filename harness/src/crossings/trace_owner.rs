//! Which stimulus a trace is of: the one it was minted for, or in whose expected context it was.

use super::Crossings;
use super::expected::is_begun_by_call;
use super::hashing::IdMap;
use crate::plan::StimulusIx;
use crate::wire::TraceId;

pub fn owners(all: &Crossings<'_>) -> IdMap<TraceId, StimulusIx> {
    let mut owners: IdMap<TraceId, Option<StimulusIx>> =
        minted(all).map(|(trace, ix)| (trace, Some(ix))).collect();
    let minted_for: IdMap<TraceId, StimulusIx> = minted(all).collect();
    for (ix, crossing) in all.records() {
        for trace in [crossing.expected.trace, crossing.due.trace].into_iter().flatten() {
            let ours = minted_for.get(&trace).is_none_or(|stimulus| *stimulus == crossing.stimulus);
            let owner = owners.entry(trace).or_insert(Some(crossing.stimulus));
            // Of several requests without a context that share one the first began it.
            if ours && *owner != Some(crossing.stimulus) && !is_begun_by_call(all, ix) {
                *owner = None;
            }
        }
    }
    owners.into_iter().filter_map(|(trace, owner)| Some((trace, owner?))).collect()
}

pub(super) fn minted<'c>(all: &'c Crossings<'_>) -> impl Iterator<Item = (TraceId, StimulusIx)> + 'c {
    let carries =
        |stimulus: &&crate::plan::Stimulus| stimulus.sent.valid && stimulus.sent.traceparent.is_some();
    all.plan
        .stimuli
        .iter()
        .filter(carries)
        .filter_map(|stimulus| Some((TraceId::new(stimulus.sent.trace_id)?, stimulus.ix)))
}
