//! Section 1 of the obligations, gRPC (13 to 21). Each test names its obligation.

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use client::{DEADLINE, Http2, LOGS, METRICS, PROFILES, TRACES, framed, grpc, gunzip, gzip, samples};
use in_memory_collector::{Collector, Endpoint, Fault, Limits, Outcome, Refusal, RetryAfter, When};

async fn start(limits: Limits) -> (Collector, std::net::SocketAddr, Endpoint) {
    let collector = Collector::start(limits).unwrap();
    let endpoint = collector.endpoint("shop").await.unwrap();
    (collector, endpoint.address(), endpoint)
}

fn one_span() -> Vec<u8> {
    samples::traces(vec![samples::span(1, 1, 0)])
}

fn details(answer: &client::Answer) -> Option<Vec<u8>> {
    let text = answer.header("grpc-status-details-bin")?;
    use base64_standard::decode;
    Some(decode(text))
}

/// Base64 for the tests, so that they do not share the collector's.
mod base64_standard {
    pub fn decode(text: &str) -> Vec<u8> {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bits = String::new();
        for digit in text.chars() {
            bits.push_str(&format!("{:06b}", alphabet.find(digit).unwrap()));
        }
        let bytes = bits.as_bytes().chunks_exact(8);
        bytes.map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect()
    }
}

#[tokio::test]
async fn o13_export_exists_for_every_signal_and_nothing_else() {
    let (_collector, address, _endpoint) = start(Limits::default()).await;
    for path in [TRACES, LOGS, METRICS, PROFILES] {
        assert_eq!(grpc(address, path, &[], &[]).await.grpc_status(), Some(0), "{path}");
    }
    let wrong = "/opentelemetry.proto.collector.trace.v1.TraceService/Import";
    assert_eq!(grpc(address, wrong, &[], &[]).await.grpc_status(), Some(12));
    let at = "127.0.0.1:0".parse().unwrap();
    assert!(Collector::start(Limits::default()).unwrap().endpoint_at("fixed", at).await.is_ok());
}

#[tokio::test]
async fn o14_too_large_is_resource_exhausted_and_not_to_be_retried() {
    let (_collector, address, _endpoint) = start(Limits { message_bytes: 1000, ..Limits::default() }).await;
    let answer = grpc(address, TRACES, &[], &vec![0; 1001]).await;
    assert_eq!((answer.grpc_status(), details(&answer)), (Some(8), None));
    let exact = vec![0xa2, 0x06, 0xe4, 0x07].into_iter().chain(vec![0; 996]).collect::<Vec<u8>>();
    assert_eq!(grpc(address, TRACES, &[], &exact).await.grpc_status(), Some(0), "the limit itself is taken");
}

#[tokio::test]
async fn o15_overload_is_unavailable_with_retry_info() {
    let (collector, address, _endpoint) = start(Limits { receiving_bytes: 50, ..Limits::default() }).await;
    let answer = grpc(address, TRACES, &[], &one_span()).await;
    assert_eq!(answer.grpc_status(), Some(14));
    let details = details(&answer).unwrap();
    let text = String::from_utf8_lossy(&details);
    assert!(text.contains("type.googleapis.com/google.rpc.RetryInfo"), "{text}");
    assert!(matches!(collector.problems()[0].outcome, Outcome::Refused(Refusal::Busy(50))));
}

#[tokio::test]
async fn o16_bad_bytes_are_invalid_argument_with_bad_request() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let client = Http2::connect(address).await;
    let frames = [
        framed(0, b"\x0a\x05\x01"),
        framed(0, b"\xff"),
        framed(1, b"no gzip"),
        framed(7, b""),
        Bytes::from_static(b"\0\0\0"),
        Bytes::from_static(b"\0\0\0\0\x09\x0a"),
        Bytes::from_static(b"\0\0\0\0\0\0\0\0\0\0"),
    ];
    for frame in frames {
        let answer = client.grpc(TRACES, &[("grpc-encoding", "gzip")], frame.clone()).await.unwrap();
        assert_eq!(answer.grpc_status(), Some(3), "{frame:?}");
        let details = details(&answer).unwrap();
        let text = String::from_utf8_lossy(&details);
        assert!(text.contains("type.googleapis.com/google.rpc.BadRequest"), "{text}");
    }
    assert_eq!((collector.spans().len(), collector.problems().len()), (0, 7));
}

#[tokio::test]
async fn o17_every_status_can_be_had_with_and_without_retry_info() {
    let (collector, address, endpoint) = start(Limits::default()).await;
    for code in 1..17 {
        endpoint.inject(When::nth(1), Fault::grpc(code));
        assert_eq!(grpc(address, TRACES, &[], &one_span()).await.grpc_status(), Some(code));
        endpoint.heal();
    }
    let after = RetryAfter::Delay(Duration::from_millis(1500));
    endpoint.inject(When::always(), Fault::grpc(8).retry_after(after));
    let answer = grpc(address, TRACES, &[], &one_span()).await;
    let details = details(&answer).unwrap();
    // Any { value: RetryInfo { retry_delay: Duration { seconds: 1, nanos: 500_000_000 } } } ends the status.
    assert!(details.ends_with(&[0x0a, 0x08, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]), "{details:x?}");
    assert_eq!((answer.grpc_status(), collector.spans().len()), (Some(8), 0));
}

#[tokio::test]
async fn o18_the_delay_asked_for_is_neither_zero_nor_long() {
    let full = Limits { store_bytes: 0, ..Limits::default() };
    let (_collector, address, _endpoint) = start(full).await;
    let answer = grpc(address, TRACES, &[], &one_span()).await;
    assert_eq!(answer.grpc_status(), Some(14));
    let details = details(&answer).unwrap();
    assert!(details.windows(4).any(|bytes| bytes == [0x0a, 0x04, 0x08, 1]), "one second: {details:x?}");
}

#[tokio::test]
async fn o19_many_concurrent_calls_on_one_connection() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let client = Arc::new(Http2::connect(address).await);
    let calls: Vec<_> = (0..300u16)
        .map(|call| {
            let client = client.clone();
            let mut span = samples::span(1, 1, 0);
            span.span_id[..2].copy_from_slice(&call.to_be_bytes());
            let frame = framed(0, &samples::traces(vec![span]));
            tokio::spawn(async move { client.grpc(TRACES, &[], frame).await.unwrap().grpc_status() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Some(0));
    }
    assert_eq!(collector.spans().len(), 300);
}

#[tokio::test]
async fn o20_unknown_compression_is_unimplemented_and_names_what_is_known() {
    let (_collector, address, _endpoint) = start(Limits::default()).await;
    let client = Http2::connect(address).await;
    let answer = client.grpc(TRACES, &[("grpc-encoding", "snappy")], framed(1, b"x")).await.unwrap();
    assert_eq!(answer.grpc_status(), Some(12));
    assert_eq!(answer.header("grpc-accept-encoding"), Some("identity,gzip,zstd,deflate"));
    let json = client.request("POST", TRACES, &[("content-type", "application/grpc+json")], framed(0, b"{}"));
    assert_eq!(json.await.unwrap().grpc_status(), Some(12), "a codec that OTLP does not have");
}

#[tokio::test]
async fn o20_pings_are_answered_however_many_come() {
    let (_collector, address, _endpoint) = start(Limits::default()).await;
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let (send, mut connection) = h2::client::handshake(tcp).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    tokio::spawn(async move { drop(connection.await) });
    for _ in 0..200 {
        tokio::time::timeout(DEADLINE, pings.ping(h2::Ping::opaque())).await.unwrap().unwrap();
    }
    let client = Http2 { send };
    assert_eq!(client.grpc(TRACES, &[], framed(0, &[])).await.unwrap().grpc_status(), Some(0));
}

#[tokio::test]
async fn o20_a_deadline_of_the_client_is_honoured() {
    let (_collector, address, endpoint) = start(Limits::default()).await;
    endpoint.inject(When::always(), Fault::Stall);
    endpoint.heal();
    let client = Http2::connect(address).await;
    // The body never ends, so only the deadline can.
    let request = http::Request::post(format!("http://collector{TRACES}"))
        .header("content-type", "application/grpc")
        .header("grpc-timeout", "50m")
        .body(())
        .unwrap();
    let mut send = client.send.clone().ready().await.unwrap();
    let (response, _stream) = send.send_request(request, false).unwrap();
    let begun = Instant::now();
    let response = tokio::time::timeout(DEADLINE, response).await.unwrap().unwrap();
    assert_eq!(response.headers()["grpc-status"], "4");
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn o20_a_stop_says_goaway_and_finishes_what_was_begun() {
    let (collector, address, endpoint) = start(Limits::default()).await;
    endpoint.inject(When::always(), Fault::Delay(Duration::from_millis(200)));
    let client = Arc::new(Http2::connect(address).await);
    let other = client.clone();
    let call = tokio::spawn(async move { other.grpc(TRACES, &[], framed(0, &one_span())).await });
    let mut changes = collector.watch();
    tokio::time::timeout(DEADLINE, changes.wait_for(|version| *version > 0)).await.unwrap().unwrap();
    collector.stop().await;
    assert_eq!(call.await.unwrap().unwrap().grpc_status(), Some(0));
    assert!(client.grpc(TRACES, &[], framed(0, &[])).await.is_err(), "no new calls");
}

#[tokio::test]
async fn o21_zstd_and_deflate_are_taken_too() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let client = Http2::connect(address).await;
    let body = one_span();
    let mut zlib = flate2::read::ZlibEncoder::new(&body[..], flate2::Compression::fast());
    let mut deflated = Vec::new();
    std::io::Read::read_to_end(&mut zlib, &mut deflated).unwrap();
    let zstd = zstd::encode_all(&body[..], 3).unwrap();
    for (name, message) in [("zstd", zstd), ("deflate", deflated), ("gzip", gzip(&body))] {
        let answer = client.grpc(TRACES, &[("grpc-encoding", name)], framed(1, &message)).await.unwrap();
        assert_eq!(answer.grpc_status(), Some(0), "{name}");
    }
    assert_eq!(collector.spans()[0].duplicates(), 2);
}

#[tokio::test]
async fn o32_an_answer_is_gzip_if_the_client_takes_it_and_it_is_worth_it() {
    let (_collector, address, endpoint) = start(Limits::default()).await;
    let message = "no room ".repeat(500);
    endpoint.inject(When::first(2), Fault::PartialSuccess { rejected: 1, message });
    let plain = grpc(address, TRACES, &[], &one_span()).await;
    let takes = ("grpc-accept-encoding", "identity,deflate,gzip");
    let zipped = grpc(address, TRACES, &[takes], &one_span()).await;
    assert_eq!((plain.header("grpc-encoding"), plain.body[0]), (None, 0));
    assert_eq!((zipped.header("grpc-encoding"), zipped.body[0]), (Some("gzip"), 1));
    assert_eq!(zipped.grpc_status(), Some(0));
    assert_eq!(gunzip(&zipped.body[5..]), plain.body[5..]);
    let short = grpc(address, TRACES, &[takes], &one_span()).await;
    assert_eq!((short.header("grpc-encoding"), &short.body[..]), (None, &[0; 5][..]), "not worth it");
}

#[tokio::test]
async fn faults_retry_after_a_date_is_what_is_left_until_then() {
    let (_collector, address, endpoint) = start(Limits::default()).await;
    let date = SystemTime::now() + Duration::from_secs(100);
    endpoint.inject(When::always(), Fault::unavailable().retry_after(RetryAfter::Date(date)));
    let details = details(&grpc(address, TRACES, &[], &one_span()).await).unwrap();
    let at = details.windows(3).rposition(|bytes| bytes[0] == 0x08 && bytes[2] == 0x10).unwrap();
    assert!((98..=100).contains(&details[at + 1]), "{details:x?}");
}
