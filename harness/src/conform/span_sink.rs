//! The collector that the target exports its spans to, and the spans of each request.

use std::collections::HashMap;
use std::time::Duration;

use in_memory_collector::{Collector, Endpoint, EndpointError, Limits, Span, StartError};
use tokio::time::{Instant, timeout_at};

use super::judge::ExportedSpan;
use crate::evidence::collected::{kind, text};

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
}

impl SpanSink {
    pub async fn start() -> Result<SpanSink, SinkError> {
        let collector = Collector::start(Limits::default())?;
        let endpoint = collector.endpoint("target").await?;
        Ok(SpanSink { collector, endpoint })
    }

    /// Returns the variables that make an SDK export to it.
    pub fn variables(&self) -> Vec<(String, String)> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        vec![
            pair("OTEL_EXPORTER_OTLP_ENDPOINT", self.endpoint.url()),
            pair("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
            pair("OTEL_SERVICE_NAME", "conformance-target".to_owned()),
            pair("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
            pair("OTEL_BLRP_SCHEDULE_DELAY", "100".to_owned()),
        ]
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

    /// Returns all spans by their trace ids.
    pub fn traces(&self) -> HashMap<Vec<u8>, Vec<ExportedSpan>> {
        let mut traces: HashMap<Vec<u8>, Vec<ExportedSpan>> = HashMap::new();
        for span in self.collector.spans() {
            traces.entry(span.trace_id_bytes().to_vec()).or_default().push(exported(&span));
        }
        traces
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
        links: span.links().into_iter().map(|link| (link.trace_id, link.span_id)).collect(),
    }
}
