//! The evidence file, version 1: the evidence of one case as JSON, which can be judged again.
//!
//! Nodes and taps are names, ids are hex digits, other bytes are text with `\xNN` for bytes that are not printable.
//! The types of the file are its own, so the types in memory may change without them.

use serde::{Deserialize, Serialize};
use serde_json::Serializer;

use self::entries::{
    CaptureEntry, CollectorSpanEntry, CompletionEntry, ExchangeEntry, GapEntry, LogEntry, NameEntry,
    PreflightEntry, SpanEntry,
};
use self::error::VERSION;
use self::lines::EntryALine;
use self::text::FileText;
use super::Evidence;
use crate::parallel::side_by_side;
use crate::plan::Plan;
use crate::scenario::Scenario;

mod bytes;
mod entries;
mod error;
mod lines;
mod reading;
mod text;
mod writing;

pub use error::EvidenceError;

/// The contents of an evidence file, with the names that identify its plan.
#[derive(Debug)]
pub struct StoredEvidence<'t> {
    pub scenario: String,
    pub case: String,
    pub seed: u64,
    file: EvidenceFile<'t>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 't"))]
struct EvidenceFile<'t> {
    version: u32,
    scenario: FileText<'t>,
    case: FileText<'t>,
    seed: u64,
    /// The names of hops at brokers that cases shared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<NameEntry<'t>>,
    tap_ports: Vec<u16>,
    /// For each stimulus the masked lines of its baggage, if baggage is masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    masked_baggage: Option<Vec<Vec<FileText<'t>>>>,
    exchanges: Vec<ExchangeEntry<'t>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    preflights: Vec<PreflightEntry<'t>>,
    captures: Vec<CaptureEntry<'t>>,
    spans: Vec<SpanEntry<'t>>,
    logs: Vec<LogEntry<'t>>,
    /// The spans that left collectors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    collector_spans: Vec<CollectorSpanEntry<'t>>,
    completions: Vec<CompletionEntry<'t>>,
    gaps: Vec<GapEntry<'t>>,
}

/// Writes the file of one case.
pub fn write(plan: &Plan, evidence: &Evidence) -> String {
    let file = EvidenceFile {
        version: VERSION,
        scenario: (&plan.scenario.name).into(),
        case: (&plan.scenario.case).into(),
        seed: plan.seed.0,
        names: plan.scenario.own_names.iter().map(|name| writing::name_entry(plan, name)).collect(),
        tap_ports: evidence.tap_ports.clone(),
        masked_baggage: evidence.masked_baggage.as_ref().map(|lists| writing::masked_baggage(lists)),
        exchanges: evidence.exchanges.iter().map(writing::exchange_entry).collect(),
        preflights: evidence.preflights.iter().map(writing::preflight_entry).collect(),
        captures: evidence.captures.iter().map(|capture| writing::capture_entry(plan, capture)).collect(),
        spans: evidence.spans.iter().map(|span| writing::span_entry(plan, span)).collect(),
        logs: evidence.logs.iter().map(|record| writing::log_entry(plan, record)).collect(),
        collector_spans: evidence
            .collector_spans
            .iter()
            .map(|span| writing::collector_span_entry(plan, span))
            .collect(),
        completions: evidence.completions.iter().map(writing::completion_entry).collect(),
        gaps: evidence.gaps.iter().map(|gap| writing::gap_entry(plan, gap)).collect(),
    };
    let mut text = Vec::new();
    let mut writer = Serializer::with_formatter(&mut text, EntryALine::default());
    file.serialize(&mut writer).expect("strings and numbers are always JSON");
    text.push(b'\n');
    String::from_utf8(text).expect("JSON is UTF-8")
}

impl<'t> StoredEvidence<'t> {
    pub fn read(text: &'t str) -> Result<StoredEvidence<'t>, EvidenceError> {
        let file: EvidenceFile<'t> = serde_json::from_str(text)?;
        if file.version != VERSION {
            return Err(EvidenceError::Version(file.version));
        }
        let (scenario, case) = (file.scenario.to_owned(), file.case.to_owned());
        Ok(StoredEvidence { scenario, case, seed: file.seed, file })
    }

    /// Returns the scenario as it was run: with the names that its hops had at brokers, where they differ from the
    /// file.
    pub fn scenario(&self, read: &Scenario) -> Result<Scenario, EvidenceError> {
        let names: Result<_, _> = self.file.names.iter().map(|entry| reading::name(read, entry)).collect();
        Ok(read.named(names?))
    }

    /// Returns the evidence in terms of its plan, which is a plan of `scenario`.
    pub fn evidence(&self, plan: &Plan) -> Result<Evidence, EvidenceError> {
        let file = &self.file;
        // The two long lists are converted in parallel.
        let lists =
            side_by_side(|| reading::spans(plan, &file.spans), || reading::captures(plan, &file.captures));
        Ok(Evidence {
            spans: lists.0?,
            captures: lists.1?,
            logs: file.logs.iter().map(|entry| reading::log(plan, entry)).collect::<Result<_, _>>()?,
            collector_spans: file
                .collector_spans
                .iter()
                .map(|entry| reading::collector_span(plan, entry))
                .collect::<Result<_, _>>()?,
            exchanges: file
                .exchanges
                .iter()
                .map(|entry| reading::exchange(plan, entry))
                .collect::<Result<_, _>>()?,
            preflights: file
                .preflights
                .iter()
                .map(|entry| reading::preflight(plan, entry))
                .collect::<Result<_, _>>()?,
            completions: file.completions.iter().map(reading::completion).collect(),
            gaps: file.gaps.iter().map(|entry| reading::gap(plan, entry)).collect::<Result<_, _>>()?,
            tap_ports: file.tap_ports.clone(),
            masked_baggage: match &file.masked_baggage {
                Some(lists) => Some(reading::masked_baggage(plan, lists)?),
                None => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::plan::{Mark, Seed, StimulusIx};

    #[test]
    fn marks_of_a_stream_are_written_and_read_and_files_without_them_are_evidence_too() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/judged");
        let source = crate::scenario::read(&folder.join("client-beside-server.yaml")).unwrap();
        let scenario = crate::scenario::parse(&source).unwrap().remove(0);
        let text = std::fs::read_to_string(folder.join("client-beside-server.json")).unwrap();
        let stored = StoredEvidence::read(&text).unwrap();
        let plan = Plan::build(Arc::new(scenario), folder, Seed(stored.seed));
        let mut evidence = stored.evidence(&plan).unwrap();
        assert!(!write(&plan, &evidence).contains("further_marks"));
        let mark = Mark { run: plan.run, stimulus: StimulusIx(0), call: None, item: None };
        evidence.captures[0].further_marks = vec![mark, mark];
        let text = write(&plan, &evidence);
        let again = StoredEvidence::read(&text).unwrap().evidence(&plan).unwrap();
        assert_eq!(again.captures, evidence.captures);
    }
}
