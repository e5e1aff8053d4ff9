//! The wait itself: register first, look then, sleep until something that concerns it changes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::condition::{Condition, SpanPattern};
use super::judge::{Judgement, View, assign};
use super::selection::TraceQuery;
use super::timeout::{Moment, TimeOut, describe};
use crate::shared::SharedState;
use crate::telemetry::Span;

/// When a wait ends, met or not. On a manual clock an `Instant` is one of that clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    Within(Duration),
    At(Instant),
}

impl From<Duration> for Deadline {
    fn from(within: Duration) -> Self {
        Deadline::Within(within)
    }
}

impl From<Instant> for Deadline {
    fn from(at: Instant) -> Self {
        Deadline::At(at)
    }
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum WaitError {
    #[error("{0}")]
    TimedOut(Box<TimeOut>),
    /// The collector was stopped, so nothing will come any more.
    #[error("the collector was stopped; {0}")]
    Stopped(Box<TimeOut>),
}

impl WaitError {
    /// Returns what was missing, in either case.
    pub fn time_out(&self) -> &TimeOut {
        match self {
            WaitError::TimedOut(time_out) | WaitError::Stopped(time_out) => time_out,
        }
    }
}

/// The reason why the wait looks again.
enum Woken {
    Changed,
    TimedOut,
    Stopped,
}

pub(crate) async fn wait(
    shared: &Arc<SharedState>,
    runtime: &Handle,
    query: &TraceQuery,
    condition: Condition,
    deadline: Deadline,
) -> Result<Vec<Span>, WaitError> {
    let begun = shared.clock.now();
    let deadline = match deadline {
        Deadline::Within(within) => begun + within,
        Deadline::At(at) => at,
    };
    let mut place = query.trace_id().map(|trace| shared.parked.park(trace));
    let mut version = shared.version.subscribe();
    let mut idle = shared.idle.subscribe();
    let mut stop = shared.kill.subscribe();
    let links = concerns_other_traces(&condition);
    let mut woken = Woken::Changed;
    loop {
        // Seen before looking: what comes after the look wakes.
        place.iter_mut().for_each(|place| place.changes.mark_unchanged());
        version.mark_unchanged();
        idle.mark_unchanged();
        let judged = match look(shared, query, &condition, begun) {
            Ok(spans) => return Ok(spans),
            Err(judged) => judged,
        };
        match woken {
            Woken::Changed => {}
            Woken::TimedOut => {
                return Err(WaitError::TimedOut(give_up(shared, query, &condition, judged, begun)));
            }
            Woken::Stopped => {
                return Err(WaitError::Stopped(give_up(shared, query, &condition, judged, begun)));
            }
        }
        let now = shared.clock.now();
        let until = judged.look_again.filter(|at| *at > now).map_or(deadline, |at| at.min(deadline));
        let arrival = match &mut place {
            Some(place) if !links => &mut place.changes,
            _ => &mut version,
        };
        woken = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Woken::Stopped,
            _ = arrival.changed() => Woken::Changed,
            _ = idle.changed(), if judged.look_again.is_some() => Woken::Changed,
            () = shared.clock.reach(runtime, until) => {
                if until == deadline { Woken::TimedOut } else { Woken::Changed }
            }
        };
    }
}

fn look(
    shared: &SharedState,
    query: &TraceQuery,
    condition: &Condition,
    begun: Instant,
) -> Result<Vec<Span>, Judgement> {
    // Before the store is locked: a request that ends in between is in the store already.
    let in_flight = shared.in_flight.load(Ordering::SeqCst);
    let store = shared.look();
    let view = View::new(&store, query, shared.clock.now(), begun, in_flight);
    let judged = view.judge(condition);
    if judged.missing.is_empty() { Ok(view.spans()) } else { Err(judged) }
}

/// Returns whether an arrival in another trace may meet the condition.
fn concerns_other_traces(condition: &Condition) -> bool {
    match condition {
        Condition::LinksResolved => true,
        Condition::All(conditions) => conditions.iter().any(concerns_other_traces),
        _ => false,
    }
}

/// Lines of the timeline.
const MOMENTS: usize = 32;

fn give_up(
    shared: &SharedState,
    query: &TraceQuery,
    condition: &Condition,
    judged: Judgement,
    begun: Instant,
) -> Box<TimeOut> {
    let store = shared.look();
    let now = shared.clock.now();
    let in_flight = shared.in_flight.load(Ordering::SeqCst);
    let spans = View::new(&store, query, now, begun, in_flight).spans();
    let mut timeline: Vec<Moment> = spans
        .iter()
        .map(|span| Moment { at: span.arrived().saturating_duration_since(begun), what: describe(span) })
        .collect();
    timeline.extend(store.requests.problems().into_iter().filter(|record| record.at >= begun).map(
        |record| {
            let what = format!("a request at `{}` was {}", record.endpoint, record.outcome);
            Moment { at: record.at.saturating_duration_since(begun), what }
        },
    ));
    drop(store);
    timeline.sort_by_key(|moment| moment.at);
    timeline.drain(..timeline.len().saturating_sub(MOMENTS));
    let asked_for = assign(&patterns(condition), &spans);
    let additional = spans.into_iter().enumerate();
    let additional = additional.filter(|(index, _)| !asked_for.contains(&Some(*index))).map(|(_, span)| span);
    Box::new(TimeOut {
        waited: now.saturating_duration_since(begun),
        missing: judged.missing,
        met: judged.met,
        additional: additional.collect(),
        timeline,
        in_flight,
    })
}

fn patterns(condition: &Condition) -> Vec<SpanPattern> {
    match condition {
        Condition::Includes(patterns) => patterns.clone(),
        Condition::All(conditions) => conditions.iter().flat_map(patterns).collect(),
        _ => Vec::new(),
    }
}
