//! Spans and log records as OTLP/JSON, each with its resource and scope: what a file exporter writes, and what an
//! endpoint would take.

use std::sync::Arc;

use crate::json::print::{print, quote};
use crate::schema::{RESOURCE, SCOPE};
use crate::telemetry::{LogRecord, Origin, Span};

/// Returns an `ExportTraceServiceRequest` with these spans. Neighbours of the same origin share a group.
pub fn traces(spans: &[Span]) -> String {
    let items = spans.iter().map(|span| (span.origin(), span.json()));
    request(["resourceSpans", "scopeSpans", "spans"], items)
}

/// Returns an `ExportLogsServiceRequest` with these records. Neighbours of the same origin share a group.
pub fn logs(records: &[LogRecord]) -> String {
    let items = records.iter().map(|record| (record.origin(), record.json()));
    request(["resourceLogs", "scopeLogs", "logRecords"], items)
}

fn request<'a>(names: [&str; 3], items: impl Iterator<Item = (&'a Arc<Origin>, String)>) -> String {
    let mut out = format!("{{\"{}\":[", names[0]);
    let mut last: Option<&Arc<Origin>> = None;
    for (origin, item) in items {
        match last {
            Some(before) if before == origin => out.push(','),
            Some(_) => {
                out.push_str("]}]},");
                open(&names, origin, &mut out);
            }
            None => open(&names, origin, &mut out),
        }
        out.push_str(&item);
        last = Some(origin);
    }
    out.push_str(if last.is_some() { "]}]}]}" } else { "]}" });
    out
}

/// Writes everything of a group up to its first item.
fn open(names: &[&str; 3], origin: &Origin, out: &mut String) {
    out.push_str("{\"resource\":");
    out.push_str(&print(&RESOURCE, &origin.resource));
    out.push_str(",\"schemaUrl\":");
    quote(&origin.resource_schema_url, out);
    out.push_str(&format!(",\"{}\":[{{\"scope\":", names[1]));
    out.push_str(&print(&SCOPE, &origin.scope));
    out.push_str(",\"schemaUrl\":");
    quote(&origin.scope_schema_url, out);
    out.push_str(&format!(",\"{}\":[", names[2]));
}
