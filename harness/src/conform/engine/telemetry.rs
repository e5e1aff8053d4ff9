//! The spans of a target: when all of them have come, and the request that each belongs to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use hyper::Method;

use super::Options;
use crate::conform::judge::{
    Call, ExchangeTelemetry, ExportedMetric, ExportedSpan, SpanGap, VectorExchange, contexts_of,
};
use crate::conform::target::{Instance, Start, Target};
use crate::runtime::standalone::ask;
use crate::wire::{Format, RemoteContext, hex};

/// The capability of a target that exports on request.
const FLUSH: &str = "flush";
const FLUSH_WITHIN: Duration = Duration::from_secs(10);
/// The most spans of other traces that are kept.
const SHOWN: usize = 8;

/// Returns the reason why nothing is asked of the telemetry of a run; `None` where it is.
pub(super) fn missing(target: &Target, options: &Options) -> Option<&'static str> {
    match &target.start {
        _ if options.is_wire_only => Some("`--wire-only` does not look at telemetry"),
        Start::Running(_) => Some("a running service exports to a collector of its own"),
        Start::Command { .. } | Start::Image(_) | Start::Relay { .. } => None,
    }
}

pub(super) fn exports_on_request(instance: &Instance) -> bool {
    instance.can(FLUSH)
}

/// Makes a target export what it has, where it can. The end of its process does the same for the others. Returns the
/// reason why spans may be missing.
pub(super) async fn flush(instance: &Instance) -> Option<String> {
    if !exports_on_request(instance) {
        return None;
    }
    match ask(Method::POST, instance.socket, "/-/flush", FLUSH_WITHIN).await {
        Ok((200..300, _)) => None,
        Ok((status, _)) => Some(format!("the target answered `POST /-/flush` with {status}")),
        Err(error) => Some(format!("the target did not answer `POST /-/flush`: {error}")),
    }
}

/// Returns the contexts that calls carry, in any format.
fn contexts(calls: &[Call]) -> impl Iterator<Item = RemoteContext> {
    calls.iter().flat_map(|call| contexts_of(Format::ALL, &call.fields))
}

/// Returns the trace ids that sampled calls carry.
pub(super) fn sampled_traces(calls: &[Call]) -> Vec<[u8; 16]> {
    let sampled = contexts(calls).filter(|context| context.decision.is_sampled() == Some(true));
    sampled.map(|context| *context.trace_id.as_bytes()).collect()
}

/// Returns the trace ids that a request and its calls carry.
fn carried(exchange: &VectorExchange) -> BTreeSet<Vec<u8>> {
    let mut ids: BTreeSet<Vec<u8>> =
        contexts(&exchange.calls).map(|context| context.trace_id.as_bytes().to_vec()).collect();
    ids.extend(hex::decode(exchange.minted.trace_id.as_bytes()));
    ids
}

/// The spans of all groups so far, and the trace ids that requests and calls have carried.
#[derive(Default)]
pub(super) struct SeenTelemetry {
    carried: BTreeSet<Vec<u8>>,
    traces: HashMap<Vec<u8>, Vec<ExportedSpan>>,
    /// The first spans of traces that nothing has carried.
    others: Vec<ExportedSpan>,
    metrics: Vec<ExportedMetric>,
}

impl SeenTelemetry {
    /// Takes the spans that have come, and the trace ids of these requests.
    pub fn take(
        &mut self,
        spans: Vec<ExportedSpan>,
        exchanges: &BTreeMap<usize, Vec<VectorExchange>>,
        probe: Vec<u8>,
    ) {
        for span in spans {
            self.traces.entry(span.trace_id.clone()).or_default().push(span);
        }
        self.carried.insert(probe);
        self.carried.extend(exchanges.values().flatten().flat_map(carried));
        let others = self.traces.iter().filter(|(id, _)| !self.carried.contains(*id));
        let mut others: Vec<&ExportedSpan> = others.flat_map(|(_, spans)| spans).collect();
        others.sort_by_key(|span| span.start_nanos);
        self.others = others.into_iter().take(SHOWN).cloned().collect();
    }

    /// Takes the metrics that have come in the whole run.
    pub fn take_metrics(&mut self, metrics: Vec<ExportedMetric>) {
        self.metrics = metrics;
    }

    /// Returns true when the target has exported nothing in the whole run.
    pub fn is_empty(&self) -> bool {
        self.traces.is_empty()
    }

    /// Returns the telemetry of a request.
    pub fn of(&self, exchange: &VectorExchange, gap: Option<SpanGap>) -> ExchangeTelemetry {
        let spans =
            carried(exchange).iter().filter_map(|id| self.traces.get(id)).flatten().cloned().collect();
        let is_of_request = |metric: &&ExportedMetric| metric.name.contains(&exchange.minted.trace_id);
        let metrics = self.metrics.iter().filter(is_of_request).cloned().collect();
        ExchangeTelemetry { spans, other_traces: self.others.clone(), metrics, gap }
    }
}
