//! `unbroken run`: runs scenarios and reports their verdicts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::arguments::RunArguments;
use super::bar::Bar;
use super::containers::RunContainers;
use super::interrupt::interrupted;
use super::report_writer::ReportWriter;
use super::selection::{Selection, select};
use super::{baseline_file, exit, fault, finish, print, report_file, sharding};
use crate::masking::FieldMask;
use crate::progress::Progress;
use crate::report::Outcome;
use crate::report::phrase::count;
use crate::run::{CaseOptions, JudgeSettings, SuiteEnd, SuiteOptions, fresh_seed, selection, suite};
use crate::runtime::{RuntimeKind, RuntimeOptions};
use crate::testing::brokers;
use crate::verdict::baseline::Baseline;

/// The time that a relay of the user's own may take to be ready. Java with an agent needs most of it.
const OWN_RELAY_WITHIN: Duration = Duration::from_secs(30);

pub fn run(arguments: &RunArguments) -> u8 {
    match finished(arguments, &[]) {
        Ok(run) => report(arguments, &run),
        Err(status) => status,
    }
}

/// A run that has ended, and is not reported yet.
pub struct FinishedRun {
    pub outcome: Outcome,
    /// The titles of the cases that were selected.
    pub titles: BTreeSet<String>,
    end: SuiteEnd,
    baseline: Option<Baseline>,
}

/// Runs the cases, with the baselines of further folders, or returns the exit status after it has printed why nothing
/// ran.
pub fn finished(arguments: &RunArguments, folders: &[PathBuf]) -> Result<FinishedRun, u8> {
    let (mut selection, judge) = prepare(arguments, folders)?;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::problem("error: cannot start the threads of this process");
            print::error(&error);
            return Err(exit::INCONCLUSIVE);
        }
    };
    let baseline = judge.baseline.clone();
    let bar = Arc::new(Bar::new());
    let containers = match RunContainers::of(arguments, &selection.cases, bar.clone()) {
        Ok(containers) => containers,
        Err(error) => {
            print::error(&error);
            return Err(exit::USAGE);
        }
    };
    match runtime.block_on(warm_up(&containers)) {
        WarmUp::Done => {}
        // A report has to name every case, so the cases are tried all the same.
        WarmUp::NoEngine(_) if !arguments.report.is_empty() => {}
        WarmUp::NoEngine(status) => return Err(status),
        WarmUp::Interrupted => return Err(exit::INCONCLUSIVE),
    }
    let with = with(arguments, containers.kind).into();
    let shard = arguments.sharding.shard.map(|shard| shard.to_string());
    let writer = ReportWriter::start(Outcome { with, shard, ..Outcome::default() }, &arguments.report);
    let options = options(arguments, judge, &containers);
    let on_progress = |progress: Progress| {
        bar.take(&progress);
        writer.take(&progress);
    };
    let end = runtime.block_on(suite(&selection.cases, &options, interrupted(), on_progress));
    // It holds a clone of the containers, which must not be the last.
    drop(options);
    runtime.block_on(async {
        tokio::select! {
            () = containers.end() => {}
            () = interrupted() => {
                print::problem("interrupted while containers were removed; `unbroken clean` removes the rest");
            }
        }
    });
    runtime.shutdown_background();
    let mut outcome = writer.finish();
    outcome.fixed = baseline_file::fixed(baseline.as_ref(), &outcome);
    outcome.warnings.append(&mut selection.left_out);
    outcome.warnings.extend(fault::without_effect(&arguments.fault, &outcome));
    let titles = selection.cases.iter().map(|case| case.scenario.title()).collect();
    Ok(FinishedRun { outcome, titles, end, baseline })
}

/// Reads the scenarios and the baseline and checks every file that is to be written, or returns the exit status after
/// it has printed the problem.
fn prepare(arguments: &RunArguments, folders: &[PathBuf]) -> Result<(Selection, JudgeSettings), u8> {
    let others: Vec<_> =
        arguments.judging.write_baseline.iter().chain(&arguments.keep_evidence).cloned().collect();
    if let Err(error) = report_file::check_distinct(&arguments.report, &others) {
        print::error(&error);
        return Err(exit::USAGE);
    }
    let mut selection = select(&arguments.selection)?;
    if let Some(listen) = arguments.otlp_listen {
        for case in &mut selection.cases {
            Arc::make_mut(&mut case.scenario).otlp_listen = Some(listen);
        }
    }
    sharding::keep_shard(&arguments.sharding, &mut selection)?;
    leave_out(&mut selection, arguments.sharding.shard.is_some())?;
    if !selection.cases.is_empty()
        && let Err(error) = fault::keep_cases_with_relays(&arguments.fault, &mut selection.cases)
    {
        print::error(&error);
        return Err(exit::USAGE);
    }
    if let Some(error) = arguments.report.iter().find_map(|report| report.check_writable().err()) {
        print::error(&error);
        return Err(exit::INCONCLUSIVE);
    }
    if let Some(folder) = &arguments.keep_evidence {
        create_evidence_folder(folder)?;
    }
    let judge = baseline_file::settings(&arguments.judging, &[&selection.paths, folders].concat())?;
    Ok((selection, judge))
}

/// Leaves out the cases of a folder whose gateway is not installed, with a line for each gateway.
fn leave_out(selection: &mut Selection, is_shard: bool) -> Result<(), u8> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let paths = &selection.paths;
    selection.cases.retain(|case| match selection::missing_program(case, paths) {
        Some(why) => {
            *reasons.entry(why).or_default() += 1;
            false
        }
        None => true,
    });
    let lines = reasons.into_iter().map(|(why, times)| format!("skipped {}: {why}", count(times, "case")));
    selection.left_out = lines.collect();
    // A shard has no case where there are more shards than cases.
    if !selection.cases.is_empty() || is_shard {
        return Ok(());
    }
    print::problem("error: no case can run");
    selection.left_out.iter().for_each(|line| print::problem(line));
    Err(exit::INCONCLUSIVE)
}

fn create_evidence_folder(folder: &Path) -> Result<(), u8> {
    std::fs::create_dir_all(folder).map_err(|error| {
        print::problem(&format!("error: cannot keep evidence in `{}`: {error}", folder.display()));
        exit::INCONCLUSIVE
    })
}

/// The start of the containers that cases need.
enum WarmUp {
    Done,
    /// With the exit status for it.
    NoEngine(u8),
    Interrupted,
}

async fn warm_up(containers: &RunContainers) -> WarmUp {
    tokio::select! {
        started = containers.warm_up() => started.map_or_else(WarmUp::NoEngine, |()| WarmUp::Done),
        () = interrupted() => {
            print::problem("interrupted before the container engine answered");
            WarmUp::Interrupted
        }
    }
}

/// Writes the reports and returns the exit status.
pub fn report(arguments: &RunArguments, run: &FinishedRun) -> u8 {
    let FinishedRun { outcome, end, baseline, .. } = run;
    for (path, error) in &end.not_kept {
        print::problem(&format!("error: cannot write the evidence to `{}`: {error}", path.display()));
    }
    let written =
        baseline_file::write(&arguments.judging, baseline.as_ref(), outcome) && end.not_kept.is_empty();
    let status = finish::finish(outcome, &arguments.report, arguments.verbose, written);
    if end.panic.is_some() { exit::INTERNAL } else { status }
}

fn options(arguments: &RunArguments, judge: JudgeSettings, containers: &RunContainers) -> SuiteOptions {
    // A case waits for its nodes and brokers more than it computes.
    let in_parallel = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    let defaults = RuntimeOptions::default();
    let runtime = RuntimeOptions {
        faults: arguments.fault.clone(),
        own_relays: arguments.relay.clone(),
        node_within: if arguments.relay.is_empty() { defaults.node_within } else { OWN_RELAY_WITHIN },
        keep_raw: arguments.keep_raw,
        mask: FieldMask::new(arguments.mask.clone()),
        brokers: brokers::stand_ins(),
        kind: containers.kind,
        #[cfg(feature = "container")]
        containers: containers.all.clone(),
        ..defaults
    };
    SuiteOptions {
        case: CaseOptions { runtime, judge },
        jobs: arguments.jobs.map_or(in_parallel, usize::from),
        repeats: arguments.repeat.get(),
        seed: arguments.seed.unwrap_or_else(fresh_seed),
        fail_fast: arguments.fail_fast,
        timeout: arguments.timeout,
        keep_evidence: arguments.keep_evidence.clone(),
    }
}

/// Returns the options that decide how a case ends, as words of a shell.
fn with(arguments: &RunArguments, kind: RuntimeKind) -> Vec<String> {
    let mut with = Vec::new();
    if kind == RuntimeKind::Container {
        with.extend(["--runtime".to_owned(), kind.word().to_owned()]);
    }
    for (part, name) in &arguments.image {
        with.extend(["--image".to_owned(), format!("{part}={name}")]);
    }
    for (node, fault) in &arguments.fault {
        with.extend(["--fault".to_owned(), format!("{node}={fault}")]);
    }
    for (name, command) in &arguments.relay {
        let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
        with.extend(["--relay".to_owned(), format!("{name}={}", words.join(" "))]);
    }
    for field in &arguments.mask {
        with.extend(["--mask".to_owned(), field.to_string()]);
    }
    if let Some(listen) = arguments.otlp_listen {
        with.extend(["--otlp-listen".to_owned(), listen.to_string()]);
    }
    if let Some(timeout) = arguments.timeout {
        with.extend(["--timeout".to_owned(), format!("{}ms", timeout.as_millis())]);
    }
    if arguments.judging.strict {
        with.push("--strict".to_owned());
    }
    with
}
