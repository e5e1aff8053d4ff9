//! gRPC: messages and metadata as they are sent, and statuses in contrast to broken connections.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::fixture::{Case, service};
use crate::evidence::Answer;
use crate::plan::StimulusIx;
use crate::scenario::Marker;

const FIRST: StimulusIx = StimulusIx(0);

/// Path, metadata and body (the frames with their five bytes before each) of a call.
pub type Call = (String, HeaderMap, Bytes);

#[tokio::test]
async fn a_relay_receives_its_instruction_in_a_unary_call() {
    let (address, mut seen) = grpc_service("0").await;
    let case = Case::grpc(None, false).relay().header("X-Tenant", "blue").header("tracestate", "a=1");
    let case = case.header("tracestate", "b=2");
    let plan = case.plan();
    let exchange = case.driver(address).unwrap().send(FIRST).await;
    assert_eq!(exchange.answer, Answer::Grpc(0));
    let (path, metadata, body) = seen.recv().await.unwrap();
    assert_eq!(path, "/unbroken.relay.v1.Relay/Handle");
    assert_eq!(metadata["traceparent"].as_bytes(), plan.stimuli[0].sent.traceparent.as_deref().unwrap());
    assert_eq!(metadata["x-tenant"], "blue");
    assert_eq!(metadata.get_all("tracestate").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    let steps = format!("[{{\"url\":\"mark:{}\"}}]", plan.stimuli[0].mark);
    let length = u8::try_from(steps.len()).unwrap();
    assert_eq!(body, [&[0, 0, 0, 0, length + 2, 0x0a, length], steps.as_bytes()].concat());
}

#[tokio::test]
async fn a_stream_is_one_message_and_is_read_to_its_end() {
    for (case, path) in [
        (Case::grpc(None, true).relay(), "/unbroken.relay.v1.Relay/HandleStream"),
        (Case::grpc(Some("ledger.Ledger/Watch"), true), "/ledger.Ledger/Watch"),
    ] {
        let (address, mut seen) = grpc_service("0").await;
        assert_eq!(case.driver(address).unwrap().send(FIRST).await.answer, Answer::Grpc(0));
        assert_eq!(seen.recv().await.unwrap().0, path);
    }
}

#[tokio::test]
async fn other_services_get_the_drives_bytes_as_the_message() {
    let (address, mut seen) = grpc_service("0").await;
    let mut case = Case::grpc(Some("ledger.Ledger/Record"), false).body("abc");
    case.shop.marker = Some(Marker::Header("x-request-id".to_owned()));
    (case.drive.times, case.drive.concurrency) = (30, 8);
    let exchanges = case.driver(address).unwrap().drive_all(|_| ()).await;
    assert!(exchanges.iter().all(|exchange| exchange.answer == Answer::Grpc(0)), "{exchanges:?}");
    let (path, metadata, body) = seen.recv().await.unwrap();
    assert_eq!((path.as_str(), &body[..]), ("/ledger.Ledger/Record", &b"\0\0\0\0\x03abc"[..]));
    let marks: Vec<_> = case.plan().stimuli.iter().map(|stimulus| stimulus.mark.to_string()).collect();
    assert!(marks.iter().any(|mark| metadata["x-request-id"] == mark.as_str()));
}

#[tokio::test]
async fn a_status_of_the_service_is_an_answer() {
    for (status, code) in [("13", 13), ("14", 14), ("2", 2), ("only 12", 12)] {
        for stream in [false, true] {
            let (address, _seen) = grpc_service(status).await;
            let case = Case::grpc(Some("a.B/C"), stream);
            assert_eq!(
                case.driver(address).unwrap().send(FIRST).await.answer,
                Answer::Grpc(code),
                "{status}"
            );
        }
    }
}

#[tokio::test]
async fn a_connection_that_fails_is_no_status() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (hangs_up, _seen) = service(b"").await;
    let (resets, _calls) = grpc_service("reset").await;
    let table = [
        (nobody, "cannot connect to `shop` at "),
        (hangs_up, "`shop` at "),
        (resets, "did not answer completely"),
    ];
    for (address, words) in table {
        let exchange = Case::grpc(Some("a.B/C"), false).driver(address).unwrap().send(FIRST).await;
        let Answer::Failed(text) = &exchange.answer else { panic!("{exchange:?}") };
        assert!(text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_answered_in_time_has_timed_out() {
    let (address, mut seen) = grpc_service("never").await;
    let mut case = Case::grpc(Some("a.B/C"), false);
    case.drive.within = Some(Duration::from_millis(200));
    assert_eq!(case.driver(address).unwrap().send(FIRST).await.answer, Answer::TimedOut);
    seen.recv().await.unwrap();
}

/// Answers every call with one message and this status; `only N` sends no message, `never` nothing at all, and
/// `reset` breaks the stream off behind the message.
async fn grpc_service(status: &'static str) -> (SocketAddr, UnboundedReceiver<Call>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (calls, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, status, calls.clone()));
        }
    });
    (address, seen)
}

pub async fn serve<S>(stream: S, status: &'static str, calls: UnboundedSender<Call>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |request: Request<Incoming>| {
        let calls = calls.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let _ = calls.send((parts.uri.path().to_owned(), parts.headers, body));
            if status == "never" {
                std::future::pending::<()>().await;
            }
            Ok::<_, Infallible>(response(status))
        }
    });
    let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = http2.serve_connection(TokioIo::new(stream), answer).await;
}

type Frames = Vec<Result<Frame<Bytes>, std::io::Error>>;
type Stream = futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, std::io::Error>>>;

fn response(status: &'static str) -> Response<StreamBody<Stream>> {
    let message = Frame::data(Bytes::from_static(b"\0\0\0\0\x01x"));
    let mut trailers = HeaderMap::new();
    let builder = Response::builder().header("content-type", "application/grpc");
    let (builder, frames): (_, Frames) = match status.strip_prefix("only ") {
        Some(code) => (builder.header("grpc-status", code), Vec::new()),
        None if status == "reset" => (builder, vec![Ok(message), Err(std::io::Error::other("reset"))]),
        None => {
            trailers.insert("grpc-status", status.parse().unwrap());
            (builder, vec![Ok(message), Ok(Frame::trailers(trailers))])
        }
    };
    builder.body(StreamBody::new(futures_util::stream::iter(frames))).unwrap()
}
