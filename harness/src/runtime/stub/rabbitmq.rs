//! A stub that reads a queue of RabbitMQ and acknowledges every message.

use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Connection, ConnectionProperties, Consumer};
use tokio::task::JoinHandle;

use super::StubError;

/// A reader that runs; it ends when it is dropped.
#[derive(Debug)]
pub struct RabbitMqStub {
    _connection: Connection,
    reading: JoinHandle<()>,
}

impl RabbitMqStub {
    /// Reads on when this comes back. `url` is `amqp://`.
    pub async fn start(url: &str, queue: &str) -> Result<Self, StubError> {
        let failed = |source| StubError::Queue { queue: queue.to_owned(), source };
        let (connection, consumer) = consume(url, queue).await.map_err(failed)?;
        Ok(Self { _connection: connection, reading: tokio::spawn(read(consumer)) })
    }
}

impl Drop for RabbitMqStub {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn consume(url: &str, queue: &str) -> lapin::Result<(Connection, Consumer)> {
    let queue = ShortString::try_new(queue).map_err(std::io::Error::other)?;
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    let consumer = channel.basic_consume(queue, ShortString::default(), options, arguments).await?;
    Ok((connection, consumer))
}

/// Until the broker ends it.
async fn read(mut consumer: Consumer) {
    while let Some(Ok(delivery)) = consumer.next().await {
        if delivery.ack(BasicAckOptions::default()).await.is_err() {
            return;
        }
    }
}
