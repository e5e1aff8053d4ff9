//! The taps of a case: where they listen, and what they forward to.
//!
//! Most stand between two nodes and learn their target when it listens. Kafka's reads the broker instead, because its
//! clients cannot be redirected: the broker advertises its own address.

use std::net::SocketAddr;

use futures_util::future::{join_all, try_join_all};
use tokio::time::Instant;

use super::broker::{Brokers, CaseBroker};
use super::error::RuntimeError;
use super::host_address::HostAddress;
use super::node_addresses::NodeAddresses;
use super::trust::Trust;
use crate::evidence::Recorder;
use crate::plan::{Plan, TapIx, TapPlan, TapProtocol};
use crate::scenario::NodeIx;
#[cfg(feature = "kafka")]
use crate::tap::KafkaTap;
use crate::tap::{Aim, ReceiverAddress, Tap, TapConfig};

/// Everything that the taps of a case are started with.
#[derive(Clone, Copy)]
pub(super) struct TapContext<'a> {
    pub(super) plan: &'a Plan,
    pub(super) recorder: &'a Recorder,
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    pub(super) trust: Option<&'a Trust>,
    pub(super) brokers: &'a Brokers,
    pub(super) host: &'a HostAddress,
    /// The messages of SQS that all taps share: a node may send through one tap and read through another.
    #[cfg(feature = "sqs")]
    pub(super) sqs: &'a crate::tap::SqsMessages,
}

/// One tap of a case.
#[derive(Debug)]
enum CaseTap {
    Wire(Tap),
    #[cfg(feature = "kafka")]
    Kafka(KafkaTap),
}

/// Every tap of a plan, in its order; they end when this is dropped.
#[derive(Debug)]
pub(super) struct CaseTaps {
    taps: Vec<CaseTap>,
    /// Sets the target of each tap that does not know it when it starts.
    aims: Vec<Option<Aim>>,
}

impl CaseTaps {
    /// Starts every tap of the plan.
    pub(super) async fn start(context: TapContext<'_>) -> Result<Self, RuntimeError> {
        let taps = context.plan.taps.iter().enumerate().map(|(ix, tap)| start(TapIx(ix), tap, context));
        let (taps, aims) = try_join_all(taps).await?.into_iter().unzip();
        Ok(Self { taps, aims })
    }

    /// Returns what nodes call for each tap: its own address, or that of the broker that it reads.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.taps.iter().map(CaseTap::address).collect()
    }

    pub(super) fn address(&self, tap: TapIx) -> SocketAddr {
        self.taps[tap.0].address()
    }

    /// Sets the target of every tap in front of this node.
    pub(super) fn aim(&self, node: NodeIx, listening: NodeAddresses, plan: &Plan) {
        for (aim, tap) in self.aims.iter().zip(&plan.taps).filter(|(_, tap)| tap.to == node) {
            if let (Some(aim), Some(target)) = (aim, listening.address(tap.protocol)) {
                aim.at(target);
            }
        }
    }

    /// Resolves when the taps that read brokers have read everything that was there when this was called. A gap is
    /// recorded for what is not read by the deadline.
    pub(super) async fn caught_up(&self, deadline: Instant) {
        join_all(self.taps.iter().map(|tap| tap.caught_up(deadline))).await;
    }

    /// Ends the taps that have threads of their own; the others end when this is dropped.
    pub(super) async fn stop(&self) {
        join_all(self.taps.iter().map(CaseTap::stop)).await;
    }
}

impl CaseTap {
    fn address(&self) -> SocketAddr {
        match self {
            CaseTap::Wire(tap) => HostAddress::from_here(tap.address()),
            #[cfg(feature = "kafka")]
            CaseTap::Kafka(tap) => tap.address(),
        }
    }

    #[cfg_attr(not(feature = "kafka"), allow(unused_variables))]
    async fn caught_up(&self, deadline: Instant) {
        match self {
            // It has read what went through it.
            CaseTap::Wire(_) => {}
            #[cfg(feature = "kafka")]
            CaseTap::Kafka(tap) => tap.caught_up(deadline).await,
        }
    }

    async fn stop(&self) {
        match self {
            CaseTap::Wire(_) => {}
            #[cfg(feature = "kafka")]
            CaseTap::Kafka(tap) => tap.stop().await,
        }
    }
}

/// Starts one tap; returns how to set its target, where that is not known yet.
async fn start(
    ix: TapIx,
    tap: &TapPlan,
    context: TapContext<'_>,
) -> Result<(CaseTap, Option<Aim>), RuntimeError> {
    match context.brokers.of(tap.to) {
        Some(broker) if tap.protocol == TapProtocol::Kafka => {
            Ok((broker_reader(ix, tap, broker, context).await?, None))
        }
        Some(broker) => Ok((wire_tap(ix, tap, broker.at.into(), context).await?, None)),
        None => {
            let (aim, receiver) = ReceiverAddress::later();
            Ok((wire_tap(ix, tap, receiver, context).await?, Some(aim)))
        }
    }
}

async fn wire_tap(
    ix: TapIx,
    tap: &TapPlan,
    receiver: ReceiverAddress,
    context: TapContext<'_>,
) -> Result<CaseTap, RuntimeError> {
    let TapContext { plan, recorder, .. } = context;
    let mut config = TapConfig::new(ix, tap.clone(), plan.run, receiver);
    (config.listen, config.port) = match tap.listen {
        Some(fixed) => (fixed.ip(), fixed.port()),
        None => (context.host.listen(), 0),
    };
    #[cfg(feature = "sqs")]
    {
        config.sqs = context.sqs.clone();
    }
    #[cfg(feature = "tls")]
    {
        let tls = context.trust.map(|trust| trust.tap.clone());
        let tls = match (tls, &tap.client_certificate) {
            (Some(tls), Some(file)) => Some(presenting(tls, &plan.folder.join(file))?),
            (tls, _) => tls,
        };
        let ends_here = plan.scenario.node(tap.to).kind.listens_in_plaintext_only();
        config.tls = if ends_here { tls.map(crate::tap::TapTls::ending_here) } else { tls };
    }
    let started = Tap::start(config, recorder.clone()).await.map_err(|error| {
        let (from, to) = (&plan.scenario.node(tap.from).name, &plan.scenario.node(tap.to).name);
        RuntimeError::listen(format!("the tap between `{from}` and `{to}`"), error)
    });
    started.map(CaseTap::Wire)
}

/// Adds what the tap presents to a receiver that asks for a client's certificate.
#[cfg(feature = "tls")]
fn presenting(tls: crate::tap::TapTls, file: &std::path::Path) -> Result<crate::tap::TapTls, RuntimeError> {
    let failed = |source| RuntimeError::ClientCertificate { file: file.display().to_string(), source };
    let pem = std::fs::read(file).map_err(|error| failed(error.into()))?;
    tls.presenting(&pem).map_err(|error| failed(error.into()))
}

#[cfg(feature = "kafka")]
async fn broker_reader(
    ix: TapIx,
    tap: &TapPlan,
    broker: &CaseBroker,
    context: TapContext<'_>,
) -> Result<CaseTap, RuntimeError> {
    use crate::tap::KafkaTapConfig;

    let TapContext { plan, recorder, .. } = context;
    let planned = plan.brokers.iter().find(|planned| planned.node == broker.node);
    let config = KafkaTapConfig {
        tap: ix,
        plan: tap.clone(),
        run: plan.run,
        bootstrap: broker.address.text(),
        at: broker.at,
        topics: planned.map(|planned| planned.topics.clone()).unwrap_or_default(),
        same_clock: broker.is_own(),
        positions: broker.positions().cloned(),
    };
    let reading = KafkaTap::start(config, recorder.clone()).await;
    reading.map(CaseTap::Kafka).map_err(|error| broker.not_read(plan, error).into())
}

#[cfg(not(feature = "kafka"))]
async fn broker_reader(
    _: TapIx,
    _: &TapPlan,
    broker: &CaseBroker,
    context: TapContext<'_>,
) -> Result<CaseTap, RuntimeError> {
    let node = context.plan.scenario.node(broker.node).name.clone();
    Err(RuntimeError::NotBuilt { node, what: "Kafka", feature: "kafka" })
}
