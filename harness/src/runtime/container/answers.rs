//! Waits until a broker answers in its own protocol. An open port proves nothing: the engine's proxy accepts
//! connections before anybody listens behind it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use crate::scenario::BrokerKind;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(25);
/// A broker that accepts a request and does not answer it gets another one after this.
const ONE_ATTEMPT: Duration = Duration::from_secs(2);

/// ApiVersions, version 0, with correlation id 1 and no client id (Kafka protocol guide).
const API_VERSIONS: &[u8] = &[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
/// The protocol header (AMQP 0-9-1, 4.2.2).
const AMQP: &[u8] = b"AMQP\x00\x00\x09\x01";
/// Servers look for a signature and do not check it.
const LIST_QUEUES: &str = "POST / HTTP/1.1\r\nHost: sqs\r\nContent-Type: application/x-amz-json-1.0\r\n\
    X-Amz-Target: AmazonSQS.ListQueues\r\nAuthorization: AWS4-HMAC-SHA256 \
    Credential=unbroken/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0\r\n\
    Content-Length: 2\r\nConnection: close\r\n\r\n{}";

/// The failure of an attempt to get an answer from a broker.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokerAttemptError {
    #[error("no attempt was made")]
    Untried,
    #[error("it accepted a connection and did not answer within {} s", ONE_ATTEMPT.as_secs())]
    Silent,
    #[error("its answer is not that of a broker of this kind")]
    OtherProtocol,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Resolves when the broker has answered, or with the outcome of the last attempt at the deadline.
pub(super) async fn until_answered(
    kind: BrokerKind,
    address: SocketAddr,
    deadline: Instant,
) -> Result<(), BrokerAttemptError> {
    let mut pause = FIRST_PAUSE;
    let mut last = BrokerAttemptError::Untried;
    while Instant::now() < deadline {
        match timeout(ONE_ATTEMPT, request(kind, address)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => last = error,
            Err(_) => last = BrokerAttemptError::Silent,
        }
        let mut ticks = interval(pause);
        ticks.tick().await;
        ticks.tick().await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
    Err(last)
}

async fn request(kind: BrokerKind, address: SocketAddr) -> Result<(), BrokerAttemptError> {
    let mut connection = TcpStream::connect(address).await?;
    let request = match kind {
        BrokerKind::Kafka => API_VERSIONS,
        BrokerKind::RabbitMq => AMQP,
        BrokerKind::Sqs => LIST_QUEUES.as_bytes(),
    };
    connection.write_all(request).await?;
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await?;
    let expected = match kind {
        // Its length, our correlation id, no error.
        BrokerKind::Kafka => answer[4..10] == [0, 0, 0, 1, 0, 0],
        // A method frame on channel 0: Connection.Start.
        BrokerKind::RabbitMq => answer[..3] == [1, 0, 0] && answer[7..11] == [0, 10, 0, 10],
        BrokerKind::Sqs => answer.starts_with(b"HTTP/1.1 200") || answer.starts_with(b"HTTP/1.0 200"),
    };
    if expected { Ok(()) } else { Err(BrokerAttemptError::OtherProtocol) }
}
