//! Canaries: further sampled requests, sent after the story, whose spans show what a service has exported before them.
//!
//! A canary is a stimulus of a drive in everything but its context. It is no part of the plan of the story: its ids
//! come from a stream of their own, so that the ids of the story stay the same whether or not canaries are sent.

use super::build::{first_call, sent};
use super::seed::Ids;
use super::{Mark, Plan, Stimulus, StimulusIx};
use crate::scenario::DriveContext;
use crate::wire::Decision;

impl Plan {
    /// Returns a further stimulus of a drive, the `number`th of the case from 0.
    pub fn canary(&self, drive: usize, number: usize) -> Stimulus {
        let declared = &self.scenario.drives[drive];
        let ix = StimulusIx(self.stimuli.len() + number);
        let call = first_call(&self.calls, declared.send);
        let mark = Mark { run: self.run, stimulus: ix, call: Some(call), item: None };
        let part = self.seed.part(&self.scenario.title()).part("canary").part(&number.to_string());
        let context = DriveContext::Valid { decision: Decision::Sampled, random: false };
        let sent = sent(&self.scenario, declared, &context, mark, &mut Ids::new(part));
        Stimulus { ix, drive, hop: declared.send, call, mark, sent }
    }

    /// Returns the plan of the story with its canaries, which stand behind the stimuli in the order of their numbers.
    pub fn with_canaries(&self, canaries: &[Stimulus]) -> Plan {
        let mut plan = self.clone();
        plan.stimuli.extend_from_slice(canaries);
        plan
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::plan::{Plan, Seed, StimulusIx};
    use crate::scenario::parse;
    use crate::source::Source;
    use crate::wire::{Level, TraceParent};

    fn planned(drive: &str) -> Plan {
        let text = format!(
            "scenario: a-story\nnodes:\n  shop: {{ relay: model }}\nhops:\n  \
             order: {{ http: {{ from: client, to: shop }} }}\ndrive: [{{ send: order, times: 3, {drive} }}]\n"
        );
        let mut cases = parse(&Source::new("story.yaml", text)).expect("the story is good");
        Plan::build(Arc::new(cases.remove(0)), PathBuf::new(), Seed(7))
    }

    #[test]
    fn a_canary_is_sampled_whatever_its_drive_sends_and_has_ids_of_its_own() {
        for drive in ["sampled: false", "context: none", "context: invalid"] {
            let plan = planned(drive);
            let canaries = [plan.canary(0, 0), plan.canary(0, 1)];
            let line = canaries[0].sent.traceparent.as_deref().unwrap();
            assert!(TraceParent::parse(line, Level::One).unwrap().flags.sampled(), "{drive}");
            assert_ne!(canaries[0].sent.trace_id, canaries[1].sent.trace_id);
            assert!(plan.stimuli.iter().all(|stimulus| stimulus.sent.trace_id != canaries[0].sent.trace_id));
        }
    }

    #[test]
    fn canaries_stand_behind_the_stimuli_and_leave_them_as_they_are() {
        let plan = planned("headers: { baggage: \"order=${mark}\" }");
        let canaries = [plan.canary(0, 0), plan.canary(0, 1)];
        let all = plan.with_canaries(&canaries);
        assert_eq!(all.stimulus(StimulusIx(4)).mark, canaries[1].mark);
        assert_eq!(canaries[1].sent.baggage, [format!("order={}", canaries[1].mark).into_bytes()]);
        let ids = |plan: &Plan| plan.stimuli[..3].iter().map(|one| one.sent.trace_id).collect::<Vec<_>>();
        assert_eq!(ids(&all), ids(&plan));
    }
}
