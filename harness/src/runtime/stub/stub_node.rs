//! A `stub:` node: a stub for every transport that reaches it, and for every topic or queue that it reads.
//!
//! A transport that is not built in is an error that names its feature.

use std::net::SocketAddr;

#[cfg(feature = "kafka")]
use futures_util::future::join_all;

#[cfg(feature = "grpc")]
use super::GrpcStub;
#[cfg(feature = "stubs")]
use super::HttpStub;
#[cfg(feature = "kafka")]
use super::KafkaStub;
#[cfg(feature = "rabbitmq")]
use super::RabbitMqStub;
#[cfg(feature = "sqs")]
use super::SqsStub;
use crate::error_chain::BoxedError;
use crate::plan::ListenProtocols;
use crate::plan::broker::MessageSource;
use crate::runtime::node_addresses::NodeAddresses;
use crate::scenario::Stub;

/// The stubs of one node; they end when this is dropped.
#[derive(Default)]
pub struct NodeStubs {
    #[cfg(feature = "stubs")]
    http: Option<HttpStub>,
    #[cfg(feature = "grpc")]
    grpc: Option<GrpcStub>,
    #[cfg(feature = "kafka")]
    kafka: Vec<KafkaStub>,
    #[cfg(feature = "rabbitmq")]
    rabbitmq: Vec<RabbitMqStub>,
    #[cfg(feature = "sqs")]
    sqs: Vec<SqsStub>,
}

impl NodeStubs {
    /// Starts every stub of the node; `sources` are what it reads, with the address of the broker.
    #[cfg_attr(not(any(feature = "stubs", feature = "grpc")), allow(unused_variables, unused_mut))]
    pub async fn start(
        stub: &Stub,
        listens: ListenProtocols,
        sources: &[(MessageSource, String)],
    ) -> Result<Self, BoxedError> {
        let mut started = NodeStubs::default();
        #[cfg(feature = "stubs")]
        if listens.http {
            started.http = Some(HttpStub::start(&stub.answers).await?);
        }
        #[cfg(not(feature = "stubs"))]
        if listens.http {
            return Err("this build has no stubs for HTTP: build with the feature `stubs`".into());
        }
        #[cfg(feature = "grpc")]
        if listens.grpc {
            started.grpc = Some(GrpcStub::start(&stub.answers).await?);
        }
        #[cfg(not(feature = "grpc"))]
        if listens.grpc {
            return Err("this build has no stubs for gRPC: build with the feature `grpc`".into());
        }
        for (source, broker) in sources {
            started.add_reader(source, broker).await?;
        }
        Ok(started)
    }

    /// Starts a reader of one topic or queue at the broker with this address.
    #[cfg_attr(not(any(feature = "kafka", feature = "rabbitmq", feature = "sqs")), allow(unused_variables))]
    async fn add_reader(&mut self, source: &MessageSource, broker: &str) -> Result<(), BoxedError> {
        match source {
            #[cfg(feature = "kafka")]
            MessageSource::Kafka { topic, group } => {
                self.kafka.push(KafkaStub::start(broker, topic, group).await?);
                Ok(())
            }
            #[cfg(feature = "rabbitmq")]
            MessageSource::RabbitMq { queue } => {
                self.rabbitmq.push(RabbitMqStub::start(broker, queue).await?);
                Ok(())
            }
            #[cfg(feature = "sqs")]
            MessageSource::Sqs { queue } => {
                self.sqs.push(SqsStub::start(broker, queue).await?);
                Ok(())
            }
            #[allow(unreachable_patterns, reason = "a build with every broker has no other")]
            source => {
                let feature = match source {
                    MessageSource::Kafka { .. } => "kafka",
                    MessageSource::RabbitMq { .. } => "rabbitmq",
                    MessageSource::Sqs { .. } => "sqs",
                };
                Err(format!("this build has no stubs for {feature}: build with the feature `{feature}`")
                    .into())
            }
        }
    }

    /// Ends the readers that have threads of their own; the others end when this is dropped.
    pub async fn stop(&self) {
        #[cfg(feature = "kafka")]
        join_all(self.kafka.iter().map(KafkaStub::stop)).await;
    }

    /// Returns where its stubs listen.
    pub fn listening(&self) -> NodeAddresses {
        #[cfg(feature = "stubs")]
        let http: Option<SocketAddr> = self.http.as_ref().map(HttpStub::address);
        #[cfg(not(feature = "stubs"))]
        let http: Option<SocketAddr> = None;
        #[cfg(feature = "grpc")]
        let grpc: Option<SocketAddr> = self.grpc.as_ref().map(GrpcStub::address);
        #[cfg(not(feature = "grpc"))]
        let grpc: Option<SocketAddr> = None;
        NodeAddresses { http, grpc }
    }
}

impl std::fmt::Debug for NodeStubs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("NodeStubs").field("listening", &self.listening()).finish()
    }
}
