//! The progress of a run of the suite: the only interface between it and a display.

use super::results::Counts;

/// One step of a run.
#[derive(Clone, Debug)]
pub enum SuiteProgress {
    /// The configurations are known, and so is the number of requests.
    Started { configurations: usize, requests: usize },
    /// The target starts in a configuration, and this many vectors are tried there.
    ConfigurationStarted { name: String, vectors: usize },
    /// A request has been answered, or has failed.
    Answered,
    /// The vectors of a configuration are judged, or could not be tried; their requests count as answered.
    ConfigurationEnded { name: String, counts: Counts, requests: usize },
}

/// Takes the progress of a run.
pub type OnProgress<'a> = &'a (dyn Fn(SuiteProgress) + Sync);
