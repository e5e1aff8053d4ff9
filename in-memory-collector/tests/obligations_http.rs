//! Section 1 of the obligations, HTTP (22 to 36). Each test names its obligation.

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use std::time::{Duration, SystemTime};

use client::{
    Answer, DEADLINE, Http1, Http2, JSON, PROTOBUF, TRACES, framed, gunzip, gzip, http1, http2, samples,
};
use in_memory_collector::{Collector, Cors, Endpoint, Fault, Limits, RetryAfter, When};
use prost::Message;

async fn start(limits: Limits) -> (Collector, std::net::SocketAddr, Endpoint) {
    let collector = Collector::start(limits).unwrap();
    let endpoint = collector.endpoint("shop").await.unwrap();
    (collector, endpoint.address(), endpoint)
}

fn one_span() -> Vec<u8> {
    samples::traces(vec![samples::span(1, 1, 0)])
}

fn one_span_json() -> Vec<u8> {
    serde_json::to_vec(&samples::request(vec![samples::span(1, 1, 0)])).unwrap()
}

/// `google.rpc.Status`, and of its details the type URLs.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// Returns the status of an answer in the encoding of the request.
fn status(answer: &Answer, request: (&str, &str)) -> (i32, String, Vec<String>) {
    assert_eq!(answer.header("content-type"), Some(request.1), "{answer:?}");
    if request == JSON {
        let value: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let details = value["details"].as_array().cloned().unwrap_or_default();
        let types = details.iter().map(|detail| detail["@type"].as_str().unwrap().to_owned()).collect();
        let code = value["code"].as_i64().unwrap() as i32;
        return (code, value["message"].as_str().unwrap().to_owned(), types);
    }
    let status = Status::decode(&answer.body[..]).unwrap();
    (status.code, status.message, status.details.into_iter().map(|detail| detail.type_url).collect())
}

#[tokio::test]
async fn o22_every_signal_has_its_path() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics", "/v1development/profiles"] {
        assert_eq!(http1(address, path, &[PROTOBUF], b"").await.status, 200);
        assert_eq!(http2(address, path, &[PROTOBUF], b"").await.status, 200);
    }
    assert_eq!(collector.requests().len(), 8);
}

#[tokio::test]
async fn o23_http1_http2_and_grpc_share_one_port() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    assert_eq!(http1(address, "/v1/traces", &[PROTOBUF], &one_span()).await.status, 200);
    let client = Http2::connect(address).await;
    let body = bytes::Bytes::from(one_span());
    assert_eq!(client.request("POST", "/v1/traces", &[PROTOBUF], body).await.unwrap().status, 200);
    let answer = client.grpc(TRACES, &[], framed(0, &one_span())).await.unwrap();
    assert_eq!(answer.grpc_status(), Some(0));
    assert_eq!(collector.spans()[0].duplicates(), 2);
}

#[tokio::test]
async fn o24_o25_the_media_type_chooses_the_encoding_of_request_and_answer() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let mut connection = Http1::connect(address).await;
    let with_charset = ("content-type", "application/json; charset=utf-8");
    for (header, body, answered) in [
        (PROTOBUF, one_span(), PROTOBUF.1),
        (JSON, one_span_json(), JSON.1),
        (with_charset, one_span_json(), JSON.1),
    ] {
        let answer = connection.request("POST", "/v1/traces", &[header], &body).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(answered)));
    }
    assert_eq!(collector.requests().len(), 3);
}

#[tokio::test]
async fn o26_success_and_partial_success_are_200() {
    let (_collector, address, endpoint) = start(Limits::default()).await;
    assert_eq!(http1(address, "/v1/traces", &[PROTOBUF], &one_span()).await.status, 200);
    endpoint.inject(When::always(), Fault::PartialSuccess { rejected: 1, message: "no".to_owned() });
    let answer = http1(address, "/v1/traces", &[PROTOBUF], &one_span()).await;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
    let response = ExportTraceServiceResponse::decode(&answer.body[..]).unwrap();
    assert_eq!((answer.status, response.partial_success.unwrap().rejected_spans), (200, 1));
}

#[tokio::test]
async fn o27_every_refusal_has_a_status_in_the_encoding_of_the_request() {
    let (_collector, address, _endpoint) = start(Limits { message_bytes: 5000, ..Limits::default() }).await;
    for request in [PROTOBUF, JSON] {
        let other = ("content-encoding", "lz77");
        let large = vec![b' '; 6000];
        for (path, headers, body, expected) in [
            ("/v1/nothing", vec![request], &b""[..], 404),
            ("/v1/traces", vec![request], &b"\xff\xff"[..], 400),
            ("/v1/traces", vec![request, other], &b""[..], 415),
            ("/v1/traces", vec![request], &large[..], 413),
        ] {
            let answer = http1(address, path, &headers, body).await;
            assert_eq!(answer.status, expected, "{path} {headers:?}");
            assert!(!status(&answer, request).1.is_empty());
        }
    }
}

#[tokio::test]
async fn o28_what_cannot_be_decoded_is_400_with_a_bad_request() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let gzipped = ("content-encoding", "gzip");
    for (headers, body, request) in [
        (vec![PROTOBUF], &b"\x0a\x05\x01"[..], PROTOBUF),
        (vec![JSON], &b"{\"resourceSpans\": 5}"[..], JSON),
        (vec![JSON], &b""[..], JSON),
        (vec![PROTOBUF, gzipped], &b"no gzip"[..], PROTOBUF),
        (vec![PROTOBUF, gzipped], &gzip(b"\x0a\x05\x01")[..], PROTOBUF),
        (vec![PROTOBUF, gzipped], &gzip(&one_span())[..30], PROTOBUF),
    ] {
        let answer = http1(address, "/v1/traces", &headers, body).await;
        assert_eq!(answer.status, 400);
        let (code, message, details) = status(&answer, request);
        assert_eq!((code, message.is_empty()), (3, false));
        assert_eq!(details, ["type.googleapis.com/google.rpc.BadRequest"]);
    }
    assert_eq!(collector.spans().len(), 0);
    let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SPAN_KIND_SERVER"}]}]}]}"#;
    let message = status(&http1(address, "/v1/traces", &[JSON], json).await, JSON).1;
    assert!(message.contains("Span.kind"), "the place is named: {message}");
}

#[tokio::test]
async fn o29_too_large_is_413_on_the_wire_and_decompressed() {
    let (_collector, address, _endpoint) = start(Limits { message_bytes: 10_000, ..Limits::default() }).await;
    let big = vec![0u8; 20_000];
    assert_eq!(http1(address, "/v1/traces", &[PROTOBUF], &big).await.status, 413);
    assert_eq!(http2(address, "/v1/traces", &[PROTOBUF], &big).await.status, 413);
    let gzipped = [PROTOBUF, ("content-encoding", "gzip")];
    assert_eq!(http1(address, "/v1/traces", &gzipped, &gzip(&big)).await.status, 413);
    let zstd = [PROTOBUF, ("content-encoding", "zstd")];
    assert_eq!(
        http1(address, "/v1/traces", &zstd, &zstd::encode_all(&big[..], 3).unwrap()).await.status,
        413
    );
}

#[tokio::test]
async fn o30_o31_overload_is_429_with_retry_after() {
    let (collector, address, _endpoint) = start(Limits { store_bytes: 0, ..Limits::default() }).await;
    for request in [PROTOBUF, JSON] {
        let body = if request == JSON { one_span_json() } else { one_span() };
        let answer = http1(address, "/v1/traces", &[request], &body).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
        assert!(status(&answer, request).1.contains("the store is full"));
    }
    assert_eq!((collector.spans().len(), collector.problems().len()), (0, 2));
}

#[tokio::test]
async fn o31_retry_after_comes_in_all_its_forms() {
    let (_collector, address, endpoint) = start(Limits::default()).await;
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    for (after, header) in [
        (RetryAfter::Delay(Duration::from_secs(7)), "7"),
        (RetryAfter::Date(date), "Sun, 06 Nov 1994 08:49:37 GMT"),
        (RetryAfter::Malformed("soon".to_owned()), "soon"),
    ] {
        endpoint.inject(When::always(), Fault::http(503).retry_after(after));
        let answer = http1(address, "/v1/traces", &[JSON], &one_span_json()).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some(header)));
        endpoint.heal();
    }
}

#[tokio::test]
async fn o32_an_answer_is_gzip_if_the_client_takes_it_and_it_is_worth_it() {
    let (_collector, address, endpoint) = start(Limits::default()).await;
    let text = "no room ".repeat(500);
    endpoint.inject(When::always(), Fault::PartialSuccess { rejected: 1, message: text.clone() });
    for request in [PROTOBUF, JSON] {
        let body = if request == JSON { one_span_json() } else { one_span() };
        let plain = http1(address, "/v1/traces", &[request], &body).await;
        assert_eq!((plain.header("content-encoding"), plain.body.len() > 4000), (None, true));
        let asks = [request, ("accept-encoding", "br, gzip")];
        for zipped in [
            http1(address, "/v1/traces", &asks, &body).await,
            http2(address, "/v1/traces", &asks, &body).await,
        ] {
            assert_eq!((zipped.status, zipped.header("content-encoding")), (200, Some("gzip")));
            assert_eq!(zipped.header("vary"), Some("accept-encoding"));
            assert!(zipped.body.len() < 200, "{}", zipped.body.len());
            assert_eq!(gunzip(&zipped.body), plain.body);
        }
        let refuses = [request, ("accept-encoding", "gzip;q=0")];
        assert_eq!(http1(address, "/v1/traces", &refuses, &body).await.body, plain.body);
    }
    endpoint.heal();
    let short = http1(address, "/v1/traces", &[JSON, ("accept-encoding", "gzip")], &one_span_json()).await;
    assert_eq!((&short.body[..], short.header("content-encoding")), (&b"{}"[..], None), "not worth it");
    let path = format!("/v1/{}", "x".repeat(2000));
    let refusal = http1(address, &path, &[JSON, ("accept-encoding", "gzip")], b"").await;
    assert_eq!((refusal.status, refusal.header("content-encoding")), (404, Some("gzip")));
    assert!(gunzip(&refusal.body).starts_with(b"{\"code\":12"));
    endpoint.inject(When::always(), Fault::LargeAnswer(10_000));
    let ordered = http1(address, "/v1/traces", &[JSON, ("accept-encoding", "gzip")], &one_span_json()).await;
    assert!(ordered.body.len() > 10_000, "a fault is committed as it was ordered");
}

#[tokio::test]
async fn o33_other_methods_paths_and_media_types_are_405_404_and_415() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let mut connection = Http1::connect(address).await;
    for method in ["GET", "PUT", "DELETE"] {
        let answer = connection.request(method, "/v1/traces", &[PROTOBUF], b"").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST, OPTIONS")), "{method}");
    }
    assert_eq!(connection.request("POST", "/", &[PROTOBUF], b"").await.status, 404);
    for media_type in ["text/plain", "application/protobuf", "application/grpc", ""] {
        let answer = connection.request("POST", "/v1/traces", &[("content-type", media_type)], b"x").await;
        assert_eq!(answer.status, 415, "{media_type}");
    }
    let answer =
        connection.request("POST", "/v1/traces", &[PROTOBUF, ("content-encoding", "br")], b"x").await;
    assert_eq!((answer.status, answer.header("accept-encoding")), (415, Some("identity,gzip,zstd,deflate")));
    assert_eq!(collector.problems().len(), 9);
}

#[tokio::test]
async fn o33_connections_are_kept_alive_also_after_a_refusal() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let mut connection = Http1::connect(address).await;
    for _ in 0..10 {
        assert_eq!(connection.request("POST", "/v1/traces", &[PROTOBUF], b"\xff").await.status, 400);
        assert_eq!(connection.request("POST", "/v1/traces", &[PROTOBUF], &one_span()).await.status, 200);
    }
    assert_eq!(collector.spans()[0].duplicates(), 9);
}

#[tokio::test]
async fn o34_a_browser_may_send_from_the_origins_that_are_allowed() {
    let page = ("origin", "https://shop.example");
    let asks = [
        page,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-a"),
    ];
    for (cors, allowed) in [
        (Cors::Any, true),
        (Cors::Only(vec!["https://shop.example".to_owned()]), true),
        (Cors::Only(vec!["https://other.example".to_owned()]), false),
        (Cors::Off, false),
    ] {
        let collector = Collector::builder().cors(cors.clone()).start().unwrap();
        let address = collector.endpoint("browser").await.unwrap().address();
        let mut connection = Http1::connect(address).await;
        let preflight = connection.request("OPTIONS", "/v1/traces", &asks, b"").await;
        let origin = allowed.then_some("https://shop.example");
        assert_eq!(preflight.header("access-control-allow-origin"), origin, "{cors:?}");
        assert_eq!(preflight.status, if allowed { 204 } else { 405 });
        if allowed {
            assert_eq!(preflight.header("access-control-allow-headers"), Some("content-type,x-a"));
            assert_eq!(preflight.header("access-control-allow-methods"), Some("POST"));
            assert!(preflight.header("access-control-max-age").is_some());
        }
        let answer = connection.request("POST", "/v1/traces", &[page, JSON], &one_span_json()).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, origin));
    }
}

#[tokio::test]
async fn o35_a_grpc_code_becomes_the_http_status_of_the_reference() {
    let (_collector, address, endpoint) = start(Limits::default()).await;
    for (code, expected) in [
        (1, 503),
        (2, 500),
        (3, 400),
        (4, 503),
        (5, 500),
        (7, 403),
        (8, 429),
        (10, 503),
        (11, 503),
        (12, 404),
        (13, 500),
        (14, 503),
        (15, 503),
        (16, 401),
    ] {
        endpoint.inject(When::always(), Fault::grpc(code));
        assert_eq!(http1(address, "/v1/traces", &[PROTOBUF], &one_span()).await.status, expected, "{code}");
        endpoint.heal();
    }
}

#[tokio::test]
async fn o36_zstd_and_deflate_are_taken_too() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let body = one_span();
    let mut zlib = flate2::read::ZlibEncoder::new(&body[..], flate2::Compression::fast());
    let mut deflated = Vec::new();
    std::io::Read::read_to_end(&mut zlib, &mut deflated).unwrap();
    for (name, sent) in [("zstd", zstd::encode_all(&body[..], 3).unwrap()), ("deflate", deflated), ("", body)]
    {
        let answer = http1(address, "/v1/traces", &[PROTOBUF, ("content-encoding", name)], &sent).await;
        assert_eq!(answer.status, 200, "{name}");
    }
    assert_eq!(collector.spans()[0].duplicates(), 2);
}

#[tokio::test]
async fn a_slow_body_is_given_up_and_recorded() {
    let limits = Limits { body_timeout: Duration::from_millis(80), ..Limits::default() };
    let (collector, address, _endpoint) = start(limits).await;
    let mut connection = Http1::connect(address).await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: c\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut connection.stream, head.as_bytes()).await.unwrap();
    let answer = tokio::time::timeout(DEADLINE, connection.answer()).await.unwrap().unwrap();
    assert_eq!(answer.status, 408);
    assert_eq!(collector.problems().len(), 1);
}

#[tokio::test]
async fn a_request_that_is_broken_off_is_recorded_and_stores_nothing() {
    let (collector, address, _endpoint) = start(Limits::default()).await;
    let mut changes = collector.watch();
    let mut connection = Http1::connect(address).await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: c\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut connection.stream, head.as_bytes()).await.unwrap();
    drop(connection);
    tokio::time::timeout(DEADLINE, changes.changed()).await.unwrap().unwrap();
    let problems = collector.problems();
    assert!(problems[0].outcome.to_string().starts_with("abandoned"), "{}", problems[0].outcome);
    client::idle(&collector).await;
    assert_eq!(collector.spans().len(), 0);
}
