//! Taps between real clients and real servers, on 127.0.0.1.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Tap, TapConfig};
use crate::evidence::{Capture, CaptureEnd, Gap, Recorder};
use crate::plan::{TapIx, TapPlan, TapProtocol};
use crate::scenario::{Marker, NodeIx};

mod amqp;
mod ends;
#[cfg(all(feature = "stubs", feature = "grpc"))]
mod grpc;
mod http1;
mod http2;
mod splits;
#[cfg(feature = "sqs")]
mod sqs;
#[cfg(feature = "tls")]
mod tls;
mod unread;

const DEADLINE: Duration = Duration::from_secs(20);
const RUN: u32 = 0xab;

fn plan() -> TapPlan {
    TapPlan::between(NodeIx::CLIENT, NodeIx(1), TapProtocol::Http)
}

fn marked_by(marker: Marker) -> TapPlan {
    TapPlan { markers: vec![marker], ..plan() }
}

/// A tap and what it sees.
struct Seen {
    tap: Tap,
    recorder: Recorder,
}

impl Seen {
    async fn before(target: SocketAddr) -> Self {
        Self::with(plan(), target).await
    }

    async fn with(plan: TapPlan, target: SocketAddr) -> Self {
        let recorder = Recorder::new(10_000, true);
        let tap = Tap::start(TapConfig::new(TapIx(0), plan, RUN, target), recorder.clone()).await.unwrap();
        Self { tap, recorder }
    }

    fn address(&self) -> SocketAddr {
        self.tap.address()
    }

    /// The captures, once there are so many and all have ended.
    async fn captures(&self, count: usize) -> Vec<Capture> {
        let all = |captures: &[Capture]| {
            captures.len() >= count && captures.iter().all(|capture| capture.end != CaptureEnd::Open)
        };
        let mut watch = self.recorder.watch();
        let waiting = watch.wait_for(|_| self.recorder.look(all));
        if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
            panic!("not {count} captures that ended: {:#?}", self.recorder.freeze());
        }
        self.recorder.freeze().0
    }

    async fn gaps(&self, count: usize) -> Vec<Gap> {
        let mut watch = self.recorder.watch();
        let waiting = watch.wait_for(|_| self.recorder.freeze().1.len() >= count);
        tokio::time::timeout(DEADLINE, waiting).await.expect("so many gaps").unwrap();
        self.recorder.freeze().1
    }

    async fn only_capture(&self) -> Capture {
        let mut captures = self.captures(1).await;
        assert_eq!(captures.len(), 1, "{captures:#?}");
        assert_eq!(self.recorder.freeze().1, []);
        captures.remove(0)
    }
}

fn answered(status: u16) -> CaptureEnd {
    CaptureEnd::Answered { status, grpc_status: None }
}

/// A server that takes one connection, answers with fixed bytes once it has read `until`, and gives back what
/// it read.
async fn scripted(until: usize, answer: Vec<u8>) -> (SocketAddr, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = vec![0; until];
        stream.read_exact(&mut read).await.unwrap();
        stream.write_all(&answer).await.unwrap();
        stream.shutdown().await.unwrap();
        stream.read_to_end(&mut read).await.unwrap();
        read
    });
    (address, served)
}

/// Sends bytes, and gives back what came.
async fn exchange(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

/// A hyper server for HTTP/1.1 and HTTP/2 that gives each body back.
async fn echo_server() -> SocketAddr {
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let echo = service_fn(|request: hyper::Request<hyper::body::Incoming>| async {
                Ok::<_, std::convert::Infallible>(hyper::Response::new(request.into_body()))
            });
            tokio::spawn(async move {
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                builder.serve_connection(TokioIo::new(stream), echo).await
            });
        }
    });
    address
}
