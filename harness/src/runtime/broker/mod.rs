//! Brokers of a case: started here, or found where one runs already; everything that hops name is there before
//! any node starts.
//!
//! What is declared is declared through each broker's own client, so it works alike on stand-ins and real brokers.
//! Nothing is deleted again: a broker that was started here ends as a whole, and one that is somebody's keeps what
//! it has.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::environment;
use super::error::RuntimeError;
use super::host_address::{Here, Spelled};
#[cfg(feature = "container")]
use super::options::Kind;
use super::options::{RuntimeOptions, StartedBroker};
use crate::evidence::{Gap, GapPlace};
use crate::plan::{BrokerPlan, Plan};
use crate::scenario::{BrokerKind, NodeIx, Template};

mod address;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
#[cfg(feature = "container")]
mod shared;
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
    pub(super) origin: Origin,
}

/// Where a broker comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// It ran already.
    Found,
    /// It ends with the case.
    StandIn(StartedBroker),
    /// Shared by the cases of the run; what this one declares there is its own.
    #[cfg(feature = "container")]
    Shared { broker: std::sync::Arc<super::container::SharedBroker>, _lease: super::container::Lease },
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
    /// For clients in containers, where that is another address.
    pub(super) inside: Option<Spelled>,
    /// It was started for this run.
    pub(super) own: bool,
}

impl Brokers {
    /// Stand-ins listen on `listen`.
    pub(super) async fn start(
        plan: &Plan,
        options: &RuntimeOptions,
        listen: IpAddr,
    ) -> Result<Brokers, RuntimeError> {
        let mut shared: HashMap<NodeIx, Broker> = HashMap::new();
        #[cfg(feature = "container")]
        if options.kind == Kind::Container {
            shared = shared::find(plan, options).await?;
        }
        let started = plan.brokers.iter().map(|planned| {
            let shared = shared.remove(&planned.node);
            async move {
                let broker = match shared {
                    Some(shared) => shared,
                    None => Broker::find_or_start(planned, plan, options, listen).await?,
                };
                broker.declared(planned, plan).await
            }
        });
        Ok(Brokers { list: try_join_all(started).await? })
    }

    pub(super) fn of(&self, node: NodeIx) -> Option<&Broker> {
        self.list.iter().find(|broker| broker.node == node)
    }

    pub(super) fn reaches(&self, plan: &Plan) -> Vec<Reach> {
        let reach = |broker: &BrokerPlan| {
            let Broker { node, address, at, origin } = self.of(broker.node)?;
            let (address, at) = (address.clone(), *at);
            let inside = origin.inside();
            let own = !matches!(origin, Origin::Found);
            Some(Reach { node: *node, kind: broker.kind, address, at, inside, own })
        };
        plan.brokers.iter().filter_map(reach).collect()
    }

    /// What stand-ins were asked for and could not do, and brokers that have ended: nothing is known then about who
    /// asked.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let gap = |broker: &Broker| {
            let (what, lines) = broker.origin.trouble()?;
            Some(Gap { place: GapPlace::Node(broker.node), what, lines })
        };
        self.list.iter().filter_map(gap).collect()
    }
}

impl Brokers {
    /// The last lines of brokers in containers.
    pub(super) fn logs(&self) -> Vec<(NodeIx, Vec<String>)> {
        self.list.iter().filter_map(|broker| Some((broker.node, broker.origin.lines()?))).collect()
    }
}

impl Origin {
    fn lines(&self) -> Option<Vec<String>> {
        match self {
            Origin::Found | Origin::StandIn(_) => None,
            #[cfg(feature = "container")]
            Origin::Shared { broker, .. } => Some(broker.lines()),
        }
    }

    fn inside(&self) -> Option<Spelled> {
        match self {
            Origin::Found | Origin::StandIn(_) => None,
            #[cfg(feature = "container")]
            Origin::Shared { broker, .. } => Some(broker.inside.clone()),
        }
    }

    fn trouble(&self) -> Option<(String, Vec<String>)> {
        match self {
            Origin::Found => None,
            Origin::StandIn(started) => {
                let refusals = (started.refusals)();
                let what = format!(
                    "the stand-in was asked for something it cannot do: {}; run against the real broker",
                    refusals.join(", ")
                );
                (!refusals.is_empty()).then_some((what, Vec::new()))
            }
            #[cfg(feature = "container")]
            Origin::Shared { broker, .. } => broker.trouble(),
        }
    }
}

impl Broker {
    async fn find_or_start(
        planned: &BrokerPlan,
        plan: &Plan,
        options: &RuntimeOptions,
        listen: IpAddr,
    ) -> Result<Self, RuntimeError> {
        let name = &plan.scenario.node(planned.node).name;
        let described = plan.scenario.node(planned.node).kind.as_broker();
        match described.and_then(|broker| broker.address.as_ref()) {
            Some(address) => find(planned, address, plan).await,
            None => stand_in(planned, name, options, listen).await,
        }
    }

    /// Everything that hops name is there.
    async fn declared(self, planned: &BrokerPlan, plan: &Plan) -> Result<Self, RuntimeError> {
        let declared = timeout(WITHIN, declare(&self.address.text(), planned)).await;
        let failed = |source| RuntimeError::NotDeclared {
            node: plan.scenario.node(planned.node).name.clone(),
            kind: planned.kind.word(),
            address: self.address.shown(),
            source,
        };
        match declared {
            Ok(Ok(())) => Ok(self),
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
    Ok(Broker { node: planned.node, address, at, origin: Origin::Found })
}

async fn stand_in(
    planned: &BrokerPlan,
    name: &str,
    options: &RuntimeOptions,
    listen: IpAddr,
) -> Result<Broker, RuntimeError> {
    let (node, kind) = (name.to_owned(), planned.kind.word());
    let Some(start) = &options.brokers else { return Err(RuntimeError::NoBroker { node, kind }) };
    let started = timeout(WITHIN, (start.0)(planned.kind, (listen, 0).into())).await;
    let started = started.unwrap_or_else(|late| Err(late.to_string()));
    let started = started.map_err(|problem| RuntimeError::BrokerNotStarted { node, kind, problem })?;
    let at = started.address;
    let address = Address::of_started(planned.kind, Here::spell_here(at));
    Ok(Broker { node: planned.node, address, at, origin: Origin::StandIn(started) })
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

/// Deletes what `declare` has made at a broker that others go on to use.
#[cfg(feature = "container")]
#[cfg_attr(not(any(feature = "kafka", feature = "rabbitmq", feature = "sqs")), allow(unused_variables))]
pub(super) async fn forget(address: &str, planned: &BrokerPlan) -> Result<(), Problem> {
    match planned.kind {
        #[cfg(feature = "kafka")]
        BrokerKind::Kafka => kafka::forget(address, planned).await,
        #[cfg(feature = "rabbitmq")]
        BrokerKind::RabbitMq => rabbitmq::forget(address, planned).await,
        #[cfg(feature = "sqs")]
        BrokerKind::Sqs => sqs::forget(address, planned).await,
        #[allow(unreachable_patterns, reason = "a build with every broker has no other")]
        _ => Ok(()),
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
