//! Log records that a relay was instructed to write: they arrive, and they carry the ids of the span that they were
//! written in.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::break_kind::LogDefect;
use super::{Break, BreakKind, Breaks, LogCount, Side, Value};
use crate::crossings::id_map::{IdMap, IdSet};
use crate::crossings::{CrossingIx, CrossingRef, Crossings};
use crate::evidence::{LogRecord, SpanIx};
use crate::plan::Task;
use crate::scenario::{HopIx, NodeIx};
use crate::wire::{SpanId, TraceId};

pub(super) fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    // The traces that arrived in a request for which no span came.
    let spanless = all.arrived_traces(|crossing| crossing.receiver_span_ix().is_none());
    for (ix, record) in all.evidence.logs.iter().enumerate() {
        if record.body.is_empty() {
            continue;
        }
        if let Some(defect) = defect(all, &spanless, record) {
            found.list.extend(uncorrelated(all, ix, defect));
        }
    }
    let texts = Texts::of(all);
    found.logs = texts.missing(all);
    for record in texts.of_other_requests(all) {
        found.list.extend(uncorrelated(all, record, LogDefect::ForeignSpan));
    }
}

fn uncorrelated(all: &Crossings<'_>, record: usize, defect: LogDefect) -> Option<Break> {
    let node = all.evidence.logs[record].node;
    let hop = all.plan.scenario.hops.iter().position(|hop| hop.to == node)?;
    let wrong = Break::new(BreakKind::LogUncorrelated(defect), Side::Receiver, HopIx(hop), node);
    Some(wrong.values(Value::Implied, Value::LogRecord(record)))
}

fn defect(all: &Crossings<'_>, spanless: &IdSet<(NodeIx, TraceId)>, record: &LogRecord) -> Option<LogDefect> {
    let (Some(trace), Some(_)) = (TraceId::from_bytes(&record.trace_id), SpanId::from_bytes(&record.span_id))
    else {
        return Some(LogDefect::NoIds);
    };
    let spans = all.spans.in_trace(record.node, &record.trace_id);
    if spans.is_empty() {
        return (!all.owners.contains_key(&trace)).then_some(LogDefect::ForeignTrace);
    }
    // A span for what was received that did not come is R3's; its log records follow from it.
    let lost = spanless.contains(&(record.node, trace));
    let unknown = all.spans.with_id(record.node, &record.span_id).is_empty();
    (unknown && !lost).then_some(LogDefect::UnexportedSpan)
}

/// For each relay and text the crossings that instructed it to write the text, and how often.
struct Texts<'a>(BTreeMap<(NodeIx, &'a str), BTreeMap<CrossingIx, usize>>);

impl<'a> Texts<'a> {
    fn of(all: &'a Crossings<'_>) -> Texts<'a> {
        let mut due: BTreeMap<_, BTreeMap<CrossingIx, usize>> = BTreeMap::new();
        for crossing in all.iter() {
            let mut texts = Vec::new();
            if let Some(task) = task(crossing) {
                add_texts(task, &mut texts);
            }
            for text in texts {
                let of_text = due.entry((crossing.receiver(), text)).or_default();
                *of_text.entry(crossing.ix()).or_default() += 1;
            }
        }
        Texts(due)
    }

    /// Returns the counts of each relay that did not export all the records that it was instructed to write.
    fn missing(&self, all: &Crossings<'_>) -> Vec<LogCount> {
        let mut counts: BTreeMap<NodeIx, (LogCount, bool)> = BTreeMap::new();
        for ((node, text), due) in &self.0 {
            let due: usize = due.values().sum();
            let arrived =
                all.evidence.logs.iter().filter(|one| one.node == *node && one.body == *text).count();
            let zero = LogCount { node: *node, due: 0, arrived: 0 };
            let (count, missing) = counts.entry(*node).or_insert((zero, false));
            count.due += due;
            count.arrived += arrived.min(due);
            *missing |= arrived < due;
        }
        counts.into_values().filter(|(_, missing)| *missing).map(|(count, _)| count).collect()
    }

    /// Returns the records in the span of one request where that has too many of them and another too few.
    fn of_other_requests(&self, all: &Crossings<'_>) -> Vec<usize> {
        let mut handled: IdMap<SpanIx, CrossingIx> = IdMap::default();
        for crossing in all.iter().filter(|crossing| crossing.batch().count() == 1) {
            handled.extend(crossing.receiver_span_ix().map(|span| (span, crossing.ix())));
        }
        let mut wrong = Vec::new();
        for ((node, text), due) in &self.0 {
            let mut records: BTreeMap<CrossingIx, Vec<usize>> = BTreeMap::new();
            for (ix, record) in all.evidence.logs.iter().enumerate() {
                if record.node == *node
                    && record.body == *text
                    && let Some(crossing) = written_in(all, &handled, record)
                {
                    records.entry(crossing).or_default().push(ix);
                }
            }
            let lacking = due.iter().filter(|(crossing, times)| {
                let known =
                    all.get(**crossing).receiver_span_ix().is_some_and(|span| handled.contains_key(&span));
                known && records.get(crossing).map_or(0, Vec::len) < **times
            });
            let mut lacking = lacking.count();
            let late = self.in_span_of_another(all, (*node, text), &records);
            lacking = lacking.saturating_sub(late.len());
            for (crossing, records) in &records {
                let kept = records.iter().copied().filter(|ix| !late.contains(ix));
                let surplus = kept.skip(due.get(crossing).copied().unwrap_or_default());
                let surplus: Vec<usize> = surplus.take(lacking).collect();
                lacking -= surplus.len();
                wrong.extend(surplus);
            }
            wrong.extend(late);
        }
        wrong.sort_unstable();
        wrong
    }

    /// Returns the records that carry the ids of a request that was not open when they were written, while one other
    /// request, which had to write the text, was.
    fn in_span_of_another(
        &self,
        all: &Crossings<'_>,
        of: (NodeIx, &str),
        records: &BTreeMap<CrossingIx, Vec<usize>>,
    ) -> BTreeSet<usize> {
        let Some(due) = self.0.get(&of) else { return BTreeSet::new() };
        let spawned = due.keys().filter_map(|ix| task(all.get(*ix)));
        if spawned.into_iter().any(|tasks| is_spawned(tasks, of.1)) {
            return BTreeSet::new();
        }
        let open = OpenRequests::of(due.keys().map(|ix| all.get(*ix)));
        let mut wrong = BTreeSet::new();
        for (named, record) in records.iter().flat_map(|(named, of)| of.iter().map(move |ix| (*named, *ix))) {
            let Some(at) = all.evidence.logs[record].written_nanos else { continue };
            let is_named_open = open_times(all.get(named)).is_some_and(|times| times.contains(&at));
            if !is_named_open && open.count(at) == 1 {
                wrong.insert(record);
            }
        }
        wrong
    }
}

/// The times at which requests were open, by the receiver's spans: sorted, so that they are counted without a search
/// through all of them.
struct OpenRequests {
    starts: Vec<u64>,
    ends: Vec<u64>,
}

impl OpenRequests {
    fn of<'a>(requests: impl Iterator<Item = CrossingRef<'a>>) -> OpenRequests {
        let times = requests.filter_map(open_times).filter(|times| !times.is_empty());
        let (mut starts, mut ends): (Vec<u64>, Vec<u64>) = times.map(RangeInclusive::into_inner).unzip();
        starts.sort_unstable();
        ends.sort_unstable();
        OpenRequests { starts, ends }
    }

    /// Returns how many were open at this time.
    fn count(&self, at: u64) -> usize {
        self.starts.partition_point(|start| *start <= at) - self.ends.partition_point(|end| *end < at)
    }
}

fn open_times(request: CrossingRef<'_>) -> Option<RangeInclusive<u64>> {
    request.receiver_span().map(|span| span.start_nanos..=span.end_nanos)
}

/// Returns whether a task writes the text in a step that may outlive the request.
fn is_spawned(tasks: &[Task], text: &str) -> bool {
    tasks.iter().any(|task| match task {
        Task::Spawn(inner) => {
            let mut texts = Vec::new();
            add_texts(inner, &mut texts);
            texts.contains(&text)
        }
        Task::Retry(_, inner) | Task::Restart(inner) => is_spawned(inner, text),
        Task::Log(_) | Task::Wait(_) | Task::Fail(_) | Task::Call(_) => false,
    })
}

/// Returns the crossing in whose span, or below it, a record was written.
fn written_in(
    all: &Crossings<'_>,
    handled: &IdMap<SpanIx, CrossingIx>,
    record: &LogRecord,
) -> Option<CrossingIx> {
    let same_id = all.spans.with_id(record.node, &record.span_id).iter().copied();
    let mut in_trace = same_id.filter(|span| all.spans.get(*span).trace_id == record.trace_id);
    all.spans.upwards(in_trace.next()?).find_map(|above| handled.get(&above).copied())
}

/// Returns what a crossing instructed a relay to do, where that did it to the end.
fn task<'a>(crossing: CrossingRef<'a>) -> Option<&'a [Task]> {
    let plan = crossing.all().plan;
    if !crossing.receiver_node().kind.keeps_relay_contract()
        || !crossing.all().exports(crossing.receiver())
        || crossing.is_undelivered()
        || !crossing.received()?.end.is_success()
    {
        return None;
    }
    let call = match crossing.mark().and_then(|mark| mark.call) {
        Some(call) => call,
        None if crossing.is_from_client() => crossing.stimulus().call,
        None => return None,
    };
    let call = plan.calls.get(call.0)?;
    (call.hop == crossing.hop_ix()).then_some(call.task.as_slice())
}

fn add_texts<'a>(tasks: &'a [Task], texts: &mut Vec<&'a str>) {
    for task in tasks {
        match task {
            Task::Log(text) => texts.push(text),
            Task::Spawn(inner) | Task::Retry(_, inner) | Task::Restart(inner) => add_texts(inner, texts),
            Task::Wait(_) | Task::Fail(_) | Task::Call(_) => {}
        }
    }
}
