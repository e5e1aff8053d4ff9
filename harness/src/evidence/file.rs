//! The evidence file, version 1: what one case left behind, as JSON that can be judged again.
//!
//! Nodes and taps stand by name, ids as hex digits, other bytes as text in which whatever does not print is
//! `\xNN`.
//! These types are the file's own: what the program keeps in memory may change without them.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::entries::{CaptureEntry, CompletionEntry, ExchangeEntry, GapEntry, LogEntry, SpanEntry};
use super::Evidence;
use crate::plan::Plan;

mod bytes;
mod entries;
mod reading;
mod writing;

const VERSION: u32 = 1;

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

/// An evidence file that was read; which plan it belongs to, and its contents.
#[derive(Debug)]
pub struct Kept {
    pub scenario: String,
    pub case: String,
    pub seed: u64,
    file: File,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    scenario: String,
    case: String,
    seed: u64,
    tap_ports: Vec<u16>,
    exchanges: Vec<ExchangeEntry>,
    captures: Vec<CaptureEntry>,
    spans: Vec<SpanEntry>,
    logs: Vec<LogEntry>,
    completions: Vec<CompletionEntry>,
    gaps: Vec<GapEntry>,
}

/// The file of one case.
pub fn write(plan: &Plan, evidence: &Evidence) -> String {
    let file = File {
        version: VERSION,
        scenario: plan.scenario.name.clone(),
        case: plan.scenario.case.clone(),
        seed: plan.seed.0,
        tap_ports: evidence.tap_ports.clone(),
        exchanges: evidence.exchanges.iter().map(writing::exchange_entry).collect(),
        captures: evidence.captures.iter().map(|capture| writing::capture_entry(plan, capture)).collect(),
        spans: evidence.spans.iter().map(|span| writing::span_entry(plan, span)).collect(),
        logs: evidence.logs.iter().map(|record| writing::log_entry(plan, record)).collect(),
        completions: evidence.completions.iter().map(writing::completion_entry).collect(),
        gaps: evidence.gaps.iter().map(|gap| writing::gap_entry(plan, gap)).collect(),
    };
    let mut text = serde_json::to_string_pretty(&file).expect("strings and numbers are always JSON");
    text.push('\n');
    text
}

impl Kept {
    pub fn read(text: &str) -> Result<Kept, EvidenceError> {
        let file: File = serde_json::from_str(text)?;
        if file.version != VERSION {
            return Err(EvidenceError::Version(file.version));
        }
        Ok(Kept { scenario: file.scenario.clone(), case: file.case.clone(), seed: file.seed, file })
    }

    /// The evidence in terms of the plan that it belongs to.
    pub fn evidence(&self, plan: &Plan) -> Result<Evidence, EvidenceError> {
        let file = &self.file;
        Ok(Evidence {
            captures: file
                .captures
                .iter()
                .map(|entry| reading::capture(plan, entry))
                .collect::<Result<_, _>>()?,
            spans: file.spans.iter().map(|entry| reading::span(plan, entry)).collect::<Result<_, _>>()?,
            logs: file.logs.iter().map(|entry| reading::log(plan, entry)).collect::<Result<_, _>>()?,
            exchanges: file
                .exchanges
                .iter()
                .map(|entry| reading::exchange(plan, entry))
                .collect::<Result<_, _>>()?,
            completions: file.completions.iter().map(reading::completion).collect(),
            gaps: file.gaps.iter().map(|entry| reading::gap(plan, entry)).collect::<Result<_, _>>()?,
            tap_ports: file.tap_ports.clone(),
        })
    }
}
