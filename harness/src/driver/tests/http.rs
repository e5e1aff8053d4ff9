//! HTTP/1.1 and HTTP/2: what goes out, kept connections, and words for what does not come back.

use std::net::TcpListener;
use std::time::Duration;

use ::http::{HeaderMap, Version};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::fixture::{Case, OK, lines, service};
use crate::evidence::Answer;
use crate::plan::StimulusIx;
use crate::scenario::{HttpVersion, Marker, TemplatePart};

const FIRST: StimulusIx = StimulusIx(0);

#[tokio::test]
async fn traceparent_goes_first_and_the_drives_headers_keep_their_order() {
    let (address, mut seen) = service(OK).await;
    let case = Case::http(HttpVersion::Http1).header("tracestate", "acme=1").header("baggage", "tenant=blue");
    let case = case.header_of("x-order", TemplatePart::Mark);
    let plan = case.plan();
    let exchange = case.driver(address).unwrap().send(FIRST).await;
    assert_eq!(exchange.answer, Answer::Http(200));
    assert!(exchange.answered_nanos.unwrap() >= exchange.sent_nanos);
    let (_, request) = seen.recv().await.unwrap();
    assert!(request.starts_with("GET / HTTP/1.1\r\n"), "{request}");
    let sent = &plan.stimuli[0];
    let traceparent = String::from_utf8(sent.sent.traceparent.clone().unwrap()).unwrap();
    let expected = [
        format!("traceparent: {traceparent}"),
        "tracestate: acme=1".to_owned(),
        "baggage: tenant=blue".to_owned(),
        format!("x-order: {}", sent.mark),
    ];
    assert_eq!(lines(&request)[..4], expected);
}

#[tokio::test]
async fn connections_are_kept_and_a_body_makes_it_a_post() {
    let (address, mut seen) = service(OK).await;
    let mut case = Case::http(HttpVersion::Http1).at(None, Some("/orders/{id}/{line}")).body("{\"a\":1}");
    case.drive.times = 3;
    let exchanges = case.driver(address).unwrap().drive_all(|_| ()).await;
    assert!(exchanges.iter().all(|exchange| exchange.answer == Answer::Http(200)), "{exchanges:?}");
    for stimulus in &case.plan().stimuli {
        let (connection, request) = seen.recv().await.unwrap();
        assert_eq!(connection, 0, "all on one connection");
        assert!(request.starts_with(&format!("POST /orders/{}/1 HTTP/1.1\r\n", stimulus.mark)), "{request}");
        assert!(lines(&request).contains(&"content-type: application/json"));
        assert!(request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
    }
}

#[tokio::test]
async fn a_preflight_names_what_the_requests_may_carry_and_has_no_mark() {
    const ALLOWED: &[u8] = b"HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\n\
        access-control-allow-headers: traceparent\r\naccess-control-allow-headers: baggage\r\ncontent-length: 0\r\n\r\n";
    let (address, mut seen) = service(ALLOWED).await;
    let mut case = Case::http(HttpVersion::Http1).at(None, Some("/orders/{id}")).body("{\"a\":1}");
    case.drive.origin = Some("https://shop.example".to_owned());
    let driver = case.driver(address).unwrap();
    let preflights = driver.preflights().await;
    let (_, request) = seen.recv().await.unwrap();
    assert!(request.starts_with("OPTIONS /orders/preflight HTTP/1.1\r\n"), "{request}");
    for line in [
        "origin: https://shop.example",
        "access-control-request-method: POST",
        "access-control-request-headers: baggage,content-type,traceparent,tracestate",
    ] {
        assert!(lines(&request).contains(&line), "{line}: {request}");
    }
    let [preflight] = preflights.as_slice() else { panic!("{preflights:?}") };
    assert_eq!(preflight.answer, Answer::Http(200));
    assert_eq!(preflight.allowed_origins, [b"*"]);
    assert_eq!(preflight.allowed_headers, [&b"traceparent"[..], b"baggage"]);
    driver.send(FIRST).await;
    let (_, request) = seen.recv().await.unwrap();
    assert!(request.starts_with("POST /orders/ub"), "{request}");
    assert!(lines(&request).contains(&"origin: https://shop.example"), "{request}");
}

#[tokio::test]
async fn a_relay_receives_its_instruction() {
    let (address, mut seen) = service(OK).await;
    let case = Case::http(HttpVersion::Http1).relay();
    let mark = case.plan().stimuli[0].mark;
    case.driver(address).unwrap().send(FIRST).await;
    let (_, request) = seen.recv().await.unwrap();
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    assert!(lines(&request).contains(&"content-type: application/json"));
    assert!(request.ends_with(&format!("\r\n\r\n[{{\"url\":\"mark:{mark}\"}}]")), "{request}");
}

#[tokio::test]
async fn the_mark_goes_where_the_receiver_looks_for_it() {
    type Expected = fn(&str) -> String;
    let table: [(Marker, Expected); 4] = [
        (Marker::Header("x-request-id".into()), |mark| format!("\r\nx-request-id: {mark}\r\n")),
        (Marker::Query("q".into()), |mark| format!("GET /?q={mark} HTTP/1.1\r\n")),
        (Marker::Path, |mark| format!("GET /{mark} HTTP/1.1\r\n")),
        (Marker::Body("order.id".into()), |mark| format!("\r\n\r\n{{\"order\":{{\"id\":\"{mark}\"}}}}")),
    ];
    for (marker, expected) in table {
        let (address, mut seen) = service(OK).await;
        let mut case = Case::http(HttpVersion::Http1);
        case.shop.marker = Some(marker.clone());
        case.driver(address).unwrap().send(FIRST).await;
        let (_, request) = seen.recv().await.unwrap();
        let expected = expected(&case.plan().stimuli[0].mark.to_string());
        assert!(request.contains(&expected), "{marker:?}: {expected:?} in {request}");

        let own = case.header_of("x-own", TemplatePart::Mark);
        own.driver(address).unwrap().send(FIRST).await;
        let (_, request) = seen.recv().await.unwrap();
        assert!(!request.contains(&expected), "{marker:?}: the drive places it itself, in {request}");
    }
}

#[tokio::test]
async fn redirects_are_answers() {
    let (address, mut seen) =
        service(b"HTTP/1.1 307 Go\r\nlocation: /there\r\ncontent-length: 0\r\n\r\n").await;
    let exchange = Case::http(HttpVersion::Http1).driver(address).unwrap().send(FIRST).await;
    assert_eq!(exchange.answer, Answer::Http(307));
    seen.recv().await.unwrap();
    assert!(seen.try_recv().is_err(), "nothing is sent twice");
}

#[tokio::test]
async fn a_service_that_is_not_there_or_hangs_up_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (silent, _seen) = service(b"").await;
    let case = Case::http(HttpVersion::Http1);
    for (address, words) in
        [(free, "cannot connect to `shop` at 127.0.0.1:"), (silent, "did not answer completely")]
    {
        for case in [&case, &Case::http(HttpVersion::Http1).header("X-Upper", "1")] {
            let exchange = case.driver(address).unwrap().send(FIRST).await;
            let Answer::Failed(text) = &exchange.answer else { panic!("{exchange:?}") };
            assert!(text.contains(words) && text.contains("`shop`"), "{text}");
            assert_eq!(exchange.answered_nanos, None);
        }
    }
}

#[tokio::test]
async fn what_does_not_answer_in_time_has_timed_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for name in ["x-plain", "X-By-Hand"] {
        let mut case = Case::http(HttpVersion::Http1).header(name, "1");
        case.drive.within = Some(Duration::from_millis(30));
        let exchange = case.driver(listener.local_addr().unwrap()).unwrap().send(FIRST).await;
        assert_eq!((exchange.answer, exchange.answered_nanos), (Answer::TimedOut, None));
    }
}

#[tokio::test]
async fn http2_is_spoken_with_prior_knowledge() {
    let (address, mut seen) = http2_service().await;
    let mut case = Case::http(HttpVersion::Http2).header("X-Case", "1").body("{}");
    case = case.header("tracestate", "a=1").header("tracestate", "b=2");
    case.drive.times = 20;
    case.drive.concurrency = 5;
    let exchanges = case.driver(address).unwrap().drive_all(|_| ()).await;
    assert!(exchanges.iter().all(|exchange| exchange.answer == Answer::Http(200)), "{exchanges:?}");
    let (version, headers) = seen.recv().await.unwrap();
    assert_eq!(version, Version::HTTP_2);
    assert_eq!(headers.get_all("tracestate").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!(headers["x-case"], "1");
}

/// Version and headers of each request.
async fn http2_service() -> (std::net::SocketAddr, UnboundedReceiver<(Version, HeaderMap)>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (requests, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let requests = requests.clone();
            let answer = service_fn(move |request: ::http::Request<hyper::body::Incoming>| {
                let _ = requests.send((request.version(), request.headers().clone()));
                async move {
                    request.into_body().collect().await?;
                    Ok::<_, hyper::Error>(::http::Response::new(Full::new(bytes::Bytes::from("ok"))))
                }
            });
            let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(http2.serve_connection(TokioIo::new(stream), answer));
        }
    });
    (address, seen)
}
