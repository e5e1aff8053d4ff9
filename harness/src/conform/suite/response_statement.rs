//! Statements about the context that a target returns in its answer.
//!
//! The draft of level 3 lets a server return it as the metric `trace` of `server-timing`. A target that does not is not
//! judged: the field is optional.

/// A statement about the metric `trace` of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseStatement {
    /// One metric, with the grammar of version 00 and no flag without a meaning.
    Valid,
    /// It has the trace id of the calls.
    TraceOfCalls,
    /// It does not have the parent id that was sent.
    OwnSpan,
    /// Its random flag is the one that was sent.
    RandomAsSent,
    /// Its sampled flag is that of the calls.
    SampledAsCalls,
}

impl ResponseStatement {
    pub const ALL: &'static [ResponseStatement] = &[
        ResponseStatement::Valid,
        ResponseStatement::TraceOfCalls,
        ResponseStatement::OwnSpan,
        ResponseStatement::RandomAsSent,
        ResponseStatement::SampledAsCalls,
    ];

    pub fn word(self) -> &'static str {
        match self {
            ResponseStatement::Valid => "valid",
            ResponseStatement::TraceOfCalls => "trace-of-calls",
            ResponseStatement::OwnSpan => "own-span",
            ResponseStatement::RandomAsSent => "random-as-sent",
            ResponseStatement::SampledAsCalls => "sampled-as-calls",
        }
    }
}
