//! HTTP/2 connections with prior knowledge, through the `h2` crate.
//!
//! Windows are so large that no batch waits for one; what is held at once is bounded by `Admission` instead.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use h2::Reason;
use h2::server::SendResponse;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::body::Body;
use super::call::{Call, answer};
use super::grpc::{GRPC_ENCODING, percent_encode};
use super::reply::{GrpcReply, HttpReply, Reply};
use super::sniff::Rewound;
use crate::endpoint::EndpointState;
use crate::json::base64;

const STREAM_WINDOW: u32 = 8 << 20;
/// Of connections that begin while a stall is planned.
const STALLED_WINDOW: u32 = 16;
const CONNECTION_WINDOW: u32 = 32 << 20;
const FRAME: u32 = 1 << 20;
const HEADER_LIST: u32 = 64 << 10;

/// Serves one connection until it ends, or until `stop` says so and its requests are answered.
pub async fn serve(
    io: Rewound<TcpStream>,
    endpoint: Arc<EndpointState>,
    peer: SocketAddr,
    mut stop: watch::Receiver<bool>,
) {
    let limits = &endpoint.shared.limits;
    let mut builder = h2::server::Builder::new();
    builder
        .initial_window_size(if endpoint.faults.stalls() { STALLED_WINDOW } else { STREAM_WINDOW })
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_header_list_size(HEADER_LIST)
        .max_concurrent_streams(limits.streams_per_connection);
    let handshake = tokio::time::timeout(limits.head_timeout, builder.handshake::<_, Bytes>(io));
    let Ok(Ok(mut connection)) = handshake.await else { return };
    let (orders, mut ordered) = mpsc::unbounded_channel();
    let mut kept = Vec::new();
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    let orders = orders.clone();
                    let caller = Caller { endpoint: endpoint.clone(), peer };
                    tokio::spawn(exchange(caller, request, respond, orders));
                }
                Some(Err(_)) | None => break,
            },
            Some(order) = ordered.recv() => match order {
                Order::Close(stream) => {
                    drop(connection);
                    return drop(stream);
                }
                Order::GoAway(code, stream) => {
                    connection.abrupt_shutdown(Reason::from(code));
                    kept.push(stream);
                }
            },
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                connection.graceful_shutdown();
            }
        }
    }
    // Flushes what is still to be sent, above all a GOAWAY.
    drop(std::future::poll_fn(|context| connection.poll_closed(context)).await);
}

/// The effect of a request on its connection. Its stream is kept until that is done: dropped, it would be reset
/// first.
enum Order {
    Close(SendResponse<Bytes>),
    GoAway(u32, SendResponse<Bytes>),
}

/// The endpoint of a connection, and its client.
struct Caller {
    endpoint: Arc<EndpointState>,
    peer: SocketAddr,
}

async fn exchange(
    caller: Caller,
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
    orders: mpsc::UnboundedSender<Order>,
) {
    let Caller { endpoint, peer } = caller;
    let (head, body) = request.into_parts();
    let reply = tokio::select! {
        biased;
        reply = answer(Call { endpoint, peer, head, body: Body::Http2(body) }) => reply,
        // The client gave up, or the connection ended: nobody waits for the answer.
        _ = std::future::poll_fn(|context| respond.poll_reset(context)) => return,
    };
    // If the stream or the connection is gone, its client is too: nobody misses what cannot be sent.
    match reply {
        Reply::Http(reply) => drop(send_http(respond, reply)),
        Reply::Grpc(reply) => drop(send_grpc(respond, reply)),
        Reply::Reset(code) => respond.send_reset(Reason::from(code)),
        Reply::GoAway(code) => drop(orders.send(Order::GoAway(code, respond))),
        Reply::Disconnect => drop(orders.send(Order::Close(respond))),
    }
}

fn send_http(mut respond: SendResponse<Bytes>, reply: HttpReply) -> Result<(), h2::Error> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = reply.headers;
    if reply.body.is_empty() {
        respond.send_response(response, true)?;
    } else {
        respond.send_response(response, false)?.send_data(reply.body, true)?;
    }
    Ok(())
}

fn send_grpc(mut respond: SendResponse<Bytes>, reply: GrpcReply) -> Result<(), h2::Error> {
    let mut response = Response::new(());
    *response.headers_mut() = reply.headers;
    let media_type = response.headers_mut().entry(header::CONTENT_TYPE);
    media_type.or_insert(HeaderValue::from_static("application/grpc"));
    let Some(message) = reply.message else {
        status(response.headers_mut(), reply.code, &reply.text, reply.details.as_deref());
        respond.send_response(response, true)?;
        return Ok(());
    };
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(u8::from(response.headers().contains_key(GRPC_ENCODING)));
    framed.put_u32(message.len() as u32);
    framed.extend_from_slice(&message);
    let mut stream = respond.send_response(response, false)?;
    stream.send_data(framed.freeze(), false)?;
    let mut trailers = HeaderMap::new();
    status(&mut trailers, reply.code, &reply.text, reply.details.as_deref());
    stream.send_trailers(trailers)
}

fn status(headers: &mut HeaderMap, code: u32, text: &str, details: Option<&[u8]>) {
    headers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from(code));
    if let Ok(text) = HeaderValue::from_str(&percent_encode(text))
        && !text.is_empty()
    {
        headers.insert(HeaderName::from_static("grpc-message"), text);
    }
    if let Some(details) = details
        && let Ok(details) = HeaderValue::from_str(&base64::encode(details, false))
    {
        headers.insert(HeaderName::from_static("grpc-status-details-bin"), details);
    }
}
