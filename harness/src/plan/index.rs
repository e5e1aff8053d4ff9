//! Indices into the lists of a plan.

/// Index into `Plan::taps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TapIx(pub usize);

/// Index into `Plan::stimuli`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StimulusIx(pub usize);

/// Index into `Plan::calls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallIx(pub usize);
