//! The settings of a run beyond its scenarios, from the code of the test and from the environment.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::runtime::RuntimeChoiceError;
use super::{brokers, relay, runtime};
use crate::run::{CaseOptions, JudgeSettings, SelectedCase, SuiteOptions, fresh_seed};
use crate::runtime::{InProcessService, RuntimeKind, RuntimeOptions};
use crate::scenario::{Node, NodeKind, Scenario};
use crate::verdict::baseline::{Baseline, BaselineError};

/// The seed that a failed run printed, to get the same ids again.
const SEED: &str = "UNBROKEN_SEED";
/// A folder for the evidence of every case, which `unbroken judge` reads.
const KEEP_EVIDENCE: &str = "UNBROKEN_KEEP_EVIDENCE";

#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) services: Vec<InProcessService>,
    pub(super) seed: Option<u64>,
    pub(super) timeout: Option<Duration>,
    pub(super) strict: bool,
    pub(super) runtime: RuntimeKind,
    pub(super) baselines: Vec<PathBuf>,
}

/// A setting with which no case can run.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    #[error("`{SEED}={0}` is not a number: write the seed as it was printed")]
    Seed(String),
    #[error(transparent)]
    Runtime(#[from] RuntimeChoiceError),
    #[error("cannot read the baseline `{}`", path.display())]
    NoBaseline { path: PathBuf, source: std::io::Error },
    #[error("cannot use the baseline `{}`", path.display())]
    Baseline { path: PathBuf, source: BaselineError },
    #[error("`.in_process(\"{service}\", ...)`: the scenario has no such node; its nodes are {}", nodes.join(", "))]
    NoSuchNode { service: String, nodes: Vec<String> },
    #[error("`.case(\"{wanted}\")`: the scenario has no such case; its cases are {}", cases.join(", "))]
    NoSuchCase { wanted: String, cases: Vec<String> },
}

impl Settings {
    /// Returns the options of the run. Cases run one after the other, since a service of this process may not support
    /// a second instance beside it.
    pub(super) fn suite(&self) -> Result<SuiteOptions, SettingsError> {
        let mut options = RuntimeOptions {
            kind: self.runtime,
            relay: relay::program(),
            in_process: self.services.clone(),
            brokers: brokers::stand_ins(),
            ..RuntimeOptions::default()
        };
        runtime::choose(&mut options)?;
        let judge =
            JudgeSettings { strict: self.strict, baseline: self.baseline()?, ..JudgeSettings::default() };
        Ok(SuiteOptions {
            case: CaseOptions { runtime: options, judge },
            jobs: 1,
            repeats: 1,
            seed: self.seed()?,
            fail_fast: false,
            timeout: self.timeout,
            keep_evidence: env::var_os(KEEP_EVIDENCE).map(PathBuf::from),
        })
    }

    fn seed(&self) -> Result<u64, SettingsError> {
        match (self.seed, env::var(SEED)) {
            (Some(seed), _) => Ok(seed),
            (None, Ok(text)) => text.trim().parse().map_err(|_| SettingsError::Seed(text)),
            (None, Err(_)) => Ok(fresh_seed()),
        }
    }

    fn baseline(&self) -> Result<Option<Baseline>, SettingsError> {
        let mut all: Option<Baseline> = None;
        for path in &self.baselines {
            let text = std::fs::read_to_string(path)
                .map_err(|source| SettingsError::NoBaseline { path: path.clone(), source })?;
            let read = Baseline::read(&text)
                .map_err(|source| SettingsError::Baseline { path: path.clone(), source })?;
            all.get_or_insert_default().accepted.extend(read.accepted);
        }
        Ok(all)
    }

    /// Returns the case with every service of this process as an in-process node, whatever kind the file declares.
    pub(super) fn move_in(&self, case: &SelectedCase) -> SelectedCase {
        let mut case = case.clone();
        for node in &mut Arc::make_mut(&mut case.scenario).nodes {
            if self.services.iter().any(|service| service.node == node.name) {
                // A stub exports nothing, the service in its place does.
                node.telemetry |= !node.kind.can_export_telemetry();
                node.kind = NodeKind::InProcess;
            }
        }
        case
    }

    /// Checks that every service is a node of the scenario.
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), SettingsError> {
        let nodes: Vec<&Node> = scenario.nodes.iter().filter(|node| !node.kind.is_client()).collect();
        for service in &self.services {
            if !nodes.iter().any(|node| node.name == service.node) {
                return Err(SettingsError::NoSuchNode {
                    service: service.node.clone(),
                    nodes: nodes.iter().map(|node| format!("`{}`", node.name)).collect(),
                });
            }
        }
        Ok(())
    }
}
