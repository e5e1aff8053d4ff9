//! The front of an HTTP stub: it accepts connections, reads and drops the bodies of requests, and gets each answer from
//! the server that holds the answers.
//!
//! That server keeps every body in memory and panics on a client that hangs up in the middle of one, so only a request
//! without a body reaches it. The answers do not depend on the request; the tap records what was sent.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::StubError;
use super::connections::accept_all;

/// The server that holds the answers, and connections to it.
#[derive(Clone, Debug)]
struct Answers {
    uri: http::Uri,
    client: Client<HttpConnector, Empty<Bytes>>,
}

/// A front that listens; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) address: SocketAddr,
    /// Dropped to stop the task.
    _running: oneshot::Sender<()>,
}

impl Front {
    /// Listens on 127.0.0.1 in front of the server at `answers`.
    pub(super) async fn start(answers: SocketAddr) -> Result<Front, StubError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StubError::Listen)?;
        let address = listener.local_addr().map_err(StubError::Listen)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let uri = format!("http://{answers}/").parse().expect("an address is a valid authority");
        let answers = Answers { uri, client: Client::builder(TokioExecutor::new()).build(connector) };
        let (running, stopped) = oneshot::channel();
        tokio::spawn(accept_all(listener, stopped, move |stream| serve(stream, answers.clone())));
        Ok(Front { address, _running: running })
    }
}

async fn serve(stream: TcpStream, answers: Answers) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| answer(request, answers.clone()));
    // The tap records a client that breaks off.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
}

/// Returns the next answer when the request is complete. An error hangs up: it closes a connection of HTTP/1.1, and
/// resets a stream of HTTP/2.
async fn answer(request: Request<Incoming>, answers: Answers) -> io::Result<Response<Incoming>> {
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        frame.map_err(io::Error::other)?;
    }
    let asked = Request::get(answers.uri).body(Empty::new()).map_err(io::Error::other)?;
    answers.client.request(asked).await.map_err(io::Error::other)
}
