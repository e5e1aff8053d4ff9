//! The clock by which arrivals are stamped and waits end. A test may hold it in its hand.
//!
//! Time-outs of the network are not on it: a client that is slow is slow in real time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;

#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    Manual(ManualClock),
}

/// Stands still until it is moved. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock {
    base: Instant,
    now: watch::Sender<Duration>,
    sleepers: Arc<Mutex<u64>>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { base: Instant::now(), now: watch::channel(Duration::ZERO).0, sleepers: Arc::default() }
    }
}

impl ManualClock {
    pub fn now(&self) -> Instant {
        self.base + *self.now.borrow()
    }

    /// Moves the clock forward and wakes everything that waited for that.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now += by);
    }

    /// Returns how often something began to wait on this clock.
    pub fn waits_begun(&self) -> u64 {
        *self.sleepers.lock()
    }
}

impl Clock {
    pub fn now(&self) -> Instant {
        match self {
            Clock::System => Instant::now(),
            Clock::Manual(clock) => clock.now(),
        }
    }

    /// Returns at `deadline`. Timers of the system clock are of `runtime`, so that any runtime may wait.
    pub async fn reach(&self, runtime: &Handle, deadline: Instant) {
        match self {
            Clock::System => {
                let timer = {
                    let _inside = runtime.enter();
                    tokio::time::sleep_until(deadline.into())
                };
                timer.await;
            }
            Clock::Manual(clock) => {
                let mut now = clock.now.subscribe();
                *clock.sleepers.lock() += 1;
                let target = deadline.saturating_duration_since(clock.base);
                // The sender lives as long as `clock`, so this ends only when the time has come.
                drop(now.wait_for(|now| *now >= target).await);
            }
        }
    }
}
