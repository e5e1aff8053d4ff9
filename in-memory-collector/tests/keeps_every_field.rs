//! Everything that is exported is found, over each transport and encoding.

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use std::time::Duration;

use client::{JSON, LOGS, PROTOBUF, TRACES, framed, grpc, gzip, http1, http2, samples};
use in_memory_collector::{
    Collector, Compression, Condition, Encoding, Limits, SpanId, SpanKind, StatusCode, TraceId, TraceQuery,
    Transport, Value,
};

fn check_full_span(collector: &Collector, from: &str) {
    let spans = collector.spans_of("shop");
    assert_eq!(spans.len(), 1, "{from}: {:?}", collector.problems());
    let span = &spans[0];
    assert_eq!(span.trace_id(), Some(TraceId(std::array::from_fn(|at| at as u8 + 1))), "{from}");
    assert_eq!(span.span_id(), Some(SpanId(std::array::from_fn(|at| at as u8 + 21))));
    assert_eq!(span.parent_id(), Some(SpanId(std::array::from_fn(|at| at as u8 + 31))));
    assert!(span.has_valid_ids());
    assert_eq!(span.flags(), 0x301);
    assert_eq!(span.is_remote(), Some(true));
    assert_eq!(span.trace_state(), "acme=1,b=2");
    assert_eq!((span.name(), span.kind()), ("GET /orders", SpanKind::Client));
    assert_eq!(span.start_nanos(), 1_700_000_000_000_000_001);
    assert_eq!(span.end_nanos(), 1_700_000_000_000_000_999);
    assert_eq!(span.attributes().text("http.method"), Some("GET"));
    assert_eq!(span.attributes().get("n"), Some(&Value::Int(-5)));
    let events = span.events();
    assert_eq!((events[0].name.as_str(), events[0].time_nanos), ("retry", 7));
    assert_eq!(events[0].attributes.get("d"), Some(&Value::Double(1.5)));
    assert_eq!(events[0].dropped_attributes_count, 2);
    let links = span.links();
    assert_eq!(links[0].trace(), Some(TraceId([0xaa; 16])));
    assert_eq!(links[0].span(), Some(SpanId([0xbb; 8])));
    assert_eq!((links[0].flags, links[0].trace_state.as_str()), (0x101, "x=y"));
    assert_eq!(links[0].attributes.get("b"), Some(&Value::Bool(true)));
    assert_eq!(links[0].dropped_attributes_count, 4);
    let dropped = [span.dropped_attributes_count(), span.dropped_events_count(), span.dropped_links_count()];
    assert_eq!(dropped, [1, 3, 5]);
    assert_eq!((span.status().code, span.status().message.as_str()), (StatusCode::Error, "no"));
    let resource = span.resource();
    assert_eq!(resource.service_name(), Some("shop"));
    assert_eq!((resource.schema_url.as_str(), resource.dropped_attributes_count), ("https://resource", 9));
    let scope = span.scope();
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("lib", "1.2"));
    assert_eq!((scope.schema_url.as_str(), scope.dropped_attributes_count), ("https://scope", 8));
    assert_eq!(scope.attributes.text("k"), Some("v"));
    assert_eq!(&**span.endpoint(), "shop");
}

#[tokio::test]
async fn every_field_of_a_span_is_kept_over_every_transport() {
    let request = samples::request(vec![samples::full_span()]);
    let protobuf = samples::traces(vec![samples::full_span()]);
    let json = serde_json::to_vec(&request).unwrap();
    let collector = Collector::start(Limits::default()).unwrap();
    let address = collector.endpoint("shop").await.unwrap().address();
    let agent = ("user-agent", "test/1");

    let answer = grpc(address, TRACES, &[agent], &protobuf).await;
    assert_eq!((answer.grpc_status(), &answer.body[..]), (Some(0), &[0; 5][..]));
    check_full_span(&collector, "gRPC");
    let record = &collector.requests()[0];
    assert_eq!(record.transport, Transport::Grpc);
    assert_eq!(record.user_agent.as_deref(), Some("test/1"));
    assert_eq!((record.wire_bytes, record.items), (protobuf.len() as u64, 1));

    collector.clear();
    let client = client::Http2::connect(address).await;
    let zipped = framed(1, &gzip(&protobuf));
    let answer = client.grpc(TRACES, &[("grpc-encoding", "gzip")], zipped).await.unwrap();
    assert_eq!(answer.grpc_status(), Some(0));
    check_full_span(&collector, "gRPC gzip");
    assert_eq!(collector.requests()[0].compression, Compression::Gzip);

    for (name, headers, body) in [
        ("protobuf", vec![PROTOBUF], protobuf.clone()),
        ("protobuf gzip", vec![PROTOBUF, ("content-encoding", "gzip")], gzip(&protobuf)),
        ("JSON", vec![JSON], json.clone()),
        ("JSON gzip", vec![JSON, ("content-encoding", "gzip")], gzip(&json)),
    ] {
        collector.clear();
        let answer = http1(address, "/v1/traces", &headers, &body).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(headers[0].1)), "{name}");
        check_full_span(&collector, name);
        let record = &collector.requests()[0];
        assert_eq!(record.encoding == Encoding::Json, name.starts_with("JSON"));
        assert_eq!(record.transport, Transport::Http1);

        collector.clear();
        let answer = http2(address, "/v1/traces", &headers, &body).await;
        assert_eq!(answer.status, 200, "{name} over HTTP/2");
        check_full_span(&collector, name);
        assert_eq!(collector.requests()[0].transport, Transport::Http2);
    }
    collector.stop().await;
}

#[tokio::test]
async fn log_records_are_kept_with_their_ids() {
    let collector = Collector::start(Limits::default()).unwrap();
    let address = collector.endpoint("shop").await.unwrap().address();
    assert_eq!(grpc(address, LOGS, &[], &samples::logs(&["one", "two"])).await.grpc_status(), Some(0));
    assert_eq!(http1(address, "/v1/logs", &[PROTOBUF], &samples::logs(&["three"])).await.status, 200);
    let logs = collector.logs();
    let bodies: Vec<Value> = logs.iter().map(|record| record.body()).collect();
    assert_eq!(bodies, ["one", "two", "three"].map(|body| Value::String(body.to_owned())));
    assert_eq!(logs[0].trace_id(), Some(TraceId([7; 16])));
    assert_eq!(logs[0].span_id(), Some(SpanId([8; 8])));
    assert_eq!((logs[0].flags(), logs[0].severity_number(), logs[0].severity_text()), (1, 9, "INFO"));
    assert_eq!((logs[0].time_nanos(), logs[0].observed_nanos(), logs[0].event_name()), (3, 4, "event"));
    assert_eq!(logs[0].attributes().text("a"), Some("b"));
    assert_eq!(logs[0].resource().service_name(), Some("shop"));
}

#[tokio::test]
async fn a_wait_ends_when_the_spans_are_here() {
    let collector = Collector::start(Limits::default()).unwrap();
    let address = collector.endpoint("shop").await.unwrap().address();
    let waiter = collector.clone();
    let waiting = tokio::spawn(async move {
        let both = Condition::All(vec![Condition::AtLeast(2), Condition::ParentsComplete]);
        waiter.wait(&TraceQuery::trace([5; 16]), both, Duration::from_secs(20)).await
    });
    http1(address, "/v1/traces", &[PROTOBUF], &samples::traces(vec![samples::span(5, 2, 1)])).await;
    http1(address, "/v1/traces", &[PROTOBUF], &samples::traces(vec![samples::span(5, 1, 0)])).await;
    assert_eq!(waiting.await.unwrap().unwrap().len(), 2);
}
