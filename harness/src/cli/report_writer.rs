//! Writes the reports that are files while the run is under way, so that a run that is killed leaves the results until
//! then. Each such report says that it is partial.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::report_file::ReportFile;
use crate::progress::Progress;
use crate::report::Outcome;

/// The shortest time between two writes. Writing takes at most a twentieth of the time of the run, whatever its size.
const PAUSE: Duration = Duration::from_secs(1);
const SHARE: u32 = 20;

/// Gathers the outcome of a run, and writes partial reports on a thread of its own.
pub struct ReportWriter {
    shared: Arc<SharedOutcome>,
    thread: Option<JoinHandle<()>>,
}

struct SharedOutcome {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    outcome: Outcome,
    /// A case has ended since the last write.
    is_stale: bool,
    has_ended: bool,
}

impl ReportWriter {
    pub fn start(outcome: Outcome, reports: &[ReportFile]) -> ReportWriter {
        let state = State { outcome, is_stale: false, has_ended: false };
        let shared = Arc::new(SharedOutcome { state: Mutex::new(state), changed: Condvar::new() });
        let files: Vec<ReportFile> =
            reports.iter().filter(|report| report.is_replaceable()).cloned().collect();
        let thread = (!files.is_empty()).then(|| {
            let shared = shared.clone();
            std::thread::spawn(move || shared.write_until_the_end(&files))
        });
        ReportWriter { shared, thread }
    }

    /// Adds what happened to the outcome.
    pub fn take(&self, progress: &Progress) {
        let mut state = self.shared.state.lock();
        state.outcome.take(progress);
        state.is_stale |= matches!(progress, Progress::CaseEnded { .. });
        self.shared.changed.notify_one();
    }

    /// Stops writing and returns the outcome. The caller writes the whole reports.
    pub fn finish(self) -> Outcome {
        self.shared.state.lock().has_ended = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread {
            // A panic there was printed, and the outcome is complete without it.
            let _ = thread.join();
        }
        std::mem::take(&mut self.shared.state.lock().outcome)
    }
}

impl SharedOutcome {
    fn write_until_the_end(&self, reports: &[ReportFile]) {
        let mut state = self.state.lock();
        loop {
            self.changed.wait_while(&mut state, |state| !state.is_stale && !state.has_ended);
            if state.has_ended {
                return;
            }
            state.is_stale = false;
            let begun = Instant::now();
            for report in reports {
                // A file that cannot be written is an error at the end of the run.
                let _ = report.write(&state.outcome);
            }
            let next = Instant::now() + PAUSE.max(begun.elapsed() * SHARE);
            while !state.has_ended && !self.changed.wait_until(&mut state, next).timed_out() {}
        }
    }
}
