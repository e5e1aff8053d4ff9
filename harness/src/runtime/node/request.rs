//! The harness's own requests to a node: readiness, flush, capabilities, health.
//!
//! They go to the node itself, not through a tap, and are no part of the story. Each has a connection of its own, and
//! nothing is retried.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::descriptors;

/// The answer to a gRPC health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthAnswer {
    /// The status code of the call, if it has one.
    pub code: Option<u32>,
    /// 1 is SERVING.
    pub serving_status: u64,
}

/// More than any answer to these requests needs.
const BODY_BYTES: usize = 64 * 1024;

/// The reason why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("cannot connect to {0}")]
    Connect(SocketAddr, #[source] std::io::Error),
    #[error("{0} did not answer")]
    Answer(SocketAddr, #[source] hyper::Error),
    #[error("cannot read the answer of {0}")]
    Body(SocketAddr, #[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("`{0}` is not a valid request target")]
    Target(String, #[source] hyper::http::Error),
}

/// Sends an HTTP/1.1 request without a body; returns status and body of the answer.
pub async fn http(
    method: Method,
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<(StatusCode, Bytes), RequestError> {
    let mut request = Request::builder().method(method).uri(path).header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    exchange(request, address, path, Bytes::new()).await
}

/// Sends an HTTP/1.1 `POST` with a JSON body; returns status and body of the answer.
pub async fn post_json(
    address: SocketAddr,
    path: &str,
    body: String,
) -> Result<(StatusCode, Bytes), RequestError> {
    let request = Request::builder().method(Method::POST).uri(path).header("host", address.to_string());
    exchange(request.header("content-type", "application/json"), address, path, body.into()).await
}

/// Sends an HTTP/1.1 `POST` with a protobuf body; returns status and body of the answer.
pub async fn post_protobuf(
    address: SocketAddr,
    path: &str,
    body: Bytes,
) -> Result<(StatusCode, Bytes), RequestError> {
    let request = Request::builder().method(Method::POST).uri(path).header("host", address.to_string());
    exchange(request.header("content-type", "application/x-protobuf"), address, path, body).await
}

async fn exchange(
    request: hyper::http::request::Builder,
    address: SocketAddr,
    path: &str,
    body: Bytes,
) -> Result<(StatusCode, Bytes), RequestError> {
    let body = Full::new(body);
    let request = request.body(body).map_err(|error| RequestError::Target(path.to_owned(), error))?;
    let stream = connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| RequestError::Answer(address, error))?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| RequestError::Answer(address, error))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), BODY_BYTES).collect().await;
    connection.abort();
    Ok((status, body.map_err(|error| RequestError::Body(address, error))?.to_bytes()))
}

/// Sends `grpc.health.v1.Health/Check` for `service`
/// (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>).
pub async fn grpc_health(
    address: SocketAddr,
    service: &str,
    headers: &[(&str, &str)],
) -> Result<HealthAnswer, RequestError> {
    const PATH: &str = "/grpc.health.v1.Health/Check";
    let mut request = Request::builder().method(Method::POST).uri(format!("http://{address}{PATH}"));
    request = request.header("content-type", "application/grpc").header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(health_request(service));
    let request = request.body(body).map_err(|error| RequestError::Target(PATH.to_owned(), error))?;
    let stream = connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|error| RequestError::Answer(address, error))?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| RequestError::Answer(address, error))?;
    let in_head = grpc_status(answer.headers());
    let body = Limited::new(answer.into_body(), BODY_BYTES).collect().await;
    connection.abort();
    let body = body.map_err(|error| RequestError::Body(address, error))?;
    let status = body.trailers().and_then(grpc_status).or(in_head);
    Ok(HealthAnswer { code: status, serving_status: serving_status(&body.to_bytes()) })
}

async fn connect(address: SocketAddr) -> Result<TcpStream, RequestError> {
    let stream = TcpStream::connect(address).await.map_err(|error| {
        descriptors::count_if_run_out(&error);
        RequestError::Connect(address, error)
    })?;
    // Without it a request waits for the acknowledgement of its own head; a failure only costs time.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

fn grpc_status(headers: &hyper::HeaderMap) -> Option<u32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

/// Encodes `HealthCheckRequest { string service = 1; }` behind the five bytes of a gRPC message.
fn health_request(service: &str) -> Bytes {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        message.push(u8::try_from(length).unwrap_or_default());
        message.extend_from_slice(service.as_bytes());
    }
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or_default().to_be_bytes());
    framed.extend_from_slice(&message);
    framed.into()
}

/// Decodes `HealthCheckResponse { ServingStatus status = 1; }`; 0 (UNKNOWN) where the field is absent.
fn serving_status(framed: &[u8]) -> u64 {
    match framed.get(5..) {
        Some([0x08, status, ..]) => u64::from(*status),
        _ => 0,
    }
}

#[cfg(all(test, feature = "grpc"))]
mod tests {
    use super::*;
    use crate::runtime::stub::GrpcStub;
    use crate::scenario::StubAnswer;

    #[test]
    fn a_long_service_name_has_a_length_of_two_bytes() {
        let framed = health_request(&"a".repeat(200));
        assert_eq!(&framed[..8], [0, 0, 0, 0, 203, 0x0a, 0xc8, 0x01]);
        assert_eq!(framed.len(), 208);
    }

    #[tokio::test]
    async fn the_health_check_follows_the_grpc_protocol() {
        let answers = [
            StubAnswer::Grpc { code: 0, message: vec![0x08, 0x01] },
            StubAnswer::Grpc { code: 0, message: vec![0x08, 0x02] },
            StubAnswer::Grpc { code: 5, message: Vec::new() },
        ];
        let server = GrpcStub::start(&answers).await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(grpc_health(server.address(), "shop.Shop", &[]).await.unwrap());
        }
        assert_eq!(
            seen,
            [(Some(0), 1), (Some(0), 2), (Some(5), 0)]
                .map(|(code, serving_status)| HealthAnswer { code, serving_status })
        );
    }
}
