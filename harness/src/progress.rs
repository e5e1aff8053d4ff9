//! The progress of a run: the only interface from a run to a report.

use std::time::Duration;

use crate::verdict::{CaseEnd, NodeSoftware};

#[derive(Clone, Debug)]
pub enum Progress {
    RunStarted {
        cases: usize,
        repeats: u32,
        seed: u64,
    },
    CaseStarted {
        title: String,
    },
    /// A case under way waits long.
    CaseWaits {
        title: String,
        /// The reason, and how long it may take.
        what: String,
    },
    /// `title` is unique in the run; `repeat` counts from 1.
    CaseEnded {
        title: String,
        file: String,
        repeat: u32,
        end: CaseEnd,
        took: Duration,
        software: Vec<NodeSoftware>,
    },
    /// Ctrl-C or SIGTERM: the cases under way are stopped, and no other case starts.
    Interrupted,
    RunEnded {
        took: Duration,
    },
}
