//! Starts the stand-in brokers that come with unbroken, for the runtime of a test and of the command.
//!
//! They have the settings of a real broker: as in Apache Kafka's default configuration, a topic that nobody declared is
//! created when a client first uses it.

use crate::runtime::BrokerStarter;

/// Returns `None`: this build lacks the feature `brokers`.
#[cfg(not(feature = "brokers"))]
pub fn stand_ins() -> Option<BrokerStarter> {
    None
}

/// Returns the function that starts Kafka, RabbitMQ and SQS in this process.
#[cfg(feature = "brokers")]
pub fn stand_ins() -> Option<BrokerStarter> {
    Some(BrokerStarter(std::sync::Arc::new(|kind, listen| {
        Box::pin(async move { Ok(embedded::start(kind, listen).await?) })
    })))
}

#[cfg(feature = "brokers")]
mod embedded {
    use std::io;
    use std::net::SocketAddr;
    use std::sync::Arc;

    use stand_in_brokers::{Refusals, amqp, kafka, sqs};

    use crate::evidence::GroupPositions;
    use crate::runtime::{RunningBroker, TopicCreator};
    use crate::scenario::BrokerKind;

    pub async fn start(kind: BrokerKind, listen: SocketAddr) -> io::Result<RunningBroker> {
        match kind {
            BrokerKind::Kafka => {
                let config = kafka::Config { listen, ..kafka::Config::default() };
                let broker = kafka::KafkaBroker::start(config).await?;
                let broker = Arc::new(broker);
                let positions = Some(GroupPositions::new(broker.positions()));
                // It keeps no broker running.
                let topics = Arc::downgrade(&broker);
                let create_topic: TopicCreator = Arc::new(move |topic, partitions| {
                    let broker = topics.upgrade().ok_or("the stand-in has ended")?;
                    Ok(broker.create_topic(topic, partitions)?)
                });
                let held = hold(broker.address(), broker.refusals(), broker);
                Ok(RunningBroker { positions, create_topic: Some(create_topic), ..held })
            }
            BrokerKind::RabbitMq => {
                let broker = amqp::RabbitBroker::start(amqp::Config::on(listen)).await?;
                Ok(hold(broker.address(), broker.refusals(), broker))
            }
            BrokerKind::Sqs => {
                let config = sqs::Config { listen, ..sqs::Config::default() };
                let broker = sqs::SqsBroker::start(config).await?;
                Ok(hold(broker.address(), broker.refusals(), broker))
            }
        }
    }

    fn hold(
        address: SocketAddr,
        refusals: Refusals,
        broker: impl std::any::Any + Send + Sync,
    ) -> RunningBroker {
        let refusals = Arc::new(move || lines(&refusals));
        RunningBroker { address, refusals, positions: None, create_topic: None, held: Box::new(broker) }
    }

    fn lines(refusals: &Refusals) -> Vec<String> {
        let mut lines = Vec::new();
        for (what, times) in refusals.list() {
            lines.push(if times == 1 { what } else { format!("{what} ({times} times)") });
        }
        lines
    }
}
