//! The receiver of what a collector exports.

use super::index::NodeIx;

/// The receiver of what a collector exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExportTarget {
    /// The end of the way: the harness.
    Sink,
    Collector(NodeIx),
}

impl ExportTarget {
    /// The name of the sink in scenarios.
    pub const SINK: &'static str = "sink";
}
