//! Faults on demand: each does to a client what it says, and the records say what was stored.

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use std::time::Duration;

use client::{Answer, DEADLINE, Http1, Http2, JSON, PROTOBUF, TRACES, framed, samples};
use h2::Reason;
use in_memory_collector::{Collector, Endpoint, Fault, Limits, Outcome, Signal, When};

async fn start() -> (Collector, Endpoint) {
    let collector = Collector::start(Limits::default()).unwrap();
    let endpoint = collector.endpoint("shop").await.unwrap();
    (collector, endpoint)
}

fn one_span() -> Vec<u8> {
    samples::traces(vec![samples::span(1, 1, 0)])
}

async fn call(client: &Http2) -> Result<Answer, h2::Error> {
    tokio::time::timeout(DEADLINE, client.grpc(TRACES, &[], framed(0, &one_span()))).await.expect("no answer")
}

/// Returns whether an HTTP/1.1 exchange ends without an answer.
async fn hangs_up(endpoint: &Endpoint) -> bool {
    let mut connection = Http1::connect(endpoint.address()).await;
    let body = one_span();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: c\r\n{}: {}\r\ncontent-length: {}\r\n\r\n",
        PROTOBUF.0,
        PROTOBUF.1,
        body.len()
    );
    let bytes = [head.as_bytes(), &body].concat();
    tokio::io::AsyncWriteExt::write_all(&mut connection.stream, &bytes).await.unwrap();
    tokio::time::timeout(DEADLINE, connection.answer()).await.expect("neither answer nor end").is_none()
}

#[tokio::test]
async fn a_lost_ack_is_stored_and_the_retry_is_a_duplicate() {
    let (collector, endpoint) = start().await;
    endpoint.inject(When::nth(1), Fault::AckLost);
    assert!(call(&Http2::connect(endpoint.address()).await).await.is_err());
    assert!(collector.problems()[0].outcome.to_string().starts_with("stored, then on demand"));
    let again = call(&Http2::connect(endpoint.address()).await).await.unwrap();
    assert_eq!(again.grpc_status(), Some(0));
    let spans = collector.spans();
    assert_eq!((spans.len(), spans[0].duplicates()), (1, 1));
    endpoint.inject(When::nth(1), Fault::AckLost);
    assert!(hangs_up(&endpoint).await);
}

#[tokio::test]
async fn a_reset_has_its_code_and_the_connection_lives() {
    let (collector, endpoint) = start().await;
    endpoint.inject(When::first(2), Fault::Reset(u32::from(Reason::ENHANCE_YOUR_CALM)));
    let client = Http2::connect(endpoint.address()).await;
    for _ in 0..2 {
        assert_eq!(call(&client).await.unwrap_err().reason(), Some(Reason::ENHANCE_YOUR_CALM));
    }
    assert_eq!(call(&client).await.unwrap().grpc_status(), Some(0));
    let stored = collector
        .problems()
        .iter()
        .filter(|record| matches!(&record.outcome, Outcome::Faulted { stored: true, .. }))
        .count();
    assert_eq!((collector.spans().len(), collector.problems().len(), stored), (1, 2, 0));
}

#[tokio::test]
async fn a_goaway_ends_the_connection_with_its_code() {
    let (collector, endpoint) = start().await;
    endpoint.inject(When::nth(1), Fault::GoAway(u32::from(Reason::ENHANCE_YOUR_CALM)));
    let tcp = tokio::net::TcpStream::connect(endpoint.address()).await.unwrap();
    let (send, connection) = h2::client::handshake(tcp).await.unwrap();
    let connection = tokio::spawn(connection);
    assert!(call(&Http2 { send }).await.is_err());
    let error = connection.await.unwrap().unwrap_err();
    assert!(error.is_go_away() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM), "{error}");
    assert_eq!(collector.spans().len(), 0);
    assert_eq!(call(&Http2::connect(endpoint.address()).await).await.unwrap().grpc_status(), Some(0));
}

#[tokio::test]
async fn a_disconnect_in_the_middle_stores_nothing() {
    let (collector, endpoint) = start().await;
    endpoint.inject(When::first(2), Fault::Disconnect { after_bytes: 10 });
    assert!(call(&Http2::connect(endpoint.address()).await).await.is_err());
    assert!(hangs_up(&endpoint).await);
    assert_eq!((collector.spans().len(), collector.problems().len()), (0, 2));
}

#[tokio::test]
async fn a_stall_does_not_even_let_the_client_send() {
    let (collector, endpoint) = start().await;
    endpoint.inject(When::always(), Fault::Stall);
    let tcp = tokio::net::TcpStream::connect(endpoint.address()).await.unwrap();
    let (send, mut connection) = h2::client::handshake(tcp).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    tokio::spawn(async move { drop(connection.await) });
    // Before the settings of the server are here, windows are those of the protocol.
    pings.ping(h2::Ping::opaque()).await.unwrap();
    let client = Http2 { send };
    let request = http::Request::post(format!("http://c{TRACES}")).header("content-type", "application/grpc");
    let mut send = client.send.clone().ready().await.unwrap();
    let (response, mut stream) = send.send_request(request.body(()).unwrap(), false).unwrap();
    stream.reserve_capacity(1000);
    let granted = std::future::poll_fn(|context| stream.poll_capacity(context));
    assert!(tokio::time::timeout(DEADLINE, granted).await.unwrap().unwrap().unwrap() <= 16);
    let arrived = async {
        while collector.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, arrived).await.unwrap();
    let mut changes = collector.watch();
    stream.send_reset(Reason::CANCEL);
    drop(response);
    tokio::time::timeout(DEADLINE, changes.changed()).await.unwrap().unwrap();
    client::idle(&collector).await;
    endpoint.heal();
    assert_eq!(call(&client).await.unwrap().grpc_status(), Some(0), "the same connection works again");
}

#[tokio::test]
async fn answers_may_be_wrong_in_their_media_type_size_and_compression() {
    let (collector, endpoint) = start().await;
    let client = Http2::connect(endpoint.address()).await;
    let mut http1 = Http1::connect(endpoint.address()).await;
    let json = serde_json::to_vec(&samples::request(vec![samples::span(1, 2, 0)])).unwrap();

    endpoint.inject(When::always(), Fault::ContentType("text/html".to_owned()));
    assert_eq!(call(&client).await.unwrap().header("content-type"), Some("text/html"));
    let answer = http1.request("POST", "/v1/traces", &[JSON], &json).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html")));
    endpoint.heal();

    endpoint.inject(When::always(), Fault::LargeAnswer(5 << 20));
    assert!(call(&client).await.unwrap().body.len() > 5 << 20);
    assert!(http1.request("POST", "/v1/traces", &[JSON], &json).await.body.len() > 5 << 20);
    endpoint.heal();

    endpoint.inject(When::always(), Fault::TruncatedGzip);
    let answer = call(&client).await.unwrap();
    assert_eq!((answer.header("grpc-encoding"), answer.body[0]), (Some("gzip"), 1));
    let answer = http1.request("POST", "/v1/traces", &[JSON], &json).await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut decoder = flate2::read::GzDecoder::new(&answer.body[..]);
    assert!(std::io::Read::read_to_end(&mut decoder, &mut Vec::new()).is_err());
    assert_eq!(collector.spans().len(), 2, "all were stored");
}

#[tokio::test]
async fn a_delay_comes_after_the_store() {
    let (collector, endpoint) = start().await;
    endpoint.inject(When::always(), Fault::Delay(Duration::from_secs(3600)));
    let client = Http2::connect(endpoint.address()).await;
    let mut changes = collector.watch();
    let call = tokio::spawn(async move { call(&client).await });
    tokio::time::timeout(DEADLINE, changes.changed()).await.unwrap().unwrap();
    assert_eq!((collector.spans().len(), collector.in_flight()), (1, 1));
    call.abort();
}

#[tokio::test]
async fn faults_are_chosen_by_turn_path_signal_and_trace() {
    let (collector, endpoint) = start().await;
    let mut http1 = Http1::connect(endpoint.address()).await;
    endpoint.inject(When::nth(2).path("/v1/logs"), Fault::http(500));
    endpoint.inject(When::first(1).signal(Signal::Metrics), Fault::http(502));
    endpoint.inject(When::always().trace([7; 16]).signal(Signal::Traces), Fault::http(503));
    let mut statuses = Vec::new();
    for (path, body) in [
        ("/v1/logs", samples::logs(&["a"])),
        ("/v1/logs", samples::logs(&["b"])),
        ("/v1/logs", samples::logs(&["c"])),
        ("/v1/metrics", Vec::new()),
        ("/v1/metrics", Vec::new()),
        ("/v1/traces", samples::traces(vec![samples::span(6, 1, 0)])),
        ("/v1/traces", samples::traces(vec![samples::span(6, 2, 0), samples::span(7, 1, 0)])),
    ] {
        statuses.push(http1.request("POST", path, &[PROTOBUF], &body).await.status);
    }
    assert_eq!(statuses, [200, 500, 200, 502, 200, 200, 503]);
    assert_eq!((collector.logs().len(), collector.spans().len()), (2, 1));
}
