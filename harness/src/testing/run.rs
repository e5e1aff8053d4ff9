//! One scenario against services of this process, from an ordinary asynchronous test.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::judgement::Judgement;
use super::runtime;
use super::service::{self, Service, Wiring};
use super::settings::{Settings, SettingsError};
use crate::diagnostic;
use crate::error_chain;
use crate::report::Outcome;
use crate::report::terminal::Again;
use crate::run::{SelectedCase, selection, suite};
use crate::runtime::RuntimeKind;
use crate::scenario::{Scenario, ScenarioReadError};
use crate::source::Source;

/// A scenario to run. Nothing is read or started before `judge`.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `judge` is awaited"]
pub struct Run {
    origin: Origin,
    case: Option<String>,
    settings: Settings,
}

#[derive(Clone, Debug)]
enum Origin {
    File(PathBuf),
    Text(String),
    Scenario(Arc<Scenario>),
}

/// The reason why no case of a scenario can run.
#[derive(Debug, thiserror::Error)]
enum CasesError {
    #[error(transparent)]
    Read(#[from] ScenarioReadError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl Run {
    /// Runs a scenario file. `cargo test` runs tests in the folder of the package, so a relative path starts there.
    pub fn file(path: impl AsRef<Path>) -> Run {
        Run::of(Origin::File(path.as_ref().to_owned()))
    }

    /// Runs a scenario from text, in the format of a file.
    pub fn yaml(text: impl Into<String>) -> Run {
        Run::of(Origin::Text(text.into()))
    }

    /// Runs one case that was read before.
    #[doc(hidden)]
    pub fn scenario(scenario: Scenario) -> Run {
        Run::of(Origin::Scenario(Arc::new(scenario)))
    }

    fn of(origin: Origin) -> Run {
        Run { origin, case: None, settings: Settings::default() }
    }

    /// Runs the node `node` in this process, whatever kind of node the scenario declares: the same file can run with
    /// the node as a program elsewhere. `start` is called once for each case, when everything around the service
    /// listens.
    ///
    /// # Panics
    /// `judge` panics when `start` does.
    pub fn in_process<F, A>(mut self, node: &str, start: F) -> Run
    where
        F: Fn(Wiring) -> A + Send + Sync + 'static,
        A: Future<Output = Service> + Send + 'static,
    {
        self.settings.services.push(service::in_process(node, start));
        self
    }

    /// Selects one case of the matrix, such as `sampled=true`.
    pub fn case(mut self, case: &str) -> Run {
        self.case = Some(case.to_owned());
        self
    }

    /// Sets the seed of all ids. The default is `UNBROKEN_SEED`, or a new seed for each run.
    pub fn seed(mut self, seed: u64) -> Run {
        self.settings.seed = Some(seed);
        self
    }

    /// Overrides the timeout of the scenario.
    pub fn timeout(mut self, timeout: Duration) -> Run {
        self.settings.timeout = Some(timeout);
        self
    }

    /// Sets where brokers and relays run. `UNBROKEN_RUNTIME` overrides it.
    pub fn runtime(mut self, runtime: RuntimeKind) -> Run {
        self.settings.runtime = runtime;
        self
    }

    /// Makes findings of what the standards only recommend.
    pub fn strict(mut self) -> Run {
        self.settings.strict = true;
        self
    }

    /// Adds a file of accepted findings.
    pub fn baseline(mut self, path: impl AsRef<Path>) -> Run {
        self.settings.baselines.push(path.as_ref().to_owned());
        self
    }

    /// Runs every case, one after the other, on the runtime of the caller.
    pub async fn judge(self) -> Judgement {
        match self.cases() {
            Ok(cases) => judge(&cases, &self.settings, Again::Test).await,
            Err(CasesError::Read(error)) => Judgement::could_not_run(read_problem(error)),
            Err(CasesError::Settings(error)) => Judgement::could_not_run(error_chain::lines(&error)),
        }
    }

    fn cases(&self) -> Result<Vec<SelectedCase>, CasesError> {
        let mut cases = match &self.origin {
            Origin::File(path) => selection::cases(path)?,
            Origin::Text(text) => {
                let source = Source::new("scenario", text.as_str());
                selection::cases_of(&source, Path::new(""))?
            }
            Origin::Scenario(scenario) => {
                let folder = std::env::current_dir().unwrap_or_default();
                vec![SelectedCase { scenario: scenario.clone(), folder }]
            }
        };
        if let Some(wanted) = &self.case {
            let known = cases.iter().map(|case| format!("`{}`", case.scenario.case)).collect();
            cases.retain(|case| case.scenario.case == *wanted);
            if cases.is_empty() {
                let error = SettingsError::NoSuchCase { wanted: wanted.clone(), cases: known };
                return Err(error.into());
            }
        }
        for case in &cases {
            self.settings.check(&case.scenario)?;
        }
        Ok(cases)
    }
}

/// Renders every diagnostic with its caret, or why the file cannot be read.
pub(super) fn read_problem(error: ScenarioReadError) -> String {
    match error {
        ScenarioReadError::Bad { text, diagnostics } => diagnostic::render(&text, &diagnostics, false),
        ScenarioReadError::Io { .. } => error_chain::lines(&error),
    }
}

pub(super) async fn judge(cases: &[SelectedCase], settings: &Settings, again: Again) -> Judgement {
    let options = match settings.suite() {
        Ok(options) => options,
        Err(error) => return Judgement::could_not_run(error_chain::lines(&error)),
    };
    let cases: Vec<SelectedCase> = cases.iter().map(|case| settings.move_in(case)).collect();
    let with = runtime::chosen_by_environment().map(|kind| format!("{}={}", runtime::RUNTIME, kind.word()));
    let with = with.into_iter().collect();
    let outcome = Mutex::new(Outcome { with, ..Outcome::default() });
    let end =
        suite(&cases, &options, std::future::pending(), |progress| outcome.lock().take(&progress)).await;
    if let Some(panic) = end.panic {
        std::panic::resume_unwind(panic);
    }
    let judgement = Judgement::new(outcome.into_inner(), again);
    match end.not_kept.first() {
        Some((path, error)) => {
            let path = path.display();
            judgement.with_problem(format!("error: cannot write the evidence to `{path}`: {error}"))
        }
        None => judgement,
    }
}
