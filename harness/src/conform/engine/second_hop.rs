//! The second hop of a vector: another instance, in another configuration, gets what the first one has sent.

use std::collections::BTreeMap;

use super::SuiteRun;
use super::sender::RequestSender;
use super::target_process::InstanceStart;
use crate::conform::judge::{TargetAnswer, VectorExchange};
use crate::conform::target::Instance;
use crate::error_chain;

impl SuiteRun<'_> {
    /// Sends the calls of vectors with a second hop to an instance in its configuration, and puts the answers and the
    /// calls of that instance in place of those of the first.
    pub(super) async fn second_hops(
        &self,
        sender: &RequestSender<'_>,
        exchanges: &mut BTreeMap<usize, Vec<VectorExchange>>,
    ) {
        let mut left: Vec<usize> = exchanges.keys().copied().collect();
        left.retain(|at| !self.vectors[*at].vector.then.is_default());
        while let Some(first) = left.first() {
            let then = &self.vectors[*first].vector.then;
            let group: Vec<usize> =
                left.extract_if(.., |at| self.vectors[*at].vector.then == *then).collect();
            let first: BTreeMap<usize, Vec<VectorExchange>> =
                group.iter().filter_map(|at| Some((*at, exchanges.get(at)?.clone()))).collect();
            let start = InstanceStart { configuration: then, ..sender.start.clone() };
            let sender = RequestSender { start, ..sender.clone() };
            match Instance::start(self.target, then, &sender.start.variables, None).await {
                Ok(instance) => {
                    let second = sender.onward(instance, &self.vectors, &first).await.exchanges;
                    exchanges
                        .extend(second.into_iter().map(|(at, second)| (at, joined(&first[&at], second))));
                }
                Err(error) => {
                    let why = format!("the second instance did not start: {}", error_chain::one_line(&error));
                    let all = group.iter().filter_map(|at| exchanges.remove(at).map(|all| (*at, all)));
                    let failed: Vec<_> = all.map(|(at, all)| (at, not_sent(all, &why))).collect();
                    exchanges.extend(failed);
                }
            }
        }
    }
}

/// Returns the second exchanges with what was sent to the first instance; the first ones where no second took place.
fn joined(first: &[VectorExchange], second: Vec<VectorExchange>) -> Vec<VectorExchange> {
    let mut joined = first.to_vec();
    let called = joined.iter_mut().filter(|exchange| !exchange.calls.is_empty());
    for (exchange, second) in called.zip(second) {
        (exchange.answer, exchange.calls) = (second.answer, second.calls);
    }
    joined
}

fn not_sent(mut exchanges: Vec<VectorExchange>, why: &str) -> Vec<VectorExchange> {
    for exchange in &mut exchanges {
        exchange.answer = TargetAnswer::NotSent(why.to_owned());
    }
    exchanges
}
