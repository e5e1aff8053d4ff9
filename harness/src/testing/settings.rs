//! What is settled for a run beyond its scenarios: by the test's own code, and by the environment.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{brokers, relay, runtime};
use crate::run::{CaseOptions, Chosen, JudgeSettings, SuiteOptions, fresh_seed};
use crate::runtime::{InProcess, Kind, RuntimeOptions};
use crate::scenario::{NodeKind, Scenario};
use crate::verdict::baseline::{Baseline, BaselineError};

/// The seed that a failed run printed; it mints the same ids again.
const SEED: &str = "UNBROKEN_SEED";
/// A folder for the evidence of every case, which `unbroken judge` reads.
const KEEP_EVIDENCE: &str = "UNBROKEN_KEEP_EVIDENCE";

#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) services: Vec<InProcess>,
    pub(super) seed: Option<u64>,
    pub(super) timeout: Option<Duration>,
    pub(super) strict: bool,
    pub(super) runtime: Kind,
    pub(super) baselines: Vec<PathBuf>,
}

/// What keeps a test from being run at all, besides the scenario and the machine.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    #[error("`{SEED}={0}` is no number: write the seed as it was printed")]
    Seed(String),
    #[error("{0}")]
    Runtime(String),
    #[error("cannot read the baseline `{}`", path.display())]
    NoBaseline { path: PathBuf, source: std::io::Error },
    #[error("`{}` cannot be used", path.display())]
    Baseline { path: PathBuf, source: BaselineError },
    #[error("`.in_process(\"{service}\", ...)`: the scenario has no such node, it has {}", nodes.join(", "))]
    NoSuchNode { service: String, nodes: Vec<String> },
    #[error("`.case(\"{wanted}\")`: no case is called so, there are {}", cases.join(", "))]
    NoSuchCase { wanted: String, cases: Vec<String> },
}

impl Settings {
    /// One case after the other: a service that lives in this process may not like company.
    pub(super) fn suite(&self) -> Result<SuiteOptions, SettingsError> {
        let mut options = RuntimeOptions {
            kind: self.runtime,
            relay: relay::program(),
            in_process: self.services.clone(),
            brokers: brokers::stand_ins(),
            ..RuntimeOptions::default()
        };
        runtime::choose(&mut options).map_err(SettingsError::Runtime)?;
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
            let unread = |source| SettingsError::NoBaseline { path: path.clone(), source };
            let unfit = |source| SettingsError::Baseline { path: path.clone(), source };
            let text = std::fs::read_to_string(path).map_err(unread)?;
            all.get_or_insert_default().accepted.extend(Baseline::read(&text).map_err(unfit)?.accepted);
        }
        Ok(all)
    }

    /// The same case with every node that lives in this process, whatever the file says of it.
    pub(super) fn at_home(&self, chosen: &Chosen) -> Chosen {
        let mut chosen = chosen.clone();
        let here = |name: &str| self.services.iter().any(|service| service.node == name);
        for node in &mut Arc::make_mut(&mut chosen.scenario).nodes {
            if here(&node.name) {
                // A stub exports nothing, the service in its place does.
                node.telemetry |= !node.kind.can_export_telemetry();
                node.kind = NodeKind::InProcess;
            }
        }
        chosen
    }

    /// Every service is a node of the scenario.
    pub(super) fn fits(&self, scenario: &Scenario) -> Result<(), SettingsError> {
        let names = || scenario.nodes.iter().filter(|node| !node.kind.is_client());
        match self.services.iter().find(|service| !names().any(|node| node.name == service.node)) {
            Some(stray) => Err(SettingsError::NoSuchNode {
                service: stray.node.clone(),
                nodes: names().map(|node| format!("`{}`", node.name)).collect(),
            }),
            None => Ok(()),
        }
    }
}
