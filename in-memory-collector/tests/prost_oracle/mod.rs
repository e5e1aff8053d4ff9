//! Compares what the collector makes of a message with what prost makes of it.

#![allow(clippy::unwrap_used, reason = "part of tests")]

pub mod mutate;

use in_memory_collector::{
    Attributes, Encoding, LogRecord, Signal, Span, SpanKind, StatusCode, Value, decode,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::{logs, trace};
use prost::Message;

#[derive(Debug)]
pub enum Verdict {
    Accepted,
    Refused,
    Disagree(String),
}

pub fn compare(signal: Signal, bytes: &[u8]) -> Verdict {
    match signal {
        Signal::Traces => judge(
            decode::traces(Encoding::Protobuf, bytes).map(|spans| spans.iter().map(our_span).collect()),
            ExportTraceServiceRequest::decode(bytes).map(their_spans),
        ),
        Signal::Logs => judge(
            decode::logs(Encoding::Protobuf, bytes).map(|records| records.iter().map(our_record).collect()),
            ExportLogsServiceRequest::decode(bytes).map(their_records),
        ),
        Signal::Metrics => judge(
            decode::metrics(Encoding::Protobuf, bytes).map(|points| vec![points.to_be_bytes().to_vec()]),
            ExportMetricsServiceRequest::decode(bytes).map(their_points),
        ),
        Signal::Profiles => judge(
            decode::profiles(Encoding::Protobuf, bytes).map(|count| vec![count.to_be_bytes().to_vec()]),
            ExportProfilesServiceRequest::decode(bytes).map(their_profiles),
        ),
    }
}

/// Compares items as encodings, since NaN is not equal to itself.
fn judge<E: ToString, F: ToString>(
    ours: Result<Vec<Vec<u8>>, E>,
    theirs: Result<Vec<Vec<u8>>, F>,
) -> Verdict {
    match (ours, theirs) {
        (Err(_), Err(_)) => Verdict::Refused,
        (Ok(_), Err(theirs)) => Verdict::Disagree(format!("only prost refuses: {}", theirs.to_string())),
        (Err(ours), Ok(_)) => Verdict::Disagree(format!("only the scan refuses: {}", ours.to_string())),
        (Ok(ours), Ok(theirs)) if ours == theirs => Verdict::Accepted,
        (Ok(ours), Ok(theirs)) => Verdict::Disagree(format!("\nours   {ours:02x?}\ntheirs {theirs:02x?}")),
    }
}

fn their_points(request: ExportMetricsServiceRequest) -> Vec<Vec<u8>> {
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    let points = scopes.flat_map(|scope| scope.metrics).map(|metric| match metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
        Some(Data::Summary(summary)) => summary.data_points.len(),
        None => 0,
    });
    vec![(points.sum::<usize>() as u64).to_be_bytes().to_vec()]
}

fn their_profiles(request: ExportProfilesServiceRequest) -> Vec<Vec<u8>> {
    let scopes = request.resource_profiles.into_iter().flat_map(|resource| resource.scope_profiles);
    let count = scopes.map(|scope| scope.profiles.len() as u64).sum::<u64>();
    vec![count.to_be_bytes().to_vec()]
}

/// Returns a span, log record, resource or scope as one item: the item, then where it comes from.
fn item(item: Vec<u8>, resource: Resource, scope: InstrumentationScope, urls: [&str; 2]) -> Vec<u8> {
    let mut all = item;
    all.extend(resource.encode_to_vec());
    all.extend(scope.encode_to_vec());
    all.extend(urls.join("\n").into_bytes());
    all
}

fn their_spans(request: ExportTraceServiceRequest) -> Vec<Vec<u8>> {
    let mut items = Vec::new();
    for group in request.resource_spans {
        let resource = stripped_resource(group.resource);
        for scope_spans in group.scope_spans {
            let scope = stripped_scope(scope_spans.scope);
            for mut span in scope_spans.spans {
                strip(&mut span.attributes);
                span.events.iter_mut().for_each(|event| strip(&mut event.attributes));
                span.links.iter_mut().for_each(|link| strip(&mut link.attributes));
                span.status = Some(span.status.unwrap_or_default());
                let urls = [group.schema_url.as_str(), scope_spans.schema_url.as_str()];
                items.push(item(span.encode_to_vec(), resource.clone(), scope.clone(), urls));
            }
        }
    }
    items
}

fn their_records(request: ExportLogsServiceRequest) -> Vec<Vec<u8>> {
    let mut items = Vec::new();
    for group in request.resource_logs {
        let resource = stripped_resource(group.resource);
        for scope_logs in group.scope_logs {
            let scope = stripped_scope(scope_logs.scope);
            for mut record in scope_logs.log_records {
                strip(&mut record.attributes);
                let mut body = record.body.unwrap_or_default();
                strip_value(&mut body);
                record.body = Some(body);
                let urls = [group.schema_url.as_str(), scope_logs.schema_url.as_str()];
                items.push(item(record.encode_to_vec(), resource.clone(), scope.clone(), urls));
            }
        }
    }
    items
}

fn stripped_resource(resource: Option<Resource>) -> Resource {
    let mut resource = resource.unwrap_or_default();
    strip(&mut resource.attributes);
    resource.entity_refs.clear();
    resource
}

fn stripped_scope(scope: Option<InstrumentationScope>) -> InstrumentationScope {
    let mut scope = scope.unwrap_or_default();
    strip(&mut scope.attributes);
    scope
}

/// Takes out what the collector does not show: indexes of keys, which belong to profiles; and whether an empty value
/// was there.
fn strip(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        attribute.key_strindex = 0;
        let mut value = attribute.value.take().unwrap_or_default();
        strip_value(&mut value);
        attribute.value = Some(value);
    }
}

fn strip_value(value: &mut AnyValue) {
    match &mut value.value {
        Some(Any::ArrayValue(list)) => list.values.iter_mut().for_each(strip_value),
        Some(Any::KvlistValue(list)) => strip(&mut list.values),
        _ => {}
    }
}

fn our_span(span: &Span) -> Vec<u8> {
    let kind = match span.kind() {
        SpanKind::Unspecified => 0,
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
        SpanKind::Unknown(other) => other,
    };
    let code = match span.status().code {
        StatusCode::Unset => 0,
        StatusCode::Ok => 1,
        StatusCode::Error => 2,
        StatusCode::Unknown(other) => other,
    };
    let events = span.events().into_iter().map(|event| trace::v1::span::Event {
        time_unix_nano: event.time_nanos,
        name: event.name,
        attributes: pairs(&event.attributes),
        dropped_attributes_count: event.dropped_attributes_count,
    });
    let links = span.links().into_iter().map(|link| trace::v1::span::Link {
        trace_id: link.trace_id,
        span_id: link.span_id,
        trace_state: link.trace_state,
        attributes: pairs(&link.attributes),
        dropped_attributes_count: link.dropped_attributes_count,
        flags: link.flags,
    });
    let theirs = trace::v1::Span {
        trace_id: span.trace_id_bytes().to_vec(),
        span_id: span.span_id_bytes().to_vec(),
        trace_state: span.trace_state().to_owned(),
        parent_span_id: span.parent_id_bytes().to_vec(),
        flags: span.flags(),
        name: span.name().to_owned(),
        kind,
        start_time_unix_nano: span.start_nanos(),
        end_time_unix_nano: span.end_nanos(),
        attributes: pairs(&span.attributes()),
        dropped_attributes_count: span.dropped_attributes_count(),
        events: events.collect(),
        dropped_events_count: span.dropped_events_count(),
        links: links.collect(),
        dropped_links_count: span.dropped_links_count(),
        status: Some(trace::v1::Status { message: span.status().message.clone(), code }),
    };
    ours(theirs.encode_to_vec(), &span.resource(), &span.scope())
}

fn our_record(record: &LogRecord) -> Vec<u8> {
    let theirs = logs::v1::LogRecord {
        time_unix_nano: record.time_nanos(),
        observed_time_unix_nano: record.observed_nanos(),
        severity_number: record.severity_number(),
        severity_text: record.severity_text().to_owned(),
        body: Some(any(&record.body())),
        attributes: pairs(&record.attributes()),
        dropped_attributes_count: record.dropped_attributes_count(),
        flags: record.flags(),
        trace_id: record.trace_id_bytes().to_vec(),
        span_id: record.span_id_bytes().to_vec(),
        event_name: record.event_name().to_owned(),
    };
    ours(theirs.encode_to_vec(), &record.resource(), &record.scope())
}

fn ours(
    bytes: Vec<u8>,
    resource: &in_memory_collector::Resource,
    scope: &in_memory_collector::Scope,
) -> Vec<u8> {
    let theirs_resource = Resource {
        attributes: pairs(&resource.attributes),
        dropped_attributes_count: resource.dropped_attributes_count,
        entity_refs: Vec::new(),
    };
    let theirs_scope = InstrumentationScope {
        name: scope.name.clone(),
        version: scope.version.clone(),
        attributes: pairs(&scope.attributes),
        dropped_attributes_count: scope.dropped_attributes_count,
    };
    item(bytes, theirs_resource, theirs_scope, [&resource.schema_url, &scope.schema_url])
}

fn pairs(attributes: &Attributes) -> Vec<KeyValue> {
    let pair = |(key, value): (&str, &Value)| KeyValue {
        key: key.to_owned(),
        value: Some(any(value)),
        ..KeyValue::default()
    };
    attributes.iter().map(pair).collect()
}

fn any(value: &Value) -> AnyValue {
    let value = match value {
        Value::Empty => None,
        Value::String(text) => Some(Any::StringValue(text.clone())),
        Value::Bool(truth) => Some(Any::BoolValue(*truth)),
        Value::Int(number) => Some(Any::IntValue(*number)),
        Value::Double(number) => Some(Any::DoubleValue(*number)),
        Value::Array(values) => {
            Some(Any::ArrayValue(ArrayValue { values: values.iter().map(any).collect() }))
        }
        Value::Map(attributes) => Some(Any::KvlistValue(KeyValueList { values: pairs(attributes) })),
        Value::Bytes(bytes) => Some(Any::BytesValue(bytes.clone())),
        Value::StringIndex(index) => Some(Any::StringValueStrindex(*index)),
    };
    AnyValue { value }
}
