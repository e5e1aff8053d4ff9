//! The report of a wait that timed out: what is missing, what is there, what is there besides, and when it came.

use std::fmt;
use std::time::Duration;

use super::condition::{Condition, SpanPattern};
use crate::telemetry::id::hex;
use crate::telemetry::{Link, Span, SpanId};

#[derive(Clone, Debug)]
pub struct TimeOut {
    pub waited: Duration,
    pub missing: Vec<Missing>,
    /// Conditions that hold.
    pub met: Vec<Condition>,
    /// Selected spans that no pattern asked for; all of them where there are no patterns.
    pub additional: Vec<Span>,
    /// The last arrivals and refusals since the wait began, oldest first.
    pub timeline: Vec<Moment>,
    /// Requests that were under way at the end.
    pub in_flight: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Missing {
    Spans { wanted: usize, have: usize },
    TooMany { wanted: usize, have: usize },
    Parent { of: String, parent: SpanId },
    LinkTarget { of: String, link: Link },
    Span(SpanPattern),
    Quiet { wanted: Duration, had: Duration, in_flight: usize },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since the wait began; zero for what was there before.
    pub at: Duration,
    pub what: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Spans { wanted, have } => write!(f, "{wanted} spans are wanted and {have} are here"),
            Missing::TooMany { wanted, have } => {
                write!(f, "only {wanted} spans are wanted and {have} are here")
            }
            Missing::Parent { of, parent } => write!(f, "the parent {parent} of `{of}`"),
            Missing::LinkTarget { of, link } => {
                write!(
                    f,
                    "the span {} of trace {}, to which `{of}` links",
                    hex(&link.span_id),
                    hex(&link.trace_id)
                )
            }
            Missing::Span(pattern) => pattern.fmt(f),
            Missing::Quiet { wanted, had, in_flight } => write!(
                f,
                "{} ms of quiet; it was quiet for {} ms, with {in_flight} requests under way",
                wanted.as_millis(),
                had.as_millis()
            ),
        }
    }
}

/// Lines of a list that are shown; the rest is counted.
const SHOWN: usize = 20;

impl fmt::Display for TimeOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not met after {} ms", self.waited.as_millis())?;
        list(f, "missing", self.missing.iter().map(Missing::to_string))?;
        list(f, "met", self.met.iter().map(Condition::to_string))?;
        list(f, "additional", self.additional.iter().map(describe))?;
        let moments = self.timeline.iter();
        list(f, "timeline", moments.map(|moment| format!("+{} ms {}", moment.at.as_millis(), moment.what)))?;
        if self.in_flight > 0 {
            write!(f, "\n{} requests are under way", self.in_flight)?;
        }
        Ok(())
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    lines: impl ExactSizeIterator<Item = String>,
) -> fmt::Result {
    let count = lines.len();
    for (index, line) in lines.take(SHOWN).enumerate() {
        if index == 0 {
            write!(f, "\n{title}:")?;
        }
        write!(f, "\n  {line}")?;
    }
    if count > SHOWN { write!(f, "\n  and {} more", count - SHOWN) } else { Ok(()) }
}

pub(super) fn describe(span: &Span) -> String {
    let parent = span.parent_id_bytes();
    let parent = if parent.is_empty() { "no parent".to_owned() } else { format!("parent {}", hex(parent)) };
    let id = hex(span.span_id_bytes());
    format!("`{}` {:?} at `{}`, span {id}, {parent}", span.name(), span.kind(), span.endpoint())
}
