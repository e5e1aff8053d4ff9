//! Threads for clients that block: a flag ends them, and the wait for their end is bounded.
//!
//! The drop of a Kafka client may block until its broker answers, so a client is created and dropped on a thread of its
//! own. A thread that does not end in time is abandoned: it holds nothing but its client.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// The time that all threads together may take to end.
const END_WITHIN: Duration = Duration::from_secs(5);

/// A group of threads; the drop makes them end.
#[derive(Debug)]
pub(crate) struct Threads {
    over: Arc<AtomicBool>,
    /// Each thread holds a receiver as long as it lives.
    alive: watch::Sender<()>,
}

/// The flag that ends a thread, as the thread sees it.
#[derive(Debug)]
pub(crate) struct Life {
    over: Arc<AtomicBool>,
}

impl Threads {
    pub(crate) fn new() -> Self {
        Self { over: Arc::default(), alive: watch::Sender::new(()) }
    }

    /// Starts a thread. Everything that `body` creates or owns is dropped on it.
    pub(crate) fn spawn(&self, name: &str, body: impl FnOnce(&Life) + Send + 'static) -> io::Result<()> {
        let life = Life { over: self.over.clone() };
        let alive = self.alive.subscribe();
        let started = thread::Builder::new().name(name.to_owned()).spawn(move || {
            body(&life);
            drop(alive);
        });
        started.map(drop)
    }

    /// Makes the threads end; resolves when they have.
    pub(crate) async fn stop(&self) {
        self.over.store(true, Ordering::Release);
        // A thread that takes longer waits for a broker that has ended.
        let _ = timeout(END_WITHIN, self.alive.closed()).await;
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

impl Life {
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}
