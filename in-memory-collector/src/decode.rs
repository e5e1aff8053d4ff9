//! Reads OTLP that did not come over the network: a file that a collector wrote, or the bytes of a test.
//!
//! It takes and refuses exactly what an endpoint takes and refuses.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use crate::json;
use crate::scan::{self, Batch, count};
use crate::schema::{EXPORT_LOGS, EXPORT_METRICS, EXPORT_PROFILES, EXPORT_TRACES, Message};
use crate::server::refusal::Refusal;
use crate::store::Encoding;
use crate::telemetry::span::Arrival;
use crate::telemetry::{LogRecord, Origin, Span};

/// Returns the spans of an `ExportTraceServiceRequest`. Their endpoint is the empty name.
pub fn traces(encoding: Encoding, message: &[u8]) -> Result<Vec<Span>, Refusal> {
    let message = protobuf(encoding, &EXPORT_TRACES, message)?;
    let (batch, _) = scan::traces(&message).map_err(malformed)?;
    let (origins, at) = (origins(&batch), Instant::now());
    let spans = (0..).zip(&batch.items).map(|(sequence, span)| {
        let arrival = Arrival { sequence, request: 0, at, duplicates: 0, conflicts: 0 };
        Span::new(span.bytes, origins[span.scope as usize].clone(), arrival)
    });
    Ok(spans.collect())
}

/// Returns the records of an `ExportLogsServiceRequest`. Their endpoint is the empty name.
pub fn logs(encoding: Encoding, message: &[u8]) -> Result<Vec<LogRecord>, Refusal> {
    let message = protobuf(encoding, &EXPORT_LOGS, message)?;
    let batch = scan::logs(&message).map_err(malformed)?;
    let (origins, at) = (origins(&batch), Instant::now());
    let records = (0..).zip(&batch.items);
    let records = records.map(|(sequence, record)| {
        LogRecord::new(record.bytes, origins[record.scope as usize].clone(), sequence, at)
    });
    Ok(records.collect())
}

/// Returns the number of data points in an `ExportMetricsServiceRequest`.
pub fn metrics(encoding: Encoding, message: &[u8]) -> Result<u64, Refusal> {
    count::metrics(&protobuf(encoding, &EXPORT_METRICS, message)?).map_err(malformed)
}

/// Returns the number of profiles in an `ExportProfilesServiceRequest`.
pub fn profiles(encoding: Encoding, message: &[u8]) -> Result<u64, Refusal> {
    count::profiles(&protobuf(encoding, &EXPORT_PROFILES, message)?).map_err(malformed)
}

/// Returns OTLP/JSON of an `ExportTraceServiceRequest` or `ExportLogsServiceRequest` as protobuf, and protobuf as it
/// is.
fn protobuf<'a>(
    encoding: Encoding,
    schema: &'static Message,
    message: &'a [u8],
) -> Result<Cow<'a, [u8]>, Refusal> {
    match encoding {
        Encoding::Json => json::read::read(schema, message).map(Cow::Owned).map_err(malformed),
        Encoding::Protobuf | Encoding::Other => Ok(Cow::Borrowed(message)),
    }
}

fn malformed(fault: impl ToString) -> Refusal {
    Refusal::Malformed(fault.to_string())
}

/// Returns the origin of each scope.
fn origins<Item>(batch: &Batch<'_, Item>) -> Vec<Arc<Origin>> {
    let nowhere: Arc<str> = "".into();
    let scopes = batch.scopes.iter();
    scopes
        .map(|scope| Arc::new(Origin::new(&nowhere, &batch.resources[scope.resource as usize], &scope.part)))
        .collect()
}
