//! Whether a broker answers in its own protocol. A port alone says nothing: the engine's proxy accepts connections
//! before anybody listens behind it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use crate::scenario::BrokerKind;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(25);
/// A broker that takes the question and does not answer is asked again.
const ONE_ATTEMPT: Duration = Duration::from_secs(2);

/// ApiVersions, version 0, with correlation id 1 and no client id (Kafka protocol guide).
const API_VERSIONS: &[u8] = &[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
/// The protocol header (AMQP 0-9-1, 4.2.2).
const AMQP: &[u8] = b"AMQP\x00\x00\x09\x01";
/// A signature is looked for and not looked at.
const LIST_QUEUES: &str = "POST / HTTP/1.1\r\nHost: sqs\r\nContent-Type: application/x-amz-json-1.0\r\n\
    X-Amz-Target: AmazonSQS.ListQueues\r\nAuthorization: AWS4-HMAC-SHA256 \
    Credential=unbroken/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0\r\n\
    Content-Length: 2\r\nConnection: close\r\n\r\n{}";

/// Comes back when it has answered; what the last attempt met where it has not by `deadline`.
pub(super) async fn until_answered(
    kind: BrokerKind,
    address: SocketAddr,
    deadline: Instant,
) -> Result<(), String> {
    let mut pause = FIRST_PAUSE;
    let mut last = "no attempt was made".to_owned();
    while Instant::now() < deadline {
        match timeout(ONE_ATTEMPT, ask(kind, address)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => last = "it did not answer".to_owned(),
        }
        let mut ticks = interval(pause);
        ticks.tick().await;
        ticks.tick().await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
    Err(last)
}

async fn ask(kind: BrokerKind, address: SocketAddr) -> io::Result<()> {
    let mut connection = TcpStream::connect(address).await?;
    let question = match kind {
        BrokerKind::Kafka => API_VERSIONS,
        BrokerKind::RabbitMq => AMQP,
        BrokerKind::Sqs => LIST_QUEUES.as_bytes(),
    };
    connection.write_all(question).await?;
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await?;
    let good = match kind {
        // Its length, our correlation id, no error.
        BrokerKind::Kafka => answer[4..10] == [0, 0, 0, 1, 0, 0],
        // A method frame on channel 0: Connection.Start.
        BrokerKind::RabbitMq => answer[..3] == [1, 0, 0] && answer[7..11] == [0, 10, 0, 10],
        BrokerKind::Sqs => answer.starts_with(b"HTTP/1.1 200") || answer.starts_with(b"HTTP/1.0 200"),
    };
    if good { Ok(()) } else { Err(io::Error::other("it answers something else")) }
}
