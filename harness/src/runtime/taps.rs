//! The taps of a case, where they listen and what they are aimed at.
//!
//! Most stand between two ends and learn their target when that listens. Kafka's reads the broker beside, because its
//! clients cannot be redirected: a broker tells them where to go.

use std::net::SocketAddr;

use futures_util::future::{join_all, try_join_all};
use tokio::time::Instant;

#[cfg(feature = "kafka")]
use super::broker::Origin;
use super::broker::{Broker, Brokers};
use super::error::RuntimeError;
use super::host_address::Here;
use super::options::Listening;
use super::trust::Trust;
use super::wiring::address;
use crate::evidence::Recorder;
use crate::plan::{Plan, TapIx, TapPlan, TapProtocol};
use crate::scenario::NodeIx;
#[cfg(feature = "kafka")]
use crate::tap::KafkaTap;
#[cfg(feature = "tls")]
use crate::tap::TapTls;
use crate::tap::{Aim, Tap, TapConfig, Target};

/// What taps are started with.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) plan: &'a Plan,
    pub(super) recorder: &'a Recorder,
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    pub(super) trust: Option<&'a Trust>,
    pub(super) brokers: &'a Brokers,
    pub(super) here: &'a Here,
    /// What all taps before SQS know of its messages: a node may send through one and read through another.
    #[cfg(feature = "sqs")]
    pub(super) sqs: &'a crate::tap::SqsMessages,
}

#[derive(Debug)]
enum Eye {
    Wire(Tap),
    #[cfg(feature = "kafka")]
    Kafka(KafkaTap),
}

/// Every tap of a plan, in its order; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Standing {
    eyes: Vec<Eye>,
    /// Of the taps whose target is not known yet.
    aims: Vec<Option<Aim>>,
}

impl Standing {
    pub(super) async fn start(ground: Ground<'_>) -> Result<Self, RuntimeError> {
        let taps = ground.plan.taps.iter().enumerate().map(|(ix, tap)| start(TapIx(ix), tap, ground));
        let (eyes, aims) = try_join_all(taps).await?.into_iter().unzip();
        Ok(Self { eyes, aims })
    }

    /// What nodes are told of each tap: its own address, or that of the broker that it reads beside.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.eyes.iter().map(Eye::address).collect()
    }

    pub(super) fn address(&self, tap: TapIx) -> SocketAddr {
        self.eyes[tap.0].address()
    }

    /// Tells every tap before this node where it goes on to.
    pub(super) fn aim(&self, node: NodeIx, listening: Listening, plan: &Plan) {
        for (aim, tap) in self.aims.iter().zip(&plan.taps).filter(|(_, tap)| tap.to == node) {
            if let (Some(aim), Some(target)) = (aim, address(listening, tap.protocol)) {
                aim.at(target);
            }
        }
    }

    /// Comes back when the taps that read beside have read everything that was there when this was called. What is not
    /// read by the deadline is a gap.
    pub(super) async fn caught_up(&self, deadline: Instant) {
        join_all(self.eyes.iter().map(|eye| eye.caught_up(deadline))).await;
    }

    /// Ends the taps that have threads of their own; the others end when they are dropped.
    pub(super) async fn stop(&self) {
        join_all(self.eyes.iter().map(Eye::stop)).await;
    }
}

impl Eye {
    fn address(&self) -> SocketAddr {
        match self {
            Eye::Wire(tap) => Here::from_outside(tap.address()),
            #[cfg(feature = "kafka")]
            Eye::Kafka(tap) => tap.address(),
        }
    }

    #[cfg_attr(not(feature = "kafka"), allow(unused_variables))]
    async fn caught_up(&self, deadline: Instant) {
        match self {
            // It has seen what has gone through it.
            Eye::Wire(_) => {}
            #[cfg(feature = "kafka")]
            Eye::Kafka(tap) => tap.caught_up(deadline).await,
        }
    }

    async fn stop(&self) {
        match self {
            Eye::Wire(_) => {}
            #[cfg(feature = "kafka")]
            Eye::Kafka(tap) => tap.stop().await,
        }
    }
}

async fn start(ix: TapIx, tap: &TapPlan, ground: Ground<'_>) -> Result<(Eye, Option<Aim>), RuntimeError> {
    match ground.brokers.of(tap.to) {
        Some(broker) if tap.protocol == TapProtocol::Kafka => {
            Ok((beside(ix, tap, broker, ground).await?, None))
        }
        Some(broker) => Ok((between(ix, tap, broker.at.into(), ground).await?, None)),
        None => {
            let (aim, target) = Target::later();
            Ok((between(ix, tap, target, ground).await?, Some(aim)))
        }
    }
}

async fn between(ix: TapIx, tap: &TapPlan, target: Target, ground: Ground<'_>) -> Result<Eye, RuntimeError> {
    let Ground { plan, recorder, .. } = ground;
    let mut config = TapConfig::new(ix, tap.clone(), plan.run, target);
    config.listen = ground.here.listen;
    #[cfg(feature = "sqs")]
    {
        config.sqs = ground.sqs.clone();
    }
    #[cfg(feature = "tls")]
    {
        let clear = plan.scenario.node(tap.to).kind.listens_in_plaintext_only();
        let tls = ground.trust.map(|trust| trust.tap.clone());
        config.tls = if clear { tls.map(TapTls::ending_here) } else { tls };
    }
    let listening = Tap::start(config, recorder.clone()).await.map_err(|error| {
        let (from, to) = (&plan.scenario.node(tap.from).name, &plan.scenario.node(tap.to).name);
        RuntimeError::listen(format!("the tap between `{from}` and `{to}`"), error)
    });
    listening.map(Eye::Wire)
}

#[cfg(feature = "kafka")]
async fn beside(ix: TapIx, tap: &TapPlan, broker: &Broker, ground: Ground<'_>) -> Result<Eye, RuntimeError> {
    use crate::tap::KafkaTapConfig;

    let Ground { plan, recorder, .. } = ground;
    let planned = plan.brokers.iter().find(|planned| planned.node == broker.node);
    let config = KafkaTapConfig {
        tap: ix,
        plan: tap.clone(),
        run: plan.run,
        bootstrap: broker.address.text(),
        at: broker.at,
        topics: planned.map(|planned| planned.topics.clone()).unwrap_or_default(),
        same_clock: !matches!(broker.origin, Origin::Found),
    };
    let reading = KafkaTap::start(config, recorder.clone()).await;
    reading.map(Eye::Kafka).map_err(|error| RuntimeError::NotRead {
        node: plan.scenario.node(broker.node).name.clone(),
        kind: planned.map_or("kafka", |planned| planned.kind.word()),
        address: broker.address.shown(),
        source: error.into(),
    })
}

#[cfg(not(feature = "kafka"))]
async fn beside(_: TapIx, _: &TapPlan, broker: &Broker, ground: Ground<'_>) -> Result<Eye, RuntimeError> {
    let node = ground.plan.scenario.node(broker.node).name.clone();
    Err(RuntimeError::NotBuilt { node, what: "Kafka", feature: "kafka" })
}
