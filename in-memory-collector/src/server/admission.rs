//! The amount that is received at once, and the number of requests under way.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::refusal::Refusal;
use crate::shared::SharedState;

/// Bytes that one request holds, given back when it ends.
#[derive(Debug)]
pub struct Admission {
    shared: Arc<SharedState>,
    held: usize,
}

impl Admission {
    pub fn new(shared: Arc<SharedState>) -> Self {
        Self { shared, held: 0 }
    }

    /// Asks for so many bytes more.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let limit = self.shared.limits.receiving_bytes;
        let before = self.shared.receiving.fetch_add(bytes, Ordering::Relaxed);
        self.held += bytes;
        if before + bytes > limit { Err(Refusal::Busy(limit)) } else { Ok(()) }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.shared.receiving.fetch_sub(self.held, Ordering::Relaxed);
    }
}

/// A request that is under way, from its head to its answer.
#[derive(Debug)]
pub struct UnderWay {
    shared: Arc<SharedState>,
}

impl UnderWay {
    pub fn begin(shared: &Arc<SharedState>) -> Self {
        shared.in_flight.fetch_add(1, Ordering::SeqCst);
        Self { shared: shared.clone() }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.shared.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.shared.idle.send_modify(|version| *version += 1);
        }
    }
}

/// Counts what is open, for a stop that waits.
#[derive(Debug)]
pub struct CountGuard(watch::Sender<usize>);

impl CountGuard {
    pub fn new(counter: &watch::Sender<usize>) -> Self {
        counter.send_modify(|open| *open += 1);
        Self(counter.clone())
    }
}

impl Drop for CountGuard {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}
