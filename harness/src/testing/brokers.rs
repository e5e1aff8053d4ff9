//! The stand-in brokers that come with unbroken, as the runtime starts them; the command uses them, too.
//!
//! They have a real broker's settings: a Kafka topic that nobody declared is made when it is first asked for, as the
//! default of Apache Kafka is.

use crate::runtime::StartBroker;

/// `None` in a build without the feature `brokers`.
#[cfg(not(feature = "brokers"))]
pub fn stand_ins() -> Option<StartBroker> {
    None
}

/// Starts Kafka, RabbitMQ and SQS in this process.
#[cfg(feature = "brokers")]
pub fn stand_ins() -> Option<StartBroker> {
    Some(StartBroker(std::sync::Arc::new(|kind, listen| Box::pin(started::start(kind, listen)))))
}

#[cfg(feature = "brokers")]
mod started {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use stand_in_brokers::{Refusals, amqp, kafka, sqs};

    use crate::runtime::StartedBroker;
    use crate::scenario::BrokerKind;

    pub async fn start(kind: BrokerKind, listen: SocketAddr) -> Result<StartedBroker, String> {
        let started = match kind {
            BrokerKind::Kafka => {
                let config = kafka::Config { listen, ..kafka::Config::default() };
                let broker = kafka::KafkaBroker::start(config).await;
                broker.map(|broker| held(broker.address(), broker.refusals(), broker))
            }
            BrokerKind::RabbitMq => {
                let broker = amqp::RabbitBroker::start(amqp::Config::on(listen)).await;
                broker.map(|broker| held(broker.address(), broker.refusals(), broker))
            }
            BrokerKind::Sqs => {
                let config = sqs::Config { listen, ..sqs::Config::default() };
                let broker = sqs::SqsBroker::start(config).await;
                broker.map(|broker| held(broker.address(), broker.refusals(), broker))
            }
        };
        started.map_err(|error| error.to_string())
    }

    fn held(
        address: SocketAddr,
        refusals: Refusals,
        broker: impl std::any::Any + Send + Sync,
    ) -> StartedBroker {
        let told = move || {
            let times = |(what, times): (String, u64)| match times {
                1 => what,
                _ => format!("{what} ({times} times)"),
            };
            refusals.list().into_iter().map(times).collect()
        };
        StartedBroker { address, refusals: Arc::new(told), held: Box::new(broker) }
    }
}
