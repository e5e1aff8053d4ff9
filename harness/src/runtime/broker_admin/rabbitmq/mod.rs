//! Declares at RabbitMQ what a scenario's hops name: exchanges, queues and bindings.
//!
//! An object that exists already with other settings is used as it is, unless the story depends on the difference.

use std::error::Error;

use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};
use thiserror::Error;

use crate::plan::BrokerPlan;
use crate::plan::broker::{Binding, Queue};
use crate::scenario::{AmqpExchange, ExchangeKind};

#[cfg(test)]
mod tests;

/// PRECONDITION_FAILED: it exists with other settings.
const DIFFERS: u16 = 406;

#[derive(Debug, Error)]
enum DeclarationError {
    #[error("cannot connect to RabbitMQ")]
    Connect(#[source] lapin::Error),
    #[error("cannot declare exchange `{name}`: {reason}")]
    AmqpExchange { name: String, reason: String },
    #[error("cannot declare queue `{name}`: {reason}")]
    Queue { name: String, reason: String },
    #[error("cannot bind queue `{queue}` to exchange `{exchange}` by `{routing_key}`: {reason}")]
    Binding { queue: String, exchange: String, routing_key: String, reason: String },
}

/// Declares the exchanges, queues and bindings of the plan. `address` is an `amqp://` URL.
pub async fn declare(address: &str, plan: &BrokerPlan) -> Result<(), Box<dyn Error + Send + Sync>> {
    let connected = Connection::connect(address, ConnectionProperties::default()).await;
    let connection = connected.map_err(DeclarationError::Connect)?;
    for exchange in &plan.exchanges {
        declare_exchange(&connection, exchange).await?;
    }
    for queue in &plan.queues {
        declare_queue(&connection, queue).await?;
    }
    for binding in &plan.bindings {
        bind(&connection, binding).await?;
    }
    // Everything is declared; a failure of the close does not matter.
    let _ = connection.close(200, "declared".into()).await;
    Ok(())
}

/// Deletes what `declare` has made, where it still exists.
pub async fn delete(address: &str, plan: &BrokerPlan) -> Result<(), Box<dyn Error + Send + Sync>> {
    let connection = Connection::connect(address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for queue in &plan.queues {
        channel.queue_delete(short(&queue.name)?, QueueDeleteOptions::default()).await?;
    }
    for exchange in &plan.exchanges {
        channel.exchange_delete(short(&exchange.name)?, ExchangeDeleteOptions::default()).await?;
    }
    // Everything is deleted; a failure of the close does not matter.
    let _ = connection.close(200, "deleted".into()).await;
    Ok(())
}

async fn declare_exchange(connection: &Connection, exchange: &AmqpExchange) -> Result<(), DeclarationError> {
    let kind = match exchange.kind {
        ExchangeKind::Direct => lapin::ExchangeKind::Direct,
        ExchangeKind::Fanout => lapin::ExchangeKind::Fanout,
        ExchangeKind::Topic => lapin::ExchangeKind::Topic,
    };
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let declared = async {
        let channel = connection.create_channel().await?;
        channel.exchange_declare(short(&exchange.name)?, kind, options, FieldTable::default()).await?;
        closed(&channel).await
    };
    match declared.await {
        Err(error) if differs(&error) && !error.to_string().contains("'type'") => Ok(()),
        Err(error) => Err(DeclarationError::AmqpExchange {
            name: exchange.name.clone(),
            reason: broker_message(&error),
        }),
        Ok(()) => Ok(()),
    }
}

async fn declare_queue(connection: &Connection, queue: &Queue) -> Result<(), DeclarationError> {
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    let mut arguments = FieldTable::default();
    if let Some(expires) = queue.expires {
        let millis = i64::try_from(expires.as_millis()).unwrap_or(i64::MAX);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(millis));
    }
    if let Some(moves_to) = &queue.moves_to {
        let moves_to = AMQPValue::LongString(moves_to.as_str().into());
        arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
        arguments.insert("x-dead-letter-routing-key".into(), moves_to);
    }
    let plain = arguments.inner().is_empty();
    let declared = async {
        let channel = connection.create_channel().await?;
        channel.queue_declare(short(&queue.name)?, options, arguments).await?;
        closed(&channel).await
    };
    let name = queue.name.clone();
    match declared.await {
        Err(error) if differs(&error) && plain => Ok(()),
        Err(error) if differs(&error) => {
            let reason = format!("{}; delete it at the broker, or use another name", broker_message(&error));
            Err(DeclarationError::Queue { name, reason })
        }
        Err(error) => Err(DeclarationError::Queue { name, reason: broker_message(&error) }),
        Ok(()) => Ok(()),
    }
}

async fn bind(connection: &Connection, binding: &Binding) -> Result<(), DeclarationError> {
    let Binding { exchange, routing_key, queue } = binding;
    let bound = async {
        let channel = connection.create_channel().await?;
        let options = QueueBindOptions::default();
        let (exchange, routing_key) = (short(exchange)?, short(routing_key)?);
        channel.queue_bind(short(queue)?, exchange, routing_key, options, FieldTable::default()).await?;
        closed(&channel).await
    };
    bound.await.map_err(|error| DeclarationError::Binding {
        queue: queue.clone(),
        exchange: exchange.clone(),
        routing_key: routing_key.clone(),
        reason: broker_message(&error),
    })
}

/// Closes a channel; its errors arrive with the answer.
async fn closed(channel: &Channel) -> lapin::Result<()> {
    channel.close(200, "declared".into()).await
}

fn short(text: &str) -> lapin::Result<ShortString> {
    ShortString::try_new(text).map_err(|error| std::io::Error::other(error).into())
}

fn differs(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(reported) if reported.get_id() == DIFFERS)
}

/// Returns what the broker reported, else what the client or the operating system did.
fn broker_message(error: &lapin::Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(reported) => format!("{} {}", reported.get_id(), reported.get_message()),
        ErrorKind::IOError(cause) => cause.to_string(),
        _ => error.to_string(),
    }
}
