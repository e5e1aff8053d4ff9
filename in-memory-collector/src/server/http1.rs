//! HTTP/1.1 connections, through hyper.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::body::Body;
use super::call::{Call, answer};
use super::reply::{HttpReply, Reply};
use super::sniff::Rewound;
use crate::endpoint::EndpointState;

/// The most that a connection reads at once, and the longest head. A body that comes in one piece is not copied
/// together; from this size on it is not worked on by the threads that serve connections anyway.
const READ_BYTES: usize = 1 << 20;

/// Serves one connection until it ends, or until `stop` says so and its request is answered.
pub async fn serve(
    io: Rewound<TcpStream>,
    endpoint: Arc<EndpointState>,
    peer: SocketAddr,
    mut stop: watch::Receiver<bool>,
) {
    let header_timeout = endpoint.shared.limits.head_timeout;
    let service = service_fn(move |request: Request<Incoming>| {
        let endpoint = endpoint.clone();
        async move {
            let (head, body) = request.into_parts();
            let reply = answer(Call { endpoint, peer, head, body: Body::Http1(body) }).await;
            render(reply).ok_or(Hangup)
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(header_timeout).half_close(true);
    builder.max_buf_size(READ_BYTES);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(io), service));
    // A broken connection is the business of its requests, which note it.
    let stopping = tokio::select! {
        _ = connection.as_mut() => false,
        _ = stop.wait_for(|stop| *stop) => true,
    };
    if stopping {
        connection.as_mut().graceful_shutdown();
        drop(connection.await);
    }
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("hung up on demand")]
struct Hangup;

fn render(reply: Reply) -> Option<Response<Full<Bytes>>> {
    match reply {
        Reply::Http(reply) => Some(response(reply)),
        // Only HTTP/2 carries gRPC, so no such reply gets here.
        Reply::Grpc(_) | Reply::Reset(_) | Reply::GoAway(_) | Reply::Disconnect => None,
    }
}

fn response(reply: HttpReply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = reply.headers;
    response
}
