//! One stimulus as the driver sees it: when it was sent, and its answer.

use crate::plan::StimulusIx;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub stimulus: StimulusIx,
    pub sent_nanos: u64,
    pub answered_nanos: Option<u64>,
    pub answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Http(u16),
    /// The gRPC status code; 0 is OK.
    Grpc(u32),
    /// A message that the broker accepted.
    Accepted,
    /// The connection failed or ended before an answer: the error of the client library.
    Failed(String),
    /// No answer by the deadline.
    TimedOut,
}

impl Answer {
    /// Returns whether the receiver answered, well or not.
    pub fn arrived(&self) -> bool {
        match self {
            Answer::Http(_) | Answer::Grpc(_) | Answer::Accepted => true,
            Answer::Failed(_) | Answer::TimedOut => false,
        }
    }

    pub fn is_success(&self) -> bool {
        matches!(self, Answer::Http(status) if *status < 400)
            || matches!(self, Answer::Grpc(0) | Answer::Accepted)
    }
}
