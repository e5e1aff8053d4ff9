//! The order in which the spans of a process come, against the order in which its requests ended.
//!
//! End times of spans prove nothing: some instrumentations set them themselves. The order of requests does: one request
//! was sent after another was answered.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{ExportingProcess, Span, SpanArrival};
use crate::plan::StimulusIx;

/// The delay after which nodes are made to export, in nanoseconds.
const SCHEDULE_DELAY_NANOS: u64 = 100_000_000;

/// So many canaries at once come in one export, or in two, where spans are exported by time.
pub(super) const AT_ONCE: usize = 3;

/// A request that a node received, with its span.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    pub(super) stimulus: StimulusIx,
    pub(super) process: ExportingProcess,
    pub(super) begun_nanos: u64,
    pub(super) ended_nanos: u64,
    pub(super) arrived_nanos: u64,
}

impl Receipt {
    /// Returns the time from the answer to the arrival of the span.
    pub(super) fn lag_nanos(&self) -> u64 {
        self.arrived_nanos.saturating_sub(self.ended_nanos)
    }
}

/// A proof that exports are not in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disorder {
    /// The span of `earlier` came after that of `later`, which was sent when `earlier` was answered.
    Late { earlier: StimulusIx, later: StimulusIx },
    /// Every export brings one trace, and the time until it comes differs.
    ByTrace,
}

/// Returns the first pair of requests whose spans came in the wrong order from one process. Exports that come within
/// one delay of each other may overtake each other on several connections.
pub(super) fn late(receipts: &[Receipt]) -> Option<Disorder> {
    let mut of_process: BTreeMap<&ExportingProcess, Vec<&Receipt>> = BTreeMap::new();
    for receipt in receipts {
        of_process.entry(&receipt.process).or_default().push(receipt);
    }
    for mut receipts in of_process.into_values() {
        receipts.sort_by_key(|receipt| receipt.begun_nanos);
        // From each one on, the one whose span came first.
        let mut first = receipts.clone();
        for at in (1..first.len()).rev() {
            if first[at].arrived_nanos < first[at - 1].arrived_nanos {
                first[at - 1] = first[at];
            }
        }
        for earlier in &receipts {
            let after = receipts.partition_point(|receipt| receipt.begun_nanos <= earlier.ended_nanos);
            let Some(later) = first.get(after) else { continue };
            if later.arrived_nanos.saturating_add(SCHEDULE_DELAY_NANOS) < earlier.arrived_nanos {
                return Some(Disorder::Late { earlier: earlier.stimulus, later: later.stimulus });
            }
        }
    }
    None
}

/// Returns whether a node exports each trace by itself: its exporter may hold traces back. The times until they come
/// differ by several delays, or several canaries at once, which one export would bring, came late and apart.
pub(super) fn by_trace<'s>(
    spans: impl Iterator<Item = (&'s Span, &'s SpanArrival)>,
    receipts: &[Receipt],
    at_once: usize,
) -> Option<Disorder> {
    let mut requests: BTreeMap<u64, BTreeSet<&[u8]>> = BTreeMap::new();
    for (span, arrival) in spans {
        requests.entry(arrival.request).or_default().insert(&span.trace_id);
    }
    let traces: BTreeSet<&[u8]> = requests.values().flatten().copied().collect();
    let alone = requests.values().all(|traces| traces.len() == 1);
    let lags = receipts.iter().map(Receipt::lag_nanos);
    let (longest, shortest) = (lags.clone().max()?, lags.min()?);
    let differ = traces.len() > 1 && longest - shortest > 3 * SCHEDULE_DELAY_NANOS;
    let apart = at_once >= AT_ONCE && longest > 2 * SCHEDULE_DELAY_NANOS;
    (alone && (differ || apart)).then_some(Disorder::ByTrace)
}

#[cfg(test)]
mod tests {
    use compact_str::CompactString;

    use super::*;
    use crate::evidence::IdBytes;

    const MS: u64 = 1_000_000;

    /// Stimulus, process, and when its request began, ended and its span arrived, in milliseconds.
    fn receipt(stimulus: usize, process: &str, [begun, ended, arrived]: [u64; 3]) -> Receipt {
        Receipt {
            stimulus: StimulusIx(stimulus),
            process: ExportingProcess { pid: Some(process.to_owned()), ..ExportingProcess::default() },
            begun_nanos: begun * MS,
            ended_nanos: ended * MS,
            arrived_nanos: arrived * MS,
        }
    }

    #[test]
    fn batches_in_the_order_of_the_requests_are_in_order() {
        let receipts =
            [receipt(0, "7", [0, 10, 100]), receipt(1, "7", [20, 30, 100]), receipt(2, "7", [120, 130, 200])];
        assert_eq!(late(&receipts), None);
    }

    #[test]
    fn a_span_that_comes_after_that_of_a_later_request_is_out_of_order() {
        let receipts =
            [receipt(0, "7", [0, 10, 500]), receipt(1, "7", [20, 30, 120]), receipt(2, "7", [40, 50, 700])];
        let out_of_order = Disorder::Late { earlier: StimulusIx(0), later: StimulusIx(1) };
        assert_eq!(late(&receipts), Some(out_of_order));
    }

    #[test]
    fn an_exporter_that_sends_each_trace_by_itself_and_late_shows_no_order() {
        let span = |trace: u8| Span { trace_id: [trace; 16].into(), ..span() };
        let spans = [span(1), span(1), span(2), span(3)];
        let arrival = |request| SpanArrival { request, process: ExportingProcess::default() };
        let apart = [0, 0, 1, 2].map(arrival);
        let together = [0, 0, 1, 1].map(arrival);
        let receipts = |longest: u64| [receipt(0, "7", [0, 10, 60]), receipt(1, "7", [20, 30, 30 + longest])];
        let of = |arrivals: &[SpanArrival], longest: u64, at_once: usize| {
            by_trace(spans.iter().zip(arrivals), &receipts(longest), at_once)
        };
        assert_eq!(of(&apart, 400, 1), Some(Disorder::ByTrace));
        assert_eq!(of(&apart, 250, 3), Some(Disorder::ByTrace));
        assert_eq!(of(&apart, 250, 1), None);
        assert_eq!(of(&apart, 100, 3), None);
        assert_eq!(of(&together, 400, 3), None);
    }

    fn span() -> Span {
        Span {
            node: crate::scenario::NodeIx(1),
            trace_id: IdBytes::default(),
            span_id: [1; 8].into(),
            parent_id: IdBytes::default(),
            flags: 1,
            trace_state: CompactString::default(),
            name: "order".into(),
            kind: crate::evidence::SpanKind::Server,
            start_nanos: 0,
            end_nanos: 1,
            links: Vec::new(),
            attributes: Vec::new(),
            marks: Vec::new(),
            failed: false,
            service_name: None,
            duplicates: 0,
            conflicting: false,
            arrived_nanos: 0,
        }
    }

    #[test]
    fn requests_that_overlap_processes_that_differ_and_small_differences_show_nothing() {
        let overlapping = [receipt(0, "7", [0, 40, 500]), receipt(1, "7", [20, 30, 120])];
        assert_eq!(late(&overlapping), None);
        let apart = [receipt(0, "7", [0, 10, 500]), receipt(1, "8", [20, 30, 120])];
        assert_eq!(late(&apart), None);
        let close = [receipt(0, "7", [0, 10, 60]), receipt(1, "7", [20, 30, 50])];
        assert_eq!(late(&close), None);
    }
}
