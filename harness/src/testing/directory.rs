//! A directory of scenarios as tests: one for each case, listed and filtered as `cargo test` and `cargo nextest` do it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::{Builder, Runtime};

use super::judgement::Judgement;
use super::relay;
use super::run::{judge, read_problem};
use super::service::{self, Service, Wiring};
use super::settings::Settings;
use crate::diagnostic;
use crate::error_chain;
use crate::report::terminal::Again;
use crate::run::{SelectedCase, selection};
use crate::runtime::RuntimeKind;
use crate::verdict::Verdict;

/// Set to `ignore`, an inconclusive case is an ignored test with its reason. Set to `fail`, it is a failed test.
const INCONCLUSIVE: &str = "UNBROKEN_INCONCLUSIVE";

/// Runs every scenario below `folder`, one test for each case: the `main` of a test with `harness = false`.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     unbroken::testing::tests("tests/scenarios")
/// }
/// ```
///
/// Cargo runs a test in the folder of its package, so a relative path starts there. The options of `cargo test` work: a
/// name to filter by, `--exact`, `--skip`, `--list`, `--test-threads`.
pub fn tests(folder: impl AsRef<Path>) -> ExitCode {
    Tests::of(folder).run()
}

/// A directory of scenarios as tests, with settings beyond [`tests`].
#[derive(Debug)]
#[must_use = "nothing runs before `run`"]
pub struct Tests {
    paths: Vec<PathBuf>,
    settings: Settings,
    inconclusive: Inconclusive,
}

/// The result of the test for an inconclusive case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inconclusive {
    /// The test fails, since nothing shows that the context survives. The default.
    #[default]
    Fails,
    /// The test is ignored, with the reason. `cargo nextest` shows an ignored test of this kind as passed.
    Ignored,
}

impl Tests {
    /// Selects a folder with all scenarios below it, or one file.
    pub fn of(path: impl AsRef<Path>) -> Tests {
        let paths = vec![path.as_ref().to_owned()];
        Tests { paths, settings: Settings::default(), inconclusive: Inconclusive::default() }
    }

    /// Adds another folder or file.
    pub fn and(mut self, path: impl AsRef<Path>) -> Tests {
        self.paths.push(path.as_ref().to_owned());
        self
    }

    /// Runs the node `node` in this process in every scenario that has it; see [`Run::in_process`]. Cases run in
    /// parallel, each with its own service.
    ///
    /// [`Run::in_process`]: super::Run::in_process
    pub fn in_process<F, A>(mut self, node: &str, start: F) -> Tests
    where
        F: Fn(Wiring) -> A + Send + Sync + 'static,
        A: Future<Output = Service> + Send + 'static,
    {
        self.settings.services.push(service::in_process(node, start));
        self
    }

    /// Sets the result for inconclusive cases. `UNBROKEN_INCONCLUSIVE=ignore` or `=fail` overrides it.
    pub fn inconclusive(mut self, inconclusive: Inconclusive) -> Tests {
        self.inconclusive = inconclusive;
        self
    }

    /// Sets where brokers and relays run. `UNBROKEN_RUNTIME` overrides it.
    pub fn runtime(mut self, runtime: RuntimeKind) -> Tests {
        self.settings.runtime = runtime;
        self
    }

    /// Makes findings of what the standards only recommend.
    pub fn strict(mut self) -> Tests {
        self.settings.strict = true;
        self
    }

    /// Adds a file of accepted findings. Without any, the `baseline.json` of each folder counts.
    pub fn baseline(mut self, path: impl AsRef<Path>) -> Tests {
        self.settings.baselines.push(path.as_ref().to_owned());
        self
    }

    /// Runs the tests that the arguments of this process select. A process that was started as a relay runs the relay
    /// instead.
    pub fn run(self) -> ExitCode {
        crate::descriptors::raise_limit();
        if let Some(status) = relay::answer() {
            return status;
        }
        let arguments = Arguments::from_args();
        let conclusion = libtest_mimic::run(&arguments, self.trials());
        super::runtime::end();
        conclusion.exit_code()
    }

    fn trials(mut self) -> Vec<Trial> {
        if self.settings.baselines.is_empty() {
            self.settings.baselines = self.paths.iter().flat_map(|path| selection::baselines(path)).collect();
        }
        let mut trials = Vec::new();
        let mut cases = Vec::new();
        for path in &self.paths {
            let shown = path.display().to_string();
            match selection::files(path) {
                Ok(files) if files.is_empty() => {
                    trials.push(failing(shown, "the folder has no scenario file (`*.yaml`)".to_owned()));
                }
                Ok(files) => files.iter().for_each(|file| match selection::cases(file) {
                    Ok(read) => cases.extend(read),
                    Err(error) => trials.push(failing(file.display().to_string(), read_problem(error))),
                }),
                Err(error) => trials.push(failing(shown.clone(), format!("cannot read `{shown}`: {error}"))),
            }
        }
        while let Some((at, diagnostic)) = selection::name_taken(&cases) {
            let source = cases[at].scenario.source.clone();
            cases.retain(|case| !Arc::ptr_eq(&case.scenario.source, &source));
            trials.push(failing(source.name().to_owned(), diagnostic::render(&source, &[diagnostic], false)));
        }
        let settings = Arc::new(self.settings);
        let inconclusive = self.inconclusive;
        let paths = self.paths;
        trials.extend(cases.into_iter().map(|case| match selection::missing_program(&case, &paths) {
            Some(why) => skipped(&case, why),
            None => trial(case, settings.clone(), inconclusive),
        }));
        trials
    }
}

/// Returns a test for something that cannot run as a case.
fn failing(name: String, why: String) -> Trial {
    Trial::test(name, move || Err(Failed::from(why)))
}

/// Returns a test that is ignored, with the reason.
fn skipped(case: &SelectedCase, why: String) -> Trial {
    Trial::ignorable_test(case.scenario.title(), move || Ok(Completion::ignored_with(why)))
}

fn trial(case: SelectedCase, settings: Arc<Settings>, inconclusive: Inconclusive) -> Trial {
    Trial::ignorable_test(case.scenario.title(), move || {
        let runtime = shared_runtime().map_err(Failed::from)?;
        result_of(&runtime.block_on(judge(&[case], &settings, Again::Trial)), inconclusive)
    })
}

fn result_of(judgement: &Judgement, inconclusive: Inconclusive) -> Result<Completion, Failed> {
    let inconclusive = match std::env::var(INCONCLUSIVE).as_deref() {
        Ok("ignore") => Inconclusive::Ignored,
        Ok("fail") => Inconclusive::Fails,
        _ => inconclusive,
    };
    match (judgement.verdict(), inconclusive) {
        (Verdict::Pass, _) => Ok(Completion::Completed),
        (Verdict::Inconclusive, Inconclusive::Ignored) => Ok(Completion::ignored_with(judgement.reason())),
        (Verdict::Inconclusive, Inconclusive::Fails) | (Verdict::Fail, _) => {
            Err(Failed::from(judgement.story()))
        }
    }
}

/// The runtime of the process could not be started.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot start the threads of this process: {0}")]
struct NoRuntime(String);

/// Returns the runtime of the whole process, which the first case that runs starts.
fn shared_runtime() -> Result<&'static Runtime, NoRuntime> {
    static RUNTIME: OnceLock<Result<Runtime, NoRuntime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let runtime = Builder::new_multi_thread().thread_name("unbroken").enable_all().build();
        runtime.map_err(|error| NoRuntime(error_chain::one_line(&error)))
    });
    runtime.as_ref().map_err(Clone::clone)
}
