//! The plan of a case: what is sent, through which taps, and what they may see; pure and total.
//!
//! A plan is made of one checked case and a seed. It opens no socket and reads no clock: addresses are names
//! of taps here and become numbers in `runtime`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::scenario::{HopIx, NodeIx, Scenario};

pub mod broker;
pub mod build;
pub mod canary;
pub mod fan_out;
pub mod index;
pub mod instruction;
pub mod mark;
pub mod needs;
pub mod seed;
pub mod stimulus;
pub mod tap;

pub use broker::{BrokerPlan, Subscription};
pub use fan_out::fan_out;
pub use index::{CallIx, StimulusIx, TapIx};
pub use instruction::{PlannedCall, Task};
pub use mark::Mark;
pub use seed::Seed;
pub use stimulus::{Stimulus, StimulusContext};
pub use tap::{TapCarrier, TapPlan, TapProtocol};

/// Everything that is settled before anything is started.
#[derive(Clone, Debug)]
pub struct Plan {
    pub scenario: Arc<Scenario>,
    /// The folder of the scenario file.
    pub folder: PathBuf,
    /// The seed of the whole run; this case's ids come from its part by the case's title.
    pub seed: Seed,
    /// The run's number in marks.
    pub run: u32,
    /// One tap for each (from, to, protocol).
    pub taps: Vec<TapPlan>,
    /// For each hop the tap that sees it, on a hop through a broker what is sent; `None` with `tap: none`.
    pub hop_taps: Vec<Option<TapIx>>,
    /// For each hop through a broker the tap that sees what its receiver reads.
    pub arrival_taps: Vec<Option<TapIx>>,
    pub brokers: Vec<BrokerPlan>,
    /// For each node what it reads from brokers.
    pub subscriptions: Vec<Vec<Subscription>>,
    /// Every call that a relay is instructed to make, and the driver's own first ones.
    pub calls: Vec<PlannedCall>,
    /// In the order in which they are sent.
    pub stimuli: Vec<Stimulus>,
    /// Nodes in the order in which they are flushed: callers before those they call; those of an inner list together.
    pub flush_order: Vec<Vec<NodeIx>>,
    /// For each node the protocols that it serves.
    pub listens: Vec<ListenProtocols>,
}

/// The protocols over which a node is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListenProtocols {
    pub http: bool,
    pub grpc: bool,
}

impl Plan {
    pub fn tap(&self, tap: TapIx) -> &TapPlan {
        &self.taps[tap.0]
    }

    pub fn stimulus(&self, stimulus: StimulusIx) -> &Stimulus {
        &self.stimuli[stimulus.0]
    }

    /// Returns the tap through which `from` reaches `to`.
    pub fn tap_between(&self, from: NodeIx, to: NodeIx, protocol: TapProtocol) -> Option<TapIx> {
        self.taps
            .iter()
            .position(|tap| tap.from == from && tap.to == to && tap.protocol == protocol)
            .map(TapIx)
    }

    /// Returns the plan with other baggage for each stimulus, as evidence with masked baggage has it.
    pub fn with_baggage(&self, lists: &[Vec<Vec<u8>>]) -> Plan {
        let mut plan = self.clone();
        for (stimulus, lines) in plan.stimuli.iter_mut().zip(lists) {
            stimulus.sent.baggage.clone_from(lines);
        }
        plan
    }

    /// Returns the hops that `tap` sees.
    pub fn hops_of(&self, tap: TapIx) -> impl Iterator<Item = HopIx> {
        self.hop_taps.iter().enumerate().filter(move |(_, at)| **at == Some(tap)).map(|(hop, _)| HopIx(hop))
    }
}
