//! The handle: it opens endpoints, and returns what they received.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::endpoint::{ANY_PORT, Endpoint, EndpointError};
use crate::limits::Limits;
use crate::query::wait::{Deadline, WaitError, wait};
use crate::query::{Condition, TraceQuery};
use crate::server::cors::Cors;
use crate::shared::SharedState;
use crate::store::{RequestRecord, StoreStats};
use crate::telemetry::{LogRecord, Metric, Span, SpanId, TraceId};

/// A cheap handle; clones are the same collector. When the last one goes, its ports close.
///
/// It serves on threads of its own, so an exporter is answered even while the test blocks the thread it runs on.
#[derive(Clone, Debug)]
pub struct Collector {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<SharedState>,
    /// Taken when it goes: a runtime must not be dropped where something waits for it.
    runtime: Option<Runtime>,
}

/// The threads of the collector could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the threads of the collector")]
pub struct StartError(#[from] io::Error);

/// The settings to start a collector with; `Collector::builder`.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    limits: Limits,
    clock: Clock,
    cors: Cors,
}

impl Builder {
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = cors;
        self
    }

    pub fn start(self) -> Result<Collector, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.limits.threads.max(1))
            .thread_name("in-memory-collector")
            .enable_all()
            .build()?;
        let shared = Arc::new(SharedState::new(self.limits, self.clock, self.cors));
        Ok(Collector { inner: Arc::new(Inner { shared, runtime: Some(runtime) }) })
    }
}

/// The number of spans that are copied out of the store at once.
const SLICE: usize = 2048;

impl Collector {
    /// Starts a collector without a port; see `endpoint`.
    pub fn start(limits: Limits) -> Result<Self, StartError> {
        Self::builder().limits(limits).start()
    }

    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Opens a port of the loopback interface under this name, or gives the one that is open.
    pub async fn endpoint(&self, name: &str) -> Result<Endpoint, EndpointError> {
        self.endpoint_at(name, ANY_PORT).await
    }

    /// Opens this port under this name.
    pub async fn endpoint_at(&self, name: &str, address: SocketAddr) -> Result<Endpoint, EndpointError> {
        Endpoint::open(&self.inner.shared, self.runtime().handle(), name, address)
    }

    /// Returns all spans, in the order of their arrival.
    pub fn spans(&self) -> Vec<Span> {
        self.spans_where(|_| true)
    }

    /// Returns the spans that arrived at this endpoint.
    pub fn spans_of(&self, endpoint: &str) -> Vec<Span> {
        self.spans_where(|span| **span.endpoint() == *endpoint)
    }

    /// Returns the spans with this sequence and later ones, in the order of their arrival: for following along.
    pub fn spans_from(&self, sequence: u64) -> Vec<Span> {
        self.spans_between(sequence, |_| true)
    }

    fn spans_where(&self, wanted: impl Fn(&Span) -> bool) -> Vec<Span> {
        self.spans_between(0, wanted)
    }

    /// Collects the spans that match; the store is locked for a slice at a time, so a reader of millions of spans
    /// delays no exporter for long.
    fn spans_between(&self, mut at: u64, wanted: impl Fn(&Span) -> bool) -> Vec<Span> {
        let end = self.inner.shared.look().next_sequence();
        let mut spans = Vec::new();
        loop {
            let (slice, next) = self.inner.shared.look().spans_from(at, end, SLICE);
            if slice.is_empty() {
                return spans;
            }
            spans.extend(slice.into_iter().filter(&wanted));
            at = next;
        }
    }

    /// Returns the spans of a trace, in the order of their arrival.
    pub fn trace(&self, id: impl Into<TraceId>) -> Vec<Span> {
        self.inner.shared.look().trace(id.into())
    }

    /// Returns the spans that have a link to any span of this trace.
    pub fn linking_to(&self, id: impl Into<TraceId>) -> Vec<Span> {
        self.inner.shared.look().linking_to(id.into())
    }

    /// Returns the spans that have a link to this span.
    pub fn linking_to_span(&self, trace: impl Into<TraceId>, span: impl Into<SpanId>) -> Vec<Span> {
        let (trace, span) = (trace.into(), span.into());
        let links =
            |from: &Span| from.links().iter().any(|link| link.trace_id == trace.0 && link.span_id == span.0);
        self.linking_to(trace).into_iter().filter(links).collect()
    }

    /// Returns all log records, in the order of their arrival.
    pub fn logs(&self) -> Vec<LogRecord> {
        self.inner.shared.look().logs()
    }

    /// Returns the names of all metrics, with the contexts of their exemplars. Points are counted and not kept.
    pub fn metrics(&self) -> Vec<Metric> {
        self.inner.shared.look().metrics()
    }

    /// Returns the records of the requests, accepted or not, in their order.
    pub fn requests(&self) -> Vec<RequestRecord> {
        let mut records = self.inner.shared.look().requests.all();
        records.sort_unstable_by_key(|record| record.sequence);
        records
    }

    /// Returns the requests that were not accepted as they were.
    pub fn problems(&self) -> Vec<RequestRecord> {
        self.inner.shared.look().requests.problems()
    }

    /// Returns the number of records of requests that were dropped for later ones (`Limits::request_records`).
    pub fn requests_forgotten(&self) -> u64 {
        self.inner.shared.look().requests.forgotten()
    }

    pub fn stats(&self) -> StoreStats {
        self.inner.shared.look().stats()
    }

    /// Changes after each request, when its content is visible and before its sender receives the answer.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.shared.version.subscribe()
    }

    /// Waits until the spans that `query` selects meet `condition`, and returns them. Nothing is polled.
    pub async fn wait(
        &self,
        query: &TraceQuery,
        condition: Condition,
        deadline: impl Into<Deadline>,
    ) -> Result<Vec<Span>, WaitError> {
        wait(&self.inner.shared, self.runtime().handle(), query, condition, deadline.into()).await
    }

    /// Returns the number of requests whose head was read and that are not answered yet.
    pub fn in_flight(&self) -> usize {
        self.inner.shared.in_flight.load(Ordering::SeqCst)
    }

    /// Resolves when every request that was under way is answered.
    pub async fn idle(&self) {
        let mut idle = self.inner.shared.idle.subscribe();
        while self.in_flight() > 0 {
            if idle.changed().await.is_err() {
                return;
            }
        }
    }

    /// Forgets spans, logs, metrics and requests; memory is kept for the next ones.
    pub fn clear(&self) {
        self.inner.shared.store().clear();
        self.inner.shared.version.send_modify(|version| *version += 1);
    }

    /// Closes the ports, after requests that are under way are answered. What was stored can still be queried.
    pub async fn stop(&self) {
        let shared = self.inner.shared.clone();
        shared.stop.send_replace(true);
        let all_gone = async {
            let mut idle = shared.connections.subscribe();
            drop(idle.wait_for(|open| *open == 0).await);
        };
        let timeout = {
            let _inside = self.runtime().enter();
            tokio::time::timeout(shared.limits.stop_timeout, all_gone)
        };
        drop(timeout.await);
        shared.kill.send_replace(true);
    }

    /// Returns whether `stop` has ended.
    pub fn is_stopped(&self) -> bool {
        *self.inner.shared.kill.borrow()
    }

    /// Returns when `stop` has ended.
    pub async fn stopped(&self) {
        // The sender is ours, so this fails never.
        drop(self.inner.shared.kill.subscribe().wait_for(|stopped| *stopped).await);
    }

    /// Runs a future to its end on the threads of the collector, for tests that are not async.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }

    fn runtime(&self) -> &Runtime {
        self.inner.runtime.as_ref().expect("the runtime is there until the last handle goes")
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.stop.send_replace(true);
        // Endpoints know the shared state and it knows them.
        self.shared.endpoints.lock().clear();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
