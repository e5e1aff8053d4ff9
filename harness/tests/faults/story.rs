//! Runs one story of `tests/faults/` with a fault in it, through real processes and sockets.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use libtest_mimic::Failed;
use unbroken::breaks::{Class, Side};
use unbroken::plan::{Plan, Seed};
use unbroken::rules::Finding;
use unbroken::run::{CaseOptions, case, kept_apart};
use unbroken::runtime::RuntimeKind;
use unbroken::scenario;
use unbroken::source::Source;
use unbroken::verdict::CaseEnd;

/// Stories whose healthy variant is itself a switch of the relay.
pub const NEEDS_A_FAULT: &[&str] = &[
    "baggage-dropped",
    "edge-alone",
    "edge-without-link",
    "forwarder-carries-nothing",
    "forwarder-drops-baggage",
    "forwarder-retry",
    "no-context-may-cross",
    "restart-too-early",
    "two-values",
];

/// A file of `tests/faults/`; one of messages over one transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Story {
    pub name: &'static str,
    pub over: Option<&'static str>,
}

/// The relay at the observed node.
#[derive(Clone, Copy, Debug)]
pub enum LookedAt<'a> {
    /// The model relay with this fault.
    Faulty(&'a str),
    /// This relay, healthy.
    Correct(&'a str),
}

impl fmt::Display for Story {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.over {
            Some(over) => write!(formatter, "{over}::{}", self.name),
            None => formatter.write_str(self.name),
        }
    }
}

impl Story {
    fn path(self) -> PathBuf {
        let folder = if self.over.is_some() { "tests/faults/messages" } else { "tests/faults" };
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder).join(format!("{}.yaml", self.name))
    }

    /// Returns the scenario with this relay at the node that is looked at. The Rust SDK decodes a percent sign once
    /// more on each hop (README of its relay), and is sent none.
    fn text(self, looked_at: LookedAt<'_>) -> Result<String, Failed> {
        let path = self.path();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = match looked_at {
            LookedAt::Faulty(fault) => text.replace("FAULT", fault),
            LookedAt::Correct(relay) => text
                .replace("relay: model, fault: FAULT", &format!("relay: {relay}"))
                .replace("%252F", if relay == "rust" { "" } else { "%252F" })
                .replace(", fault: FAULT", "")
                .replace("    fault: FAULT\n", "")
                .replace(", FAULT]", "]"),
        };
        let source = if self.over == Some("kafka") { "topic" } else { "queue" };
        // SQS moves what was given back too often, and what is rejected is deleted.
        let gives_up = if self.over == Some("sqs") { "nack" } else { "reject" };
        Ok(match self.over {
            Some(over) => {
                text.replace("TRANSPORT", over).replace("SOURCE", source).replace("GIVES-UP", gives_up)
            }
            None => text,
        })
    }
}

/// The fields that a finding is compared by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    class: &'static str,
    side: &'static str,
    hops: Vec<String>,
    inconclusive: bool,
}

impl Answer {
    pub fn expected(found: &(Class, Side, &[&str])) -> Answer {
        let inconclusive = matches!(found.0, Class::NotExported | Class::ContractBroken);
        let hops = found.2.iter().map(|hop| (*hop).to_owned()).collect();
        Answer { class: found.0.word(), side: found.1.word(), hops, inconclusive }
    }

    pub fn found(finding: &Finding) -> Answer {
        let (class, side) = (finding.class.word(), finding.side.word());
        Answer { class, side, hops: finding.hops.clone(), inconclusive: finding.inconclusive }
    }
}

/// Returns everything that was found in the case of this name; gaps and problems of the machine fail the test.
pub fn run(
    case_name: &str,
    story: Story,
    looked_at: LookedAt<'_>,
    strict: bool,
) -> Result<Vec<Finding>, Failed> {
    let path = story.path();
    let source = Source::new(path.display().to_string(), story.text(looked_at)?);
    let cases = scenario::parse(&source)
        .map_err(|wrong| Failed::from(unbroken::diagnostic::render(&source, &wrong, false)))?;
    let mut scenario = cases.into_iter().next().expect("a file that parses has a case");
    let folder = path.parent().expect("a file stands in a folder").to_owned();
    let mut options = CaseOptions::default();
    options.runtime.relay = vec![OsString::from(env!("CARGO_BIN_EXE_unbroken"))];
    options.runtime.brokers = unbroken::testing::brokers::stand_ins();
    unbroken::testing::runtime::choose(&mut options.runtime)?;
    if options.runtime.kind == RuntimeKind::Container {
        // Real brokers and all containers of the run share the machine.
        scenario.timeout *= 4;
    }
    options.judge.strict = strict;
    let plan = Arc::new(Plan::build(kept_apart(Arc::new(scenario), &options.runtime), folder, Seed(7)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let run = runtime.block_on(case(plan.clone(), &options));
    crate::dump::keep(case_name, source.text(), &plan, run.evidence.as_ref());
    match run.end {
        CaseEnd::CouldNotRun(problem) => Err(format!("{problem:#?}").into()),
        CaseEnd::Judged(verdict) if !verdict.gaps.is_empty() => {
            Err(format!("gaps: {:#?}", verdict.gaps).into())
        }
        CaseEnd::Judged(verdict) => Ok(verdict.findings),
    }
}
