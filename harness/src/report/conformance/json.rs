//! The report for programs: one JSON document, versioned, as `harness/conformance.schema.json` describes it.
//!
//! Keys may be added while `version` is 1, and none changes. Bytes are text: printable ASCII as it is, other bytes and
//! a backslash as `\xNN` and `\\`; a long value is cut, and says how long it is.

use serde::Serialize;

use super::story;
use crate::conform::results::{ConformanceVerdict, Counts, RequirementResult, Results, VectorResult};
use crate::conform::suite::{FieldDifference, VERSION as SUITE_VERSION};

/// The schema of what `render` gives, itself JSON.
pub const SCHEMA: &str = include_str!("../../../conformance.schema.json");

const VERSION: u32 = 1;
/// Longer values are cut.
const LONGEST: usize = 2048;

/// Returns the whole report, pretty-printed, with a line feed at its end.
pub fn render(results: &Results) -> String {
    let mut text =
        serde_json::to_string_pretty(&Report::of(results)).expect("strings and numbers always serialise");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    implementation: ImplementationReport<'a>,
    suite: SuiteReport,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<&'a str>,
    interrupted: bool,
    took_ms: u64,
    summary: Summary,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    fixed: &'a [String],
    requirements: Vec<RequirementReport<'a>>,
}

#[derive(Serialize)]
struct ImplementationReport<'a> {
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    links: &'a [String],
}

#[derive(Serialize)]
struct SuiteReport {
    version: &'static str,
    unbroken: &'static str,
    level: u8,
    strict: bool,
    seed: String,
}

#[derive(Serialize)]
struct Summary {
    requirements: CountsReport,
    vectors: CountsReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<usize>,
    groups: Vec<GroupReport>,
}

#[derive(Serialize)]
struct GroupReport {
    name: String,
    requirements: CountsReport,
}

#[derive(Serialize)]
struct CountsReport {
    pass: usize,
    fail: usize,
    deviates: usize,
    inconclusive: usize,
    unsupported: usize,
}

#[derive(Serialize)]
struct RequirementReport<'a> {
    id: &'a str,
    suite: &'a str,
    strength: &'static str,
    level: u8,
    role: &'static str,
    says: &'a str,
    clause: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    w3c: &'a [String],
    verdict: &'static str,
    vectors: Vec<VectorReport<'a>>,
}

#[derive(Serialize)]
struct VectorReport<'a> {
    name: &'a str,
    transport: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<MismatchReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<KnownReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    output: &'a [String],
    /// Name and value of each field.
    sent: Vec<[String; 2]>,
    /// The propagation fields of each call.
    received: Vec<Vec<[String; 2]>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    curl: &'a str,
}

/// The reason for which a baseline accepts the mismatch.
#[derive(Serialize)]
struct KnownReport<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

#[derive(Serialize)]
struct MismatchReport {
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<DifferenceReport>,
    /// The rule of the format that the call should carry, if it is not W3C Trace Context.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    /// The next step for the author of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Serialize)]
struct DifferenceReport {
    field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    actual: String,
    /// The first byte that differs, counted in bytes from 0, and the byte behind the stretch.
    start: usize,
    end: usize,
}

impl<'a> Report<'a> {
    fn of(results: &'a Results) -> Self {
        let implementation = &results.implementation;
        let groups = results.groups().into_iter();
        let groups =
            groups.map(|(group, counts)| GroupReport { name: group.word(), requirements: counts.into() });
        Self {
            version: VERSION,
            implementation: ImplementationReport {
                target: &implementation.target,
                name: implementation.name.as_deref(),
                version: implementation.version.as_deref(),
                language: implementation.language.as_deref(),
                links: &implementation.links,
            },
            suite: SuiteReport {
                version: SUITE_VERSION,
                unbroken: env!("CARGO_PKG_VERSION"),
                level: results.level,
                strict: results.is_strict,
                seed: results.seed.to_string(),
            },
            verdict: results.verdict().word(),
            shard: results.shard.as_deref(),
            interrupted: results.is_interrupted,
            took_ms: u64::try_from(results.took.as_millis()).unwrap_or(u64::MAX),
            summary: Summary {
                requirements: results.requirement_counts().into(),
                vectors: results.vector_counts().into(),
                known: Some(results.known()).filter(|known| *known > 0),
                groups: groups.collect(),
            },
            fixed: &results.fixed,
            requirements: results.requirements.iter().map(RequirementReport::of).collect(),
        }
    }
}

impl From<Counts> for CountsReport {
    fn from(counts: Counts) -> Self {
        Self {
            pass: counts.get(ConformanceVerdict::Pass),
            fail: counts.get(ConformanceVerdict::Fail),
            deviates: counts.get(ConformanceVerdict::Deviates),
            inconclusive: counts.get(ConformanceVerdict::Inconclusive),
            unsupported: counts.get(ConformanceVerdict::Unsupported),
        }
    }
}

impl<'a> RequirementReport<'a> {
    fn of(result: &'a RequirementResult) -> Self {
        let requirement = &result.requirement;
        Self {
            id: &requirement.id,
            suite: &result.suite,
            strength: requirement.strength.word(),
            level: requirement.level,
            role: requirement.role.word(),
            says: &requirement.says,
            clause: &requirement.clause,
            w3c: &requirement.w3c,
            verdict: result.verdict().word(),
            vectors: result.vectors.iter().map(VectorReport::of).collect(),
        }
    }
}

impl<'a> VectorReport<'a> {
    fn of(vector: &'a VectorResult) -> Self {
        let mismatch = vector.mismatch.as_ref().map(|mismatch| MismatchReport {
            kind: mismatch.kind.word(),
            message: mismatch.to_string(),
            call: mismatch.call,
            difference: mismatch.difference.as_deref().map(DifferenceReport::of),
            format: mismatch.format_rule(),
            advice: mismatch.advice.clone(),
        });
        Self {
            name: &vector.name,
            transport: &vector.transport,
            verdict: vector.verdict.word(),
            outcome: vector.outcome.as_deref(),
            mismatch,
            known: vector
                .known
                .as_ref()
                .map(|known| KnownReport { reason: &known.reason, link: known.link.as_deref() }),
            reason: vector.reason.as_deref(),
            notes: &vector.notes,
            output: &vector.output,
            sent: fields(&vector.sent),
            received: vector.received.iter().map(|call| fields(call)).collect(),
            curl: &vector.curl,
        }
    }
}

impl DifferenceReport {
    fn of(difference: &FieldDifference) -> Self {
        Self {
            field: difference.field.clone(),
            expected: difference.expected.as_ref().map(|expected| story::short(expected, LONGEST)),
            actual: story::short(&difference.actual, LONGEST),
            start: difference.caret.start,
            end: difference.caret.end,
        }
    }
}

fn fields(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<[String; 2]> {
    fields.iter().map(|(name, value)| [story::text(name), story::short(value, LONGEST)]).collect()
}
