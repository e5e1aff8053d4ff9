//! The state that endpoints, connections and queries share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::endpoint::EndpointState;
use crate::limits::Limits;
use crate::query::parked::ParkedWaits;
use crate::server::cors::Cors;
use crate::store::{RequestRecord, Store};
use crate::telemetry::TraceId;

#[derive(Debug)]
pub struct SharedState {
    pub limits: Limits,
    pub clock: Clock,
    pub cors: Cors,
    store: Mutex<Store>,
    /// Requests that wait for the store.
    inserting: AtomicUsize,
    /// Grows with each stored request, after it is visible and before it is acknowledged.
    pub version: watch::Sender<u64>,
    /// Grows whenever the last request under way ends.
    pub idle: watch::Sender<u64>,
    /// The waits for each trace.
    pub parked: ParkedWaits,
    pub in_flight: AtomicUsize,
    /// Bytes being received.
    pub receiving: AtomicUsize,
    /// Open connections and listeners.
    pub connections: watch::Sender<usize>,
    /// No new requests; those under way are finished.
    pub stop: watch::Sender<bool>,
    /// No requests at all.
    pub kill: watch::Sender<bool>,
    pub endpoints: Mutex<HashMap<Arc<str>, Arc<EndpointState>>>,
    agents: Mutex<Vec<Arc<str>>>,
}

/// User agents that are kept once; beyond so many each request has its own copy.
const AGENTS: usize = 64;
/// The number of times that a query lets requests go first before it takes its turn.
const PATIENCE: usize = 64;
/// A longer user agent is cut.
const AGENT_BYTES: usize = 512;

impl SharedState {
    pub fn new(limits: Limits, clock: Clock, cors: Cors) -> Self {
        let store = Store::new(limits.store_bytes, limits.request_records, clock.now());
        Self {
            limits,
            clock,
            cors,
            store: Mutex::new(store),
            inserting: AtomicUsize::new(0),
            version: watch::channel(0).0,
            idle: watch::channel(0).0,
            parked: ParkedWaits::default(),
            in_flight: AtomicUsize::new(0),
            receiving: AtomicUsize::new(0),
            connections: watch::channel(0).0,
            stop: watch::channel(false).0,
            kill: watch::channel(false).0,
            endpoints: Mutex::default(),
            agents: Mutex::default(),
        }
    }

    /// Locks the store for a query. It lets requests that wait for the store go first, so that no reader, however
    /// often it asks, holds an exporter up: the mutex alone would give itself to the reader again and again.
    pub fn look(&self) -> MutexGuard<'_, Store> {
        for _ in 0..PATIENCE {
            if self.inserting.load(Ordering::Relaxed) == 0 {
                break;
            }
            std::thread::yield_now();
        }
        self.store.lock()
    }

    /// Locks the store for a request.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.inserting.fetch_add(1, Ordering::Relaxed);
        let store = self.store.lock();
        self.inserting.fetch_sub(1, Ordering::Relaxed);
        store
    }

    /// Wakes everybody who waits for what was just stored. The store is not locked here.
    pub fn stored(&self, touched: &[TraceId]) {
        self.parked.wake(touched);
        self.version.send_modify(|version| *version += 1);
    }

    /// Notes a request that stored nothing.
    pub fn note(&self, record: RequestRecord) {
        self.store().note(record);
        self.version.send_modify(|version| *version += 1);
    }

    /// Waits on the clock of the collector. Only for code that runs on its threads.
    pub async fn pause(&self, pause: Duration) {
        self.clock.reach(&Handle::current(), self.clock.now() + pause).await;
    }

    pub fn agent(&self, agent: &[u8]) -> Arc<str> {
        let agent = String::from_utf8_lossy(&agent[..agent.len().min(AGENT_BYTES)]);
        let mut agents = self.agents.lock();
        if let Some(known) = agents.iter().find(|known| ***known == *agent) {
            return known.clone();
        }
        let new: Arc<str> = agent.into();
        if agents.len() < AGENTS {
            agents.push(new.clone());
        }
        new
    }
}
