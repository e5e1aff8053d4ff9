//! RabbitMQ through `lapin`: messages to the target, and a consumer of what it sends.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::task::JoinSet;

use super::names::{INWARD, OUTWARD};
use super::send_failure::SendFailure;
use crate::conform::listener::CallSink;
use crate::error_chain::BoxedError;
use crate::evidence::RawFields;

pub(super) struct RabbitMqClient {
    channel: Channel,
    _connection: Connection,
    _reader: JoinSet<()>,
}

impl std::fmt::Debug for RabbitMqClient {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("RabbitMqClient")
    }
}

impl RabbitMqClient {
    pub async fn start(address: &str, sink: Arc<CallSink>) -> Result<RabbitMqClient, BoxedError> {
        let connection = Connection::connect(address, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let mut messages =
            channel.basic_consume(OUTWARD.into(), "unbroken".into(), options, FieldTable::default()).await?;
        let mut reader = JoinSet::new();
        reader.spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let table = message.properties.headers().clone().unwrap_or_default();
                sink.take(&String::from_utf8_lossy(&message.data), fields(&table));
            }
        });
        Ok(RabbitMqClient { channel, _connection: connection, _reader: reader })
    }

    pub async fn send(&self, fields: &RawFields, body: &str) -> Result<(), SendFailure> {
        let mut headers = FieldTable::default();
        for (name, value) in fields {
            let name = ShortString::try_new(String::from_utf8_lossy(name).as_ref()).unwrap_or_default();
            headers.insert(name, AMQPValue::LongString(value.clone().into()));
        }
        let properties = BasicProperties::default().with_headers(headers);
        let options = BasicPublishOptions::default();
        let sent = self.channel.basic_publish("".into(), INWARD.into(), options, body.as_bytes(), properties);
        sent.await.map(drop).map_err(|error| SendFailure(format!("RabbitMQ rejected the message: {error}")))
    }
}

fn fields(table: &FieldTable) -> RawFields {
    let texts = table.inner().iter().map(|(name, value)| {
        let value = match value {
            AMQPValue::LongString(text) => text.as_bytes().to_vec(),
            AMQPValue::ByteArray(bytes) => bytes.as_slice().to_vec(),
            other => format!("{other:?}").into_bytes(),
        };
        (name.as_str().as_bytes().to_vec(), value)
    });
    texts.collect()
}
