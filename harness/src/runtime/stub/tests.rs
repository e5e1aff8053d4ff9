//! Stubs called by real clients.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};

use super::*;
use crate::scenario::StubAnswer;

#[tokio::test]
async fn http_answers_come_in_order_and_the_last_one_repeats() {
    let http =
        |status| StubAnswer::Http { status, body: b"hello".to_vec(), content_type: "text/plain".into() };
    let stub = HttpStub::start(&[http(201), StubAnswer::HangUp, http(503)]).await.unwrap();
    let client = reqwest::Client::new();
    let call = async || client.post(format!("http://{}/any/path?q", stub.address())).body("x").send().await;
    let first = call().await.unwrap();
    assert_eq!(
        (first.status().as_u16(), &first.headers()["content-type"]),
        (201, "text/plain".parse().as_ref().unwrap())
    );
    assert_eq!(first.text().await.unwrap(), "hello");
    assert!(call().await.unwrap_err().is_request());
    for _ in 0..3 {
        assert_eq!(call().await.unwrap().status().as_u16(), 503);
    }
}

#[tokio::test]
async fn a_stub_that_hangs_up_closes_the_socket() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let stub = HttpStub::start(&[StubAnswer::HangUp]).await.unwrap();
    let mut stream = TcpStream::connect(stub.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut read = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut read))
        .await
        .expect("the socket is closed");
    assert_eq!(read, b"");
}

#[tokio::test]
async fn a_client_that_hangs_up_inside_a_body_gets_no_answer_of_the_list() {
    use tokio::io::AsyncWriteExt;
    let http = |status| StubAnswer::Http { status, body: Vec::new(), content_type: "text/plain".into() };
    let stub = HttpStub::start(&[http(201), http(503)]).await.unwrap();
    let mut stream = TcpStream::connect(stub.address()).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nonly this").await.unwrap();
    drop(stream);
    let answer = reqwest::get(format!("http://{}/", stub.address())).await.unwrap();
    assert_eq!(answer.status().as_u16(), 201);
}

#[tokio::test]
async fn without_answers_http_is_200_with_an_empty_object() {
    let stub = HttpStub::start(&[]).await.unwrap();
    let address = stub.address();
    let answer = reqwest::get(format!("http://{address}/")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "{}"));
    drop(stub);
    let gone = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the port is closed");
}

#[tokio::test]
async fn http2_is_served_as_well() {
    let stub = HttpStub::start(&[]).await.unwrap();
    let stream = TokioIo::new(TcpStream::connect(stub.address()).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request =
        hyper::Request::get(format!("http://{}/", stub.address())).body(Full::<Bytes>::default()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "{}");
}

/// A codec whose messages are bytes.
#[derive(Clone, Copy, Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(out, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        use bytes::Buf;
        Ok(Some(bytes.copy_to_bytes(bytes.remaining()).to_vec()))
    }
}

pub async fn grpc_client(address: SocketAddr) -> tonic::client::Grpc<tonic::transport::Channel> {
    let endpoint = tonic::transport::Endpoint::try_from(format!("http://{address}")).unwrap();
    let mut client = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
    client.ready().await.unwrap();
    client
}

#[tokio::test]
async fn grpc_answers_any_method_in_order() {
    let grpc = |code, message: &str| StubAnswer::Grpc { code, message: message.into() };
    let answers = [grpc(0, "yes"), grpc(14, ""), grpc(5, "with a message"), StubAnswer::HangUp, grpc(0, "")];
    let stub = GrpcStub::start(&answers).await.unwrap();
    let mut client = grpc_client(stub.address()).await;
    let mut seen = Vec::new();
    for number in 0..6 {
        let path = ::http::uri::PathAndQuery::try_from(format!("/any.Service/Method{number}")).unwrap();
        client.ready().await.unwrap();
        let answer = client.unary(tonic::Request::new(vec![b'x'; number * 10_000]), path, Raw).await;
        seen.push(answer.map(|answer| answer.into_inner()).map_err(|status| status.code()));
    }
    assert_eq!(
        seen,
        [
            Ok(b"yes".to_vec()),
            Err(Code::Unavailable),
            Err(Code::NotFound),
            Err(Code::Internal),
            Ok(vec![]),
            Ok(vec![])
        ]
    );
}

#[tokio::test]
async fn grpc_answers_a_stream_before_it_ends() {
    let stub = GrpcStub::start(&[]).await.unwrap();
    let mut client = grpc_client(stub.address()).await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Vec<u8>>(4);
    let messages = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let message = receiver.recv().await?;
        Some((message, receiver))
    });
    sender.send(b"one".to_vec()).await.unwrap();
    let path = ::http::uri::PathAndQuery::from_static("/any.Service/Both");
    let answer = client.streaming(tonic::Request::new(messages), path, Raw).await.unwrap();
    let mut answer = answer.into_inner();
    assert_eq!(answer.message().await.unwrap(), Some(vec![]));
    sender.send(b"two".to_vec()).await.unwrap();
    drop(sender);
    assert_eq!(answer.message().await.unwrap(), None);
}
