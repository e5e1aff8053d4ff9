//! Findings and a baseline -> verdict; a verdict only ever gets worse.

pub mod baseline;
pub mod example;
pub mod software;

pub use example::ExampleStimulus;

use std::path::PathBuf;
use std::sync::Arc;

pub use software::NodeSoftware;

use crate::rules::{Finding, Note};
use crate::scenario::Expectation;
use crate::source::{Place, Source};

/// A verdict, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing broke.
    #[default]
    Pass,
    /// The evidence does not suffice for a pass or a fail.
    Inconclusive,
    /// Something broke.
    Fail,
}

impl Verdict {
    /// Returns the word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Fail => "fail",
        }
    }

    /// Returns the worse of the two.
    pub fn and(self, other: Verdict) -> Verdict {
        self.max(other)
    }
}

/// The verdict on one case; everything that a report needs, as values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CaseVerdict {
    /// The scenario file.
    pub source: Arc<Source>,
    /// The name of the scenario.
    pub scenario: String,
    /// The values of its matrix, such as `sampled=true`; empty for a scenario of one case.
    pub case: String,
    /// The description in the scenario file.
    pub about: Option<String>,
    /// The seed that all ids of the case were made from.
    pub seed: u64,
    /// The worst verdict of its hops and rules.
    pub verdict: Verdict,
    /// The client, and the nodes in the order of the scenario file.
    pub nodes: Vec<CaseNode>,
    /// In the order of the scenario file.
    pub hops: Vec<HopVerdict>,
    /// The rules that applied and counted.
    pub rules: Vec<RuleVerdict>,
    /// Causes before consequences, in the order of the story.
    pub findings: Vec<Finding>,
    /// Remarks that do not change the verdict.
    pub notes: Vec<Note>,
    /// The reasons besides findings why the case is inconclusive; each names the next step.
    pub gaps: Vec<GapVerdict>,
    /// Crossings that no hop declares: `shop -> ledger GET /audit`, with how often.
    pub undeclared: Vec<(String, u32)>,
    /// The last output lines of nodes that did not call on, or did not answer as they should: name and lines. Filled by
    /// the run of the case, since it is no evidence.
    pub outputs: Vec<(String, Vec<String>)>,
    /// A few stimuli in detail: those of the findings, or else some that cross every hop.
    pub examples: Vec<ExampleStimulus>,
    /// The number of requests and messages that the client sent.
    pub stimuli: u32,
    /// The number of crossings of all hops.
    pub crossings: u32,
    /// The number of spans that arrived.
    pub spans: u32,
}

/// One reason besides findings why a case is inconclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GapVerdict {
    /// The reason, with the next step.
    pub what: String,
    /// Last output lines of a node and the like.
    pub lines: Vec<String>,
}

/// One node, as the map of the story shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct CaseNode {
    /// The name of the node in the scenario file.
    pub name: String,
    /// `client`, `relay`, `command`, `kafka` and so on; `gateway` for a proxy of any kind.
    pub kind: &'static str,
    /// It is a broker, which hops go through.
    pub is_broker: bool,
    /// Spans are due from it.
    pub exports: bool,
}

/// One hop, as the map of the story shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HopVerdict {
    /// The name of the hop in the scenario file.
    pub id: String,
    /// The place of the hop in the scenario file.
    pub place: Place,
    /// The name of the sending node.
    pub from: String,
    /// The name of the receiving node.
    pub to: String,
    /// The name of the broker between them.
    pub via: Option<String>,
    /// `http`, `grpc`.
    pub transport: &'static str,
    /// `POST /orders`, `ledger.Ledger/Record`; empty when any.
    pub operation: String,
    /// The word of the declared relation.
    pub relation: &'static str,
    /// The relation that was seen, where the declared one allows several.
    pub seen: Option<&'static str>,
    /// The worst verdict of its crossings.
    pub verdict: Verdict,
    /// The number of its crossings, due ones included.
    pub crossings: u32,
    /// The crossings that a tap or a span of the receiver shows; the others are only due.
    pub judged: u32,
    /// The hop that causes this one.
    pub within: Option<String>,
}

/// The verdict of one rule on a case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleVerdict {
    /// The rule.
    pub rule: Expectation,
    /// The worst of its findings.
    pub verdict: Verdict,
    /// The number of crossings, spans or records that it looked at.
    pub looked_at: u32,
}

/// The reason why a case could not run: a problem of the machine, never of the system under test.
#[derive(Clone, Debug)]
pub struct CaseError {
    pub scenario: String,
    pub case: String,
    /// One line that names the thing and the next step.
    pub message: String,
    /// The causes, outermost first.
    pub caused_by: Vec<String>,
    /// Last output lines of the node that it is about.
    pub lines: Vec<String>,
}

/// The end of one case.
#[derive(Clone, Debug)]
pub enum CaseEnd {
    Judged(Box<CaseVerdict>),
    CouldNotRun(CaseError),
}

impl CaseEnd {
    pub fn verdict(&self) -> Verdict {
        match self {
            CaseEnd::Judged(case) => case.verdict,
            CaseEnd::CouldNotRun(_) => Verdict::Inconclusive,
        }
    }
}

/// A file of evidence that a run kept.
#[derive(Clone, Debug)]
pub struct KeptFile {
    pub path: PathBuf,
}
