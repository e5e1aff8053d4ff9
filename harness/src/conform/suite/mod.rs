//! Suites of requirements as checked values.
//!
//! The files are `scenarios/conformance/*.yaml`. They are built in, and a test reads all of them. A requirement's id
//! and a vector's name are permanent: a vector never changes its meaning.

use std::sync::Arc;

use super::transport::TransportKind;
use crate::diagnostic::Diagnostic;
use crate::scenario::Role;
use crate::source::{Place, Source};

mod build;
mod embedded;
mod format;
mod notation;
mod outcome;
mod prepared_answer;
mod propagation;
mod response_statement;
mod span_statement;
mod step;

pub(crate) use build::configuration_of;
pub use embedded::{VERSION, suites};
pub use format::schema;
pub(crate) use format::{LINK, configuration_shape};
pub use notation::{RequestIds, Text};
pub use outcome::{AllowedOutcome, ContextFlag, Demands, FieldDifference, ListDemand, OutcomeKind};
pub use prepared_answer::PreparedAnswer;
pub use propagation::{CarrierKind, Propagation};
pub use response_statement::ResponseStatement;
pub use span_statement::SpanStatement;
pub use step::{InstructionStep, instruction};

/// One file of requirements.
#[derive(Debug)]
pub struct Suite {
    pub source: Arc<Source>,
    pub name: String,
    pub about: String,
    /// It is tried only when the command line names it.
    pub is_on_request: bool,
    /// In the order of the file.
    pub requirements: Vec<Requirement>,
}

/// Reads a suite's file, or returns everything that is wrong with it.
pub fn read(source: &Arc<Source>) -> Result<Suite, Vec<Diagnostic>> {
    build::suite(source)
}

/// One sentence of a standard that can be tried.
#[derive(Clone, Debug)]
pub struct Requirement {
    pub id: String,
    pub place: Place,
    /// The requirement in one sentence of ours.
    pub says: String,
    pub strength: Strength,
    /// The level of the W3C documents that it stands in, 1 to 3.
    pub level: u8,
    pub role: Role,
    /// A link to the clause.
    pub clause: String,
    /// The transports that it is about; empty for every transport.
    pub over: Vec<TransportKind>,
    /// The capabilities that a target must have, as words of `/-/capabilities`.
    pub needs: Vec<String>,
    /// The tests of the W3C suite that it covers.
    pub w3c: Vec<String>,
    /// A remark for the reader: where standards disagree, and the meaning of an outcome.
    pub note: Option<String>,
    pub vectors: Vec<Vector>,
}

/// The strength of a requirement, in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    Must,
    Should,
    May,
    /// The standards leave it open or contradict each other; the report names the outcome.
    Grey,
}

impl Strength {
    pub const ALL: &'static [Strength] = &[Strength::Must, Strength::Should, Strength::May, Strength::Grey];

    pub fn word(self) -> &'static str {
        match self {
            Strength::Must => "MUST",
            Strength::Should => "SHOULD",
            Strength::May => "MAY",
            Strength::Grey => "grey",
        }
    }
}

/// The settings that a requirement is tried with, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Configuration(pub Vec<(Setting, String)>);

/// One setting of a tracing SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    Propagators,
    /// The formats that are extracted, apart from those that are injected.
    Extract,
    Inject,
    Sampler,
    SamplerArgument,
    /// A composable sampler of consistent probability sampling.
    CompositeSampler,
    SdkDisabled,
    /// The relation of a CONSUMER span to its message (`fixtures/CONTRACT.md`).
    ConsumerRelation,
    /// Up to so many messages are processed together.
    ConsumerBatch,
    /// The fault of the collector that gets the target's spans.
    Collector,
}

impl Setting {
    pub const ALL: &'static [Setting] = &[
        Setting::Propagators,
        Setting::Extract,
        Setting::Inject,
        Setting::Sampler,
        Setting::SamplerArgument,
        Setting::CompositeSampler,
        Setting::SdkDisabled,
        Setting::ConsumerRelation,
        Setting::ConsumerBatch,
        Setting::Collector,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Setting::Propagators => "propagators",
            Setting::Extract => "extract",
            Setting::Inject => "inject",
            Setting::Sampler => "sampler",
            Setting::SamplerArgument => "sampler-argument",
            Setting::CompositeSampler => "composite-sampler",
            Setting::SdkDisabled => "sdk-disabled",
            Setting::ConsumerRelation => "consumer-relation",
            Setting::ConsumerBatch => "consumer-batch",
            Setting::Collector => "collector",
        }
    }

    /// Returns the variable that sets it: of OpenTelemetry, or else of a relay (`fixtures/CONTRACT.md` and the
    /// model relay's README); `None` where it is a part of another variable.
    pub fn variable(self) -> Option<&'static str> {
        match self {
            Setting::Propagators => Some("OTEL_PROPAGATORS"),
            Setting::Extract => Some("RELAY_EXTRACT"),
            Setting::Inject => Some("RELAY_INJECT"),
            Setting::Sampler => Some("OTEL_TRACES_SAMPLER"),
            Setting::SamplerArgument => Some("OTEL_TRACES_SAMPLER_ARG"),
            Setting::CompositeSampler => Some("RELAY_MODEL_SAMPLER"),
            Setting::SdkDisabled => Some("OTEL_SDK_DISABLED"),
            Setting::ConsumerRelation => Some("RELAY_CONSUMER_RELATION"),
            Setting::ConsumerBatch | Setting::Collector => None,
        }
    }

    /// Returns true for a setting that no variable of OpenTelemetry has.
    pub fn is_of_relays(self) -> bool {
        match self {
            Setting::Extract | Setting::Inject | Setting::CompositeSampler => true,
            // The suites that set these say with `needs` what a target must be able to do.
            Setting::ConsumerRelation | Setting::ConsumerBatch | Setting::Collector => false,
            Setting::Propagators | Setting::Sampler | Setting::SamplerArgument | Setting::SdkDisabled => {
                false
            }
        }
    }
}

impl Configuration {
    pub fn is_default(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == setting).map(|(_, value)| value.as_str())
    }

    /// Returns the first setting that no variable of OpenTelemetry has.
    pub fn of_relays(&self) -> Option<Setting> {
        self.0.iter().map(|(setting, _)| *setting).find(|setting| setting.is_of_relays())
    }

    /// Returns `propagators=b3, sampler=always_off`, or `default`.
    pub fn words(&self) -> String {
        if self.is_default() {
            return "default".to_owned();
        }
        let settings = self.0.iter().map(|(setting, value)| format!("{}={value}", setting.word()));
        settings.collect::<Vec<_>>().join(", ")
    }
}

/// One thing that is sent, and what may come of it.
#[derive(Clone, Debug)]
pub struct Vector {
    pub name: String,
    pub place: Place,
    /// The fields in their order, repeated ones too.
    pub send: Vec<(Text, Text)>,
    /// The configuration in which it is tried; empty for the default one.
    pub configuration: Configuration,
    /// The capabilities that a target must have, besides those of the requirement.
    pub needs: Vec<String>,
    /// The propagators alone are tried, without a request: what they are given.
    pub propagation: Option<Propagation>,
    /// The configuration of a second instance, which gets what the first one has sent; empty for one instance.
    pub then: Configuration,
    /// The answer of the service behind a forwarder, where it is not the usual one.
    pub upstream: Option<PreparedAnswer>,
    /// The steps of each request.
    pub steps: Vec<InstructionStep>,
    /// The number of calls in these steps.
    pub calls: usize,
    /// The steps make the target answer with an error.
    pub fails: bool,
    /// The number of requests, each with ids of its own.
    pub requests: usize,
    /// Statements over all contexts that come out.
    pub across: Vec<Across>,
    /// Statements about the context that each answer returns.
    pub response: Vec<ResponseStatement>,
    /// Statements about the spans of each request.
    pub telemetry: Vec<SpanStatement>,
    /// The outcomes that are allowed; the first is the one that the suite prefers.
    pub expect: Vec<AllowedOutcome>,
    /// The vector that must be continued for this one to prove anything: for those that may start a new trace only.
    pub twin: Option<String>,
    /// The levels that it is tried at.
    pub levels: std::ops::RangeInclusive<u8>,
}

impl Vector {
    /// Returns true when a new trace, or a refusal, is the only outcome that is allowed.
    pub fn must_restart(&self) -> bool {
        self.expect.iter().all(|one| matches!(one.kind, OutcomeKind::Restart | OutcomeKind::Refuse))
    }

    /// Returns true when it must be continued.
    pub fn must_continue(&self) -> bool {
        self.expect.iter().all(|outcome| outcome.kind == OutcomeKind::Continue)
    }
}

/// A statement over all contexts of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Across {
    /// The calls of one request carry one trace id.
    OneTraceARequest,
    /// Each request is in a trace of its own.
    DistinctTraces,
    /// No parent id is sent twice.
    DistinctParents,
    /// Propagation fields are written in lower case.
    LowerCaseNames,
    /// If a new trace has the random flag, the right-most seven bytes of its id look uniform.
    UniformTraceIds,
    /// The sampled flag is the same in every call of every request.
    OneDecision,
    /// The sampled flag is the same in every call of one request.
    OneDecisionARequest,
    /// The share of requests that are sampled is the argument of the sampler.
    SampledShare,
    /// Propagation fields have printable ASCII only.
    AsciiFields,
}

impl Across {
    pub const ALL: &'static [Across] = &[
        Across::OneTraceARequest,
        Across::DistinctTraces,
        Across::DistinctParents,
        Across::LowerCaseNames,
        Across::UniformTraceIds,
        Across::OneDecision,
        Across::OneDecisionARequest,
        Across::SampledShare,
        Across::AsciiFields,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Across::OneTraceARequest => "one-trace-a-request",
            Across::DistinctTraces => "distinct-traces",
            Across::DistinctParents => "distinct-parents",
            Across::LowerCaseNames => "lower-case-names",
            Across::UniformTraceIds => "uniform-trace-ids",
            Across::OneDecision => "one-decision",
            Across::OneDecisionARequest => "one-decision-a-request",
            Across::SampledShare => "sampled-share",
            Across::AsciiFields => "ascii-fields",
        }
    }
}

#[cfg(test)]
mod tests;
