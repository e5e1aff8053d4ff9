//! gRPC by hand over HTTP/2: the one method of the relay contract, so that metadata stays as it is.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::http2::{self, Http2Request};
use super::send_failure::SendFailure;
use crate::conform::listener::CallSink;
use crate::driver::instruction_message;
use crate::evidence::RawFields;

const METHOD: &str = "/unbroken.relay.v1.Relay/Handle";
const CONTENT_TYPE: &str = "application/grpc";
/// INVALID_ARGUMENT.
const INVALID_ARGUMENT: u16 = 3;
const LARGEST_HEAD: u32 = 1 << 20;

/// Sends an instruction to `Handle`. Returns the status as one of HTTP: 200, 400 for an invalid argument, or 500.
pub async fn send(address: SocketAddr, fields: &RawFields, steps: &str) -> Result<u16, SendFailure> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| SendFailure(format!("cannot connect to {address}: {error}")))?;
    let _ = stream.set_nodelay(true);
    let body = framed(&instruction_message(steps.as_bytes()));
    let request = Http2Request { uri: format!("http://{address}{METHOD}"), content_type: CONTENT_TYPE, body };
    let answer = http2::send(stream, request, fields).await?;
    if answer.status != 200 {
        return Ok(answer.status);
    }
    let status = answer.trailers.get("grpc-status").and_then(|status| status.to_str().ok()?.parse().ok());
    match status {
        Some(0) => Ok(200),
        Some(INVALID_ARGUMENT) => Ok(400),
        Some(_) => Ok(500),
        None => Err(SendFailure("the answer has no `grpc-status`".to_owned())),
    }
}

/// Returns a message in its frame: no compression, and its length.
fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("an instruction is short"));
    framed.extend_from_slice(message);
    framed.freeze()
}

/// Receives the calls of a target over gRPC, until it is dropped.
#[derive(Debug)]
pub struct GrpcListener {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl GrpcListener {
    pub async fn start(at: SocketAddr, sink: Arc<CallSink>) -> std::io::Result<GrpcListener> {
        let listener = TcpListener::bind(at).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&sink)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(GrpcListener { address, _tasks: tasks })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(stream: TcpStream, sink: Arc<CallSink>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let sink = Arc::clone(&sink);
        async move { Ok::<_, Infallible>(answer(request, &sink).await) }
    });
    let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    server.max_header_list_size(LARGEST_HEAD);
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

type Answer =
    Response<StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>>;

/// Keeps a call, and answers with an empty `message Done`.
async fn answer(request: Request<Incoming>, sink: &CallSink) -> Answer {
    let fields = request.headers().iter();
    let fields =
        fields.map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec())).collect();
    if let Ok(body) = request.into_body().collect().await {
        sink.take(&String::from_utf8_lossy(&body.to_bytes()), fields);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let frames = vec![Ok(Frame::data(framed(&[]))), Ok(Frame::trailers(trailers))];
    let mut response = Response::new(StreamBody::new(futures_util::stream::iter(frames)));
    response.headers_mut().insert("content-type", HeaderValue::from_static(CONTENT_TYPE));
    response
}
