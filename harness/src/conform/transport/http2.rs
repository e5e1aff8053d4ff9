//! HTTP/2 without TLS: one request on a connection of its own, with the bytes of each value as they are.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::send_failure::SendFailure;
use crate::error_chain;
use crate::evidence::RawFields;

/// The answer to a request.
pub(super) struct Http2Answer {
    pub status: u16,
    /// The fields behind the body, or of the head where there is no body.
    pub trailers: HeaderMap,
}

/// The request besides its fields.
pub(super) struct Http2Request<'a> {
    /// `http://host:port/path`.
    pub uri: String,
    pub content_type: &'a str,
    pub body: Bytes,
}

/// Sends a request with a JSON body and returns the status of its answer.
pub async fn send_json(
    stream: TcpStream,
    uri: &str,
    fields: &RawFields,
    body: &str,
) -> Result<u16, SendFailure> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let request = Http2Request { uri: uri.to_owned(), content_type: "application/json", body };
    Ok(send(stream, request, fields).await?.status)
}

/// Sends a request with prior knowledge of HTTP/2.
pub(super) async fn send(
    stream: TcpStream,
    request: Http2Request<'_>,
    fields: &RawFields,
) -> Result<Http2Answer, SendFailure> {
    let failed = |error: hyper::Error| SendFailure(error_chain::one_line(&error));
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(failed)?;
    let connection = tokio::spawn(connection);
    let built = built(request, fields)?;
    let answered = async {
        let answer = sender.send_request(built).await.map_err(failed)?;
        let (status, head) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.into_body().collect().await.map_err(failed)?;
        Ok(Http2Answer { status, trailers: body.trailers().cloned().unwrap_or(head) })
    };
    let answer = answered.await;
    connection.abort();
    answer
}

fn built(request: Http2Request<'_>, fields: &RawFields) -> Result<Request<Full<Bytes>>, SendFailure> {
    let mut built = Request::new(Full::new(request.body));
    *built.method_mut() = Method::POST;
    *built.uri_mut() =
        request.uri.parse().map_err(|error| SendFailure(format!("{}: {error}", request.uri)))?;
    let headers = built.headers_mut();
    let content_type = HeaderValue::from_str(request.content_type);
    headers.insert("content-type", content_type.expect("the caller writes it as a literal"));
    headers.insert("te", HeaderValue::from_static("trailers"));
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name).map_err(|error| SendFailure(error.to_string()))?;
        let value = HeaderValue::from_bytes(value).map_err(|error| SendFailure(error.to_string()))?;
        headers.append(name, value);
    }
    Ok(built)
}

/// The time in which a server answers the preface of a connection.
const PREFACE: Duration = Duration::from_secs(2);

/// Returns true when a server answers HTTP/2 without TLS at this address: with a SETTINGS frame (RFC 9113, 3.4).
pub async fn speaks_http2(address: SocketAddr) -> bool {
    const SETTINGS: u8 = 4;
    let exchanged = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await?;
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        Ok::<_, std::io::Error>(head[3] == SETTINGS && head[5..] == [0; 4])
    };
    matches!(tokio::time::timeout(PREFACE, exchanged).await, Ok(Ok(true)))
}
