//! A stub that is called over gRPC: it answers any method of any service, unary and streaming.
//!
//! It answers when the first message of a request is complete, with one message at most; the status follows when the
//! request is complete. It hangs up by resetting the stream: other calls share the connection. Messages are bytes to
//! it, and it offers no compression, reflection or health service (gRPC over HTTP/2, "Responses").

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::StubError;
use super::connections::accept_all;
use crate::scenario::StubAnswer;

/// Compressed-flag and length before each message.
const PREFIX: usize = 5;

/// A stub that listens; it ends when it is dropped.
#[derive(Debug)]
pub struct GrpcStub {
    address: SocketAddr,
    /// Dropped to stop the task.
    _running: oneshot::Sender<()>,
}

#[derive(Debug)]
struct AnswerList {
    /// Not empty.
    list: Vec<StubAnswer>,
    given: AtomicUsize,
}

impl AnswerList {
    fn next(&self) -> &StubAnswer {
        let given = self.given.fetch_add(1, Ordering::Relaxed);
        &self.list[given.min(self.list.len() - 1)]
    }
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

impl GrpcStub {
    /// Listens on 127.0.0.1. Sends those of `answers` that are for gRPC; without any, OK with an empty message.
    pub async fn start(answers: &[StubAnswer]) -> Result<Self, StubError> {
        let mut list: Vec<StubAnswer> = answers.to_vec();
        list.retain(|answer| !matches!(answer, StubAnswer::Http { .. }));
        if list.is_empty() {
            list.push(StubAnswer::Grpc { code: 0, message: Vec::new() });
        }
        let answers = Arc::new(AnswerList { list, given: AtomicUsize::new(0) });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StubError::Listen)?;
        let address = listener.local_addr().map_err(StubError::Listen)?;
        let (running, stopped) = oneshot::channel();
        tokio::spawn(accept_all(listener, stopped, move |stream| serve(stream, answers.clone())));
        Ok(Self { address, _running: running })
    }

    /// Returns where the stub listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(stream: TcpStream, answers: Arc<AnswerList>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let answers = answers.clone();
        async move { answer(request, answers.next()).await }
    });
    // The tap records a client that breaks off.
    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(request: Request<Incoming>, answer: &StubAnswer) -> io::Result<Response<Body>> {
    let (head, mut sent) = request.into_parts();
    first_message(&mut sent).await;
    let StubAnswer::Grpc { code, message } = answer else {
        return Err(io::Error::new(io::ErrorKind::ConnectionReset, "the stub hangs up"));
    };
    let content_type = head.headers.get(CONTENT_TYPE).cloned();
    let content_type = content_type.unwrap_or(HeaderValue::from_static("application/grpc"));
    let response = Response::builder().header(CONTENT_TYPE, content_type);
    let response = if *code == 0 || !message.is_empty() {
        response.body(message_then_status(message, *code, sent))
    } else {
        // The request is read to its end: otherwise the stream is reset while the client is still sending.
        tokio::spawn(drain(sent));
        response.header("grpc-status", *code).body(Empty::new().boxed_unsync())
    };
    response.map_err(io::Error::other)
}

/// Reads until the first message is complete, or the request is.
async fn first_message(sent: &mut Incoming) {
    let mut start = BytesMut::with_capacity(PREFIX);
    let mut length = 0;
    while let Some(Ok(frame)) = sent.frame().await {
        let Some(data) = frame.data_ref() else { return };
        start.extend_from_slice(&data[..data.len().min(PREFIX - start.len())]);
        length += data.len() as u64;
        if let [_, prefix @ ..] = &start[..]
            && let Ok(prefix) = prefix.try_into()
            && length >= PREFIX as u64 + u64::from(u32::from_be_bytes(prefix))
        {
            return;
        }
    }
}

async fn drain(mut sent: Incoming) {
    while let Some(Ok(_)) = sent.frame().await {}
}

fn message_then_status(message: &[u8], code: u32, sent: Incoming) -> Body {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    let frames = stream::unfold(Some((Some(framed.freeze()), sent)), move |left| async move {
        let (message, sent) = left?;
        if let Some(message) = message {
            return Some((Ok(Frame::data(message)), Some((None, sent))));
        }
        drain(sent).await;
        let status = HeaderMap::from_iter([("grpc-status".parse().ok()?, HeaderValue::from(code))]);
        Some((Ok(Frame::trailers(status)), None))
    });
    StreamBody::new(frames).boxed_unsync()
}
