//! A service that lives in the test's own process: what it is told, and what the test says of it.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::runtime::{Answer, Given, InProcess, Listening, Served};

/// What a service is told before it starts, in place of an environment.
#[derive(Clone, Debug)]
pub struct Wiring {
    given: Given,
}

impl Wiring {
    /// Where this service exports to: `http://127.0.0.1:PORT` without a path, for OTLP over gRPC and HTTP alike.
    ///
    /// It is this node's own, and of this case only: spans of another service must not go there.
    pub fn otlp_endpoint(&self) -> &str {
        &self.given.otlp_endpoint
    }

    /// Where this service reaches `node` over HTTP: `http://127.0.0.1:PORT` of the tap between the two.
    ///
    /// # Panics
    /// When the scenario has no HTTP hop from this service to `node`.
    #[track_caller]
    pub fn url(&self, node: &str) -> &str {
        named(&self.given.http, node, "http")
    }

    /// Where this service reaches `node` over gRPC: `127.0.0.1:PORT` of the tap between the two.
    ///
    /// # Panics
    /// When the scenario has no gRPC hop from this service to `node`.
    #[track_caller]
    pub fn grpc(&self, node: &str) -> &str {
        named(&self.given.grpc, node, "grpc")
    }

    /// Where this service reaches a broker: `host:port` of Kafka, `amqp://` and `http://` URLs of RabbitMQ and SQS, these
    /// two through a tap.
    ///
    /// # Panics
    /// When no hop of the scenario from or to this service goes through `broker`.
    #[track_caller]
    pub fn broker(&self, broker: &str) -> &str {
        named(&self.given.brokers, broker, "messaging")
    }
}

#[track_caller]
fn named<'a>(known: &'a [(String, String)], node: &str, transport: &str) -> &'a str {
    match known.iter().find(|(name, _)| name == node) {
        Some((_, address)) => address,
        None => panic!("the scenario has no {transport} hop of this service by `{node}`: declare one"),
    }
}

/// A service that was started in this process: where it listens, and how it is asked to flush.
#[derive(Clone)]
#[must_use = "it is what the closure of `in_process` comes back with"]
pub struct Service {
    served: Served,
}

impl Service {
    /// It serves HTTP there.
    pub fn http(address: SocketAddr) -> Self {
        Self::at(Some(address), None)
    }

    /// It serves gRPC there.
    pub fn grpc(address: SocketAddr) -> Self {
        Self::at(None, Some(address))
    }

    /// It serves both; the addresses may be the same.
    pub fn http_and_grpc(http: SocketAddr, grpc: SocketAddr) -> Self {
        Self::at(Some(http), Some(grpc))
    }

    fn at(http: Option<SocketAddr>, grpc: Option<SocketAddr>) -> Self {
        Self { served: Served { listening: Listening { http, grpc }, flush: None } }
    }

    /// How every span and log record that has ended is exported. Called when the story is over; without it the run
    /// waits a while for silence instead.
    ///
    /// Where flushing blocks the thread, as `SdkTracerProvider::force_flush` does, it is `flush_blocking`.
    pub fn flush<F, A, E>(mut self, flush: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.served.flush = Some(Arc::new(move || {
            let flushed = flush();
            Box::pin(async move { flushed.await.map_err(|error| error.to_string()) })
        }));
        self
    }

    /// The same for a call that blocks; it gets a thread of its own: `move || provider.force_flush()`.
    pub fn flush_blocking<F, E>(mut self, flush: F) -> Self
    where
        F: Fn() -> Result<(), E> + Send + Sync + 'static,
        E: Display,
    {
        let flush = Arc::new(flush);
        self.served.flush = Some(Arc::new(move || {
            let flush = flush.clone();
            let on_a_thread = tokio::task::spawn_blocking(move || flush().map_err(|error| error.to_string()));
            Box::pin(async move { on_a_thread.await.unwrap_or_else(|error| Err(error.to_string())) })
        }));
        self
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Service").field("listening", &self.served.listening).finish_non_exhaustive()
    }
}

/// The runtime's own picture of it.
pub(super) fn in_process<F, A>(node: &str, start: F) -> InProcess
where
    F: Fn(Wiring) -> A + Send + Sync + 'static,
    A: Future<Output = Service> + Send + 'static,
{
    let start = move |given| {
        let started = start(Wiring { given });
        Box::pin(async move { Ok(started.await.served) }) as Answer<Served>
    };
    InProcess { node: node.to_owned(), start: Arc::new(start) }
}
