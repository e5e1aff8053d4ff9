//! HTTP/2 through a tap: prior knowledge and upgrade.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;
use crate::evidence::{CaptureMark, Protocol};
use crate::tap::eye::Peer;
use crate::tap::http2::PREFACE;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;
const CLOSES: u8 = END_STREAM | END_HEADERS;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn block(encoder: &mut fluke_hpack::Encoder<'_>, fields: &[(&str, &str)]) -> Vec<u8> {
    encoder.encode(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

/// Three requests whose frames are mixed, with every kind of frame and of padding.
pub(super) fn conversation() -> Vec<(Peer, Vec<u8>)> {
    let (mut asks, mut answers) = (fluke_hpack::Encoder::new(), fluke_hpack::Encoder::new());
    let head =
        [(":method", "POST"), (":scheme", "http"), (":path", "/1"), (":authority", "tap:1"), ("a", "b")];
    let first = block(&mut asks, &head);
    let second =
        block(&mut asks, &[head.as_slice(), &[("tracestate", "x=1"), ("tracestate", "y=2")]].concat());
    let third = block(&mut asks, &[(":method", "GET"), (":path", "/3"), ("tracestate", "x=1"), ("a", "b")]);
    let trailers = block(&mut asks, &[("late", "trailer"), ("a", "b")]);
    let padded = [&[3, 0x80, 0, 0, 0, 16][..], &first, &[0; 3]].concat();
    let requests = [
        PREFACE.to_vec(),
        frame(4, 0, 0, &[0, 1, 0, 0, 16, 0]),
        frame(1, PADDED | PRIORITY, 1, &padded[..]),
        frame(9, END_HEADERS, 1, &[]),
        frame(0, PADDED, 1, &[&[2][..], b"mark:ub0000", &[0, 0]].concat()),
        frame(1, 0, 3, &second[..7]),
        frame(9, 0, 3, &second[7..9]),
        frame(9, END_HEADERS, 3, &second[9..]),
        frame(0, END_STREAM, 3, b""),
        frame(6, 0, 0, b"pingpong"),
        frame(0, 0, 1, b"00ab-5\""),
        frame(1, CLOSES, 5, &third),
        frame(8, 0, 0, &[0, 0, 1, 0]),
        frame(1, CLOSES, 1, &trailers),
    ];
    let hints = block(&mut answers, &[(":status", "103"), ("link", "x")]);
    let first = block(&mut answers, &[(":status", "200"), ("link", "x")]);
    let promise = [&[0, 0, 0, 2][..], &block(&mut answers, &[(":method", "GET"), ("new", "entry")])].concat();
    let second = block(&mut answers, &[(":status", "404"), ("new", "entry")]);
    let third = block(&mut answers, &[(":status", "200"), ("grpc-status", "7")]);
    let trailers = block(&mut answers, &[("checksum", "1"), ("new", "entry")]);
    let answers = [
        frame(4, 0, 0, &[]),
        frame(4, 1, 0, &[]),
        frame(1, END_HEADERS, 1, &hints),
        frame(1, END_HEADERS, 1, &first),
        frame(5, END_HEADERS, 1, &promise),
        frame(1, END_HEADERS, 3, &second),
        frame(0, 0, 1, b"data"),
        frame(0, PADDED | END_STREAM, 3, &[&[1][..], b"data", &[0]].concat()),
        frame(1, CLOSES, 5, &third),
        frame(1, CLOSES, 1, &trailers),
        frame(7, 0, 0, &[0, 0, 0, 5, 0, 0, 0, 0, b'b', b'y', b'e']),
    ];
    vec![(Peer::Sender, requests.concat()), (Peer::Receiver, answers.concat())]
}

#[tokio::test]
async fn frames_of_every_kind_are_read_beside_the_stream() {
    let turns = conversation();
    let (target, served) = scripted(turns[0].1.len(), turns[1].1.clone()).await;
    let seen = Seen::before(target).await;
    assert_eq!(exchange(seen.address(), &turns[0].1).await, turns[1].1);
    assert_eq!(served.await.unwrap(), turns[0].1);
    let captures = seen.captures(3).await;
    assert_eq!(seen.recorder.freeze().1, []);
    let ends: Vec<_> = captures.iter().map(|capture| (capture.stream, capture.end.clone())).collect();
    let third = CaptureEnd::Answered { status: 200, grpc_status: Some(7) };
    assert_eq!(ends, [(1, answered(200)), (3, answered(404)), (5, third)]);
    assert!(matches!(captures[0].marked, CaptureMark::By(mark) if mark.stimulus.0 == 5));
    assert_eq!(captures[0].trailers[0].name, b"late");
    let states: Vec<_> = captures[1].values("tracestate").collect();
    assert_eq!(states, [b"x=1", b"y=2"]);
    assert!(captures.iter().all(|capture| capture.protocol == Protocol::Http2));
    assert!(captures.iter().all(|capture| !capture.headers.iter().any(|field| field.name.starts_with(b":"))));
}

#[tokio::test]
async fn resets_and_refusals_are_distinguished() {
    let mut encoder = fluke_hpack::Encoder::new();
    let mut head = |stream| {
        frame(1, END_HEADERS, stream, &block(&mut encoder, &[(":method", "GET"), (":path", "/"), ("n", "v")]))
    };
    let request = [
        PREFACE.to_vec(),
        frame(4, 0, 0, &[]),
        head(1),
        head(3),
        head(5),
        head(7),
        frame(3, 0, 3, &[0, 0, 0, 8]),
    ]
    .concat();
    let answer =
        [frame(4, 0, 0, &[]), frame(3, 0, 1, &[0, 0, 0, 7]), frame(7, 0, 0, &[0, 0, 0, 5, 0, 0, 0, 11])];
    let (target, _served) = scripted(request.len(), answer.concat()).await;
    let seen = Seen::before(target).await;
    exchange(seen.address(), &request).await;
    let mut captures = seen.captures(4).await;
    captures.sort_by_key(|capture| capture.stream);
    let wanted = [
        "the receiver reset the stream with REFUSED_STREAM",
        "the sender reset the stream with CANCEL",
        "the receiver closed the connection with GOAWAY ENHANCE_YOUR_CALM",
        "the receiver refused the stream with GOAWAY ENHANCE_YOUR_CALM",
    ];
    for (capture, wanted) in captures.iter().zip(wanted) {
        assert_eq!(capture.end, CaptureEnd::Broken(wanted.to_owned()));
    }
}

async fn client(address: SocketAddr) -> http2::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Many requests at once on one connection, with headers that push each other out of the dynamic table.
async fn many(plan: TapPlan) -> Vec<Capture> {
    let seen = Seen::with(plan, echo_server().await).await;
    let sender = client(seen.address()).await;
    let mut under_way = tokio::task::JoinSet::new();
    for number in 0..400u32 {
        let mut sender = sender.clone();
        under_way.spawn(async move {
            let request = hyper::Request::post(format!("http://127.0.0.1:1/{number}"))
                .header("traceparent", format!("00-{number:032x}-{number:016x}-01"))
                .header("x-repeated", format!("{}", number % 7).repeat(200))
                .header("x-once", format!("{number}-").repeat(100));
            let body = format!("{number}").repeat(500);
            sender.ready().await.unwrap();
            let answer = sender.send_request(request.body(Full::from(body.clone())).unwrap()).await.unwrap();
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), body);
        });
        if number % 100 == 99 {
            while let Some(done) = under_way.join_next().await {
                done.unwrap();
            }
        }
    }
    let captures = seen.captures(400).await;
    assert_eq!((seen.recorder.freeze().1, captures.len()), (vec![], 400));
    captures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_streams_at_once_keep_their_own_headers() {
    for plan in [plan(), TapPlan { host: Some("shop.example:80".into()), ..plan() }] {
        for capture in many(plan).await {
            let number: u32 = capture.path[1..].parse().unwrap();
            let value = |name| String::from_utf8(capture.values(name).next().unwrap().to_vec()).unwrap();
            assert_eq!(value("traceparent"), format!("00-{number:032x}-{number:016x}-01"));
            assert_eq!(value("x-once"), format!("{number}-").repeat(100));
            assert_eq!((capture.connection, capture.end), (0, answered(200)));
        }
    }
}

#[tokio::test]
async fn the_authority_is_rewritten_and_nothing_else() {
    use hyper::service::service_fn;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let tell = service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
            let text =
                format!("{} {:?}", request.uri(), request.headers().get("x-large").map(|value| value.len()));
            Ok::<_, std::convert::Infallible>(hyper::Response::new(Full::new(Bytes::from(text))))
        });
        let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.max_header_list_size(100_000);
        builder.serve_connection(TokioIo::new(stream), tell).await
    });
    let seen = Seen::with(TapPlan { host: Some("shop.example:80".into()), ..plan() }, target).await;
    let mut sender = client(seen.address()).await;
    for path in ["/a", "/b?c=d"] {
        let request = hyper::Request::get(format!("http://127.0.0.1:1{path}"));
        // Too large for one frame once it is written as a literal.
        let request = request.header("x-large", "v".repeat(15_000)).header("x-other", "w".repeat(5_000));
        let answer = sender.send_request(request.body(Full::default()).unwrap()).await.unwrap();
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, format!("http://shop.example:80{path} Some(15000)"));
    }
}

#[tokio::test]
async fn an_upgrade_to_http2_goes_on_as_stream_1() {
    let ask = b"POST /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 0\r\n\r\n";
    let mut encoder = fluke_hpack::Encoder::new();
    let second = block(&mut encoder, &[(":method", "GET"), (":path", "/second")]);
    let frames = [PREFACE.to_vec(), frame(4, 0, 0, &[]), frame(1, CLOSES, 3, &second)].concat();
    let mut encoder = fluke_hpack::Encoder::new();
    let mut status = |code| block(&mut encoder, &[(":status", code)]);
    let answer = [
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(1, CLOSES, 1, &status("202")),
        frame(1, CLOSES, 3, &status("404")),
    ];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let seen = Seen::before(listener.local_addr().unwrap()).await;
    let mut client = TcpStream::connect(seen.address()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut read = vec![0; ask.len()];
    client.write_all(ask).await.unwrap();
    server.read_exact(&mut read).await.unwrap();
    server.write_all(&answer[..2].concat()).await.unwrap();
    let mut read = vec![0; answer[..2].concat().len()];
    client.read_exact(&mut read).await.unwrap();
    client.write_all(&frames).await.unwrap();
    let mut read = vec![0; frames.len()];
    server.read_exact(&mut read).await.unwrap();
    assert_eq!(read, frames);
    server.write_all(&answer[2..].concat()).await.unwrap();
    let captures = seen.captures(2).await;
    assert_eq!((captures[0].path.as_str(), &captures[0].end), ("/up", &answered(202)));
    assert_eq!((captures[1].path.as_str(), &captures[1].end), ("/second", &answered(404)));
    assert_eq!(seen.recorder.freeze().1, []);
}

#[tokio::test]
async fn a_receiver_that_is_not_http2_leaves_a_gap() {
    let request = [PREFACE.to_vec(), frame(4, 0, 0, &[])].concat();
    let (target, _served) = scripted(request.len(), b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    let seen = Seen::before(target).await;
    exchange(seen.address(), &request).await;
    assert!(seen.gaps(1).await[0].what.contains("the receiver did not start with HTTP/2"));
}

#[tokio::test]
async fn a_header_block_that_is_too_long_goes_through() {
    let mut request = [PREFACE.to_vec(), frame(4, 0, 0, &[]), frame(1, 0, 1, &[0; 16_000])].concat();
    for _ in 0..17 {
        request.extend(frame(9, 0, 1, &[0; 16_000]));
    }
    let (target, served) = scripted(request.len(), Vec::new()).await;
    let seen = Seen::before(target).await;
    exchange(seen.address(), &request).await;
    assert_eq!(served.await.unwrap(), request);
    assert!(seen.gaps(1).await[0].what.contains("256 KiB"));
}
