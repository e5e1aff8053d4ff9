//! Finds the names of metrics and the contexts of their exemplars.

use crate::protobuf::{RECURSION_LIMIT, Reader};
use crate::telemetry::attributes::{fields, text};
use crate::telemetry::{Exemplar, Metric};

/// Returns the metrics of an `ExportMetricsServiceRequest` that is valid.
pub fn metrics(body: &[u8]) -> Vec<Metric> {
    let metrics = fields(body, 1).flat_map(|group| fields(group, 2)).flat_map(|group| fields(group, 2));
    metrics.map(metric).collect()
}

fn metric(bytes: &[u8]) -> Metric {
    let name = fields(bytes, 1).last().map(text).unwrap_or_default();
    let mut exemplars = std::collections::BTreeSet::new();
    // Gauge, sum, histogram and exponential histogram, each with the number of `exemplars` in its points.
    for (kind, number) in [(5, 5), (7, 5), (9, 8), (10, 11)] {
        let points = fields(bytes, kind).flat_map(|data| fields(data, 1));
        exemplars.extend(points.flat_map(|point| fields(point, number)).map(exemplar));
    }
    Metric { name, exemplars }
}

fn exemplar(bytes: &[u8]) -> Exemplar {
    let mut exemplar = Exemplar::default();
    let mut reader = Reader::new(bytes);
    while let Ok(key) = reader.key() {
        let read = match key.number {
            4 => reader.length_delimited().map(|id| exemplar.span_id = id.to_vec()),
            5 => reader.length_delimited().map(|id| exemplar.trace_id = id.to_vec()),
            _ => reader.skip(key, RECURSION_LIMIT),
        };
        if read.is_err() {
            break;
        }
    }
    exemplar
}
