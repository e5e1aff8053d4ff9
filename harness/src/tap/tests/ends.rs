//! The ends of connections: the tap forwards each kind of end unchanged.

use std::io::ErrorKind;

use super::*;

const REQUEST: &[u8] = b"GET /end HTTP/1.1\r\n\r\n";

/// A connection through a tap: the client's end and the server's end.
async fn joined() -> (Seen, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let seen = Seen::before(listener.local_addr().unwrap()).await;
    let client = TcpStream::connect(seen.address()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (seen, client, server)
}

/// A connection on which the server has read the request.
async fn requested() -> (Seen, TcpStream, TcpStream) {
    let (seen, mut client, mut server) = joined().await;
    client.write_all(REQUEST).await.unwrap();
    let mut read = vec![0; REQUEST.len()];
    server.read_exact(&mut read).await.unwrap();
    (seen, client, server)
}

async fn end_of(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut read = Vec::new();
    let end = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut read)).await.expect("an end");
    (read, end.err().map(|error| error.kind()))
}

fn broken(text: &str) -> CaptureEnd {
    CaptureEnd::Broken(text.to_owned())
}

#[tokio::test]
async fn a_reset_by_the_receiver_is_a_reset_at_the_sender() {
    let (seen, mut client, mut server) = requested().await;
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab").await.unwrap();
    let mut read = vec![0; 40];
    client.read_exact(&mut read).await.unwrap();
    server.set_zero_linger().unwrap();
    drop(server);
    assert_eq!(end_of(&mut client).await.1, Some(ErrorKind::ConnectionReset));
    assert_eq!(seen.only_capture().await.end, broken("the receiver reset the connection"));
}

#[tokio::test]
async fn a_reset_by_the_sender_is_a_reset_at_the_receiver() {
    let (seen, client, mut server) = requested().await;
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(end_of(&mut server).await, (Vec::new(), Some(ErrorKind::ConnectionReset)));
    assert_eq!(seen.only_capture().await.end, broken("the sender reset the connection"));
}

#[tokio::test]
async fn a_close_by_the_receiver_is_a_close_at_the_sender() {
    let (seen, mut client, server) = requested().await;
    drop(server);
    assert_eq!(end_of(&mut client).await, (Vec::new(), None));
    assert_eq!(seen.only_capture().await.end, broken("the receiver closed the connection"));
}

#[tokio::test]
async fn a_sender_that_hangs_up_is_named() {
    let (seen, client, mut server) = requested().await;
    drop(client);
    assert_eq!(end_of(&mut server).await, (Vec::new(), None));
    drop(server);
    assert_eq!(seen.only_capture().await.end, broken("the sender closed the connection"));
}

#[tokio::test]
async fn a_half_closed_connection_still_brings_the_answer() {
    let (seen, mut client, mut server) = requested().await;
    client.shutdown().await.unwrap();
    assert_eq!(end_of(&mut server).await, (Vec::new(), None));
    let answer = b"HTTP/1.1 200 OK\r\n\r\nuntil the end";
    server.write_all(answer).await.unwrap();
    drop(server);
    assert_eq!(end_of(&mut client).await, (answer.to_vec(), None));
    assert_eq!(seen.only_capture().await.end, answered(200));
}

#[tokio::test]
async fn a_receiver_that_half_closes_still_reads_the_rest() {
    let (_seen, mut client, mut server) = requested().await;
    server.shutdown().await.unwrap();
    assert_eq!(end_of(&mut client).await, (Vec::new(), None));
    client.write_all(b"more").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(end_of(&mut server).await, (b"more".to_vec(), None));
}

#[tokio::test]
async fn an_early_answer_reaches_a_sender_that_is_still_sending() {
    let (seen, mut client, mut server) = joined().await;
    client.write_all(b"POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n").await.unwrap();
    let mut read = [0; 20];
    server.read_exact(&mut read).await.unwrap();
    server.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    drop(server);
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(seen.only_capture().await.end, answered(413));
}

#[tokio::test]
async fn nobody_at_the_target_is_a_reset_and_a_gap() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap();
    drop(listener);
    let seen = Seen::before(target).await;
    let mut client = TcpStream::connect(seen.address()).await.unwrap();
    assert_eq!(end_of(&mut client).await.1, Some(ErrorKind::ConnectionReset));
    let gaps = seen.gaps(1).await;
    assert!(gaps[0].what.contains(&target.to_string()), "{gaps:?}");
}

#[tokio::test]
async fn a_head_that_never_ends_is_a_gap() {
    let (seen, mut client, mut server) = joined().await;
    client.write_all(b"GET / HT").await.unwrap();
    drop(client);
    assert_eq!(end_of(&mut server).await, (b"GET / HT".to_vec(), None));
    assert!(seen.gaps(1).await[0].what.contains("in the middle of a request's head"));
}

#[tokio::test]
async fn a_stopped_tap_leaves_neither_port_nor_connection() {
    let (seen, mut client, mut server) = requested().await;
    let address = seen.address();
    seen.tap.stop().await;
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    end_of(&mut client).await;
    end_of(&mut server).await;
    let (captures, _) = seen.recorder.freeze();
    assert_eq!(captures[0].end, broken("the tap was stopped"));
}

#[tokio::test]
async fn a_dropped_tap_closes_its_port() {
    let (seen, mut client, _server) = requested().await;
    drop(seen.tap);
    end_of(&mut client).await;
}
