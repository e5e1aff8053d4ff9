//! HTTP/2 connections with prior knowledge, through the `h2` crate.
//!
//! Windows are so large that no batch waits for one; what is held at once is bounded by `Admission` instead.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::body::Body;
use super::call::{Call, answer};
use super::grpc::percent_encode;
use super::reply::{GrpcReply, HttpReply, Reply};
use super::sniff::Rewound;
use crate::endpoint::EndpointState;
use crate::json::base64;

const STREAM_WINDOW: u32 = 8 << 20;
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
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_header_list_size(HEADER_LIST)
        .max_concurrent_streams(limits.streams_per_connection);
    let handshake = tokio::time::timeout(limits.head_timeout, builder.handshake::<_, Bytes>(io));
    let Ok(Ok(mut connection)) = handshake.await else { return };
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    tokio::spawn(exchange(endpoint.clone(), peer, request, respond));
                }
                Some(Err(_)) | None => break,
            },
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                connection.graceful_shutdown();
            }
        }
    }
}

async fn exchange(
    endpoint: Arc<EndpointState>,
    peer: SocketAddr,
    request: Request<h2::RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let (head, body) = request.into_parts();
    let reply = answer(Call { endpoint, peer, head, body: Body::Http2(body) }).await;
    // If the stream is gone, its client is too.
    drop(match reply {
        Reply::Http(reply) => send_http(respond, reply),
        Reply::Grpc(reply) => send_grpc(respond, reply),
    });
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
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let Some(message) = reply.message else {
        status(response.headers_mut(), reply.code, &reply.text, reply.details.as_deref());
        respond.send_response(response, true)?;
        return Ok(());
    };
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(0);
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
