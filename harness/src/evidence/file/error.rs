//! Why an evidence file cannot be judged.

use thiserror::Error;

/// The version that this program reads and writes.
pub(super) const VERSION: u32 = 1;

#[derive(Debug, Error)]
pub enum EvidenceError {
    #[error("the evidence is not valid: was the file written by `unbroken run --keep-evidence`?")]
    Syntax(#[from] serde_json::Error),
    #[error("the evidence has version {0}, and this program reads version {VERSION}")]
    Version(u32),
    #[error(
        "the evidence names {kind} `{name}`, which the scenario does not have: is it the right scenario file?"
    )]
    Unknown { kind: &'static str, name: String },
    #[error("`{0}` is not hex digits or not printable text with `\\xNN` in it")]
    Bytes(String),
}
