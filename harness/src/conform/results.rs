//! The results of a run: a verdict for each vector, rolled up to requirements and to the whole.

use std::sync::Arc;
use std::time::Duration;

use super::judge::Mismatch;
use super::suite::{Requirement, Strength};
use super::transport::TransportRoute;
use crate::evidence::RawFields;

/// A run of the suite against one implementation.
#[derive(Clone, Debug)]
pub struct Results {
    pub implementation: Implementation,
    pub level: u8,
    /// A SHOULD that is not met fails the run.
    pub is_strict: bool,
    pub seed: u64,
    pub took: Duration,
    pub is_interrupted: bool,
    /// `2/4`, where the requirements are those of one of several shards.
    pub shard: Option<String>,
    pub requirements: Vec<RequirementResult>,
    /// Vectors that a baseline accepts as failing, and that pass.
    pub fixed: Vec<String>,
}

/// The implementation that was tried, as far as it names itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Implementation {
    /// The name on the command line.
    pub target: String,
    pub name: Option<String>,
    pub version: Option<String>,
    pub language: Option<String>,
    /// Pages about it, from a target file.
    pub links: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct RequirementResult {
    pub suite: String,
    pub requirement: Arc<Requirement>,
    pub vectors: Vec<VectorResult>,
}

#[derive(Clone, Debug)]
pub struct VectorResult {
    pub name: String,
    /// `http/1.1`, or `kafka -> grpc` where the call went out over another transport.
    pub transport: String,
    pub verdict: ConformanceVerdict,
    /// The outcome that it had, of those allowed.
    pub outcome: Option<String>,
    pub mismatch: Option<Box<Mismatch>>,
    /// The baseline accepts the mismatch.
    pub known: Option<KnownDeviation>,
    /// The reason why it could not be decided, or is not supported.
    pub reason: Option<String>,
    pub notes: Vec<String>,
    /// The last output lines of the target after a request that it did not answer well.
    pub output: Vec<String>,
    /// The fields of the request that the verdict is about.
    pub sent: RawFields,
    /// The propagation fields of each call that the target made for it.
    pub received: Vec<RawFields>,
    /// The request as a command of a shell; empty where nothing was sent.
    pub curl: String,
}

/// The reason for which a baseline accepts a deviation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KnownDeviation {
    pub reason: String,
    /// The page of the upstream issue.
    pub link: Option<String>,
}

impl KnownDeviation {
    /// Returns `the reason (https://...)`.
    pub fn words(&self) -> String {
        match &self.link {
            Some(link) => format!("{} ({link})", self.reason),
            None => self.reason.clone(),
        }
    }
}

impl VectorResult {
    /// Returns `version.ff`, or `version.ff over kafka`.
    pub fn title(&self) -> String {
        if self.transport == TransportRoute::HTTP.words() {
            return self.name.clone();
        }
        format!("{} over {}", self.name, self.transport)
    }
}

/// From the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConformanceVerdict {
    Pass,
    /// The target reports beforehand that it cannot do this.
    Unsupported,
    Inconclusive,
    /// A SHOULD that is not met.
    Deviates,
    Fail,
}

impl ConformanceVerdict {
    pub const ALL: &'static [ConformanceVerdict] = &[
        ConformanceVerdict::Pass,
        ConformanceVerdict::Unsupported,
        ConformanceVerdict::Inconclusive,
        ConformanceVerdict::Deviates,
        ConformanceVerdict::Fail,
    ];

    pub fn word(self) -> &'static str {
        match self {
            ConformanceVerdict::Pass => "pass",
            ConformanceVerdict::Unsupported => "unsupported",
            ConformanceVerdict::Inconclusive => "inconclusive",
            ConformanceVerdict::Deviates => "deviates",
            ConformanceVerdict::Fail => "fail",
        }
    }

    /// Returns the verdict on a vector of this strength whose outcome is not allowed.
    pub fn of_misfit(strength: Strength) -> ConformanceVerdict {
        match strength {
            Strength::Should => ConformanceVerdict::Deviates,
            Strength::Must | Strength::May | Strength::Grey => ConformanceVerdict::Fail,
        }
    }
}

/// The number of requirements or vectors with each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([usize; ConformanceVerdict::ALL.len()]);

impl Counts {
    pub fn of(verdicts: impl Iterator<Item = ConformanceVerdict>) -> Counts {
        let mut counts = Counts::default();
        verdicts.for_each(|verdict| counts.0[verdict as usize] += 1);
        counts
    }

    pub fn get(&self, verdict: ConformanceVerdict) -> usize {
        self.0[verdict as usize]
    }

    pub fn all(&self) -> usize {
        self.0.iter().sum()
    }
}

/// The groups that a report sums up apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequirementGroup {
    /// MUST, at this level of the W3C documents.
    Must(u8),
    Should,
    /// MAY and grey, where the report names the outcome.
    Open,
}

impl RequirementGroup {
    pub const ALL: &'static [RequirementGroup] = &[
        RequirementGroup::Must(1),
        RequirementGroup::Must(2),
        RequirementGroup::Must(3),
        RequirementGroup::Should,
        RequirementGroup::Open,
    ];

    pub fn word(self) -> String {
        match self {
            RequirementGroup::Must(level) => format!("MUST, level {level}"),
            RequirementGroup::Should => "SHOULD".to_owned(),
            RequirementGroup::Open => "MAY and grey".to_owned(),
        }
    }

    fn has(self, requirement: &Requirement) -> bool {
        match (self, requirement.strength) {
            (RequirementGroup::Must(level), Strength::Must) => level == requirement.level,
            (RequirementGroup::Should, Strength::Should)
            | (RequirementGroup::Open, Strength::May | Strength::Grey) => true,
            (RequirementGroup::Must(_) | RequirementGroup::Should | RequirementGroup::Open, _) => false,
        }
    }
}

impl RequirementResult {
    /// Returns the worst verdict of its vectors: unsupported only if all are.
    pub fn verdict(&self) -> ConformanceVerdict {
        let supported = self
            .vectors
            .iter()
            .map(|vector| vector.verdict)
            .filter(|v| *v != ConformanceVerdict::Unsupported);
        supported.max().unwrap_or(ConformanceVerdict::Unsupported)
    }
}

impl Results {
    pub fn vectors(&self) -> impl Iterator<Item = &VectorResult> {
        self.requirements.iter().flat_map(|requirement| &requirement.vectors)
    }

    pub fn vector_counts(&self) -> Counts {
        Counts::of(self.vectors().map(|vector| vector.verdict))
    }

    pub fn requirement_counts(&self) -> Counts {
        Counts::of(self.requirements.iter().map(RequirementResult::verdict))
    }

    /// Returns the counts of requirements for each group that has any.
    pub fn groups(&self) -> Vec<(RequirementGroup, Counts)> {
        let mut groups = Vec::new();
        for group in RequirementGroup::ALL {
            let members = self.requirements.iter().filter(|one| group.has(&one.requirement));
            let counts = Counts::of(members.map(RequirementResult::verdict));
            if counts.all() > 0 {
                groups.push((*group, counts));
            }
        }
        groups
    }

    /// Returns the number of vectors whose mismatch a baseline accepts.
    pub fn known(&self) -> usize {
        self.vectors().filter(|vector| vector.known.is_some()).count()
    }

    /// Returns the verdict on the whole run. A deviation is a failure if `is_strict`, otherwise a pass; one that the
    /// baseline accepts is a pass. Unsupported vectors do not fail a run, but a run of nothing else is inconclusive.
    pub fn verdict(&self) -> ConformanceVerdict {
        let counts = self.vector_counts();
        let new = Counts::of(self.vectors().filter(|one| one.known.is_none()).map(|one| one.verdict));
        if new.get(ConformanceVerdict::Fail) > 0
            || self.is_strict && new.get(ConformanceVerdict::Deviates) > 0
        {
            ConformanceVerdict::Fail
        } else if counts.get(ConformanceVerdict::Inconclusive) > 0
            || self.is_interrupted
            || counts.get(ConformanceVerdict::Unsupported) == counts.all()
        {
            ConformanceVerdict::Inconclusive
        } else {
            ConformanceVerdict::Pass
        }
    }
}
