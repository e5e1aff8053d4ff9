//! The way of the telemetry through collectors: a receiver before each collector, and one for each way out of it.
//!
//! Before: the OTLP endpoint of a node with `exports-to`, and the receiver between two collectors, keep each request
//! and forward it over HTTP to the Collector process, whose answer they give. After: a receiver for each way out of a
//! collector, so that the sender is known whatever the spans say.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use in_memory_collector::{Collector, Forwarder, Limits, Rejection, Signal};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use super::error::RuntimeError;
use super::host_address::HostAddress;
use super::node::post_protobuf;
use crate::error_chain;
use crate::evidence::{CollectorSpan, Gap, GapPlace};
use crate::plan::Plan;
use crate::scenario::{ExportTarget, NodeIx};

/// The ways of a case; none without a collector.
#[derive(Debug, Default)]
pub(super) struct TelemetryPath {
    /// The spans that the collectors exported, under the name of each way.
    exported: Option<Collector>,
    ways: Vec<Way>,
    processes: Vec<Arc<CollectorInput>>,
}

/// A way out of a collector.
#[derive(Debug)]
struct Way {
    name: String,
    from: NodeIx,
    to: ExportTarget,
    address: SocketAddr,
}

/// The input of a Collector process.
#[derive(Debug)]
struct CollectorInput {
    node: NodeIx,
    /// Known when it is ready.
    address: OnceLock<SocketAddr>,
    /// The reasons why traces were not accepted, and how often.
    rejected: Mutex<BTreeMap<String, u32>>,
}

impl TelemetryPath {
    /// Opens the receivers of a case.
    pub(super) async fn open(plan: &Plan, host: &HostAddress) -> Result<TelemetryPath, RuntimeError> {
        let scenario = &plan.scenario;
        let processes: Vec<_> =
            scenario.collectors().map(|(node, _)| Arc::new(CollectorInput::of(node))).collect();
        if processes.is_empty() {
            return Ok(TelemetryPath::default());
        }
        let listen = |error| RuntimeError::listen("the receivers behind collectors", error);
        let exported = Collector::start(Limits::default()).map_err(listen)?;
        let mut path = TelemetryPath { exported: Some(exported.clone()), ways: Vec::new(), processes };
        for (from, collector) in scenario.collectors() {
            for to in collector.to.iter().copied() {
                let target = match to {
                    ExportTarget::Sink => ExportTarget::SINK,
                    ExportTarget::Collector(node) => &scenario.node(node).name,
                };
                let name = format!("{} to {target}", scenario.node(from).name);
                let endpoint = exported.endpoint_at(&name, (host.listen(), 0).into()).await;
                let endpoint = endpoint
                    .map_err(|error| RuntimeError::listen(format!("telemetry from {name}"), error))?;
                if let ExportTarget::Collector(node) = to
                    && let Some(forwarder) = path.forwarder(node)
                {
                    endpoint.forward(forwarder);
                }
                path.ways.push(Way { name, from, to, address: endpoint.address() });
            }
        }
        Ok(path)
    }

    /// Returns what hands requests to a collector.
    pub(super) fn forwarder(&self, collector: NodeIx) -> Option<Forwarder> {
        let input = self.processes.iter().find(|input| input.node == collector)?.clone();
        Some(Forwarder::new(move |signal, message| {
            let input = input.clone();
            Box::pin(async move { input.forward(signal, message).await })
        }))
    }

    /// Returns the receivers of each way out of a collector.
    pub(super) fn addresses(&self) -> Vec<(NodeIx, ExportTarget, SocketAddr)> {
        self.ways.iter().map(|way| (way.from, way.to, way.address)).collect()
    }

    /// Lets requests through to a collector that is ready.
    pub(super) fn set_ready(&self, node: NodeIx, address: Option<SocketAddr>) {
        let input = self.processes.iter().find(|input| input.node == node);
        if let (Some(input), Some(address)) = (input, address) {
            let _ = input.address.set(address);
        }
    }

    /// Resolves when nothing that collectors exported is being received, or at the deadline.
    pub(super) async fn exports_received(&self, deadline: Instant) {
        if let Some(exported) = &self.exported {
            idle(exported, deadline).await;
        }
    }

    /// Returns the spans that left collectors, in the order of their arrival.
    pub(super) fn spans(&self) -> Vec<CollectorSpan> {
        let Some(exported) = &self.exported else { return Vec::new() };
        let spans = exported.spans();
        let read = spans.iter().filter_map(|span| {
            let way = self.ways.iter().find(|way| *way.name == **span.endpoint())?;
            Some(CollectorSpan::read(span, way.from, way.to))
        });
        read.collect()
    }

    /// Returns a gap for each collector and reason for which it did not accept traces.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for input in &self.processes {
            for (why, times) in input.rejected.lock().iter() {
                let what = format!(
                    "it rejected {times} requests with spans ({why}): read its output, and check its receiver and its memory \
                     limit"
                );
                gaps.push(Gap { place: GapPlace::Node(input.node), what, lines: Vec::new() });
            }
        }
        gaps
    }
}

/// Resolves when a collector of ours receives nothing, or at the deadline.
pub(super) async fn idle(collector: &Collector, deadline: Instant) {
    // What is under way at the deadline is a rejected request, or none that matters.
    let _ = timeout_at(deadline, collector.idle()).await;
}

impl CollectorInput {
    fn of(node: NodeIx) -> CollectorInput {
        CollectorInput { node, address: OnceLock::new(), rejected: Mutex::default() }
    }

    /// Sends a request to the process. A signal that it has no pipeline for ends here, as it does without a collector.
    async fn forward(&self, signal: Signal, message: Bytes) -> Result<(), Rejection> {
        let Some(address) = self.address.get() else {
            return Err(Rejection { status: 503, message: "the collector is not ready".to_owned() });
        };
        let rejection = match post_protobuf(*address, path(signal), message).await {
            Ok((status, _)) if status.is_success() => return Ok(()),
            Ok((status, _)) if status == 404 && signal != Signal::Traces => return Ok(()),
            Ok((status, _)) => Rejection { status: status.as_u16(), message: format!("status {status}") },
            Err(error) => Rejection { status: 503, message: error_chain::one_line(&error) },
        };
        if signal == Signal::Traces {
            *self.rejected.lock().entry(rejection.message.clone()).or_default() += 1;
        }
        Err(rejection)
    }
}

fn path(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/v1/traces",
        Signal::Logs => "/v1/logs",
        Signal::Metrics => "/v1/metrics",
        Signal::Profiles => "/v1development/profiles",
    }
}
