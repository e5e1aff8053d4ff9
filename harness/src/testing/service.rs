//! A service in the process of the test: the addresses that it gets, and the address and flush that it returns.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::runtime::{BoxFuture, InProcessService, NodeAddresses, RunningService, ServiceEnvironment};

/// The addresses that a service of this process needs to start, in place of an environment.
#[derive(Clone, Debug)]
pub struct Wiring {
    given: ServiceEnvironment,
}

impl Wiring {
    /// Returns the endpoint for the exporter of this service: `http://127.0.0.1:PORT` without a path, for OTLP over
    /// gRPC and HTTP.
    ///
    /// It belongs to this node in this case: spans of another service must not go there.
    pub fn otlp_endpoint(&self) -> &str {
        &self.given.otlp_endpoint
    }

    /// Returns the address of `node` over HTTP for this service: `http://127.0.0.1:PORT` of the tap between the two.
    ///
    /// # Panics
    /// When the scenario has no HTTP hop from this service to `node`.
    #[track_caller]
    pub fn url(&self, node: &str) -> &str {
        named(&self.given.http, node, "http")
    }

    /// Returns the address of `node` over gRPC for this service: `127.0.0.1:PORT` of the tap between the two.
    ///
    /// # Panics
    /// When the scenario has no gRPC hop from this service to `node`.
    #[track_caller]
    pub fn grpc(&self, node: &str) -> &str {
        named(&self.given.grpc, node, "grpc")
    }

    /// Returns the address of a broker for this service: `host:port` of Kafka, or a URL of RabbitMQ (`amqp://`) or SQS
    /// (`http://`) through a tap.
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
        None => panic!("the scenario has no {transport} hop between this service and `{node}`: declare one"),
    }
}

/// A service that runs in this process: its addresses and its flush.
#[derive(Clone)]
#[must_use = "the closure of `in_process` returns it"]
pub struct Service {
    served: RunningService,
}

impl Service {
    /// Declares that the service listens for HTTP at this address.
    pub fn http(address: SocketAddr) -> Self {
        Self::at(Some(address), None)
    }

    /// Declares that the service listens for gRPC at this address.
    pub fn grpc(address: SocketAddr) -> Self {
        Self::at(None, Some(address))
    }

    /// Declares that the service listens for both. The addresses may be the same.
    pub fn http_and_grpc(http: SocketAddr, grpc: SocketAddr) -> Self {
        Self::at(Some(http), Some(grpc))
    }

    fn at(http: Option<SocketAddr>, grpc: Option<SocketAddr>) -> Self {
        Self { served: RunningService { listening: NodeAddresses { http, grpc }, flush: None } }
    }

    /// Sets the function that exports every ended span and log record. It is called when the story is over. Without it
    /// the run waits for a quiet period instead.
    ///
    /// For a call that blocks the thread, such as `SdkTracerProvider::force_flush`, use `flush_blocking`.
    pub fn flush<F, A, E>(mut self, flush: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.served.flush = Some(Arc::new(move || {
            let flushed = flush();
            Box::pin(async move { flushed.await.map_err(|error| error.to_string().into()) })
        }));
        self
    }

    /// Sets a flush that blocks, such as `move || provider.force_flush()`. It runs on a thread of its own.
    pub fn flush_blocking<F, E>(mut self, flush: F) -> Self
    where
        F: Fn() -> Result<(), E> + Send + Sync + 'static,
        E: Display,
    {
        let flush = Arc::new(flush);
        self.served.flush = Some(Arc::new(move || {
            let flush = flush.clone();
            let task = tokio::task::spawn_blocking(move || flush().map_err(|error| error.to_string().into()));
            Box::pin(async move { task.await.unwrap_or_else(|error| Err(error.into())) })
        }));
        self
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Service").field("listening", &self.served.listening).finish_non_exhaustive()
    }
}

/// Returns the service as the runtime starts it.
pub(super) fn in_process<F, A>(node: &str, start: F) -> InProcessService
where
    F: Fn(Wiring) -> A + Send + Sync + 'static,
    A: Future<Output = Service> + Send + 'static,
{
    let start = move |given| {
        let started = start(Wiring { given });
        Box::pin(async move { Ok(started.await.served) }) as BoxFuture<RunningService>
    };
    InProcessService { node: node.to_owned(), start: Arc::new(start) }
}
