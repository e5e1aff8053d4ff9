//! The errors of reading an evidence file.

use thiserror::Error;

/// The version that this program reads and writes.
pub(super) const VERSION: u32 = 1;

#[derive(Debug, Error)]
pub enum EvidenceError {
    #[error("the evidence file is invalid; use a file that `unbroken run --keep-evidence` wrote")]
    Syntax(#[from] serde_json::Error),
    #[error(
        "the evidence file has version {0}, expected {VERSION}: record it again with this version of `unbroken`"
    )]
    Version(u32),
    #[error(
        "the evidence names {kind} `{name}`, which the scenario does not have: use the scenario file of the recorded run"
    )]
    Unknown { kind: &'static str, name: String },
    #[error(
        "invalid bytes `{0}` in the evidence file: expected hex digits for an id, printable text and `\\xNN` elsewhere"
    )]
    Bytes(String),
}
