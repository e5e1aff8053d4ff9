//! Brokers of a case: started here, or found where one runs already; everything that hops name is there before
//! any node starts.
//!
//! What is declared is declared through each broker's own client, so it works alike on stand-ins and real brokers.
//! Nothing is deleted again: a broker that was started here ends as a whole, and one that is somebody's keeps what
//! it has.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::environment;
use super::error::{RuntimeError, loopback};
use super::options::{RuntimeOptions, StartedBroker};
use crate::evidence::{Gap, GapPlace};
use crate::plan::{BrokerPlan, Plan};
use crate::scenario::{BrokerKind, NodeIx, NodeKind, Template};

mod address;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
#[cfg(feature = "sqs")]
pub mod sqs;

pub(super) use address::Address;

/// How long a broker may take to start, and a client to declare everything.
const WITHIN: Duration = Duration::from_secs(30);
/// How long a broker that runs already may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// One broker, and where it is.
#[derive(Debug)]
pub(super) struct Broker {
    pub(super) node: NodeIx,
    pub(super) address: Address,
    /// Where taps go on to.
    pub(super) at: SocketAddr,
    /// `None` for one that ran already.
    pub(super) started: Option<StartedBroker>,
}

/// All brokers of a case, side by side; they end when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Brokers {
    list: Vec<Broker>,
}

/// What nodes are told of a broker.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) node: NodeIx,
    pub(super) kind: BrokerKind,
    pub(super) address: Address,
    pub(super) at: SocketAddr,
    /// Nobody but this case uses it.
    pub(super) own: bool,
}

impl Brokers {
    pub(super) async fn start(plan: &Plan, options: &RuntimeOptions) -> Result<Brokers, RuntimeError> {
        let started = plan.brokers.iter().map(|broker| Broker::start(broker, plan, options));
        Ok(Brokers { list: try_join_all(started).await? })
    }

    pub(super) fn of(&self, node: NodeIx) -> Option<&Broker> {
        self.list.iter().find(|broker| broker.node == node)
    }

    pub(super) fn reaches(&self, plan: &Plan) -> Vec<Reach> {
        let reach = |broker: &BrokerPlan| {
            let Broker { node, address, at, started } = self.of(broker.node)?;
            let (address, at) = (address.clone(), *at);
            Some(Reach { node: *node, kind: broker.kind, address, at, own: started.is_some() })
        };
        plan.brokers.iter().filter_map(reach).collect()
    }

    /// What stand-ins were asked for and could not do: nothing is known then about who asked.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let refused = |broker: &Broker| {
            let refusals = broker.started.as_ref().map(|started| (started.refusals)()).unwrap_or_default();
            (!refusals.is_empty()).then(|| Gap {
                place: GapPlace::Node(broker.node),
                what: format!(
                    "the stand-in was asked for something it cannot do: {}; run against the real broker",
                    refusals.join(", ")
                ),
                lines: Vec::new(),
            })
        };
        self.list.iter().filter_map(refused).collect()
    }
}

impl Broker {
    async fn start(
        planned: &BrokerPlan,
        plan: &Plan,
        options: &RuntimeOptions,
    ) -> Result<Self, RuntimeError> {
        let name = &plan.scenario.node(planned.node).name;
        let broker = match &plan.scenario.node(planned.node).kind {
            NodeKind::Broker(crate::scenario::Broker { address: Some(address), .. }) => {
                find(planned, address, plan).await?
            }
            _ => stand_in(planned, name, options).await?,
        };
        let declared = timeout(WITHIN, declare(&broker.address.text(), planned)).await;
        let failed = |source| RuntimeError::NotDeclared {
            node: name.clone(),
            kind: planned.kind.word(),
            address: broker.address.shown(),
            source,
        };
        match declared {
            Ok(Ok(())) => Ok(broker),
            Ok(Err(source)) => Err(failed(source)),
            Err(late) => Err(failed(late.into())),
        }
    }
}

/// One that runs already: its address, if somebody answers there.
async fn find(planned: &BrokerPlan, address: &Template, plan: &Plan) -> Result<Broker, RuntimeError> {
    let node = || plan.scenario.node(planned.node).name.clone();
    let kind = planned.kind;
    let text = environment::setting(address, planned.node, plan)?;
    let read = Address::read(kind, &text);
    let address = read.ok_or_else(|| RuntimeError::BrokerAddress { node: node(), kind: kind.word() })?;
    let unreachable = |source| RuntimeError::BrokerUnreachable {
        node: node(),
        kind: kind.word(),
        address: address.shown(),
        source,
    };
    let connecting = timeout(CONNECT, TcpStream::connect(address.host_and_port())).await;
    let connected = connecting.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
    let at = connected.and_then(|connection| connection.peer_addr()).map_err(unreachable)?;
    Ok(Broker { node: planned.node, address, at, started: None })
}

async fn stand_in(
    planned: &BrokerPlan,
    name: &str,
    options: &RuntimeOptions,
) -> Result<Broker, RuntimeError> {
    let (node, kind) = (name.to_owned(), planned.kind.word());
    let Some(start) = &options.brokers else { return Err(RuntimeError::NoBroker { node, kind }) };
    let started = timeout(WITHIN, (start.0)(planned.kind, loopback())).await;
    let started = started.unwrap_or_else(|late| Err(late.to_string()));
    let started = started.map_err(|problem| RuntimeError::BrokerNotStarted { node, kind, problem })?;
    let at = started.address;
    let address = Address::of_stand_in(planned.kind, at);
    Ok(Broker { node: planned.node, address, at, started: Some(started) })
}

type Problem = Box<dyn std::error::Error + Send + Sync>;

#[cfg_attr(not(any(feature = "kafka", feature = "rabbitmq", feature = "sqs")), allow(unused_variables))]
async fn declare(address: &str, planned: &BrokerPlan) -> Result<(), Problem> {
    match planned.kind {
        #[cfg(feature = "kafka")]
        BrokerKind::Kafka => kafka::declare(address, planned).await,
        #[cfg(feature = "rabbitmq")]
        BrokerKind::RabbitMq => rabbitmq::declare(address, planned).await,
        #[cfg(feature = "sqs")]
        BrokerKind::Sqs => sqs::declare(address, planned).await,
        #[allow(unreachable_patterns, reason = "a build with every broker has no other")]
        kind => {
            Err(format!("this build has no client for it: build with the feature `{}`", kind.word()).into())
        }
    }
}

#[cfg(test)]
#[cfg(all(
    feature = "brokers",
    feature = "kafka",
    feature = "rabbitmq",
    feature = "stubs",
    feature = "grpc"
))]
mod tests;
