//! Many cases side by side, again and again, until done, failed fast or interrupted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::case::{CaseOptions, CaseRun, case};
use super::kept_name;
use crate::evidence::file;
use crate::plan::{Plan, Seed};
use crate::progress::Progress;
use crate::runtime::{Kind, RuntimeOptions};
use crate::scenario::Scenario;
use crate::verdict::{Kept, Verdict};

/// One case that was chosen to run.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub scenario: Arc<Scenario>,
    /// The folder of its file.
    pub folder: PathBuf,
}

impl Chosen {
    /// The same case with another timeout, if one is given.
    fn within(&self, timeout: Option<Duration>) -> Chosen {
        let mut chosen = self.clone();
        if let Some(timeout) = timeout {
            Arc::make_mut(&mut chosen.scenario).timeout = timeout;
        }
        chosen
    }
}

#[derive(Clone, Debug)]
pub struct SuiteOptions {
    pub case: CaseOptions,
    /// How many cases run side by side, at least one.
    pub jobs: usize,
    /// How often everything is run; each repeat has ids of its own.
    pub repeats: u32,
    pub seed: u64,
    pub fail_fast: bool,
    /// In place of the scenarios' own.
    pub timeout: Option<Duration>,
    /// A folder for the evidence of every case.
    pub keep_evidence: Option<PathBuf>,
}

/// What came of it, besides what `Progress` told.
#[derive(Debug, Default)]
pub struct SuiteEnd {
    pub verdict: Verdict,
    pub interrupted: bool,
    pub kept: Vec<Kept>,
    /// Evidence that could not be written.
    pub not_kept: Vec<(PathBuf, std::io::Error)>,
}

struct Ended {
    title: String,
    file: String,
    repeat: u32,
    plan: Arc<Plan>,
    run: CaseRun,
    took: Duration,
}

/// Runs all cases. When `interrupted` comes back, everything under way is ended and nothing new begins.
pub async fn suite(
    cases: &[Chosen],
    options: &SuiteOptions,
    interrupted: impl Future<Output = ()>,
    on_progress: impl Fn(Progress),
) -> SuiteEnd {
    let begun = Instant::now();
    on_progress(Progress::RunStarted { cases: cases.len(), repeats: options.repeats, seed: options.seed });
    let shared = Arc::new(options.case.clone());
    let cases: Vec<Chosen> = cases.iter().map(|chosen| chosen.within(options.timeout)).collect();
    let mut due = (1..=options.repeats).flat_map(|repeat| cases.iter().map(move |chosen| (chosen, repeat)));
    let mut running = JoinSet::new();
    let mut end = SuiteEnd::default();
    tokio::pin!(interrupted);
    loop {
        while running.len() < options.jobs.max(1) {
            let Some((chosen, repeat)) = due.next() else { break };
            on_progress(Progress::CaseStarted { title: chosen.scenario.title() });
            let seed = Seed(options.seed.wrapping_add(u64::from(repeat - 1)));
            running.spawn(run_one(chosen.clone(), seed, repeat, shared.clone()));
        }
        let ended = tokio::select! {
            biased;
            () = &mut interrupted => {
                end.interrupted = true;
                on_progress(Progress::Interrupted);
                break;
            }
            ended = running.join_next() => ended,
        };
        let Some(ended) = ended else { break };
        let failed = took_in(unless_panicked(ended), options, &mut end, &on_progress);
        if failed && options.fail_fast {
            break;
        }
    }
    // Whatever is still under way is dropped, and with it every process that it started.
    running.shutdown().await;
    on_progress(Progress::RunEnded { took: begun.elapsed() });
    end
}

async fn run_one(chosen: Chosen, seed: Seed, repeat: u32, options: Arc<CaseOptions>) -> Ended {
    let begun = Instant::now();
    let title = chosen.scenario.title();
    let file = chosen.scenario.source.name().to_owned();
    let scenario = kept_apart(chosen.scenario, &options.runtime);
    let plan = Arc::new(Plan::build(scenario, chosen.folder, seed));
    let run = case(plan.clone(), &options).await;
    Ended { title, file, repeat, plan, run, took: begun.elapsed() }
}

/// The same story with names of its own at brokers, where cases of this process share them.
pub fn kept_apart(scenario: Arc<Scenario>, options: &RuntimeOptions) -> Arc<Scenario> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    match options.kind {
        Kind::Embedded => scenario,
        Kind::Container => {
            let suffix = format!("c{}", NEXT.fetch_add(1, Ordering::Relaxed));
            Arc::new(scenario.with_own_names(&suffix).scenario)
        }
    }
}

/// A panic in a case is ours: it goes on up.
fn unless_panicked(ended: Result<Ended, tokio::task::JoinError>) -> Ended {
    match ended {
        Ok(ended) => ended,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => unreachable!("no case is cancelled while it is waited for"),
        },
    }
}

/// Whether the case failed.
fn took_in(
    ended: Ended,
    options: &SuiteOptions,
    end: &mut SuiteEnd,
    on_progress: &impl Fn(Progress),
) -> bool {
    let Ended { title, file, repeat, plan, run, took } = ended;
    let verdict = run.end.verdict();
    end.verdict = end.verdict.and(verdict);
    if let Some(folder) = &options.keep_evidence {
        let scenario = &plan.scenario;
        let repeat = (options.repeats > 1).then_some(repeat);
        let name = kept_name::of_case(&scenario.name, &scenario.case, repeat);
        keep_logs(folder, &name, &run.logs, end);
        if let Some(evidence) = &run.evidence {
            let path = folder.join(format!("{name}.json"));
            match keep(&path, &file::write(&plan, evidence)) {
                Ok(()) => end.kept.push(Kept { path }),
                Err(error) => end.not_kept.push((path, error)),
            }
        }
    }
    on_progress(Progress::CaseEnded { title, file, repeat, end: run.end, took });
    verdict != Verdict::Pass
}

/// The last lines of each node and container, in a file beside the evidence.
fn keep_logs(folder: &Path, case: &str, logs: &[(String, Vec<String>)], end: &mut SuiteEnd) {
    for (node, lines) in logs.iter().filter(|(_, lines)| !lines.is_empty()) {
        let node = kept_name::of_node(node, logs.iter().map(|(other, _)| other.as_str()));
        let path = folder.join(format!("{case}.{node}.log"));
        if let Err(error) = keep(&path, &(lines.join("\n") + "\n")) {
            end.not_kept.push((path, error));
        }
    }
}

fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}
