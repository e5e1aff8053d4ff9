//! The store: visible before the answer, duplicates and conflicts distinguished, bounded, with an error when full.

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use client::{Http1, Http2, PROTOBUF, TRACES, framed, grpc, samples};
use in_memory_collector::{Collector, Limits, Outcome, Refusal};

async fn start(limits: Limits) -> (Collector, std::net::SocketAddr) {
    let collector = Collector::start(limits).unwrap();
    let address = collector.endpoint("shop").await.unwrap().address();
    (collector, address)
}

#[tokio::test]
async fn what_is_acknowledged_is_visible() {
    let (collector, address) = start(Limits::default()).await;
    let mut http1 = Http1::connect(address).await;
    let http2 = Http2::connect(address).await;
    for id in 1..=200u8 {
        let body = samples::traces(vec![samples::span(9, id, 0)]);
        if id % 2 == 0 {
            assert_eq!(http1.request("POST", "/v1/traces", &[PROTOBUF], &body).await.status, 200);
        } else {
            assert_eq!(http2.grpc(TRACES, &[], framed(0, &body)).await.unwrap().grpc_status(), Some(0));
        }
        assert_eq!(collector.trace([9; 16]).len(), usize::from(id));
    }
}

#[tokio::test]
async fn a_span_names_the_request_that_brought_it() {
    let (collector, address) = start(Limits::default()).await;
    grpc(address, TRACES, &[], &samples::traces(vec![samples::span(1, 1, 0), samples::span(2, 2, 0)])).await;
    grpc(address, TRACES, &[], &samples::traces(vec![samples::span(1, 3, 0)])).await;
    let requests: Vec<u64> = collector.requests().iter().map(|request| request.sequence).collect();
    let brought: Vec<u64> = collector.spans().iter().map(|span| span.request()).collect();
    assert_eq!(brought, [requests[0], requests[0], requests[1]]);
}

#[tokio::test]
async fn the_same_ids_with_other_content_are_a_conflict_and_both_are_kept() {
    let (collector, address) = start(Limits::default()).await;
    let other = collector.endpoint("other").await.unwrap().address();
    let first = samples::traces(vec![samples::span(1, 1, 0)]);
    let mut changed = samples::span(1, 1, 0);
    changed.name = "other".to_owned();
    grpc(address, TRACES, &[], &first).await;
    grpc(address, TRACES, &[], &first).await;
    grpc(address, TRACES, &[], &samples::traces(vec![changed])).await;
    grpc(other, TRACES, &[], &first).await;
    let spans = collector.trace([1; 16]);
    let seen: Vec<_> = spans.iter().map(|span| (span.name(), span.duplicates(), span.conflicts())).collect();
    assert_eq!(seen, [("span 1", 1, 2), ("other", 0, 2), ("span 1", 0, 2)]);
    assert_eq!((collector.stats().spans, collector.stats().duplicates), (3, 1));
}

#[tokio::test]
async fn a_trace_with_very_many_spans_still_knows_its_duplicates() {
    let (collector, address) = start(Limits::default()).await;
    let spans: Vec<_> = (0..2000u16)
        .map(|id| {
            let mut span = samples::span(1, 1, 0);
            span.span_id[..2].copy_from_slice(&id.to_be_bytes());
            span
        })
        .collect();
    let client = Http2::connect(address).await;
    for _ in 0..2 {
        for part in spans.chunks(300) {
            let frame = framed(0, &samples::traces(part.to_vec()));
            assert_eq!(client.grpc(TRACES, &[], frame).await.unwrap().grpc_status(), Some(0));
        }
    }
    let kept = collector.trace([1; 16]);
    assert_eq!(kept.len(), 2000);
    assert!(kept.iter().all(|span| span.duplicates() == 1 && span.conflicts() == 0));
}

#[tokio::test]
async fn a_full_store_refuses_loudly_keeps_what_it_has_and_takes_more_after_clear() {
    let limit = 4 << 20;
    let (collector, address) = start(Limits { store_bytes: limit, ..Limits::default() }).await;
    let client = Http2::connect(address).await;
    let mut acked = 0u32;
    let mut next = 0u32;
    for round in 0..2 {
        let refused = loop {
            let spans = (0..50)
                .map(|_| {
                    next += 1;
                    let mut span = samples::span(1, 1, 0);
                    span.trace_id[..4].copy_from_slice(&next.to_be_bytes());
                    span.name = "n".repeat(300);
                    span
                })
                .collect();
            let answer = client.grpc(TRACES, &[], framed(0, &samples::traces(spans))).await.unwrap();
            if answer.grpc_status() != Some(0) {
                break answer;
            }
            acked += 50;
            assert!(collector.stats().bytes <= limit, "{:?}", collector.stats());
        };
        assert_eq!(refused.grpc_status(), Some(14));
        assert!(refused.header("grpc-message").unwrap().contains("the store is full"));
        assert_eq!(collector.spans().len(), acked as usize, "nothing was evicted and nothing half stored");
        assert!(acked > 3000, "round {round}: {acked}");
        let problems = collector.problems();
        assert!(matches!(problems[0].outcome, Outcome::Refused(Refusal::Full(_))));
        collector.clear();
        assert_eq!((collector.spans().len(), collector.stats().bytes < limit / 8), (0, true));
        acked = 0;
    }
}

#[tokio::test]
async fn records_of_requests_are_bounded_and_problems_are_not_hidden_by_success() {
    let (collector, address) = start(Limits { request_records: 10, ..Limits::default() }).await;
    let mut connection = Http1::connect(address).await;
    connection.request("POST", "/v1/traces", &[PROTOBUF], b"\xff").await;
    for _ in 0..30 {
        connection.request("POST", "/v1/traces", &[PROTOBUF], b"").await;
    }
    assert_eq!((collector.requests().len(), collector.problems().len()), (11, 1));
    assert_eq!(collector.requests_forgotten(), 20);
    assert_eq!(collector.requests()[0].sequence, 0);
    assert_eq!(collector.requests()[10].sequence, 30);
}

#[tokio::test]
async fn sequences_go_on_after_clear() {
    let (collector, address) = start(Limits::default()).await;
    let body = samples::traces(vec![samples::span(1, 1, 0), samples::span(1, 2, 1)]);
    grpc(address, TRACES, &[], &body).await;
    collector.clear();
    assert_eq!(collector.trace([1; 16]).len(), 0);
    grpc(address, TRACES, &[], &body).await;
    let sequences: Vec<u64> = collector.spans().iter().map(|span| span.sequence()).collect();
    assert_eq!(sequences, [2, 3]);
}

#[tokio::test]
async fn a_message_that_comes_twice_in_an_envelope_is_merged() {
    let (collector, address) = start(Limits::default()).await;
    // ResourceSpans { scope_spans, resource, resource again, schema_url }: the order and the repetition are legal.
    use prost::Message;
    let span = samples::request(vec![samples::span(1, 1, 0)]).resource_spans[0].clone();
    let mut group = Vec::new();
    for scope in &span.scope_spans {
        prost::encoding::message::encode(2, scope, &mut group);
    }
    for name in ["first", "second"] {
        let mut resource = samples::resource(name);
        resource.attributes[0].key = format!("name.{name}");
        prost::encoding::message::encode(1, &resource, &mut group);
    }
    let mut body = vec![0x0a];
    prost::encoding::encode_varint(group.len() as u64, &mut body);
    body.extend(group);
    assert_eq!(grpc(address, TRACES, &[], &body).await.grpc_status(), Some(0));
    let resource = collector.spans()[0].resource();
    assert_eq!(resource.attributes.text("name.first"), Some("first"));
    assert_eq!(resource.attributes.text("name.second"), Some("second"));
    assert!(!samples::resource("x").encode_to_vec().is_empty());
}

#[tokio::test]
async fn endpoints_are_named_ports_and_a_name_is_given_once() {
    let (collector, address) = start(Limits::default()).await;
    assert_eq!(collector.endpoint("shop").await.unwrap().address(), address, "the same again");
    let billing = collector.endpoint("billing").await.unwrap();
    assert_eq!(billing.url(), format!("http://{}", billing.address()));
    assert!(collector.endpoint_at("billing", address).await.is_err(), "another address");
    assert!(collector.endpoint_at("third", address).await.is_err(), "a port that is in use");
    grpc(billing.address(), TRACES, &[], &samples::traces(vec![samples::span(1, 1, 0)])).await;
    assert_eq!((collector.spans_of("billing").len(), collector.spans_of("shop").len()), (1, 0));
    drop(collector);
    let closed = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(client::DEADLINE, closed).await.expect("the ports close with the last handle");
}
