//! The builder: one scenario against services of this process, from an ordinary asynchronous test.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::judged::{Judged, told};
use super::runtime;
use super::service::{self, Service, Wiring};
use super::settings::{Settings, SettingsError};
use crate::diagnostic;
use crate::report::Outcome;
use crate::report::terminal::Again;
use crate::run::{Chosen, selection, suite};
use crate::runtime::Kind;
use crate::scenario::{ReadError, Scenario};
use crate::source::Source;

/// One scenario that is about to be run. Nothing is read or started before `judge`.
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

impl Run {
    /// A scenario file; a relative path is looked up from the folder of the package, where `cargo test` runs tests.
    pub fn file(path: impl AsRef<Path>) -> Run {
        Run::of(Origin::File(path.as_ref().to_owned()))
    }

    /// A scenario as text, as it would stand in a file.
    pub fn yaml(text: impl Into<String>) -> Run {
        Run::of(Origin::Text(text.into()))
    }

    /// A case that was read, or built in code.
    pub fn scenario(scenario: Scenario) -> Run {
        Run::of(Origin::Scenario(Arc::new(scenario)))
    }

    fn of(origin: Origin) -> Run {
        Run { origin, case: None, settings: Settings::default() }
    }

    /// The node `node` lives in this process, whatever the scenario says of its kind: the same file can be run with
    /// the node as a program elsewhere. `start` is called once a case, when everything around the service listens.
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

    /// Only this case of the matrix, such as `sampled=true`.
    pub fn case(mut self, case: &str) -> Run {
        self.case = Some(case.to_owned());
        self
    }

    /// Ids are minted from it. Left out, it is `UNBROKEN_SEED` or another one each time.
    pub fn seed(mut self, seed: u64) -> Run {
        self.settings.seed = Some(seed);
        self
    }

    /// In place of the scenario's own timeout.
    pub fn timeout(mut self, timeout: Duration) -> Run {
        self.settings.timeout = Some(timeout);
        self
    }

    /// Where brokers and relays run; `UNBROKEN_RUNTIME` in the environment wins over it.
    pub fn runtime(mut self, runtime: Kind) -> Run {
        self.settings.runtime = runtime;
        self
    }

    /// What is worth saying counts as a finding, too.
    pub fn strict(mut self) -> Run {
        self.settings.strict = true;
        self
    }

    /// A file of findings that are known and accepted.
    pub fn baseline(mut self, path: impl AsRef<Path>) -> Run {
        self.settings.baselines.push(path.as_ref().to_owned());
        self
    }

    /// Runs every case, one after the other, on the runtime of the caller.
    pub async fn judge(self) -> Judged {
        match self.cases() {
            Ok(cases) => judge(&cases, &self.settings, Again::Test).await,
            Err(trouble) => Judged::could_not(trouble),
        }
    }

    fn cases(&self) -> Result<Vec<Chosen>, String> {
        let mut cases = match &self.origin {
            Origin::File(path) => selection::cases(path).map_err(mistakes)?,
            Origin::Text(text) => {
                let source = Source::new("scenario", text.as_str());
                selection::cases_of(&source, Path::new("")).map_err(mistakes)?
            }
            Origin::Scenario(scenario) => {
                let folder = std::env::current_dir().unwrap_or_default();
                vec![Chosen { scenario: scenario.clone(), folder }]
            }
        };
        if let Some(wanted) = &self.case {
            let known = cases.iter().map(|chosen| format!("`{}`", chosen.scenario.case)).collect();
            cases.retain(|chosen| chosen.scenario.case == *wanted);
            if cases.is_empty() {
                let error = SettingsError::NoSuchCase { wanted: wanted.clone(), cases: known };
                return Err(told(&error));
            }
        }
        let misfit = cases.iter().find_map(|chosen| self.settings.fits(&chosen.scenario).err());
        misfit.map_or(Ok(cases), |error| Err(told(&error)))
    }
}

/// Every mistake with its caret, or why the file cannot be read.
pub(super) fn mistakes(error: ReadError) -> String {
    match error {
        ReadError::Bad { text, diagnostics } => diagnostic::render(&text, &diagnostics, false),
        ReadError::Io { .. } => told(&error),
    }
}

pub(super) async fn judge(cases: &[Chosen], settings: &Settings, again: Again) -> Judged {
    let options = match settings.suite() {
        Ok(options) => options,
        Err(error) => return Judged::could_not(told(&error)),
    };
    let cases: Vec<Chosen> = cases.iter().map(|chosen| settings.at_home(chosen)).collect();
    let with = runtime::said().map(|kind| format!("{}={}", runtime::RUNTIME, kind.word()));
    let with = with.into_iter().collect();
    let outcome = Mutex::new(Outcome { with, ..Outcome::default() });
    let take = |progress| outcome.lock().unwrap_or_else(PoisonError::into_inner).take(&progress);
    let end = suite(&cases, &options, std::future::pending(), take).await;
    let judged = Judged::new(outcome.into_inner().unwrap_or_else(PoisonError::into_inner), again);
    match end.not_kept.first() {
        Some((path, error)) => {
            let path = path.display();
            judged.with_trouble(format!("error: the evidence could not be kept in `{path}`: {error}"))
        }
        None => judged,
    }
}
