//! The capabilities that a case needs of a relay, in the words of the contract (`fixtures/CONTRACT.md`, control).

use std::collections::BTreeSet;

use super::Plan;
use super::fan_out::readers;
use super::instruction::Task;
use crate::scenario::NodeIx;

/// Every instruction begins with a mark, and a relay is asked to flush.
const ALWAYS: [&str; 3] = ["flush", "http", "mark"];

pub fn needs(plan: &Plan, relay: NodeIx) -> BTreeSet<&'static str> {
    let mut needs = BTreeSet::from(ALWAYS);
    for hop in plan.scenario.hops.iter().filter(|hop| hop.from == relay || hop.to == relay) {
        needs.insert(hop.transport.word());
        if hop.transport.is_stream() {
            needs.insert("grpc-stream");
        }
    }
    if plan.calls.iter().any(|call| plan.scenario.hop(call.hop).from == relay && call.items > 1) {
        needs.insert("batch");
    }
    for call in &plan.calls {
        let mut readers = readers(&plan.scenario, call.hop).into_iter();
        if readers.any(|reader| plan.scenario.hop(reader).to == relay) {
            add_steps(&call.task, &mut needs);
        }
    }
    needs
}

fn add_steps(tasks: &[Task], needs: &mut BTreeSet<&'static str>) {
    for task in tasks {
        let (word, inner) = match task {
            Task::Log(_) => ("log", None),
            Task::Wait(_) => ("wait", None),
            Task::Spawn(inner) => ("spawn", Some(inner)),
            Task::Retry(_, inner) => ("retry", Some(inner)),
            Task::Restart(inner) => ("restart", Some(inner)),
            Task::Fail(_) => ("fail", None),
            Task::Call(_) => continue,
        };
        needs.insert(word);
        inner.into_iter().for_each(|inner| add_steps(inner, needs));
    }
}
