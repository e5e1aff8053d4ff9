//! To which requests a fault is done.

use crate::store::Signal;
use crate::telemetry::TraceId;

/// Every request, unless it is narrowed down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    signal: Option<Signal>,
    path: Option<String>,
    trace: Option<TraceId>,
    skip: u64,
    times: Option<u64>,
}

impl When {
    pub fn always() -> Self {
        Self::default()
    }

    /// Matches only the nth request that fits, counted from 1.
    pub fn nth(n: u64) -> Self {
        Self { skip: n.saturating_sub(1), times: Some(1), ..Self::default() }
    }

    /// Matches the first so many requests that fit.
    pub fn first(times: u64) -> Self {
        Self { times: Some(times), ..Self::default() }
    }

    /// Matches only requests with this signal, whatever the transport.
    pub fn signal(mut self, signal: Signal) -> Self {
        self.signal = Some(signal);
        self
    }

    /// Matches only requests to this path.
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Matches only requests that bring a span or log record of this trace. Known when the body was read, so a fault
    /// that concerns the body comes late.
    pub fn trace(mut self, trace: impl Into<TraceId>) -> Self {
        self.trace = Some(trace.into());
        self
    }

    pub(super) fn is_about_a_trace(&self) -> bool {
        self.trace.is_some()
    }

    pub(super) fn fits_head(&self, path: &str, signal: Option<Signal>) -> bool {
        self.path.as_ref().is_none_or(|wanted| wanted == path)
            && self.signal.is_none_or(|wanted| Some(wanted) == signal)
    }

    pub(super) fn fits_signal(&self, signal: Signal) -> bool {
        self.signal.is_none_or(|wanted| wanted == signal)
    }

    pub(super) fn fits_trace(&self, trace: &[u8]) -> bool {
        self.trace.is_some_and(|wanted| wanted.0 == trace)
    }

    /// Returns whether the request that is the `seen`th to fit, from 0, is meant.
    pub(super) fn is_turn(&self, seen: u64) -> bool {
        seen >= self.skip && self.times.is_none_or(|times| seen < self.skip + times)
    }
}
