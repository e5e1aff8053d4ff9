//! The condition of a wait.

use std::fmt;
use std::time::Duration;

use crate::telemetry::{Span, SpanId, SpanKind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// So many spans, or more.
    AtLeast(usize),
    /// At least one span, and the parent of each is here (in the same trace, at whatever endpoint).
    ParentsComplete,
    /// Every span that a link names is here.
    LinksResolved,
    /// No request is under way, and no selected span arrived for so long.
    Quiet(Duration),
    /// Just so many spans, and then quiet for so long: for "and nothing else".
    Exactly(usize, Duration),
    /// For each pattern a span of its own.
    Includes(Vec<SpanPattern>),
    All(Vec<Condition>),
}

/// The pattern of a span; an omitted field matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanPattern {
    pub endpoint: Option<String>,
    pub name: Option<String>,
    pub kind: Option<SpanKind>,
    pub span_id: Option<SpanId>,
    pub parent_id: Option<SpanId>,
}

impl SpanPattern {
    pub fn named(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::default() }
    }

    pub fn at(mut self, endpoint: &str) -> Self {
        self.endpoint = Some(endpoint.to_owned());
        self
    }

    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = Some(kind);
        self
    }

    pub fn id(mut self, id: impl Into<SpanId>) -> Self {
        self.span_id = Some(id.into());
        self
    }

    pub fn parent(mut self, id: impl Into<SpanId>) -> Self {
        self.parent_id = Some(id.into());
        self
    }

    pub fn matches(&self, span: &Span) -> bool {
        self.endpoint.as_ref().is_none_or(|name| **name == **span.endpoint())
            && self.name.as_ref().is_none_or(|name| name == span.name())
            && self.kind.is_none_or(|kind| kind == span.kind())
            && self.span_id.is_none_or(|id| Some(id) == span.span_id())
            && self.parent_id.is_none_or(|id| Some(id) == span.parent_id())
    }
}

impl fmt::Display for SpanPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span")?;
        if let Some(name) = &self.name {
            write!(f, " named `{name}`")?;
        }
        if let Some(kind) = self.kind {
            write!(f, " of kind {kind:?}")?;
        }
        if let Some(endpoint) = &self.endpoint {
            write!(f, " at `{endpoint}`")?;
        }
        if let Some(id) = self.span_id {
            write!(f, " with the id {id}")?;
        }
        if let Some(id) = self.parent_id {
            write!(f, " whose parent is {id}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::AtLeast(count) => write!(f, "at least {count} spans"),
            Condition::ParentsComplete => f.write_str("the parent of every span"),
            Condition::LinksResolved => f.write_str("the target of every link"),
            Condition::Quiet(quiet) => write!(f, "quiet for {} ms", quiet.as_millis()),
            Condition::Exactly(count, quiet) => {
                write!(f, "exactly {count} spans and then quiet for {} ms", quiet.as_millis())
            }
            Condition::Includes(patterns) => {
                let patterns: Vec<String> = patterns.iter().map(SpanPattern::to_string).collect();
                f.write_str(&patterns.join(", "))
            }
            Condition::All(conditions) => {
                let conditions: Vec<String> = conditions.iter().map(Condition::to_string).collect();
                f.write_str(&conditions.join("; "))
            }
        }
    }
}
