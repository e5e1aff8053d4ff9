//! The waits for each trace, so that an arrival wakes only those that it concerns.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::telemetry::TraceId;

#[derive(Clone, Debug, Default)]
pub struct ParkedWaits {
    shared: Arc<Waiters>,
}

#[derive(Debug, Default)]
struct Waiters {
    by_trace: Mutex<HashMap<TraceId, watch::Sender<u64>>>,
    count: AtomicUsize,
}

/// One waiter's place; given back when it goes.
#[derive(Debug)]
pub struct Place {
    parked: ParkedWaits,
    trace: TraceId,
    pub changes: watch::Receiver<u64>,
}

impl ParkedWaits {
    /// Returns whether anybody waits. Call it under the lock of the store, so that a waiter who looks there later sees
    /// more.
    pub fn any(&self) -> bool {
        self.shared.count.load(Ordering::SeqCst) > 0
    }

    pub fn park(&self, trace: TraceId) -> Place {
        let mut waiters = self.waiters();
        let changes = waiters.entry(trace).or_insert_with(|| watch::channel(0).0).subscribe();
        self.shared.count.fetch_add(1, Ordering::SeqCst);
        drop(waiters);
        Place { parked: self.clone(), trace, changes }
    }

    pub fn wake(&self, touched: &[TraceId]) {
        if touched.is_empty() || !self.any() {
            return;
        }
        let waiters = self.waiters();
        for trace in touched {
            if let Some(changes) = waiters.get(trace) {
                changes.send_modify(|version| *version += 1);
            }
        }
    }

    fn waiters(&self) -> MutexGuard<'_, HashMap<TraceId, watch::Sender<u64>>> {
        self.shared.by_trace.lock()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiters = self.parked.waiters();
        self.parked.shared.count.fetch_sub(1, Ordering::SeqCst);
        // This place still counts as one receiver.
        if waiters.get(&self.trace).is_some_and(|changes| changes.receiver_count() <= 1) {
            waiters.remove(&self.trace);
        }
    }
}
