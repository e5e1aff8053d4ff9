//! The faults of one endpoint, and how often each had its turn.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::{Fault, When};
use crate::store::Signal;

#[derive(Debug, Default)]
pub struct FaultPlan {
    entries: Mutex<Vec<Entry>>,
    /// True if there are any; read for each request.
    any: AtomicBool,
}

#[derive(Debug)]
struct Entry {
    when: When,
    fault: Fault,
    /// Requests that fitted so far.
    seen: u64,
}

impl FaultPlan {
    pub fn add(&self, when: When, fault: Fault) {
        self.entries().push(Entry { when, fault, seen: 0 });
        self.any.store(true, Ordering::SeqCst);
    }

    pub fn clear(&self) {
        self.entries().clear();
        self.any.store(false, Ordering::SeqCst);
    }

    /// Returns whether a new HTTP/2 connection gets windows of a few bytes.
    pub fn stalls(&self) -> bool {
        self.any() && self.entries().iter().any(|entry| entry.fault == Fault::Stall)
    }

    /// Returns the fault for a request whose head was read: the first in the plan whose turn it is.
    pub fn for_head(&self, path: &str, signal: Option<Signal>) -> Option<Fault> {
        let fits = |when: &When| !when.is_about_a_trace() && when.fits_head(path, signal);
        self.turn(fits)
    }

    /// Returns the fault for a request with these traces.
    pub fn for_traces<'a>(
        &self,
        signal: Signal,
        traces: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Option<Fault> {
        let any = |when: &When| traces.clone().any(|trace| when.fits_trace(trace));
        self.turn(|when| when.is_about_a_trace() && when.fits_signal(signal) && any(when))
    }

    fn turn(&self, fits: impl Fn(&When) -> bool) -> Option<Fault> {
        if !self.any() {
            return None;
        }
        let mut chosen = None;
        for entry in self.entries().iter_mut().filter(|entry| fits(&entry.when)) {
            let turn = entry.when.is_turn(entry.seen);
            entry.seen += 1;
            if turn && chosen.is_none() {
                chosen = Some(entry.fault.clone());
            }
        }
        chosen
    }

    fn any(&self) -> bool {
        self.any.load(Ordering::SeqCst)
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock()
    }
}
