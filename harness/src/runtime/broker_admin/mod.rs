//! The harness's own administration of brokers: declares what the hops of a scenario name, and deletes it again.
//!
//! Everything is declared through each broker's own client, so stand-ins and real brokers are treated alike. Messages
//! are sent by `driver` and read by `tap`.

use crate::error_chain::BoxedError;
use crate::plan::BrokerPlan;
#[cfg(any(feature = "kafka", feature = "rabbitmq", feature = "sqs"))]
use crate::scenario::BrokerKind;

#[cfg(feature = "kafka")]
pub mod groups;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "sqs")]
pub mod sqs;

/// Declares every topic, exchange, queue and binding of the plan.
#[cfg_attr(not(any(feature = "kafka", feature = "rabbitmq", feature = "sqs")), allow(unused_variables))]
pub async fn declare(address: &str, plan: &BrokerPlan) -> Result<(), BoxedError> {
    match plan.kind {
        #[cfg(feature = "kafka")]
        BrokerKind::Kafka => kafka::declare(address, plan).await,
        #[cfg(feature = "rabbitmq")]
        BrokerKind::RabbitMq => rabbitmq::declare(address, plan).await,
        #[cfg(feature = "sqs")]
        BrokerKind::Sqs => sqs::declare(address, plan).await,
        #[allow(unreachable_patterns, reason = "a build with every broker has no other")]
        kind => {
            Err(format!("this build has no client for {0}: build with the feature `{0}`", kind.word()).into())
        }
    }
}

/// Deletes what `declare` has made at a broker that other cases still use.
#[cfg(feature = "container")]
#[cfg_attr(not(any(feature = "kafka", feature = "rabbitmq", feature = "sqs")), allow(unused_variables))]
pub(super) async fn delete(address: &str, plan: &BrokerPlan) -> Result<(), BoxedError> {
    match plan.kind {
        #[cfg(feature = "kafka")]
        BrokerKind::Kafka => kafka::delete(address, plan).await,
        #[cfg(feature = "rabbitmq")]
        BrokerKind::RabbitMq => rabbitmq::delete(address, plan).await,
        #[cfg(feature = "sqs")]
        BrokerKind::Sqs => sqs::delete(address, plan).await,
        #[allow(unreachable_patterns, reason = "a build with every broker has no other")]
        _ => Ok(()),
    }
}
