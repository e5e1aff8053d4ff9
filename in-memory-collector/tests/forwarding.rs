//! An endpoint that forwards: what it hands on, and what it answers.

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use std::sync::{Arc, Mutex};

use client::{Http2, TRACES, framed, samples};
use in_memory_collector::{Collector, Forwarder, Limits, Rejection, Signal};

/// The requests that were forwarded.
type Forwarded = Arc<Mutex<Vec<(Signal, Vec<u8>)>>>;

/// Returns an endpoint whose requests end up in the list, and are answered with `result`.
async fn forwarding(result: Result<(), Rejection>) -> (Collector, Http2, Forwarded) {
    let collector = Collector::start(Limits::default()).unwrap();
    let endpoint = collector.endpoint("shop").await.unwrap();
    let forwarded: Forwarded = Arc::default();
    let list = forwarded.clone();
    endpoint.forward(Forwarder::new(move |signal, message| {
        list.lock().unwrap().push((signal, message.to_vec()));
        let result = result.clone();
        Box::pin(async move { result })
    }));
    let client = Http2::connect(endpoint.address()).await;
    (collector, client, forwarded)
}

#[tokio::test]
async fn a_request_is_stored_and_forwarded_as_it_is() {
    let (collector, client, forwarded) = forwarding(Ok(())).await;
    let message = samples::traces(vec![samples::span(1, 1, 0)]);
    let answer = client.grpc(TRACES, &[], framed(0, &message)).await.unwrap();
    assert_eq!(answer.grpc_status(), Some(0));
    assert_eq!(*forwarded.lock().unwrap(), [(Signal::Traces, message)]);
    assert_eq!(collector.spans().len(), 1);
}

#[tokio::test]
async fn a_rejection_is_the_answer_and_the_span_is_kept() {
    let rejection = Rejection { status: 503, message: "its queue is full".to_owned() };
    let (collector, client, _) = forwarding(Err(rejection)).await;
    let message = samples::traces(vec![samples::span(1, 1, 0)]);
    let answer = client.grpc(TRACES, &[], framed(0, &message)).await.unwrap();
    assert_eq!(answer.grpc_status(), Some(14));
    assert_eq!(collector.spans().len(), 1);
    client.grpc(TRACES, &[], framed(0, &message)).await.unwrap();
    let spans = collector.spans();
    assert_eq!((spans.len(), spans[0].duplicates()), (1, 1), "a retry is a duplicate");
}

#[tokio::test]
async fn what_cannot_be_read_is_not_forwarded() {
    let (_collector, client, forwarded) = forwarding(Ok(())).await;
    let answer = client.grpc(TRACES, &[], framed(0, b"\xff\xff")).await.unwrap();
    assert_eq!(answer.grpc_status(), Some(3));
    assert!(forwarded.lock().unwrap().is_empty());
}
