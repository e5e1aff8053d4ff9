//! Clients as small as they can be, so that a test says byte for byte what it sends.

#![allow(dead_code, clippy::unwrap_used, reason = "part of tests; each test file uses its part of it")]

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const DEADLINE: Duration = Duration::from_secs(20);

pub mod samples;

/// Returns when nothing is under way: what a request leaves is in the store before the request is done.
pub async fn idle(collector: &in_memory_collector::Collector) {
    let done = async {
        while collector.in_flight() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, done).await.unwrap();
}

/// The answer, whichever the protocol. For gRPC the trailers are among the headers.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn grpc_status(&self) -> Option<u32> {
        self.header("grpc-status").map(|code| code.parse().unwrap())
    }
}

pub const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
pub const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
pub const PROFILES: &str = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";

/// An HTTP/2 connection with prior knowledge.
pub struct Http2 {
    pub send: SendRequest<Bytes>,
}

impl Http2 {
    pub async fn connect(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(8 << 20).initial_connection_window_size(8 << 20);
        let (send, connection) = builder.handshake(tcp).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        Self { send }
    }

    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, h2::Error> {
        let mut request = Request::builder().method(method).uri(format!("http://collector{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut send = self.send.clone().ready().await?;
        let (response, mut stream) = send.send_request(request.body(()).unwrap(), body.is_empty())?;
        if !body.is_empty() {
            // A reset comes back with the response.
            drop(stream.send_data(body, true));
        }
        let response = tokio::time::timeout(DEADLINE, response).await.expect("no answer in time")?;
        let status = response.status().as_u16();
        let (head, mut incoming) = response.into_parts();
        let mut headers = head.headers;
        let mut body = BytesMut::new();
        while let Some(chunk) = incoming.data().await {
            let chunk = chunk?;
            incoming.flow_control().release_capacity(chunk.len()).unwrap();
            body.extend_from_slice(&chunk);
        }
        if let Some(trailers) = incoming.trailers().await? {
            headers.extend(trailers);
        }
        Ok(Answer { status, headers, body: body.freeze() })
    }

    /// Makes a unary call; `headers` are added to those that gRPC requires.
    pub async fn grpc(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        framed: Bytes,
    ) -> Result<Answer, h2::Error> {
        let mut all = vec![("content-type", "application/grpc"), ("te", "trailers")];
        all.extend_from_slice(headers);
        self.request("POST", path, &all, framed).await
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut out).unwrap();
    out
}

/// Returns one gRPC message in its frame.
pub fn framed(flag: u8, message: &[u8]) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_u8(flag);
    framed.put_u32(message.len() as u32);
    framed.extend_from_slice(message);
    framed.freeze()
}

pub async fn grpc(address: SocketAddr, path: &str, headers: &[(&str, &str)], message: &[u8]) -> Answer {
    Http2::connect(address).await.grpc(path, headers, framed(0, message)).await.unwrap()
}

pub async fn http2(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let body = Bytes::copy_from_slice(body);
    Http2::connect(address).await.request("POST", path, headers, body).await.unwrap()
}

/// An HTTP/1.1 connection.
pub struct Http1 {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl Http1 {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    pub async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: collector\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !headers.iter().any(|(name, _)| matches!(*name, "content-length" | "transfer-encoding")) {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        // The server may answer and close before all is sent.
        drop(self.stream.write_all(&bytes).await);
        tokio::time::timeout(DEADLINE, self.answer()).await.expect("no answer in time").expect("no answer")
    }

    /// Reads the next answer; `None` if the connection ends before it is complete.
    pub async fn answer(&mut self) -> Option<Answer> {
        loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = String::from_utf8(self.read[..end].to_vec()).unwrap();
                self.read.drain(..end + 4);
                return self.rest(&head).await;
            }
            self.more().await?;
        }
    }

    async fn rest(&mut self, head: &str) -> Option<Answer> {
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let length =
            headers.get("content-length").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
        while self.read.len() < length {
            self.more().await?;
        }
        let body = self.read.drain(..length).collect::<Vec<u8>>().into();
        Some(Answer { status, headers, body })
    }

    async fn more(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.read).await.ok()?;
        (read > 0).then_some(())
    }
}

pub async fn http1(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    Http1::connect(address).await.request("POST", path, headers, body).await
}

pub const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
pub const JSON: (&str, &str) = ("content-type", "application/json");
