//! Brokers of a case: started here, or running already. Everything that hops name is declared before any node starts.
//!
//! Nothing is deleted again: a broker that was started here ends as a whole, and a broker of the user's keeps what it
//! has.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::broker_admin;
use super::error::RuntimeError;
use super::host_address::{HostAddress, HostPort};
#[cfg(feature = "container")]
use super::options::RuntimeKind;
use super::options::{RunningBroker, RuntimeOptions, TopicCreator};
use super::setting::setting;
use crate::evidence::{Gap, GapPlace, GroupPositions};
use crate::plan::broker::GroupPartition;
use crate::plan::{BrokerPlan, Plan};
use crate::scenario::{BrokerKind, NodeIx, Template};

mod address;
mod error;
#[cfg(feature = "container")]
mod shared;

pub use address::BrokerAddress;
pub use error::BrokerError;

/// The time that a broker may take to start, and a client to declare everything.
const WITHIN: Duration = Duration::from_secs(30);
/// The time that a running broker may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// One broker of a case.
#[derive(Debug)]
pub struct CaseBroker {
    pub node: NodeIx,
    pub kind: BrokerKind,
    pub address: BrokerAddress,
    /// The address that taps forward to.
    pub at: SocketAddr,
    pub origin: Origin,
}

/// The origin of a broker.
#[derive(Debug)]
pub enum Origin {
    /// It ran already.
    External,
    /// It runs in this process, and ends with the case.
    StandIn(RunningBroker),
    /// It runs in a container that the cases of the run share.
    #[cfg(feature = "container")]
    Shared { broker: std::sync::Arc<super::container::SharedBroker>, _lease: super::container::Lease },
}

/// All brokers of a case; they end when this is dropped.
#[derive(Debug, Default)]
pub struct Brokers {
    list: Vec<CaseBroker>,
}

/// The addresses of a broker for the nodes of a case.
#[derive(Clone, Debug)]
pub struct BrokerReach {
    pub node: NodeIx,
    pub kind: BrokerKind,
    pub address: BrokerAddress,
    pub at: SocketAddr,
    /// For clients in containers, where that differs.
    pub inside: Option<HostPort>,
    /// It was started for this run.
    pub own: bool,
}

impl Brokers {
    /// Starts or finds every broker of the plan, and declares what the hops name. Stand-ins listen on `listen`.
    pub async fn start(
        plan: &Plan,
        options: &RuntimeOptions,
        listen: IpAddr,
    ) -> Result<Brokers, RuntimeError> {
        let mut shared: HashMap<NodeIx, CaseBroker> = HashMap::new();
        #[cfg(feature = "container")]
        if options.kind == RuntimeKind::Container {
            shared = shared::find(plan, options).await?;
        }
        let started = plan.brokers.iter().map(|planned| {
            let shared = shared.remove(&planned.node);
            async move {
                let broker = match shared {
                    Some(shared) => shared,
                    None => find_or_start(planned, plan, options, listen).await?,
                };
                Ok::<_, RuntimeError>(broker.declared(planned, plan).await?)
            }
        });
        Ok(Brokers { list: try_join_all(started).await? })
    }

    /// Returns the broker that is this node.
    pub fn of(&self, node: NodeIx) -> Option<&CaseBroker> {
        self.list.iter().find(|broker| broker.node == node)
    }

    /// Returns how nodes reach each broker of the plan.
    pub fn reaches(&self, plan: &Plan) -> Vec<BrokerReach> {
        let brokers = plan.brokers.iter().filter_map(|broker| self.of(broker.node));
        brokers.map(CaseBroker::reach).collect()
    }

    /// Waits until the consumer groups that hops name read their topics, or the deadline. Returns the partitions that
    /// they do not read.
    pub async fn groups_read(&self, plan: &Plan, deadline: Instant) -> Vec<GroupPartition> {
        let waits = plan
            .brokers
            .iter()
            .filter_map(|planned| self.of(planned.node).map(|broker| broker.groups_read(planned, deadline)));
        join_all(waits).await.concat()
    }

    /// Returns a gap for each stand-in that rejected a request as unsupported, and each broker that has ended.
    pub fn gaps(&self) -> Vec<Gap> {
        self.list.iter().filter_map(CaseBroker::gap).collect()
    }

    /// Returns the last lines of brokers in containers.
    pub fn logs(&self) -> Vec<(NodeIx, Vec<String>)> {
        self.list.iter().filter_map(|broker| Some((broker.node, broker.origin.lines()?))).collect()
    }
}

impl Origin {
    fn lines(&self) -> Option<Vec<String>> {
        match self {
            Origin::External | Origin::StandIn(_) => None,
            #[cfg(feature = "container")]
            Origin::Shared { broker, .. } => Some(broker.lines()),
        }
    }

    fn topic_creator(&self) -> Option<&TopicCreator> {
        match self {
            Origin::StandIn(started) => started.create_topic.as_ref(),
            Origin::External => None,
            #[cfg(feature = "container")]
            Origin::Shared { .. } => None,
        }
    }

    fn inside(&self) -> Option<HostPort> {
        match self {
            Origin::External | Origin::StandIn(_) => None,
            #[cfg(feature = "container")]
            Origin::Shared { broker, .. } => Some(broker.inside.clone()),
        }
    }

    /// Returns why what this broker did is not what a healthy, real broker would have done, with its last lines.
    fn failure(&self) -> Option<(String, Vec<String>)> {
        match self {
            Origin::External => None,
            Origin::StandIn(started) => {
                let refusals = (started.refusals)();
                let what = format!(
                    "the stand-in does not support these requests: {}; run against the real broker",
                    refusals.join(", ")
                );
                (!refusals.is_empty()).then_some((what, Vec::new()))
            }
            #[cfg(feature = "container")]
            Origin::Shared { broker, .. } => broker.failure(),
        }
    }
}

impl CaseBroker {
    fn reach(&self) -> BrokerReach {
        BrokerReach {
            node: self.node,
            kind: self.kind,
            address: self.address.clone(),
            at: self.at,
            inside: self.origin.inside(),
            own: self.is_own(),
        }
    }

    fn gap(&self) -> Option<Gap> {
        let (what, lines) = self.origin.failure()?;
        Some(Gap { place: GapPlace::Node(self.node), what, lines })
    }

    /// Returns whether it was started for this run.
    pub fn is_own(&self) -> bool {
        match self.origin {
            Origin::External => false,
            Origin::StandIn(_) => true,
            #[cfg(feature = "container")]
            Origin::Shared { .. } => true,
        }
    }

    /// Returns where consumer groups read, if the broker reports it.
    pub fn positions(&self) -> Option<&GroupPositions> {
        match &self.origin {
            Origin::External => None,
            Origin::StandIn(started) => started.positions.as_ref(),
            #[cfg(feature = "container")]
            Origin::Shared { .. } => None,
        }
    }

    /// Waits until the groups of the plan read all partitions of their topics, or the deadline. Returns the partitions
    /// that they do not read. Of a real broker only their assignment is known.
    async fn groups_read(&self, plan: &BrokerPlan, deadline: Instant) -> Vec<GroupPartition> {
        let wanted = plan.group_partitions();
        match (self.kind, self.positions()) {
            _ if wanted.is_empty() => Vec::new(),
            (_, Some(positions)) => positions.wait(&wanted, deadline).await,
            #[cfg(feature = "kafka")]
            (BrokerKind::Kafka, None) if !matches!(self.origin, Origin::StandIn(_)) => {
                broker_admin::groups::wait(&self.address.text(), wanted, deadline).await
            }
            (BrokerKind::Kafka | BrokerKind::RabbitMq | BrokerKind::Sqs, None) => Vec::new(),
        }
    }

    /// Builds the error of a tap that cannot read this broker.
    #[cfg(feature = "kafka")]
    pub fn not_read(
        &self,
        plan: &Plan,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> BrokerError {
        BrokerError::NotRead {
            node: plan.scenario.node(self.node).name.clone(),
            kind: self.kind,
            address: self.address.shown(),
            source: source.into(),
        }
    }

    /// Declares everything that the hops name.
    async fn declared(self, planned: &BrokerPlan, plan: &Plan) -> Result<Self, BrokerError> {
        let declared = match self.origin.topic_creator() {
            Some(create) => {
                let mut topics = planned.topics.iter();
                Ok(topics.try_for_each(|topic| create(&topic.name, i32::from(topic.partitions))))
            }
            None => timeout(WITHIN, broker_admin::declare(&self.address.text(), planned)).await,
        };
        let source = match declared {
            Ok(Ok(())) => return Ok(self),
            Ok(Err(source)) => source,
            Err(late) => late.into(),
        };
        Err(BrokerError::NotDeclared {
            node: plan.scenario.node(planned.node).name.clone(),
            kind: planned.kind,
            address: self.address.shown(),
            source,
        })
    }
}

async fn find_or_start(
    planned: &BrokerPlan,
    plan: &Plan,
    options: &RuntimeOptions,
    listen: IpAddr,
) -> Result<CaseBroker, RuntimeError> {
    let described = plan.scenario.node(planned.node).kind.as_broker();
    match described.and_then(|broker| broker.address.as_ref()) {
        Some(address) => find(planned, address, plan).await,
        None => Ok(stand_in(planned, plan, options, listen).await?),
    }
}

/// Returns a broker that runs already, if something accepts connections at its address.
async fn find(planned: &BrokerPlan, address: &Template, plan: &Plan) -> Result<CaseBroker, RuntimeError> {
    let node = plan.scenario.node(planned.node).name.clone();
    let kind = planned.kind;
    let text = setting(address, planned.node, plan)?;
    let Some(address) = BrokerAddress::parse(kind, &text) else {
        return Err(BrokerError::Address { node, kind }.into());
    };
    let connecting = timeout(CONNECT, TcpStream::connect(address.host_and_port())).await;
    let connected = connecting.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
    match connected.and_then(|connection| connection.peer_addr()) {
        Ok(at) => Ok(CaseBroker { node: planned.node, kind, address, at, origin: Origin::External }),
        Err(source) => {
            let address = address.shown();
            Err(BrokerError::Unreachable { node, kind, address, source }.into())
        }
    }
}

async fn stand_in(
    planned: &BrokerPlan,
    plan: &Plan,
    options: &RuntimeOptions,
    listen: IpAddr,
) -> Result<CaseBroker, BrokerError> {
    let (node, kind) = (plan.scenario.node(planned.node).name.clone(), planned.kind);
    let Some(starter) = &options.brokers else { return Err(BrokerError::NotBuiltIn { node, kind }) };
    let started = timeout(WITHIN, (starter.0)(kind, (listen, 0).into())).await;
    let started = started.unwrap_or_else(|late| Err(late.into()));
    let broker = started.map_err(|source| BrokerError::StandIn { node, kind, source })?;
    let at = broker.address;
    let address = BrokerAddress::of_started(kind, HostAddress::for_processes(at));
    Ok(CaseBroker { node: planned.node, kind, address, at, origin: Origin::StandIn(broker) })
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
