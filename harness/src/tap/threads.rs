//! Threads of clients that block: told to end by a flag, waited for within bounds.
//!
//! A client of Kafka may block whoever drops it until its broker answers, so it lives and dies on a thread of its own.
//! One that does not end in time is left to itself: it holds nothing but its client.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// How long all threads together may take to end.
const END_WITHIN: Duration = Duration::from_secs(5);

/// They are told to end when this is dropped.
#[derive(Debug)]
pub(crate) struct Threads {
    over: Arc<AtomicBool>,
    /// Each thread holds a receiver as long as it lives.
    alive: watch::Sender<()>,
}

/// What a thread knows of its own end.
#[derive(Debug)]
pub(crate) struct Life {
    over: Arc<AtomicBool>,
}

impl Threads {
    pub(crate) fn new() -> Self {
        Self { over: Arc::default(), alive: watch::Sender::new(()) }
    }

    /// Everything that `body` makes or is given is dropped on the new thread.
    pub(crate) fn spawn(&self, name: &str, body: impl FnOnce(&Life) + Send + 'static) -> io::Result<()> {
        let life = Life { over: self.over.clone() };
        let alive = self.alive.subscribe();
        let run = move || {
            body(&life);
            drop(alive);
        };
        thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
    }

    /// Tells the threads to end, and comes back when they have.
    pub(crate) async fn stop(&self) {
        self.over.store(true, Ordering::Release);
        // What takes longer hangs at a broker that is gone.
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
