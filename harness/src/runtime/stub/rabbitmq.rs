//! A stub that consumes from a queue of RabbitMQ and acknowledges every message.

use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Connection, ConnectionProperties, Consumer};
use tokio::task::JoinHandle;

use super::StubError;

/// A consumer of one queue; it ends when it is dropped.
#[derive(Debug)]
pub struct RabbitMqStub {
    _connection: Connection,
    reading: JoinHandle<()>,
}

impl RabbitMqStub {
    /// Starts to consume. `url` is `amqp://`.
    pub async fn start(url: &str, queue: &str) -> Result<Self, StubError> {
        let consuming = consume(url, queue).await;
        let (connection, consumer) =
            consuming.map_err(|source| StubError::Queue { queue: queue.to_owned(), source })?;
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

/// Acknowledges every delivery until the broker ends the consumer.
async fn read(mut consumer: Consumer) {
    while let Some(Ok(delivery)) = consumer.next().await {
        if delivery.ack(BasicAckOptions::default()).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
    use lapin::{BasicProperties, Channel};
    use stand_in_brokers::amqp::{Config, RabbitBroker};

    use super::*;
    use crate::evidence::{Capture, CaptureEnd, Recorder, Settlement};
    use crate::plan::{TapIx, TapPlan, TapProtocol};
    use crate::scenario::NodeIx;
    use crate::tap::{Tap, TapConfig};

    const SOON: Duration = Duration::from_secs(20);

    async fn broker() -> RabbitBroker {
        RabbitBroker::start(Config::on("127.0.0.1:0".parse().unwrap())).await.unwrap()
    }

    fn url(address: std::net::SocketAddr) -> String {
        format!("amqp://guest:guest@{address}/%2f")
    }

    async fn publish(channel: &Channel) {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        channel.basic_publish("".into(), "orders".into(), options, b"x", properties).await.unwrap();
    }

    /// Resolves when the queue has so many messages and no consumer.
    async fn left(channel: &Channel, messages: u32) {
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let checking = async {
            loop {
                let queue = channel.queue_declare("orders".into(), options, FieldTable::default()).await;
                let queue = queue.unwrap();
                if (queue.message_count(), queue.consumer_count()) == (messages, 0) {
                    return;
                }
            }
        };
        tokio::time::timeout(SOON, checking).await.expect("so many messages and no consumer");
    }

    #[tokio::test]
    async fn a_stub_acknowledges_every_message_until_it_is_dropped() {
        let broker = broker().await;
        broker.declare_queue("orders", &[]).unwrap();
        let recorder = Recorder::new(10, false);
        let plan = TapPlan::between(NodeIx(1), NodeIx(2), TapProtocol::Amqp);
        let config = TapConfig::new(TapIx(0), plan, 0, broker.address());
        let tap = Tap::start(config, recorder.clone()).await.unwrap();
        let connection =
            Connection::connect(&url(broker.address()), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        publish(&channel).await;
        let stub = RabbitMqStub::start(&url(tap.address()), "orders").await.unwrap();
        publish(&channel).await;
        let done = |capture: &Capture| capture.end == CaptureEnd::Settled(Settlement::Done);
        let both = |captures: &[Capture]| captures.iter().filter(|capture| done(capture)).count() == 2;
        let mut watch = recorder.watch();
        let acknowledged = watch.wait_for(|_| recorder.look(both));
        tokio::time::timeout(SOON, acknowledged).await.expect("both are acknowledged").unwrap();
        drop(stub);
        left(&channel, 0).await;
        publish(&channel).await;
        left(&channel, 1).await;
    }

    #[tokio::test]
    async fn a_missing_queue_is_named() {
        let broker = broker().await;
        let error = RabbitMqStub::start(&url(broker.address()), "none").await.unwrap_err();
        assert_eq!(error.to_string(), "a stub cannot consume from the queue `none`");
    }
}
