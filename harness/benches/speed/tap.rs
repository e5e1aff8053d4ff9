//! The time that a tap adds to a call: the same calls over one kept connection with and without it, in turns.
//!
//! Client, tap and server have a thread each, as they are processes elsewhere. The server does nothing, so that its
//! time does not hide that of the tap.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use unbroken::evidence::Recorder;
use unbroken::plan::{TapIx, TapPlan, TapProtocol};
use unbroken::scenario::NodeIx;
use unbroken::tap::{Tap, TapConfig};

use crate::table::{Samples, Table};

const CALLS: usize = 10_000;
const WARM_UPS: usize = 500;
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

pub fn measure(table: &mut Table) {
    let server = on_a_thread(serve);
    let recorder = Recorder::new(1_000_000, false);
    let behind = recorder.clone();
    let tap = on_a_thread(move || tap(server, behind));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a thread can have a runtime");
    for (name, http2) in [("HTTP/1.1", false), ("HTTP/2", true)] {
        let (without, with) = runtime.block_on(in_turns(server, tap, http2));
        table.beside(&format!("what a tap adds to a call over {name}, median"), 0.5, &without, &with);
        table.beside(&format!("what a tap adds to a call over {name}, p99"), 0.99, &without, &with);
    }
    let seen = recorder.look(<[_]>::len);
    assert_eq!(seen, 2 * (CALLS + WARM_UPS), "the tap saw every call that went through it");
}

/// Runs `begin` on a thread with a runtime of its own for the rest of the process. Returns where it listens.
fn on_a_thread<F: Future<Output = SocketAddr>>(begin: impl FnOnce() -> F + Send + 'static) -> SocketAddr {
    let (sender, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a thread can have a runtime").block_on(async {
            let _ = sender.send(begin().await);
            std::future::pending::<()>().await;
        });
    });
    address.recv().expect("it listens")
}

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("this machine has ports");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let answer = service_fn(|request: Request<hyper::body::Incoming>| async move {
                request.into_body().collect().await?;
                Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from_static(b"{\"answered\":true}"))))
            });
            let connection = async move {
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), answer)
                    .await;
            };
            tokio::spawn(connection);
        }
    });
    address
}

async fn tap(target: SocketAddr, recorder: Recorder) -> SocketAddr {
    let plan = TapPlan::between(NodeIx::CLIENT, NodeIx(1), TapProtocol::Http);
    let config =
        TapConfig { listen: IpAddr::V4(Ipv4Addr::LOCALHOST), ..TapConfig::new(TapIx(0), plan, 7, target) };
    let tap = Tap::start(config, recorder).await.expect("this machine has ports");
    let address = tap.address();
    // It listens as long as it is held.
    tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(tap);
    });
    address
}

/// Returns the calls without and with the tap.
async fn in_turns(server: SocketAddr, tap: SocketAddr, http2: bool) -> (Samples, Samples) {
    let (mut direct, mut tapped) = (Caller::connect(server, http2).await, Caller::connect(tap, http2).await);
    let (mut without, mut with) = (Vec::with_capacity(CALLS), Vec::with_capacity(CALLS));
    for call in 0..CALLS + WARM_UPS {
        let (one, other) = (direct.call().await, tapped.call().await);
        if call >= WARM_UPS {
            without.push(one);
            with.push(other);
        }
    }
    (Samples::of_calls(without), Samples::of_calls(with))
}

enum Caller {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Caller {
    async fn connect(to: SocketAddr, http2: bool) -> Caller {
        let stream = TcpStream::connect(to).await.expect("it listens");
        let _ = stream.set_nodelay(true);
        let stream = TokioIo::new(stream);
        if http2 {
            let (sender, connection) =
                http2::handshake(TokioExecutor::new(), stream).await.expect("both speak HTTP/2");
            tokio::spawn(connection);
            return Caller::Http2(sender);
        }
        let (sender, connection) = http1::handshake(stream).await.expect("both speak HTTP/1.1");
        tokio::spawn(connection);
        Caller::Http1(sender)
    }

    async fn call(&mut self) -> Duration {
        let request = Request::post("http://shop.test/orders?mark=ub00000007-1-0")
            .header("host", "shop.test")
            .header("content-type", "application/json")
            .header("traceparent", TRACEPARENT)
            .header("tracestate", "acme=1")
            .body(Full::new(Bytes::from_static(b"{\"ordered\":[1,2,3]}")));
        let request = request.expect("the request is right");
        let begun = Instant::now();
        let answer = match self {
            Caller::Http1(sender) => sender.send_request(request).await,
            Caller::Http2(sender) => sender.send_request(request).await,
        };
        let body = answer.expect("the server answers").into_body().collect().await;
        body.expect("the answer is complete");
        begun.elapsed()
    }
}
