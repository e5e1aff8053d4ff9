//! The collector that the target exports to: the spans of each request, and the metrics.

use std::time::Duration;

use in_memory_collector::{
    Collector, Endpoint, EndpointError, Limits, Link, Span, SpanKind, StartError, StatusCode,
};
use tokio::time::{Instant, timeout_at};

use super::collector_fault;
use super::judge::{ExportedLink, ExportedMetric, ExportedSpan};
use crate::evidence::collected::{kind, text};
use crate::runtime::client_settings;

/// The time in which requests that have arrived are stored.
const STORED_WITHIN: Duration = Duration::from_secs(2);

/// The reason why no collector listens.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// A collector that listens until it is dropped.
pub struct SpanSink {
    collector: Collector,
    endpoint: Endpoint,
    /// The sequence of the first span that was not returned yet.
    next: u64,
}

impl SpanSink {
    pub async fn start() -> Result<SpanSink, SinkError> {
        let collector = Collector::start(Limits::default())?;
        let endpoint = collector.endpoint("target").await?;
        Ok(SpanSink { collector, endpoint, next: 0 })
    }

    /// Returns the variables that make an SDK export to it.
    pub fn variables(&self) -> Vec<(String, String)> {
        let variables = client_settings::exporter(Some(self.endpoint.url()), "conformance-target".to_owned());
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Makes the collector misbehave from now on; a name that is not known does nothing.
    pub fn misbehave(&self, name: &str) {
        if let Some((when, fault)) = collector_fault::named(name) {
            self.endpoint.inject(when, fault);
        }
    }

    /// Makes the collector behave again.
    pub fn heal(&self) {
        self.endpoint.heal();
    }

    /// Resolves when every request that has arrived is stored.
    pub async fn settled(&self) {
        let mut changed = self.collector.watch();
        let stored = async {
            while self.collector.in_flight() > 0 {
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout_at(Instant::now() + STORED_WITHIN, stored).await;
    }

    /// Resolves when each of these traces has an entry span, or at the deadline.
    pub async fn until_exported(&self, mut traces: Vec<[u8; 16]>, deadline: Instant) {
        let mut changed = self.collector.watch();
        let exported = async {
            while let Some(trace) = traces.last() {
                changed.borrow_and_update();
                let is_entry = |span: &Span| matches!(span.kind(), SpanKind::Server | SpanKind::Consumer);
                if self.collector.trace(*trace).iter().any(is_entry) {
                    traces.pop();
                } else if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout_at(deadline, exported).await;
    }

    /// Returns the spans that have come since the last call.
    pub fn new_spans(&mut self) -> Vec<ExportedSpan> {
        let spans = self.collector.spans_from(self.next);
        self.next = spans.last().map_or(self.next, |span| span.sequence() + 1);
        spans.iter().map(exported).collect()
    }

    /// Returns all metrics that have come, by name.
    pub fn metrics(&self) -> Vec<ExportedMetric> {
        let metrics = self.collector.metrics().into_iter();
        metrics
            .map(|metric| {
                let contexts = metric.exemplars.into_iter().map(|one| (one.trace_id, one.span_id));
                ExportedMetric { name: metric.name, exemplars: contexts.collect() }
            })
            .collect()
    }
}

fn exported(span: &Span) -> ExportedSpan {
    let attributes = span.attributes();
    ExportedSpan {
        trace_id: span.trace_id_bytes().to_vec(),
        span_id: span.span_id_bytes().to_vec(),
        parent_id: span.parent_id_bytes().to_vec(),
        kind: kind(span.kind()),
        flags: span.flags(),
        trace_state: span.trace_state().to_owned(),
        name: span.name().to_owned(),
        start_nanos: span.start_nanos(),
        end_nanos: span.end_nanos(),
        attributes: attributes
            .iter()
            .filter_map(|(name, value)| Some((name.to_owned(), text(value)?)))
            .collect(),
        service_name: span.service_name(),
        links: span.links().into_iter().map(link).collect(),
        is_failed: span.status().code == StatusCode::Error,
    }
}

fn link(link: Link) -> ExportedLink {
    let Link { trace_id, span_id, flags, trace_state, .. } = link;
    ExportedLink { trace_id, span_id, flags, trace_state }
}
