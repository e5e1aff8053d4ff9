//! The file descriptors that a case needs in this process, as an upper bound, so that no case runs out of them half
//! way.
//!
//! Measured over the shipped scenarios, a case stays below the bound: 32 of 67 for a request over two hops, 222 of 386
//! for 64 at once, 99 of 219 over all five transports.

use thiserror::Error;

use crate::descriptors;
use crate::scenario::{NodeKind, Scenario, Transport};

/// The descriptors of the process itself: its runtime, standard streams, reports, the guard.
const PROCESS: u64 = 30;
/// An OTLP endpoint, the pipes of a program, an exporter's connections, a control request.
const PER_NODE: u64 = 10;
/// A listener.
const PER_HOP: u64 = 3;
/// A tap holds the connections of both of its sides.
const PER_CALL: u64 = 2;
/// The clients that declare, publish, read and watch at a broker, and a stand-in's side of them.
const PER_BROKER: u64 = 24;
const PER_MESSAGE_HOP: u64 = 8;

/// A limit that is lower than what a case needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the case may need {needed} file descriptors, and the limit is {limit}: raise it with `ulimit -n {needed}`"
)]
pub struct DescriptorShortage {
    needed: u64,
    limit: u64,
}

/// Returns the most descriptors that a case needs beside those of the process.
fn needed_by(scenario: &Scenario) -> u64 {
    let concurrency = scenario.drives.iter().map(|drive| u64::from(drive.concurrency)).max().unwrap_or(1);
    let mut needed = concurrency;
    for node in &scenario.nodes {
        needed += match node.kind {
            NodeKind::Client => 0,
            NodeKind::Broker(_) => PER_BROKER,
            NodeKind::Relay(_)
            | NodeKind::Command(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Collector(_) => PER_NODE,
        };
    }
    for hop in &scenario.hops {
        needed += PER_HOP;
        needed += match hop.transport {
            Transport::Http(_) | Transport::Grpc(_) => PER_CALL * concurrency,
            Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => PER_MESSAGE_HOP,
        };
    }
    needed
}

/// Checks that the limit of this process is enough for a case that runs alone.
pub fn check(scenario: &Scenario) -> Result<(), DescriptorShortage> {
    let (needed, limit) = (PROCESS + needed_by(scenario), descriptors::limit());
    if needed > limit { Err(DescriptorShortage { needed, limit }) } else { Ok(()) }
}

/// The descriptors that the cases under way may use together.
#[derive(Debug)]
pub struct DescriptorBudget {
    left: u64,
}

impl DescriptorBudget {
    pub fn of_process() -> DescriptorBudget {
        DescriptorBudget { left: descriptors::limit().saturating_sub(PROCESS) }
    }

    /// Takes the descriptors of a case and returns them, or `None` when other cases have to end first.
    pub fn take(&mut self, scenario: &Scenario) -> Option<u64> {
        let needed = needed_by(scenario);
        self.left = self.left.checked_sub(needed)?;
        Some(needed)
    }

    /// Gives back what a case had taken.
    pub fn give_back(&mut self, taken: u64) {
        self.left += taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;
    use crate::source::Source;

    fn scenario(concurrency: u32) -> std::sync::Arc<Scenario> {
        let text = format!(
            "scenario: a\nnodes:\n  shop: {{ relay: model }}\n  ledger: {{ relay: model }}\nhops:\n  \
             order: {{ http: {{ from: client, to: shop }} }}\n  record: {{ http: {{ from: shop, to: ledger }} }}\n\
             drive:\n  - {{ send: order, times: 100, concurrency: {concurrency} }}\n"
        );
        std::sync::Arc::new(parse(&Source::new("a.yaml", text)).expect("it is valid").remove(0))
    }

    #[test]
    fn a_case_with_more_requests_at_once_needs_more() {
        assert_eq!(needed_by(&scenario(1)), 1 + 20 + 6 + 4);
        assert_eq!(needed_by(&scenario(64)), 64 + 20 + 6 + 256);
    }

    #[test]
    fn cases_run_side_by_side_while_the_budget_lasts() {
        let mut budget = DescriptorBudget { left: 80 };
        let case = scenario(1);
        let taken = budget.take(&case).expect("the first fits");
        assert!(budget.take(&case).is_some());
        assert_eq!(budget.take(&case), None);
        budget.give_back(taken);
        assert!(budget.take(&case).is_some());
    }
}
