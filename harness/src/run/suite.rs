//! Runs many cases in parallel, in repeats, until all have ended, one has failed under `fail_fast`, or the run is
//! interrupted.

use std::any::Any;
use std::collections::HashMap;
use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};

use super::case::{CaseOptions, case_with_lines};
use super::case_run::CaseRun;
use super::descriptor_budget::DescriptorBudget;
use super::kept_name;
use super::masked_case::masked;
use super::software;
use super::waiting::{WaitLine, WaitLines};
use crate::evidence::file;
use crate::masking::FieldMask;
use crate::plan::{Plan, Seed};
use crate::progress::Progress;
use crate::runtime::{RuntimeKind, RuntimeOptions};
use crate::scenario::Scenario;
use crate::verdict::{CaseEnd, CaseError, KeptFile, NodeSoftware, Verdict};

/// A case that was selected to run.
#[derive(Clone, Debug)]
pub struct SelectedCase {
    pub scenario: Arc<Scenario>,
    /// The folder of its file.
    pub folder: PathBuf,
}

impl SelectedCase {
    /// Returns the case with another timeout, if one is given.
    fn within(&self, timeout: Option<Duration>) -> SelectedCase {
        let mut case = self.clone();
        if let Some(timeout) = timeout {
            Arc::make_mut(&mut case.scenario).timeout = timeout;
        }
        case
    }
}

#[derive(Clone, Debug)]
pub struct SuiteOptions {
    pub case: CaseOptions,
    /// The number of cases that run in parallel, at least one.
    pub jobs: usize,
    /// The number of times that everything runs. Each repeat has ids of its own.
    pub repeats: u32,
    pub seed: u64,
    pub fail_fast: bool,
    /// Overrides the timeouts of the scenarios.
    pub timeout: Option<Duration>,
    /// A folder for the evidence of every case.
    pub keep_evidence: Option<PathBuf>,
}

/// The result of a suite, besides what `Progress` reported.
#[derive(Debug, Default)]
pub struct SuiteEnd {
    pub verdict: Verdict,
    pub interrupted: bool,
    pub kept: Vec<KeptFile>,
    /// Evidence that could not be written.
    pub not_kept: Vec<(PathBuf, std::io::Error)>,
    /// The first panic in a case: an error of unbroken itself. The case counts as one that could not run.
    pub panic: Option<Box<dyn Any + Send>>,
}

/// A case under way.
struct CaseInfo {
    title: String,
    file: String,
    repeat: u32,
    begun: Instant,
    scenario: Arc<Scenario>,
    /// The file descriptors that it may use.
    descriptors: u64,
}

/// The result of the task of a case.
struct TaskEnd {
    run: CaseRun,
    took: Duration,
    /// Known unless the task panicked.
    plan: Option<Arc<Plan>>,
    software: Vec<NodeSoftware>,
}

/// Runs all cases. When `interrupted` resolves, every case under way is stopped and no other case starts.
pub async fn suite(
    cases: &[SelectedCase],
    options: &SuiteOptions,
    interrupted: impl Future<Output = ()>,
    on_progress: impl Fn(Progress),
) -> SuiteEnd {
    let begun = Instant::now();
    on_progress(Progress::RunStarted { cases: cases.len(), repeats: options.repeats, seed: options.seed });
    let shared = Arc::new(options.case.clone());
    let (lines, mut waits) = mpsc::unbounded_channel();
    let cases: Vec<SelectedCase> = cases.iter().map(|case| case.within(options.timeout)).collect();
    let due = (1..=options.repeats).flat_map(|repeat| cases.iter().map(move |case| (case, repeat)));
    let mut due = due.peekable();
    let mut budget = DescriptorBudget::of_process();
    let mut running = JoinSet::new();
    let mut infos: HashMap<Id, CaseInfo> = HashMap::new();
    let mut end = SuiteEnd::default();
    tokio::pin!(interrupted);
    loop {
        while running.len() < options.jobs.max(1) {
            let Some((case, _)) = due.peek() else { break };
            // A case that does not fit runs alone, and reports a shortage by itself.
            let descriptors = match budget.take(&case.scenario) {
                Some(taken) => taken,
                None if running.is_empty() => 0,
                None => break,
            };
            let Some((case, repeat)) = due.next() else { break };
            let info = CaseInfo { descriptors, ..CaseInfo::new(case, repeat) };
            on_progress(Progress::CaseStarted { title: info.title.clone() });
            let seed = Seed(options.seed.wrapping_add(u64::from(repeat - 1)));
            infos
                .insert(running.spawn(run_one(case.clone(), seed, shared.clone(), lines.clone())).id(), info);
        }
        let ended = tokio::select! {
            biased;
            () = &mut interrupted => {
                end.interrupted = true;
                on_progress(Progress::Interrupted);
                break;
            }
            Some(waiting) = waits.recv() => {
                on_progress(Progress::CaseWaits { title: waiting.title, what: waiting.what });
                continue;
            }
            ended = running.join_next_with_id() => ended,
        };
        let Some(ended) = ended else { break };
        let (info, ended) = task_end(ended, &mut infos, &mut end);
        budget.give_back(info.descriptors);
        let failed = take(info, ended, options, &mut end, &on_progress);
        if failed && options.fail_fast {
            break;
        }
    }
    // The cases under way are dropped, and with them every process that they started.
    running.shutdown().await;
    on_progress(Progress::RunEnded { took: begun.elapsed() });
    end
}

impl CaseInfo {
    fn new(case: &SelectedCase, repeat: u32) -> CaseInfo {
        CaseInfo {
            title: case.scenario.title(),
            file: case.scenario.source.name().to_owned(),
            repeat,
            begun: Instant::now(),
            scenario: case.scenario.clone(),
            descriptors: 0,
        }
    }
}

async fn run_one(
    selected: SelectedCase,
    seed: Seed,
    options: Arc<CaseOptions>,
    lines: mpsc::UnboundedSender<WaitLine>,
) -> TaskEnd {
    let begun = Instant::now();
    let lines = WaitLines::new(selected.scenario.title(), lines);
    let scenario = kept_apart(selected.scenario, &options.runtime);
    let plan = Arc::new(Plan::build(scenario, selected.folder, seed));
    let run = case_with_lines(plan.clone(), &options, &lines).await;
    let took = begun.elapsed();
    let software = software::of_case(&plan, &options.runtime).await;
    TaskEnd { run, took, plan: Some(plan), software }
}

/// Returns the story with names of its own at brokers, where the cases of this process share them.
pub fn kept_apart(scenario: Arc<Scenario>, options: &RuntimeOptions) -> Arc<Scenario> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    match options.kind {
        RuntimeKind::Embedded => scenario,
        RuntimeKind::Container => {
            let suffix = format!("c{}", NEXT.fetch_add(1, Ordering::Relaxed));
            Arc::new(scenario.with_own_names(&suffix).scenario)
        }
    }
}

/// Returns the end of a task. A panic ends its own case only: the other cases are run and reported.
fn task_end(
    ended: Result<(Id, TaskEnd), JoinError>,
    infos: &mut HashMap<Id, CaseInfo>,
    end: &mut SuiteEnd,
) -> (CaseInfo, TaskEnd) {
    let id = match &ended {
        Ok((id, _)) => *id,
        Err(error) => error.id(),
    };
    let info = infos.remove(&id).expect("every task is noted when it is started");
    match ended {
        Ok((_, ended)) => (info, ended),
        Err(error) => {
            let panic = error.try_into_panic().expect("no case is cancelled while others are waited for");
            let run = panicked(&info, panic.as_ref());
            end.panic.get_or_insert(panic);
            let took = info.begun.elapsed();
            (info, TaskEnd { run, took, plan: None, software: Vec::new() })
        }
    }
}

fn panicked(info: &CaseInfo, panic: &(dyn Any + Send)) -> CaseRun {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    let error = CaseError {
        scenario: info.scenario.name.clone(),
        case: info.scenario.case.clone(),
        message: format!("unbroken panicked: {text}; this is a bug of unbroken, please report it"),
        caused_by: Vec::new(),
        lines: Vec::new(),
    };
    masked(
        CaseRun { end: CaseEnd::CouldNotRun(error), evidence: None, logs: Vec::new() },
        &FieldMask::default(),
    )
}

/// Keeps the evidence of the case and reports its end. Returns whether it did not pass.
fn take(
    info: CaseInfo,
    ended: TaskEnd,
    options: &SuiteOptions,
    end: &mut SuiteEnd,
    on_progress: &impl Fn(Progress),
) -> bool {
    let TaskEnd { run, took, plan, software } = ended;
    let CaseInfo { title, file, repeat, scenario, .. } = info;
    let verdict = run.end.verdict();
    end.verdict = end.verdict.and(verdict);
    if let Some(folder) = &options.keep_evidence {
        let numbered = (options.repeats > 1).then_some(repeat);
        let name = kept_name::of_case(&scenario.name, &scenario.case, numbered);
        keep_logs(folder, &name, &run.logs, end);
        if let (Some(evidence), Some(plan)) = (&run.evidence, &plan) {
            let path = folder.join(format!("{name}.json"));
            let text = file::write(plan, evidence);
            match keep(&path, &text, options.case.runtime.keep_raw) {
                Ok(()) => end.kept.push(KeptFile { path }),
                Err(error) => end.not_kept.push((path, error)),
            }
        }
    }
    on_progress(Progress::CaseEnded { title, file, repeat, end: run.end, took, software });
    verdict != Verdict::Pass
}

/// Writes the last lines of each node and container to a file beside the evidence.
fn keep_logs(folder: &Path, case: &str, logs: &[(String, Vec<String>)], end: &mut SuiteEnd) {
    for (node, lines) in logs.iter().filter(|(_, lines)| !lines.is_empty()) {
        let node = kept_name::of_node(node, logs.iter().map(|(other, _)| other.as_str()));
        let path = folder.join(format!("{case}.{node}.log"));
        if let Err(error) = keep(&path, &(lines.join("\n") + "\n"), false) {
            end.not_kept.push((path, error));
        }
    }
}

/// Writes a file. One with secrets can be read by its owner only.
fn keep(path: &Path, text: &str, is_secret: bool) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if !is_secret {
        return std::fs::write(path, text);
    }
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // A file of an earlier run keeps its mode otherwise.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}
