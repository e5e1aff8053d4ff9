//! A stub that is called over HTTP/1.1 or HTTP/2, on `wiremock`.
//!
//! It hangs up by closing the connection on HTTP/1.1, and by resetting the stream on HTTP/2, where others share the
//! connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::StubError;
use super::front::Front;
use crate::scenario::StubAnswer;

/// A stub that serves HTTP; it ends when it is dropped.
#[derive(Debug)]
pub struct HttpStub {
    front: Front,
    /// Holds the answers.
    _server: MockServer,
}

impl HttpStub {
    /// Listens on 127.0.0.1. Sends those of `answers` that are for HTTP; without any, 200 with an empty JSON object.
    pub async fn start(answers: &[StubAnswer]) -> Result<Self, StubError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(StubError::Listen)?;
        // Requests are not kept: the tap records them.
        let server = MockServer::builder().listener(listener).disable_request_recording().start().await;
        let mut mocks: Vec<Mock> = answers.iter().filter_map(mock).collect();
        let last = mocks.pop().unwrap_or_else(|| answering(200, b"{}", "application/json"));
        for mock in mocks {
            server.register(mock.up_to_n_times(1)).await;
        }
        server.register(last).await;
        let front = Front::start(*server.address()).await?;
        Ok(Self { front, _server: server })
    }

    /// Returns where the stub listens.
    pub fn address(&self) -> SocketAddr {
        self.front.address
    }
}

fn mock(answer: &StubAnswer) -> Option<Mock> {
    match answer {
        StubAnswer::Http { status, body, content_type } => Some(answering(*status, body, content_type)),
        StubAnswer::HangUp => Some(Mock::given(any()).respond_with_err(|_: &Request| hung_up())),
        StubAnswer::Grpc { .. } => None,
    }
}

fn answering(status: u16, body: &[u8], content_type: &str) -> Mock {
    Mock::given(any()).respond_with(ResponseTemplate::new(status).set_body_raw(body, content_type))
}

fn hung_up() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the stub hangs up")
}
