//! Section 1 of the obligations, both transports (1 to 12). Each test names its obligation.

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use std::time::Duration;

use client::{
    Answer, DEADLINE, Http2, JSON, LOGS, METRICS, PROFILES, PROTOBUF, TRACES, framed, grpc, gzip, http1,
    samples,
};
use in_memory_collector::{Collector, Fault, Limits, Outcome, Refusal, Value, When};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use prost::Message;

async fn start(limits: Limits) -> (Collector, std::net::SocketAddr, in_memory_collector::Endpoint) {
    let collector = Collector::start(limits).unwrap();
    let endpoint = collector.endpoint("shop").await.unwrap();
    (collector, endpoint.address(), endpoint)
}

fn response(answer: &Answer) -> ExportTraceServiceResponse {
    assert_eq!(answer.body[0], 0, "not compressed");
    ExportTraceServiceResponse::decode(&answer.body[5..]).unwrap()
}

#[tokio::test]
async fn o01_no_compression_and_gzip_are_supported() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let body = samples::traces(vec![samples::span(1, 1, 0)]);
    let client = Http2::connect(address).await;
    for (encoding, frame) in [("identity", framed(0, &body)), ("gzip", framed(1, &gzip(&body)))] {
        let answer = client.grpc(TRACES, &[("grpc-encoding", encoding)], frame).await.unwrap();
        assert_eq!(answer.grpc_status(), Some(0), "{encoding}");
    }
    for (encoding, sent) in [("identity", body.clone()), ("gzip", gzip(&body))] {
        let answer = http1(address, "/v1/traces", &[PROTOBUF, ("content-encoding", encoding)], &sent).await;
        assert_eq!(answer.status, 200, "{encoding}");
    }
    assert_eq!(collector.spans()[0].duplicates(), 3);
}

#[tokio::test]
async fn o02_an_empty_request_succeeds() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    for path in [TRACES, LOGS, METRICS, PROFILES] {
        assert_eq!(grpc(address, path, &[], &[]).await.grpc_status(), Some(0), "{path}");
    }
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics", "/v1development/profiles"] {
        assert_eq!(http1(address, path, &[PROTOBUF], &[]).await.status, 200, "{path}");
        assert_eq!(http1(address, path, &[JSON], b"{}").await.status, 200, "{path}");
    }
    assert_eq!((collector.problems().len(), collector.requests().len()), (0, 12));
}

#[tokio::test]
async fn o03_a_full_success_leaves_partial_success_unset() {
    let (_collector, address, _endpoint) = start(Limits::default()).await;
    let body = samples::traces(vec![samples::span(1, 1, 0)]);
    assert_eq!(response(&grpc(address, TRACES, &[], &body).await).partial_success, None);
    assert_eq!(&http1(address, "/v1/traces", &[PROTOBUF], &body).await.body[..], b"");
    let json = serde_json::to_vec(&samples::request(vec![samples::span(1, 2, 0)])).unwrap();
    assert_eq!(&http1(address, "/v1/traces", &[JSON], &json).await.body[..], b"{}");
}

#[tokio::test]
async fn o04_a_partial_success_says_how_many_and_why() {
    let (collector, address, endpoint) = start(Limits::default()).await;
    endpoint.inject(When::always(), Fault::PartialSuccess { rejected: 2, message: "no room".to_owned() });
    let spans = (1..6).map(|id| samples::span(1, id, 0)).collect();
    let answer = grpc(address, TRACES, &[], &samples::traces(spans)).await;
    assert_eq!(answer.grpc_status(), Some(0));
    let partial = response(&answer).partial_success.unwrap();
    assert_eq!((partial.rejected_spans, partial.error_message.as_str()), (2, "no room"));
    assert_eq!(collector.spans().len(), 3);
    let json =
        serde_json::to_vec(&samples::request(vec![samples::span(2, 1, 0), samples::span(2, 2, 0)])).unwrap();
    let answer = http1(address, "/v1/traces", &[JSON], &json).await;
    let value: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(value["partialSuccess"]["rejectedSpans"], "2");
    assert_eq!(value["partialSuccess"]["errorMessage"], "no room");
}

#[tokio::test]
async fn o05_a_warning_rejects_nothing_and_has_a_message() {
    let (collector, address, endpoint) = start(Limits::default()).await;
    endpoint.inject(When::nth(1), Fault::PartialSuccess { rejected: 0, message: "old fields".to_owned() });
    let body = samples::traces(vec![samples::span(1, 1, 0)]);
    let partial = response(&grpc(address, TRACES, &[], &body).await).partial_success.unwrap();
    assert_eq!((partial.rejected_spans, partial.error_message.as_str()), (0, "old fields"));
    assert_eq!(collector.spans().len(), 1);
}

#[tokio::test]
async fn o06_the_size_is_limited_also_after_decompression() {
    let limits = Limits { message_bytes: 100_000, ..Limits::default() };
    let (collector, address, _endpoint) = start(limits).await;
    let mut large = samples::span(1, 1, 0);
    large.name = "x".repeat(150_000);
    let large = samples::traces(vec![large]);
    let zipped = gzip(&large);
    assert!(zipped.len() < 10_000);
    let client = Http2::connect(address).await;
    for frame in [framed(0, &large), framed(1, &zipped)] {
        let answer = client.grpc(TRACES, &[("grpc-encoding", "gzip")], frame).await.unwrap();
        assert_eq!(answer.grpc_status(), Some(8));
        assert_eq!(answer.header("grpc-status-details-bin"), None, "no RetryInfo");
    }
    assert_eq!(http1(address, "/v1/traces", &[PROTOBUF], &large).await.status, 413);
    let gzipped = [PROTOBUF, ("content-encoding", "gzip")];
    assert_eq!(http1(address, "/v1/traces", &gzipped, &zipped).await.status, 413);
    let chunked = [PROTOBUF, ("transfer-encoding", "chunked")];
    let mut body = format!("{:x}\r\n", large.len()).into_bytes();
    body.extend_from_slice(&large);
    body.extend_from_slice(b"\r\n0\r\n\r\n");
    assert_eq!(http1(address, "/v1/traces", &chunked, &body).await.status, 413);
    assert_eq!(collector.spans().len(), 0);
    let refusals = collector.problems();
    assert_eq!(refusals.len(), 5);
    for record in refusals {
        assert!(
            matches!(record.outcome, Outcome::Refused(Refusal::TooLarge { limit: 100_000, .. })),
            "{record:?}"
        );
    }
    assert_eq!(Limits::default().message_bytes, 64 << 20, "the default that OTLP recommends");
}

#[tokio::test]
async fn o07_answers_are_limited_and_shorten_their_text_first() {
    let limits = Limits { response_bytes: 16 * 40, ..Limits::default() };
    let (_collector, address, _endpoint) = start(limits).await;
    let path = format!("/v1/{}", "ä".repeat(300).replace('ä', "%C3%A4"));
    for answer in [http1(address, &path, &[PROTOBUF], b"").await, http1(address, &path, &[JSON], b"").await] {
        assert_eq!(answer.status, 404);
        assert!(answer.body.len() < 200, "{}", answer.body.len());
    }
    let answer = grpc(address, &path, &[], &[]).await;
    assert_eq!(answer.grpc_status(), Some(12));
    assert!(answer.header("grpc-message").unwrap().len() <= 3 * 40, "at most three bytes for a character");
}

#[tokio::test]
async fn o08_duplicates_are_counted_and_not_added() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let body = samples::traces(vec![samples::full_span(), samples::span(1, 1, 0)]);
    for _ in 0..3 {
        assert_eq!(grpc(address, TRACES, &[], &body).await.grpc_status(), Some(0));
    }
    let spans = collector.spans();
    assert_eq!(spans.iter().map(|span| span.duplicates()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(collector.requests()[2].duplicates, 2);
}

#[tokio::test]
async fn o09_empty_envelopes_are_ignored() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    // A resource without scopes, a scope without spans, a resource group without anything.
    for body in [&b"\x0a\x00"[..], b"\x0a\x02\x12\x00", b"\x0a\x02\x0a\x00\x0a\x00"] {
        assert_eq!(grpc(address, TRACES, &[], body).await.grpc_status(), Some(0));
    }
    assert_eq!(collector.spans().len(), 0);
}

#[tokio::test]
async fn o10_unknown_fields_and_high_flags_are_tolerated() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let mut span = samples::span(1, 1, 0);
    span.flags = 0xffff_fd01;
    let mut encoded = span.encode_to_vec();
    // Unknown fields of each wire type, a group among them.
    encoded
        .extend_from_slice(b"\xa0\x06\x01\xa1\x06aaaaaaaa\xa2\x06\x02hi\xa5\x06bbbb\xa3\x06\x08\x01\xa4\x06");
    let mut scope = vec![0x12, encoded.len() as u8];
    scope.extend_from_slice(&encoded);
    let mut resource = vec![0x12, scope.len() as u8];
    resource.extend_from_slice(&scope);
    let mut body = vec![0x0a, resource.len() as u8];
    body.extend_from_slice(&resource);
    assert_eq!(grpc(address, TRACES, &[], &body).await.grpc_status(), Some(0));
    let spans = collector.spans();
    assert_eq!((spans[0].flags(), spans[0].name()), (0xffff_fd01, "span 1"));
    assert_eq!(spans[0].is_remote(), Some(false));
    let mut old = samples::span(1, 2, 0);
    old.flags = 0;
    grpc(address, TRACES, &[], &samples::traces(vec![old])).await;
    assert_eq!(collector.spans()[1].is_remote(), None);
}

#[tokio::test]
async fn o11_invalid_ids_are_taken_and_flagged() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let mut spans = vec![samples::span(1, 1, 0); 5];
    spans[0].trace_id = vec![0; 16];
    spans[1].span_id = vec![];
    spans[2].trace_id = vec![3; 15];
    spans[3].parent_span_id = vec![9; 7];
    assert_eq!(grpc(address, TRACES, &[], &samples::traces(spans)).await.grpc_status(), Some(0));
    let json =
        br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"","spanId":"","name":"json"}]}]}]}"#;
    assert_eq!(http1(address, "/v1/traces", &[JSON], json).await.status, 200);
    let kept = collector.spans();
    let valid: Vec<bool> = kept.iter().map(|span| span.has_valid_ids()).collect();
    assert_eq!(valid, [false, false, false, false, true, false]);
    assert_eq!((kept[2].trace_id(), kept[2].trace_id_bytes()), (None, &[3; 15][..]));
    assert_eq!((kept[3].parent_id(), kept[3].parent_id_bytes()), (None, &[9; 7][..]));
    assert_eq!(
        kept.iter().map(|span| span.conflicts()).sum::<u32>(),
        2,
        "only the two with valid ids conflict"
    );
}

#[tokio::test]
async fn o12_any_value_may_be_an_attribute_and_keys_may_repeat() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let any = |value| AnyValue { value };
    let list = ArrayValue { values: vec![any(None), any(Some(Any::BytesValue(vec![0, 255])))] };
    let map = KeyValueList { values: vec![samples::text("in", "side")] };
    let mut span = samples::span(1, 1, 0);
    span.attributes = vec![
        KeyValue { key: "empty".to_owned(), value: Some(any(None)), ..KeyValue::default() },
        samples::attribute("list", Any::ArrayValue(list)),
        samples::attribute("map", Any::KvlistValue(map)),
        samples::text("twice", "a"),
        samples::text("twice", "b"),
    ];
    assert_eq!(grpc(address, TRACES, &[], &samples::traces(vec![span])).await.grpc_status(), Some(0));
    let attributes = collector.spans()[0].attributes();
    assert_eq!(attributes.get("empty"), Some(&Value::Empty));
    assert_eq!(attributes.get("list"), Some(&Value::Array(vec![Value::Empty, Value::Bytes(vec![0, 255])])));
    let Some(Value::Map(inner)) = attributes.get("map") else { panic!("no map") };
    assert_eq!(inner.text("in"), Some("side"));
    assert_eq!((attributes.len(), attributes.repeated_keys()), (5, vec!["twice"]));
}

#[tokio::test]
async fn metrics_and_profiles_are_validated_and_counted() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let json = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"a","sum":{"dataPoints":[{"asInt":"1"},{"asDouble":2.5}],"isMonotonic":true}},
        {"name":"b","histogram":{"dataPoints":[{"count":"2","bucketCounts":["1","1"],"explicitBounds":[0.5],
            "exemplars":[{"asDouble":1,"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708"}]}]}}
    ]}]}]}"#;
    for _ in 0..2 {
        assert_eq!(http1(address, "/v1/metrics", &[JSON], json).await.status, 200);
    }
    let metrics = collector.metrics();
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(metrics[0].exemplars.is_empty());
    let exemplars: Vec<_> =
        metrics[1].exemplars.iter().map(|one| (one.trace_id.len(), one.span_id[7])).collect();
    assert_eq!(exemplars, [(16, 8)]);
    let profiles = br#"{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"durationNano":"5"},{}]}]}]}"#;
    assert_eq!(http1(address, "/v1development/profiles", &[JSON], profiles).await.status, 200);
    let items: Vec<u64> = collector.requests().iter().map(|record| record.items).collect();
    assert_eq!(items, [3, 3, 2]);
    assert_eq!(grpc(address, METRICS, &[], b"\x0a\x05").await.grpc_status(), Some(3));
    assert_eq!(grpc(address, PROFILES, &[], b"\x0a\x05").await.grpc_status(), Some(3));
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_keeps_what_was_stored() {
    let (collector, address, endpoint) = start(Limits::default()).await;
    endpoint.inject(When::always(), Fault::Delay(Duration::from_millis(300)));
    let body = samples::traces(vec![samples::span(1, 1, 0)]);
    let under_way = tokio::spawn(async move { grpc(address, TRACES, &[], &body).await });
    let mut changes = collector.watch();
    tokio::time::timeout(DEADLINE, changes.wait_for(|version| *version > 0)).await.unwrap().unwrap();
    collector.stop().await;
    assert_eq!(under_way.await.unwrap().grpc_status(), Some(0));
    assert_eq!(collector.spans().len(), 1);
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the port is closed");
    assert!(collector.endpoint("late").await.is_err());
}
