//! The answer to the request by which a browser asks whether it may send another one to a foreign origin.

use super::Answer;

/// One for each drive with an `origin`, sent before the first stimulus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    /// Index into `Scenario::drives`.
    pub drive: usize,
    pub answer: Answer,
    /// The lines of `Access-Control-Allow-Origin`.
    pub allowed_origins: Vec<Vec<u8>>,
    /// The lines of `Access-Control-Allow-Headers`.
    pub allowed_headers: Vec<Vec<u8>>,
}
