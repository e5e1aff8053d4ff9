//! The defects of the context that an answer returns, in words.

use std::fmt;

use crate::conform::suite::ResponseStatement;
use crate::wire::Reason;

/// The defect of the metric in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseDefect {
    Repeated(usize),
    Malformed(Reason),
    Version(u8),
    /// A statement that does not hold.
    Contradicts(ResponseStatement),
}

impl fmt::Display for ResponseDefect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseDefect::Repeated(count) => write!(out, "the answer has {count} metrics `trace`"),
            ResponseDefect::Malformed(reason) => write!(out, "the answer has an invalid context: {reason}"),
            ResponseDefect::Version(version) => {
                write!(out, "the answer has a context of version {version:02x}, expected 00")
            }
            ResponseDefect::Contradicts(statement) => out.write_str(match statement {
                ResponseStatement::Valid => "the answer has trace flags without a meaning",
                ResponseStatement::TraceOfCalls => "the trace id of the answer is not that of the calls",
                ResponseStatement::OwnSpan => "the answer has the parent id that was sent",
                ResponseStatement::RandomAsSent => {
                    "the random flag of the answer is not the one that was sent"
                }
                ResponseStatement::SampledAsCalls => {
                    "the sampled flag of the answer is not that of the calls"
                }
            }),
        }
    }
}
