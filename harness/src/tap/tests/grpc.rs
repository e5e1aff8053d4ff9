//! gRPC through a tap: metadata, messages, trailers.

use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tonic::Code;
use tonic::metadata::MetadataValue;

use super::*;
use crate::evidence::CaptureMark;
use crate::runtime::stub::GrpcStub;
use crate::runtime::stub::tests::{Raw, grpc_client};
use crate::scenario::StubAnswer;

fn path(text: &'static str) -> ::http::uri::PathAndQuery {
    ::http::uri::PathAndQuery::from_static(text)
}

fn stimulus(capture: &Capture) -> Option<usize> {
    match capture.marked {
        CaptureMark::By(mark) => Some(mark.stimulus.0),
        CaptureMark::Absent | CaptureMark::Unreadable(_) => None,
    }
}

#[tokio::test]
async fn unary_calls_are_seen_with_metadata_mark_and_status() {
    let grpc = |code, message: &str| StubAnswer::Grpc { code, message: message.into() };
    let stub = GrpcStub::start(&[grpc(0, "yes"), grpc(14, ""), StubAnswer::HangUp]).await.unwrap();
    let seen = Seen::before(stub.address()).await;
    let mut client = grpc_client(seen.address()).await;
    let mut codes = Vec::new();
    for number in 0..3 {
        client.ready().await.unwrap();
        let message = format!(r#"{{"url":"mark:ub000000ab-{number}-1"}} mark:ub000000ab-99"#);
        let mut request = tonic::Request::new(message.into_bytes());
        request.metadata_mut().append("tracestate", "a=1".parse().unwrap());
        request.metadata_mut().append("tracestate", "b=2".parse().unwrap());
        request.metadata_mut().insert_bin("grpc-trace-bin", MetadataValue::from_bytes(b"\x00\xff"));
        let answer = client.unary(request, path("/shop.Orders/Place"), Raw).await;
        codes.push(answer.map_or_else(|status| status.code(), |_| Code::Ok));
    }
    assert_eq!(codes, [Code::Ok, Code::Unavailable, Code::Internal]);
    let captures = seen.captures(3).await;
    let ends: Vec<_> = captures.iter().map(|capture| capture.end.clone()).collect();
    let answered = |code| CaptureEnd::Answered { status: 200, grpc_status: Some(code) };
    let reset = CaptureEnd::Broken("the receiver reset the stream with INTERNAL_ERROR".into());
    assert_eq!(ends, [answered(0), answered(14), reset]);
    for (number, capture) in captures.iter().enumerate() {
        assert_eq!((stimulus(capture), capture.path.as_str()), (Some(number), "/shop.Orders/Place"));
        assert_eq!(capture.values("tracestate").collect::<Vec<_>>(), [b"a=1", b"b=2"]);
        assert_eq!(capture.values("grpc-trace-bin").collect::<Vec<_>>(), [b"AP8"]);
        assert!(capture.trailers.is_empty());
    }
}

/// Gives each message back as it comes, and ends with a status.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let echo = service_fn(|request: hyper::Request<hyper::body::Incoming>| async {
            let status = async {
                Some(Ok([("grpc-status", "0")]
                    .map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()))
                    .into_iter()
                    .collect()))
            };
            let body = request.into_body().with_trailers(status);
            let response = hyper::Response::builder().header("content-type", "application/grpc");
            response.body(body)
        });
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(TokioIo::new(stream), echo).await
    });
    address
}

#[tokio::test]
async fn a_stream_both_ways_is_one_capture_marked_by_its_first_message() {
    let seen = Seen::before(echo().await).await;
    let mut client = grpc_client(seen.address()).await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Vec<u8>>(1);
    let messages = stream::unfold(receiver, |mut receiver| async {
        let message = receiver.recv().await?;
        Some((message, receiver))
    });
    let first = [vec![b'x'; 50_000], b"ub000000ab-7".to_vec()].concat();
    sender.send(first.clone()).await.unwrap();
    let answer = client.streaming(tonic::Request::new(messages), path("/s.S/Both"), Raw).await.unwrap();
    let mut answer = answer.into_inner();
    assert_eq!(answer.message().await.unwrap(), Some(first));
    // Known before the stream ends.
    seen.recorder.look(|captures| {
        assert_eq!((stimulus(&captures[0]), &captures[0].end), (Some(7), &CaptureEnd::Open))
    });
    for number in 0..20 {
        let message = format!("ub000000ab-{number}").into_bytes();
        sender.send(message.clone()).await.unwrap();
        assert_eq!(answer.message().await.unwrap(), Some(message));
    }
    drop(sender);
    assert_eq!(answer.message().await.unwrap(), None);
    let capture = seen.only_capture().await;
    assert_eq!(capture.end, CaptureEnd::Answered { status: 200, grpc_status: Some(0) });
    assert_eq!(stimulus(&capture), Some(7));
}

#[tokio::test]
async fn a_compressed_message_is_said_to_be_unreadable() {
    let stub = GrpcStub::start(&[]).await.unwrap();
    let seen = Seen::before(stub.address()).await;
    let stream = TokioIo::new(TcpStream::connect(seen.address()).await.unwrap());
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
    let (mut sender, connection) = handshake.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::post("http://s/s.S/M").header("content-type", "application/grpc+proto");
    let body = http_body_util::Full::new(Bytes::from_static(&[1, 0, 0, 0, 2, 0x1f, 0x8b]));
    let answer = sender.send_request(request.body(body).unwrap()).await.unwrap();
    answer.into_body().collect().await.unwrap();
    let capture = seen.only_capture().await;
    assert!(
        matches!(&capture.marked, CaptureMark::Unreadable(why) if why.contains("compressed")),
        "{capture:?}"
    );
}

#[tokio::test]
async fn an_answer_without_a_status_is_unknown_as_clients_see_it() {
    let seen = Seen::before(echo_server().await).await;
    let mut client = grpc_client(seen.address()).await;
    let _ = client.unary(tonic::Request::new(b"x".to_vec()), path("/s.S/M"), Raw).await;
    assert_eq!(seen.only_capture().await.end, CaptureEnd::Answered { status: 200, grpc_status: Some(2) });
}
