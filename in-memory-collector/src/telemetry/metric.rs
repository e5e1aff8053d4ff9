//! Metrics by name, with the spans that their measurements were made in. Their points are counted and not kept.

use std::collections::BTreeSet;

/// One metric, whatever its points are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    pub name: String,
    /// Each once, however often it was exported.
    pub exemplars: BTreeSet<Exemplar>,
}

/// The context of a measurement. Ids are as exported, of any length; empty where it was made outside of any span.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Exemplar {
    pub trace_id: Vec<u8>,
    pub span_id: Vec<u8>,
}
