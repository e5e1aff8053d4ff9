//! One clock for captures, which are timed since the start of the case, and spans, which are timed by their nodes.
//!
//! The offset between the two is an estimate, good enough to draw: a server's span starts no earlier than the head of
//! its request is complete. The clocks of different nodes are taken as they are.

use crate::crossings::CrossingRef;
use crate::evidence::Span;

/// Nothing is drawn further away than this from the first request.
const FARTHEST_MICROS: i64 = 3_600_000_000;

/// Translates times to microseconds since the first thing of the stimulus.
pub(super) struct Clock {
    /// Add it to the time of a capture for the time of a span.
    offset_nanos: i128,
    origin_nanos: i128,
}

impl Clock {
    pub(super) fn of<'a>(crossings: &[CrossingRef<'_>], spans: impl Iterator<Item = &'a Span>) -> Clock {
        let starts: Vec<i128> = spans.map(|span| span.start_nanos.into()).collect();
        let begun = crossings.iter().filter_map(|crossing| Some(crossing.sent()?.begun_nanos.into()));
        let first_capture: Option<i128> = begun.min();
        let received = crossings.iter().filter_map(|crossing| {
            let start: i128 = crossing.receiver_span()?.start_nanos.into();
            Some(start - i128::from(crossing.begun_nanos()?))
        });
        let first_start = starts.iter().min().copied();
        let without_pair = first_start.zip(first_capture).map(|(start, capture)| start - capture);
        let offset_nanos = received.min().or(without_pair).unwrap_or_default();
        let origin_nanos = first_capture.map(|capture| capture + offset_nanos).or(first_start);
        Clock { offset_nanos, origin_nanos: origin_nanos.unwrap_or_default() }
    }

    pub(super) fn of_capture(&self, nanos: u64) -> i64 {
        self.micros(i128::from(nanos) + self.offset_nanos)
    }

    pub(super) fn of_span(&self, nanos: u64) -> i64 {
        self.micros(nanos.into())
    }

    fn micros(&self, nanos: i128) -> i64 {
        let micros = (nanos - self.origin_nanos) / 1_000;
        let farthest = i128::from(FARTHEST_MICROS);
        i64::try_from(micros.clamp(-farthest, farthest)).expect("it is clamped to an hour")
    }
}
