//! The brokers between the harness and a target: one topic or queue in each direction, at each.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::TransportKind;
use super::names::{INWARD, OUTWARD};
use super::send_failure::SendFailure;
use crate::conform::listener::CallSink;
use crate::error_chain::BoxedError;
use crate::evidence::RawFields;
use crate::plan::BrokerPlan;
use crate::plan::broker::{Queue, Topic};
use crate::runtime::broker_admin;
use crate::runtime::client_settings;
use crate::runtime::{BrokerStarter, RunningBroker};
use crate::scenario::{BrokerKind, NodeIx};

/// The reason why a transport is not available.
#[derive(Debug, thiserror::Error)]
pub enum TransportStartError {
    #[error("this build has no {0}: build with the features `brokers` and `{0}`")]
    NotBuilt(TransportKind),
    #[error("cannot start {0}")]
    Start(TransportKind, #[source] BoxedError),
}

impl std::fmt::Display for TransportKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.word())
    }
}

/// Stand-in brokers with a client each. They end when this is dropped.
#[derive(Debug, Default)]
pub struct BrokerClients {
    variables: Vec<(String, String)>,
    subscriptions: Vec<&'static str>,
    #[cfg(feature = "kafka")]
    kafka: Option<super::kafka::KafkaClient>,
    #[cfg(feature = "rabbitmq")]
    rabbitmq: Option<super::rabbitmq::RabbitMqClient>,
    #[cfg(feature = "sqs")]
    sqs: Option<super::sqs::SqsClient>,
    /// Behind the clients, so that they end first.
    running: Vec<RunningBroker>,
}

impl BrokerClients {
    /// Starts the brokers of these transports.
    pub async fn start(
        carriers: impl IntoIterator<Item = TransportKind>,
        starter: Option<&BrokerStarter>,
        sink: &Arc<CallSink>,
    ) -> Result<BrokerClients, TransportStartError> {
        let mut clients = BrokerClients::default();
        for carrier in carriers {
            let kind = match carrier {
                TransportKind::Kafka => BrokerKind::Kafka,
                TransportKind::RabbitMq => BrokerKind::RabbitMq,
                TransportKind::Sqs => BrokerKind::Sqs,
                TransportKind::Http1 | TransportKind::Http2 | TransportKind::Grpc => continue,
            };
            let starter = starter.ok_or(TransportStartError::NotBuilt(carrier))?;
            let failed = |error| TransportStartError::Start(carrier, error);
            let broker = (starter.0)(kind, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
            let broker = broker.map_err(failed)?;
            let at = broker.address;
            clients.running.push(broker);
            clients.connect(kind, at, sink).await.map_err(failed)?;
        }
        Ok(clients)
    }

    #[cfg_attr(not(any(feature = "kafka", feature = "rabbitmq", feature = "sqs")), allow(unused_variables))]
    async fn connect(
        &mut self,
        kind: BrokerKind,
        at: SocketAddr,
        sink: &Arc<CallSink>,
    ) -> Result<(), BoxedError> {
        let address = match kind {
            BrokerKind::Kafka => at.to_string(),
            BrokerKind::RabbitMq => format!("amqp://guest:guest@{at}/%2f"),
            BrokerKind::Sqs => format!("http://{at}"),
        };
        self.variables.push((client_settings::broker_variable(kind).to_owned(), address.clone()));
        broker_admin::declare(&address, &declared(kind)).await?;
        match kind {
            #[cfg(feature = "kafka")]
            BrokerKind::Kafka => {
                self.subscriptions.push("kafka://unbroken-in?group=unbroken");
                self.kafka = Some(super::kafka::KafkaClient::start(&address, Arc::clone(sink))?);
                Ok(())
            }
            #[cfg(feature = "rabbitmq")]
            BrokerKind::RabbitMq => {
                self.subscriptions.push("amqp:///unbroken-in");
                self.rabbitmq =
                    Some(super::rabbitmq::RabbitMqClient::start(&address, Arc::clone(sink)).await?);
                Ok(())
            }
            #[cfg(feature = "sqs")]
            BrokerKind::Sqs => {
                self.subscriptions.push("sqs://unbroken-in");
                self.sqs = Some(super::sqs::SqsClient::start(&address, Arc::clone(sink)).await?);
                Ok(())
            }
            #[allow(unreachable_patterns, reason = "a build with every broker has no other")]
            _ => Err("this build has no client for it".into()),
        }
    }

    /// Returns the variables of the relay contract. With `batch` up to so many messages are processed together.
    pub fn variables(&self, batch: Option<&str>) -> Vec<(String, String)> {
        let mut variables = self.variables.clone();
        if self.subscriptions.is_empty() {
            return variables;
        }
        let aws = client_settings::AWS.into_iter();
        variables.extend(aws.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let subscriptions = self.subscriptions.iter().map(|subscription| match batch {
            Some(size) if subscription.contains('?') => format!("{subscription}&batch={size}"),
            Some(size) => format!("{subscription}?batch={size}"),
            None => (*subscription).to_owned(),
        });
        let subscriptions: Vec<String> = subscriptions.collect();
        variables.push(("RELAY_CONSUME".to_owned(), subscriptions.join(",")));
        variables
    }

    /// Sends a message to the topic or queue that the target reads. Returns why the broker did not take it.
    #[cfg_attr(not(any(feature = "kafka", feature = "rabbitmq", feature = "sqs")), allow(unused_variables))]
    pub async fn send(
        &self,
        carrier: TransportKind,
        fields: &RawFields,
        body: &str,
    ) -> Result<(), SendFailure> {
        match carrier {
            #[cfg(feature = "kafka")]
            TransportKind::Kafka => self.kafka.as_ref().expect("it was started").send(fields, body).await,
            #[cfg(feature = "rabbitmq")]
            TransportKind::RabbitMq => {
                self.rabbitmq.as_ref().expect("it was started").send(fields, body).await
            }
            #[cfg(feature = "sqs")]
            TransportKind::Sqs => self.sqs.as_ref().expect("it was started").send(fields, body).await,
            other => Err(SendFailure(format!("{other} has no broker"))),
        }
    }
}

fn declared(kind: BrokerKind) -> BrokerPlan {
    let mut plan = BrokerPlan {
        node: NodeIx(0),
        kind,
        topics: Vec::new(),
        exchanges: Vec::new(),
        queues: Vec::new(),
        bindings: Vec::new(),
    };
    for name in [INWARD, OUTWARD] {
        match kind {
            BrokerKind::Kafka => {
                plan.topics.push(Topic { name: name.to_owned(), partitions: 1, groups: Vec::new() });
            }
            BrokerKind::RabbitMq | BrokerKind::Sqs => {
                plan.queues.push(Queue { name: name.to_owned(), expires: None, moves_to: None });
            }
        }
    }
    plan
}
