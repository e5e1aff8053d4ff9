//! HTTP/1.1 through a tap.

use super::*;
use crate::evidence::Protocol;
use crate::evidence::{CaptureMark, FieldKind};
use crate::plan::TapCarrier;
use crate::scenario::BodyCarrier;

/// Sends through a tap to a scripted server; both sides must get exactly what the other one sent.
async fn through(plan: TapPlan, request: &[u8], answer: &[u8]) -> Seen {
    let (target, served) = scripted(request.len(), answer.to_vec()).await;
    let seen = Seen::with(plan, target).await;
    let got = exchange(seen.address(), request).await;
    assert_eq!(got, answer);
    assert_eq!(served.await.unwrap(), request);
    seen
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn names_values_order_and_duplicates_are_kept() {
    let request = b"GET /a?b=c HTTP/1.1\r\nhost: h\r\nTraceParent: 00-x\r\nx-A:  spaced \r\n\
        tracestate: a=1\r\nTRACESTATE: b=\xff2\r\nempty:\r\n\r\n";
    let capture = through(plan(), request, OK).await.only_capture().await;
    let field = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), value.to_vec());
    let fields: Vec<_> =
        capture.headers.into_iter().map(|field| (field.name, field.value.unwrap())).collect();
    assert_eq!(
        fields,
        [
            field("host", b"h"),
            field("TraceParent", b"00-x"),
            field("x-A", b"spaced"),
            field("tracestate", b"a=1"),
            field("TRACESTATE", b"b=\xff2"),
            field("empty", b""),
        ]
    );
    assert_eq!((capture.method.as_str(), capture.path.as_str()), ("GET", "/a"));
    assert_eq!((capture.protocol, capture.end), (Protocol::Http1, answered(200)));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let request = b"HEAD /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\
        GET /3 HTTP/1.1\r\n\r\nGET /4 HTTP/1.1\r\n\r\nGET /5 HTTP/1.1\r\n\r\n";
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\
        HTTP/1.1 100 Continue\r\n\r\n\
        HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n\
        HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n\
        HTTP/1.1 204 No Content\r\n\r\n\
        HTTP/1.0 500 Oh\r\n\r\nuntil the end";
    let captures = through(plan(), request, answer).await.captures(5).await;
    let ends: Vec<_> = captures.iter().map(|capture| (capture.path.as_str(), capture.end.clone())).collect();
    let wanted = [("/1", 200), ("/2", 201), ("/3", 304), ("/4", 204), ("/5", 500)];
    assert_eq!(ends, wanted.map(|(path, status)| (path, answered(status))));
    assert_eq!(captures.iter().map(|capture| capture.stream).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn trailers_of_a_chunked_request_are_kept() {
    let request = b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n\
        A\r\n0123456789\r\n00\r\nTraceState: late=1\r\nX: y\r\n\r\nGET /next HTTP/1.1\r\n\r\n";
    let answer = [OK, OK].concat();
    let captures = through(plan(), request, &answer).await.captures(2).await;
    assert_eq!(captures[0].trailers[0].name, b"TraceState");
    assert_eq!(captures[0].trailers[0].value.as_deref(), Some(b"late=1".as_slice()));
    assert_eq!(captures[1].path, "/next");
}

#[tokio::test]
async fn a_mark_is_found_in_the_path_in_the_body_and_where_it_is_declared() {
    let post = |target: &str, header: &str, body: &str| {
        let length = body.len();
        format!("POST {target} HTTP/1.1\r\n{header}Content-Length: {length}\r\n\r\n{body}").into_bytes()
    };
    let cases = [
        (plan(), post("/x/ub000000ab-1-2/y", "", "ub000000ab-9"), Some((1, Some(2)))),
        (
            plan(),
            post("/", "", r#"[{"url":"mark:ub000000cd-1"},{"url":"mark:ub000000ab-3-4"}]"#),
            Some((3, Some(4))),
        ),
        (plan(), post("/?m=ub000000ab-1", "", "nothing"), None),
        (plan(), post("/ub000000cd-1", "", "[]"), None),
        (
            marked_by(Marker::Header("X-Order".into())),
            post("/ub000000ab-1", "x-order: o-ub000000ab-5\r\n", ""),
            Some((5, None)),
        ),
        (
            marked_by(Marker::Query("m".into())),
            post("/ub000000ab-1?a=b&m=ub000000ab-6", "", ""),
            Some((6, None)),
        ),
        (
            marked_by(Marker::Body("order.ids.1".into())),
            post("/ub000000ab-1", "", r#"{"x":"ub000000ab-2","order":{"ids":[0,"ub000000ab-7"]}}"#),
            Some((7, None)),
        ),
        (marked_by(Marker::Body("order".into())), post("/ub000000ab-8", "", "{}"), Some((8, None))),
        (marked_by(Marker::Path), post("/a/ub000000ab-9", "", ""), Some((9, None))),
    ];
    for (plan, request, wanted) in cases {
        let capture = through(plan, &request, OK).await.only_capture().await;
        let found = match capture.marked {
            CaptureMark::By(mark) => Some((mark.stimulus.0, mark.call.map(|call| call.0))),
            CaptureMark::Absent => None,
            CaptureMark::Unreadable(why) => panic!("{why}"),
        };
        assert_eq!(found, wanted, "{}", String::from_utf8_lossy(&request));
    }
}

#[tokio::test]
async fn a_mark_that_cannot_be_read_is_said_to_be_so() {
    let long = format!("{}ub000000ab-1", "x".repeat(70_000));
    let request = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{long}", long.len());
    let capture = through(plan(), request.as_bytes(), OK).await.only_capture().await;
    assert!(matches!(&capture.marked, CaptureMark::Unreadable(why) if why.contains("64 KiB")), "{capture:?}");

    let request = b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08";
    let capture = through(plan(), request, OK).await.only_capture().await;
    assert!(matches!(&capture.marked, CaptureMark::Unreadable(why) if why.contains("gzip")), "{capture:?}");
}

#[tokio::test]
async fn one_connection_is_kept_for_a_hundred_requests() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let seen = Seen::before(listener.local_addr().unwrap()).await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 1024];
        while stream.read(&mut buffer).await.unwrap() > 0 {
            stream.write_all(OK).await.unwrap();
        }
    });
    let mut stream = TcpStream::connect(seen.address()).await.unwrap();
    for number in 0..100 {
        stream.write_all(format!("GET /{number} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = vec![0; OK.len()];
        stream.read_exact(&mut answer).await.unwrap();
        // A client that has the answer finds the capture, ended.
        seen.recorder.look(|captures| assert_eq!(captures.last().unwrap().end, answered(200)));
    }
    let captures = seen.captures(100).await;
    assert!(captures.iter().all(|capture| capture.connection == 0));
    assert_eq!(captures[99].path, "/99");
}

#[tokio::test]
async fn a_head_of_single_bytes_is_read() {
    let request = b"POST /slow HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let (target, served) = scripted(request.len(), OK.to_vec()).await;
    let seen = Seen::before(target).await;
    let mut stream = TcpStream::connect(seen.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in request {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    drop(stream);
    assert_eq!((answer.as_slice(), served.await.unwrap().as_slice()), (OK, request.as_slice()));
    assert_eq!(seen.only_capture().await.end, answered(200));
}

#[tokio::test]
async fn ten_megabytes_stream_through_both_ways() {
    let body: Vec<u8> = (0..10_000_000u32).map(|at| (at % 251) as u8).collect();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = [head.as_bytes(), &body].concat();
    let head = format!("PUT /big HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
    let request = [head.as_bytes(), &body].concat();
    let capture = through(plan(), &request, &answer).await.only_capture().await;
    assert_eq!(capture.end, answered(200));
}

#[tokio::test]
async fn bytes_that_are_not_http_go_through_and_leave_a_gap() {
    let head = b"GET / HTTP/1.1\r\n".to_vec();
    let cases: [&[u8]; 5] = [
        b"\x00\x01\x02 garbage \r\n\r\n and more",
        b"GET / HTTP/1.1\r\nFolded: a\r\n b\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n",
        &[head, vec![b'a'; 300_000]].concat(),
    ];
    for request in cases {
        let seen = through(plan(), request, b"anything").await;
        assert_eq!(
            seen.gaps(1).await.len(),
            1,
            "{}",
            String::from_utf8_lossy(&request[..40.min(request.len())])
        );
    }
}

#[tokio::test]
async fn only_the_host_line_is_rewritten() {
    let plan = TapPlan { host: Some("shop.example".into()), ..plan() };
    let request = b"POST /a HTTP/1.1\r\nX: 1\r\nhOst:   127.0.0.1:99\r\nContent-Length: 3\r\n\r\nabc\
        GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let wanted = b"POST /a HTTP/1.1\r\nX: 1\r\nhOst:   shop.example\r\nContent-Length: 3\r\n\r\nabc\
        GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    let (target, served) = scripted(wanted.len(), [OK, OK].concat()).await;
    let seen = Seen::with(plan, target).await;
    let mut stream = TcpStream::connect(seen.address()).await.unwrap();
    for byte in request {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.write_all(b"GET / HT").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(served.await.unwrap(), [wanted.as_slice(), b"GET / HT"].concat());
    assert_eq!(seen.captures(2).await[0].end, answered(200));
}

#[tokio::test]
async fn after_an_upgrade_nothing_is_read() {
    let request = b"GET /socket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello";
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello";
    let (target, served) = scripted(request.len(), answer.to_vec()).await;
    let seen = Seen::before(target).await;
    let mut stream = TcpStream::connect(seen.address()).await.unwrap();
    let (head, frames) = request.split_at(request.len() - 7);
    stream.write_all(head).await.unwrap();
    stream.write_all(frames).await.unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).await.unwrap();
    drop(stream);
    assert_eq!((got.as_slice(), served.await.unwrap().as_slice()), (answer.as_slice(), request.as_slice()));
    assert_eq!(seen.captures(1).await[0].end, answered(101));
}

#[cfg(feature = "http")]
#[tokio::test]
async fn a_real_client_and_a_real_server_notice_nothing() {
    let service = echo_server().await;
    let seen = Seen::before(service).await;
    let client = reqwest::Client::new();
    for _ in 0..20 {
        let url = format!("http://{}/hello", seen.address());
        let answer =
            client.post(url).header("traceparent", "00-1").body("x".repeat(1000)).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap().len(), 1000);
    }
    let captures = seen.captures(20).await;
    assert!(captures.iter().all(|capture| capture.end == answered(200) && capture.path == "/hello"));
}

#[tokio::test]
async fn a_body_that_waits_for_100_continue_is_one_request() {
    let head = b"POST /wait HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n";
    let body = b"ub000000ab-3";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let seen = Seen::before(listener.local_addr().unwrap()).await;
    let mut client = TcpStream::connect(seen.address()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut buffer = [0; 1000];
    let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
    let turns = [(true, head.as_slice()), (false, go_on), (true, body), (false, OK)];
    for (from_client, bytes) in turns {
        let (from, to) = if from_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
        from.write_all(bytes).await.unwrap();
        to.read_exact(&mut buffer[..bytes.len()]).await.unwrap();
        assert_eq!(&buffer[..bytes.len()], bytes);
    }
    let capture = seen.only_capture().await;
    assert_eq!(capture.end, answered(200));
    assert!(matches!(capture.marked, CaptureMark::By(mark) if mark.stimulus.0 == 3));
}

/// A tap of a hop whose context is in the body.
fn carried_by(path: &str) -> TapPlan {
    let carrier = TapCarrier { source: None, carrier: BodyCarrier::at(path) };
    TapPlan { carriers: vec![carrier], ..plan() }
}

#[tokio::test]
async fn the_context_of_a_body_stands_with_the_headers_and_theirs_beside_it() {
    let body = r#"{"params":{"_meta":{"traceparent":"00-b","other":"1"},"traceparent":"00-c"}}"#;
    let head =
        format!("POST / HTTP/1.1\r\ntraceparent: 00-h\r\nx: 1\r\nContent-Length: {}\r\n\r\n", body.len());
    let request = head + body;
    let capture = through(carried_by("params._meta"), request.as_bytes(), OK).await.only_capture().await;
    let kinds: Vec<_> = capture.headers.iter().map(|field| (field.name_text(), field.kind)).collect();
    let kinds: Vec<_> = kinds.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    assert_eq!(
        kinds,
        [
            ("traceparent", FieldKind::BesideBody),
            ("x", FieldKind::Text),
            ("Content-Length", FieldKind::Text),
            ("traceparent", FieldKind::Json),
        ]
    );
    assert_eq!(capture.values("traceparent").collect::<Vec<_>>(), [b"00-b"]);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_gap_and_one_that_is_no_json_carries_nothing() {
    let encoded = b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}";
    let seen = through(carried_by("."), encoded, OK).await;
    seen.captures(1).await;
    let gaps = seen.recorder.freeze().1;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].what.ends_with("its body is encoded as `gzip`"), "{gaps:?}");
    let text = b"POST / HTTP/1.1\r\ntraceparent: 00-h\r\nContent-Length: 2\r\n\r\nno";
    let seen = through(carried_by("."), text, OK).await;
    assert_eq!(seen.only_capture().await.values("traceparent").count(), 0);
    assert_eq!(seen.recorder.freeze().1, []);
}
