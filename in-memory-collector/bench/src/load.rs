//! The load generator: several connections, on HTTP/2 several calls at a time on each.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Encoding, Template, framed, gzip};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Grpc,
    GrpcGzip,
    HttpProtobuf,
    HttpJson,
}

impl Mode {
    pub const ALL: [Mode; 4] = [Mode::Grpc, Mode::HttpProtobuf, Mode::HttpJson, Mode::GrpcGzip];

    pub fn name(self) -> &'static str {
        match self {
            Mode::Grpc => "gRPC",
            Mode::GrpcGzip => "gRPC gzip",
            Mode::HttpProtobuf => "HTTP protobuf",
            Mode::HttpJson => "HTTP JSON",
        }
    }

    pub fn protocol(self) -> &'static str {
        match self {
            Mode::Grpc | Mode::GrpcGzip => "grpc",
            Mode::HttpProtobuf => "http-protobuf",
            Mode::HttpJson => "http-json",
        }
    }

    fn is_http2(self) -> bool {
        matches!(self, Mode::Grpc | Mode::GrpcGzip)
    }
}

/// The source of batches: made for each request, or made beforehand where that costs too much.
#[derive(Clone, Debug)]
pub enum Source {
    Fresh(Arc<Mutex<Template>>),
    Pool(Arc<Vec<Bytes>>, Arc<AtomicU64>),
}

impl Source {
    pub fn new(mode: Mode, batch: usize) -> Self {
        let encoding = if mode == Mode::HttpJson { Encoding::Json } else { Encoding::Protobuf };
        let mut template = Template::new(batch, encoding);
        if mode != Mode::GrpcGzip {
            return Self::Fresh(Arc::new(Mutex::new(template)));
        }
        let count = (65_536 / batch).min(16_384);
        let pool = (0..count).map(|_| Bytes::from(framed(true, &gzip(&template.fresh())))).collect();
        Self::Pool(Arc::new(pool), Arc::default())
    }

    /// Returns the number of batches there are before they come again.
    pub fn cycle(&self) -> u64 {
        match self {
            Source::Fresh(_) => u64::MAX,
            Source::Pool(pool, _) => pool.len() as u64,
        }
    }

    fn next(&self, mode: Mode) -> Bytes {
        match self {
            Source::Fresh(template) => {
                let batch = template.lock().expect("no panic").fresh();
                Bytes::from(if mode == Mode::Grpc { framed(false, &batch) } else { batch })
            }
            Source::Pool(pool, next) => {
                let index = next.fetch_add(1, Ordering::Relaxed) as usize % pool.len();
                pool[index].clone()
            }
        }
    }
}

#[derive(Debug)]
pub struct Run {
    pub requests: u64,
    pub elapsed: Duration,
    pub latencies: Vec<Duration>,
    pub failures: u64,
}

/// Sends until `most` requests are answered or the time is over; `lanes` requests at a time.
pub async fn run(
    address: SocketAddr,
    mode: Mode,
    source: &Source,
    lanes: usize,
    most: u64,
    time: Duration,
) -> Run {
    let begun = Instant::now();
    let started = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    let mut connection: Option<SendRequest<Bytes>> = None;
    for lane in 0..lanes {
        let (source, started) = (source.clone(), started.clone());
        let http2 = if mode.is_http2() {
            if lane % 4 == 0 {
                connection = Some(connect(address).await);
            }
            connection.clone()
        } else {
            None
        };
        tasks.push(tokio::spawn(async move {
            let mut http1 = if http2.is_none() { Some(Http1::connect(address).await) } else { None };
            let mut latencies = Vec::new();
            let mut failures = 0u64;
            while begun.elapsed() < time && started.fetch_add(1, Ordering::Relaxed) < most {
                let body = source.next(mode);
                let sent = Instant::now();
                let good = match (&http2, &mut http1) {
                    (Some(connection), _) => call(connection, mode, body).await,
                    (None, Some(connection)) => connection.post(mode, &body).await,
                    (None, None) => false,
                };
                latencies.push(sent.elapsed());
                failures += u64::from(!good);
            }
            (latencies, failures)
        }));
    }
    let mut all = Run { requests: 0, elapsed: Duration::ZERO, latencies: Vec::new(), failures: 0 };
    for task in tasks {
        let (latencies, failures) = task.await.expect("no panic");
        all.requests += latencies.len() as u64;
        all.failures += failures;
        all.latencies.extend(latencies);
    }
    all.elapsed = begun.elapsed();
    all
}

async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let tcp = TcpStream::connect(address).await.expect("the sink listens");
    tcp.set_nodelay(true).expect("a socket");
    let (send, connection) = h2::client::handshake(tcp).await.expect("HTTP/2");
    tokio::spawn(async move { drop(connection.await) });
    send
}

async fn call(connection: &SendRequest<Bytes>, mode: Mode, mut body: Bytes) -> bool {
    let mut request =
        http::Request::post("http://bench/opentelemetry.proto.collector.trace.v1.TraceService/Export")
            .header("content-type", "application/grpc")
            .header("te", "trailers");
    if mode == Mode::GrpcGzip {
        request = request.header("grpc-encoding", "gzip");
    }
    let Ok(mut send) = connection.clone().ready().await else { return false };
    let Ok((response, mut stream)) = send.send_request(request.body(()).expect("a request"), false) else {
        return false;
    };
    // As much at a time as the window of the server allows.
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        let granted = match std::future::poll_fn(|context| stream.poll_capacity(context)).await {
            Some(Ok(granted)) => granted,
            _ => return false,
        };
        let part = body.split_to(granted.min(body.len()));
        if stream.send_data(part, body.is_empty()).is_err() {
            return false;
        }
    }
    let Ok(response) = response.await else { return false };
    if response.headers().contains_key("grpc-status") {
        return false;
    }
    let mut incoming = response.into_body();
    while let Some(chunk) = incoming.data().await {
        let Ok(chunk) = chunk else { return false };
        drop(incoming.flow_control().release_capacity(chunk.len()));
    }
    let trailers = incoming.trailers().await.ok().flatten();
    trailers.is_some_and(|trailers| trailers.get("grpc-status").is_some_and(|code| code == "0"))
}

struct Http1 {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Http1 {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the sink listens");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, read: Vec::with_capacity(4096) }
    }

    async fn post(&mut self, mode: Mode, body: &[u8]) -> bool {
        let kind = if mode == Mode::HttpJson { "json" } else { "x-protobuf" };
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: bench\r\ncontent-type: application/{kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if self.stream.write_all(head.as_bytes()).await.is_err() || self.stream.write_all(body).await.is_err()
        {
            return false;
        }
        loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.read[..end]).to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
                if self.read.len() >= end + 4 + length {
                    self.read.drain(..end + 4 + length);
                    return head.starts_with("http/1.1 200");
                }
            }
            if self.stream.read_buf(&mut self.read).await.unwrap_or(0) == 0 {
                return false;
            }
        }
    }
}
