//! The reasons for which the spans of a canary do not prove that a node has exported everything before.

use super::order::Disorder;
use super::report::NodeReport;
use crate::plan::StimulusIx;

/// A reason for which a canary proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It was not answered as its drive expects.
    Refused {
        answer: String,
    },
    /// No span of the node came for it.
    Nothing,
    /// Some spans came, and others did not.
    Partial,
    /// Canaries reached fewer processes than there are.
    Processes {
        expected: usize,
        reached: usize,
    },
    /// Canaries came over fewer connections than the exports of the node, and each may be of another process.
    Connections {
        expected: usize,
        reached: usize,
    },
    Disorder(Disorder),
}

/// Returns the first reason for which a round proves nothing of a node. `listening` is the number of its processes that
/// accept connections, where that is known.
pub(super) fn of(report: &NodeReport, listening: Option<usize>) -> Option<Doubt> {
    if report.shown.is_empty() {
        return Some(if report.partial { Doubt::Partial } else { Doubt::Nothing });
    }
    if report.partial {
        return Some(Doubt::Partial);
    }
    let expected = report.processes.len().max(listening.unwrap_or_default());
    let reached = report.shown.len();
    if reached < expected || !report.processes.is_subset(&report.shown) {
        let sure = listening.is_some_and(|listening| listening > 1)
            || report.processes.iter().all(|process| process.connection.is_none());
        return Some(if sure {
            Doubt::Processes { expected, reached }
        } else {
            Doubt::Connections { expected, reached }
        });
    }
    report.disorder.clone().map(Doubt::Disorder)
}

impl Doubt {
    /// Returns the reason for a report, about `it`, the node. Stimuli from `story` on are canaries.
    pub(super) fn words(&self, story: usize) -> String {
        match self {
            Doubt::Refused { answer } => format!("a further sampled request was answered with {answer}"),
            Doubt::Nothing => {
                "no span of it came for a further sampled request: either the request did not reach it, with its sampled \
                 flag and in time, or its sampler or its exporter dropped the span"
                    .to_owned()
            }
            Doubt::Partial => "only a part of its spans came for a further sampled request".to_owned(),
            Doubt::Processes { expected, reached } => format!(
                "it runs in {expected} processes, and further requests reached {reached} of them: run it with one worker"
            ),
            Doubt::Connections { expected, reached } => format!(
                "it exports over {expected} connections, which may be those of as many processes, and further requests \
                 came over {reached} of them: run it with one worker, or set `process.pid` in its resource"
            ),
            Doubt::Disorder(Disorder::Late { earlier, later }) if earlier.0 >= story && later.0 >= story => {
                "its spans come out of order (those of two further requests)".to_owned()
            }
            Doubt::Disorder(Disorder::Late { earlier, later }) => format!(
                "its spans come out of order ({} after {})",
                of_request(*earlier, story),
                of_request(*later, story)
            ),
            Doubt::Disorder(Disorder::ByTrace) => {
                "it exports each trace by itself and at different times, so its spans have no order"
                    .to_owned()
            }
        }
    }
}

fn of_request(stimulus: StimulusIx, story: usize) -> String {
    if stimulus.0 < story {
        format!("that of request {}", stimulus.0 + 1)
    } else {
        "that of a further request".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::evidence::ExportingProcess;

    fn process(instance: &str) -> ExportingProcess {
        ExportingProcess { instance: Some(instance.to_owned()), ..ExportingProcess::default() }
    }

    fn report(shown: &[&str], processes: &[&str]) -> NodeReport {
        let set = |names: &[&str]| names.iter().map(|name| process(name)).collect::<BTreeSet<_>>();
        NodeReport { shown: set(shown), processes: set(processes), ..NodeReport::default() }
    }

    #[test]
    fn one_process_that_shows_all_spans_leaves_no_doubt() {
        assert_eq!(of(&report(&["a"], &["a"]), Some(1)), None);
        assert_eq!(of(&report(&["a"], &["a"]), None), None);
    }

    #[test]
    fn every_process_must_be_reached() {
        let two = Some(Doubt::Processes { expected: 2, reached: 1 });
        assert_eq!(of(&report(&["a"], &["a", "b"]), Some(1)), two);
        // The second worker listens and has exported nothing yet.
        assert_eq!(of(&report(&["a"], &["a"]), Some(2)), two);
        assert_eq!(of(&report(&["a", "b"], &["a", "b"]), Some(2)), None);
    }

    #[test]
    fn connections_that_were_used_in_turns_may_be_those_of_two_processes() {
        let over = |port| ExportingProcess {
            connection: Some(std::net::SocketAddr::from(([127, 0, 0, 1], port))),
            ..ExportingProcess::default()
        };
        let two = NodeReport {
            shown: BTreeSet::from([over(1)]),
            processes: BTreeSet::from([over(1), over(2)]),
            ..NodeReport::default()
        };
        let doubt = of(&two, None).expect("it is not proved");
        assert_eq!(doubt, Doubt::Connections { expected: 2, reached: 1 });
        assert!(doubt.words(1).contains("over 2 connections"));
        assert_eq!(of(&two, Some(2)), Some(Doubt::Processes { expected: 2, reached: 1 }));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(of(&report(&[], &["a"]), None), Some(Doubt::Nothing));
        let partial = NodeReport { partial: true, ..report(&["a"], &["a"]) };
        assert_eq!(of(&partial, None), Some(Doubt::Partial));
        let late = Disorder::Late { earlier: StimulusIx(2), later: StimulusIx(5) };
        let words = Doubt::Disorder(late).words(5);
        assert_eq!(words, "its spans come out of order (that of request 3 after that of a further request)");
    }
}
