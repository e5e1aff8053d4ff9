//! A directory of scenarios as tests: one for each case, told apart, filtered and listed as `cargo test` does it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::{Builder, Runtime};

use super::judged::{Judged, told};
use super::relay;
use super::run::{judge, mistakes};
use super::service::{self, Service, Wiring};
use super::settings::Settings;
use crate::diagnostic;
use crate::report::terminal::Again;
use crate::run::{Chosen, selection};
use crate::runtime::Kind;
use crate::verdict::Verdict;

/// Set to `ignore`, an inconclusive case is an ignored test with its reason instead of a failed one.
const INCONCLUSIVE: &str = "UNBROKEN_INCONCLUSIVE";

/// What a folder's accepted findings stand in, if nothing else is said.
const BESIDE: &str = "baseline.json";

/// Every scenario below `folder`, one test for each case: the `main` of a test with `harness = false`.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     unbroken::testing::tests("tests/scenarios")
/// }
/// ```
///
/// A relative path is looked up from the folder of the package. What `cargo test -- --help` offers works: a name to
/// filter by, `--exact`, `--skip`, `--list`, `--test-threads`.
pub fn tests(folder: impl AsRef<Path>) -> ExitCode {
    Tests::of(folder).run()
}

/// The same with more to say than a folder.
#[derive(Debug)]
#[must_use = "nothing is run before `run`"]
pub struct Tests {
    paths: Vec<PathBuf>,
    settings: Settings,
    inconclusive: Inconclusive,
}

/// What becomes of a case that could not be decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inconclusive {
    /// It fails: nobody has seen that the context survives. The default.
    #[default]
    Fails,
    /// It is ignored, with the reason. What `nextest` makes of it is a passed test.
    Ignored,
}

impl Tests {
    /// A folder with all scenarios below it, or one file.
    pub fn of(path: impl AsRef<Path>) -> Tests {
        let paths = vec![path.as_ref().to_owned()];
        Tests { paths, settings: Settings::default(), inconclusive: Inconclusive::default() }
    }

    /// These, too.
    pub fn and(mut self, path: impl AsRef<Path>) -> Tests {
        self.paths.push(path.as_ref().to_owned());
        self
    }

    /// In every scenario that has a node `node`, it lives in this process; see `Run::in_process`. Cases run side by
    /// side, and each has a service of its own.
    pub fn in_process<F, A>(mut self, node: &str, start: F) -> Tests
    where
        F: Fn(Wiring) -> A + Send + Sync + 'static,
        A: Future<Output = Service> + Send + 'static,
    {
        self.settings.services.push(service::in_process(node, start));
        self
    }

    /// `UNBROKEN_INCONCLUSIVE=ignore` or `=fail` in the environment wins over it.
    pub fn inconclusive(mut self, inconclusive: Inconclusive) -> Tests {
        self.inconclusive = inconclusive;
        self
    }

    /// Where brokers and relays run; `UNBROKEN_RUNTIME` in the environment wins over it.
    pub fn runtime(mut self, runtime: Kind) -> Tests {
        self.settings.runtime = runtime;
        self
    }

    /// What is worth saying counts as a finding, too.
    pub fn strict(mut self) -> Tests {
        self.settings.strict = true;
        self
    }

    /// A file of findings that are known and accepted. Without one, the `baseline.json` of the folder counts.
    pub fn baseline(mut self, path: impl AsRef<Path>) -> Tests {
        self.settings.baselines.push(path.as_ref().to_owned());
        self
    }

    /// Runs what the arguments of this process select. A process that was started as a relay is one instead.
    pub fn run(self) -> ExitCode {
        if let Some(ended) = relay::answer() {
            return ended;
        }
        let arguments = Arguments::from_args();
        let conclusion = libtest_mimic::run(&arguments, self.trials());
        super::runtime::end();
        conclusion.exit_code()
    }

    fn trials(mut self) -> Vec<Trial> {
        if self.settings.baselines.is_empty() {
            let beside = self.paths.iter().map(|path| path.join(BESIDE));
            self.settings.baselines = beside.filter(|path| path.is_file()).collect();
        }
        let mut trials = Vec::new();
        let mut cases = Vec::new();
        for path in &self.paths {
            let shown = path.display().to_string();
            match selection::files(path) {
                Ok(files) if files.is_empty() => {
                    trials.push(failing(shown, "there is no scenario file (`*.yaml`) there".to_owned()));
                }
                Ok(files) => files.iter().for_each(|file| match selection::cases(file) {
                    Ok(read) => cases.extend(read),
                    Err(error) => trials.push(failing(file.display().to_string(), mistakes(error))),
                }),
                Err(error) => trials.push(failing(shown.clone(), format!("cannot read `{shown}`: {error}"))),
            }
        }
        while let Some((at, mistake)) = selection::name_taken(&cases) {
            let source = cases[at].scenario.source.clone();
            cases.retain(|chosen| !Arc::ptr_eq(&chosen.scenario.source, &source));
            trials.push(failing(source.name().to_owned(), diagnostic::render(&source, &[mistake], false)));
        }
        let settings = Arc::new(self.settings);
        let inconclusive = self.inconclusive;
        trials.extend(cases.into_iter().map(|chosen| trial(chosen, settings.clone(), inconclusive)));
        trials
    }
}

/// A test for what is no case at all.
fn failing(name: String, why: String) -> Trial {
    Trial::test(name, move || Err(Failed::from(why)))
}

fn trial(chosen: Chosen, settings: Arc<Settings>, inconclusive: Inconclusive) -> Trial {
    Trial::ignorable_test(chosen.scenario.title(), move || {
        let runtime = runtime().map_err(Failed::from)?;
        ended(&runtime.block_on(judge(&[chosen], &settings, Again::Trial)), inconclusive)
    })
}

fn ended(judged: &Judged, inconclusive: Inconclusive) -> Result<Completion, Failed> {
    let inconclusive = match std::env::var(INCONCLUSIVE).as_deref() {
        Ok("ignore") => Inconclusive::Ignored,
        Ok("fail") => Inconclusive::Fails,
        _ => inconclusive,
    };
    match (judged.verdict(), inconclusive) {
        (Verdict::Pass, _) => Ok(Completion::Completed),
        (Verdict::Inconclusive, Inconclusive::Ignored) => Ok(Completion::ignored_with(judged.reason())),
        _ => Err(Failed::from(judged.story())),
    }
}

/// One for the whole process, begun by the first case that runs.
fn runtime() -> Result<&'static Runtime, String> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let begun = RUNTIME.get_or_init(|| {
        let begun = Builder::new_multi_thread().thread_name("unbroken").enable_all().build();
        begun.map_err(|error| told(&error))
    });
    begun.as_ref().map_err(Clone::clone)
}
