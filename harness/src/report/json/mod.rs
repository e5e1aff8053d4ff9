//! The report for programs: one JSON document, versioned, as `harness/report.schema.json` describes it.
//!
//! The report has its own types: names inside the product may change, but the report may only grow while `version` is
//! 2. Version 1 had no `break`, a different word for an unknown side, and a different key for `error`. Keys that do not
//! apply are omitted, never `null`. Seeds are strings, for readers whose numbers end at 2^53.

use serde::Serialize;

use self::break_report::BreakReport;
use super::{Case, Outcome};
use crate::rules::{Finding, Line, Note};
use crate::source::{Place, Source};
use crate::verdict::{
    CaseEnd, CaseError, CaseVerdict, GapVerdict, HopVerdict, NodeSoftware, RuleVerdict, Verdict,
};

mod break_report;

/// The schema of the report that `render` returns, itself JSON.
pub const SCHEMA: &str = include_str!("../../../report.schema.json");

const VERSION: u32 = 2;

/// Returns the whole report, pretty-printed, with a line feed at its end.
pub fn render(outcome: &Outcome) -> String {
    let report = Report::of(outcome);
    let text = serde_json::to_string_pretty(&report).expect("strings and numbers always serialise");
    // GitHub Actions reads `##[error]` anywhere in a line as a command; the escape is the same string in JSON.
    text.replace("##[", "\\u0023#[") + "\n"
}

/// Returns the report in one line, for a page that contains it.
pub(super) fn compact(outcome: &Outcome) -> String {
    serde_json::to_string(&Report::of(outcome)).expect("strings and numbers always serialise")
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: Tool,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<&'a str>,
    interrupted: bool,
    partial: bool,
    seed: String,
    repeats: u32,
    took_ms: u64,
    counts: Counts,
    /// Accepted findings that no longer occur.
    fixed: &'a [String],
    warnings: &'a [String],
    cases: Vec<CaseReport<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Counts {
    due: usize,
    pass: usize,
    fail: usize,
    inconclusive: usize,
    /// The inconclusive cases that were not judged.
    could_not_run: usize,
}

#[derive(Serialize)]
struct CaseReport<'a> {
    title: &'a str,
    scenario: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    case: &'a str,
    file: &'a str,
    repeat: u32,
    took_ms: u64,
    verdict: &'static str,
    /// The programs of its nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    software: Vec<SoftwareReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    judged: Option<JudgedCase<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorReport<'a>>,
}

#[derive(Serialize)]
struct JudgedCase<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
    seed: String,
    stimuli: u32,
    crossings: u32,
    spans: u32,
    hops: Vec<HopReport<'a>>,
    rules: Vec<RuleReport>,
    findings: Vec<FindingReport<'a>>,
    notes: Vec<NoteReport<'a>>,
    gaps: Vec<GapReport<'a>>,
    undeclared: Vec<UndeclaredCall<'a>>,
}

#[derive(Serialize)]
struct SoftwareReport<'a> {
    node: &'a str,
    program: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<&'a str>,
}

#[derive(Serialize)]
struct ErrorReport<'a> {
    message: &'a str,
    caused_by: &'a [String],
    output: &'a [String],
}

#[derive(Serialize)]
struct HopReport<'a> {
    id: &'a str,
    from: &'a str,
    to: &'a str,
    transport: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    operation: &'a str,
    relation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<&'a str>,
    verdict: &'static str,
    crossings: u32,
    judged: u32,
    place: PlaceReport,
}

/// Line and column of the scenario file, counted from 1.
#[derive(Serialize)]
struct PlaceReport {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct RuleReport {
    rule: &'static str,
    verdict: &'static str,
    looked_at: u32,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    fingerprint: &'a str,
    rule: &'static str,
    class: &'static str,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    hops: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [String],
    inconclusive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_until: Option<&'a str>,
    hit: u32,
    of: u32,
    #[serde(rename = "break")]
    broken: BreakReport<'a>,
    message: &'a str,
    lines: Vec<LineReport<'a>>,
    expected: &'a str,
    actual: &'a str,
    clause: &'static str,
    try_next: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_witness: Option<&'a str>,
    inside: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<u32>,
    others: &'a [u32],
    place: PlaceReport,
}

#[derive(Serialize)]
struct LineReport<'a> {
    label: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    caret: Option<Caret>,
    caption: &'a str,
}

/// Bytes of `text`, end exclusive.
#[derive(Serialize)]
struct Caret {
    start: usize,
    end: usize,
}

#[derive(Serialize)]
struct NoteReport<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    hop: Option<&'a str>,
    text: &'a str,
    seen: u32,
}

#[derive(Serialize)]
struct GapReport<'a> {
    what: &'a str,
    output: &'a [String],
}

#[derive(Serialize)]
struct UndeclaredCall<'a> {
    what: &'a str,
    times: u32,
}

impl<'a> Report<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let could_not_run = outcome.cases.iter().filter(|case| case.judged().is_none()).count();
        Self {
            version: VERSION,
            tool: Tool { name: "unbroken", version: env!("CARGO_PKG_VERSION") },
            verdict: outcome.verdict().word(),
            shard: outcome.shard.as_deref(),
            interrupted: outcome.interrupted,
            partial: outcome.under_way,
            seed: outcome.seed.to_string(),
            repeats: outcome.repeats,
            took_ms: millis(outcome.took),
            counts: Counts {
                due: outcome.due * outcome.repeats as usize,
                pass: outcome.count(Verdict::Pass),
                fail: outcome.count(Verdict::Fail),
                inconclusive: outcome.count(Verdict::Inconclusive),
                could_not_run,
            },
            fixed: &outcome.fixed,
            warnings: &outcome.warnings,
            cases: outcome.cases.iter().map(CaseReport::of).collect(),
        }
    }
}

impl<'a> CaseReport<'a> {
    fn of(case: &'a Case) -> Self {
        let (scenario, name, judged, error) = match &case.end {
            CaseEnd::Judged(judged) => (&judged.scenario, &judged.case, Some(JudgedCase::of(judged)), None),
            CaseEnd::CouldNotRun(error) => (&error.scenario, &error.case, None, Some(ErrorReport::of(error))),
        };
        Self {
            title: &case.title,
            scenario,
            case: name,
            file: &case.file,
            repeat: case.repeat,
            took_ms: millis(case.took),
            verdict: case.verdict().word(),
            software: case.software.iter().map(SoftwareReport::of).collect(),
            judged,
            error,
        }
    }
}

impl<'a> JudgedCase<'a> {
    fn of(case: &'a CaseVerdict) -> Self {
        let source = &case.source;
        Self {
            about: case.about.as_deref(),
            seed: case.seed.to_string(),
            stimuli: case.stimuli,
            crossings: case.crossings,
            spans: case.spans,
            hops: case.hops.iter().map(|hop| HopReport::of(hop, source)).collect(),
            rules: case.rules.iter().map(RuleReport::of).collect(),
            findings: case.findings.iter().map(|finding| FindingReport::of(finding, source)).collect(),
            notes: case.notes.iter().map(NoteReport::of).collect(),
            gaps: case.gaps.iter().map(GapReport::of).collect(),
            undeclared: case
                .undeclared
                .iter()
                .map(|(what, times)| UndeclaredCall { what, times: *times })
                .collect(),
        }
    }
}

impl<'a> SoftwareReport<'a> {
    fn of(software: &'a NodeSoftware) -> Self {
        Self {
            node: &software.node,
            program: &software.program,
            version: software.version.as_deref(),
            configuration: software.configuration.as_deref(),
        }
    }
}

impl<'a> ErrorReport<'a> {
    fn of(error: &'a CaseError) -> Self {
        Self { message: &error.message, caused_by: &error.caused_by, output: &error.lines }
    }
}

impl<'a> HopReport<'a> {
    fn of(hop: &'a HopVerdict, source: &Source) -> Self {
        Self {
            id: &hop.id,
            from: &hop.from,
            to: &hop.to,
            transport: hop.transport,
            operation: &hop.operation,
            relation: hop.relation,
            seen: hop.seen,
            within: hop.within.as_deref(),
            verdict: hop.verdict.word(),
            crossings: hop.crossings,
            judged: hop.judged,
            place: PlaceReport::of(hop.place, source),
        }
    }
}

impl PlaceReport {
    fn of(place: Place, source: &Source) -> Self {
        let (line, column) = source.line_column(place.start);
        Self { line, column }
    }
}

impl RuleReport {
    fn of(rule: &RuleVerdict) -> Self {
        Self { rule: rule.rule.id(), verdict: rule.verdict.word(), looked_at: rule.looked_at }
    }
}

impl<'a> FindingReport<'a> {
    fn of(finding: &'a Finding, source: &Source) -> Self {
        Self {
            fingerprint: &finding.fingerprint,
            rule: finding.rule.id(),
            class: finding.class.word(),
            side: finding.side.word(),
            node: finding.node.as_deref(),
            hops: &finding.hops,
            fields: &finding.fields,
            inconclusive: finding.inconclusive,
            known: finding.known.as_deref(),
            accepted_until: finding.accepted_until.as_deref(),
            hit: finding.hit,
            of: finding.of,
            broken: BreakReport::of(finding),
            message: &finding.message,
            lines: finding.lines.iter().map(LineReport::of).collect(),
            expected: &finding.expected,
            actual: &finding.actual,
            clause: finding.clause,
            try_next: &finding.try_next,
            missing_witness: finding.missing_witness.as_deref(),
            inside: &finding.inside,
            example: finding.example,
            others: &finding.others,
            place: PlaceReport::of(finding.place, source),
        }
    }
}

impl<'a> LineReport<'a> {
    fn of(line: &'a Line) -> Self {
        let caret = line.caret.as_ref().map(|caret| Caret { start: caret.start, end: caret.end });
        Self { label: &line.label, text: &line.text, caret, caption: &line.caption }
    }
}

impl<'a> NoteReport<'a> {
    fn of(note: &'a Note) -> Self {
        Self { hop: note.hop.as_deref(), text: &note.text, seen: note.seen }
    }
}

impl<'a> GapReport<'a> {
    fn of(gap: &'a GapVerdict) -> Self {
        Self { what: &gap.what, output: &gap.lines }
    }
}

fn millis(took: std::time::Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
