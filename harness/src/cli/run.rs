//! `unbroken run`: scenarios in, verdicts out.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::arguments::Run;
use super::bar::Bar;
use super::interrupt::interrupted;
use super::selection::{Selected, select};
use super::{baseline_file, containers, exit, print, tell};
use crate::progress::Progress;
use crate::report::Outcome;
use crate::run::{CaseOptions, JudgeSettings, SuiteOptions, fresh_seed, suite};
use crate::runtime::{Kind, RuntimeOptions};
use crate::scenario::{Node, Relay};
use crate::testing::brokers;

/// How long a relay may take to be ready that runs in a language with a slow start: Java with an agent needs most
/// of it.
const OWN_RELAY_WITHIN: Duration = Duration::from_secs(30);

pub fn run(arguments: &Run) -> u8 {
    let selected = match select(&arguments.selection) {
        Ok(selected) => selected,
        Err(status) => return status,
    };
    if let Some(problem) = fault_problem(arguments, &selected) {
        print::problem(&format!("error: {problem}"));
        return exit::USAGE;
    }
    if let Some(error) = arguments.report.iter().find_map(|report| report.is_writable().err()) {
        print::error(&error);
        return exit::INCONCLUSIVE;
    }
    if let Some((folder, error)) = arguments.keep_evidence.as_deref().and_then(not_a_folder) {
        print::problem(&format!("error: no evidence can be kept in `{}`: {error}", folder.display()));
        return exit::INCONCLUSIVE;
    }
    let judge = match baseline_file::settings(&arguments.judging, &selected.paths) {
        Ok(settings) => settings,
        Err(status) => return status,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::problem("error: the threads of this process could not be started");
            print::error(&error);
            return exit::INCONCLUSIVE;
        }
    };
    let baseline = judge.baseline.clone();
    let bar = Arc::new(Bar::new());
    let containers = match containers::Wanted::of(arguments, &selected.cases, bar.clone()) {
        Ok(containers) => containers,
        Err(problem) => {
            print::problem(&format!("error: {problem}"));
            return exit::USAGE;
        }
    };
    match runtime.block_on(warm_up(&containers)) {
        Warm::Up => {}
        // Whoever reads reports is told of each case.
        Warm::NoEngine(_) if !arguments.report.is_empty() => {}
        Warm::NoEngine(status) => return status,
        Warm::Interrupted => return exit::INCONCLUSIVE,
    }
    let with = with(arguments, containers.kind).into();
    let outcome = Mutex::new(Outcome { with, ..Outcome::default() });
    let on_progress = |progress: Progress| {
        bar.take(&progress);
        outcome.lock().unwrap_or_else(PoisonError::into_inner).take(&progress);
    };
    let options = options(arguments, judge, &containers);
    let end = runtime.block_on(suite(&selected.cases, &options, interrupted(), on_progress));
    // Its clone of the containers is not the last.
    drop(options);
    runtime.block_on(async {
        tokio::select! {
            () = containers.end() => {}
            () = interrupted() => print::problem("interrupted while containers were removed: see `unbroken clean`"),
        }
    });
    runtime.shutdown_background();
    let mut outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcome.fixed = baseline_file::fixed(baseline.as_ref(), &outcome);
    for (path, error) in &end.not_kept {
        print::problem(&format!("error: the evidence could not be kept in `{}`: {error}", path.display()));
    }
    let written = baseline_file::write(&arguments.judging, &outcome) && end.not_kept.is_empty();
    tell::tell(&outcome, &arguments.report, arguments.verbose, written)
}

/// Whether the containers that every case wants are on their way.
enum Warm {
    Up,
    /// With the exit status that says so.
    NoEngine(u8),
    Interrupted,
}

async fn warm_up(containers: &containers::Wanted) -> Warm {
    tokio::select! {
        warmed = containers.warm_up() => warmed.map_or_else(Warm::NoEngine, |()| Warm::Up),
        () = interrupted() => {
            print::problem("interrupted before the container engine had answered");
            Warm::Interrupted
        }
    }
}

fn options(arguments: &Run, judge: JudgeSettings, containers: &containers::Wanted) -> SuiteOptions {
    // A case waits for its nodes and brokers more than it computes.
    let side_by_side = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    let shipped = RuntimeOptions::default();
    let runtime = RuntimeOptions {
        faults: arguments.fault.clone(),
        own_relays: arguments.relay.clone(),
        node_within: if arguments.relay.is_empty() { shipped.node_within } else { OWN_RELAY_WITHIN },
        keep_raw: arguments.keep_raw,
        brokers: brokers::stand_ins(),
        kind: containers.kind,
        #[cfg(feature = "container")]
        containers: containers.all.clone(),
        ..shipped
    };
    SuiteOptions {
        case: CaseOptions { runtime, judge },
        jobs: arguments.jobs.map_or(side_by_side, usize::from),
        repeats: arguments.repeat.get(),
        seed: arguments.seed.unwrap_or_else(fresh_seed),
        fail_fast: arguments.fail_fast,
        timeout: arguments.timeout,
        keep_evidence: arguments.keep_evidence.clone(),
    }
}

/// The options by which a case ends as it did, as words of a shell.
fn with(arguments: &Run, kind: Kind) -> Vec<String> {
    let pair =
        |option: &str, (name, value): &(String, String)| [option.to_owned(), format!("{name}={value}")];
    let mut with = Vec::new();
    if kind == Kind::Container {
        with.extend(["--runtime".to_owned(), kind.word().to_owned()]);
    }
    with.extend(arguments.image.iter().flat_map(|image| pair("--image", image)));
    with.extend(arguments.fault.iter().flat_map(|fault| pair("--fault", fault)));
    for (name, command) in &arguments.relay {
        let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
        with.extend(pair("--relay", &(name.clone(), words.join(" "))));
    }
    if let Some(timeout) = arguments.timeout {
        with.extend(["--timeout".to_owned(), format!("{}ms", timeout.as_millis())]);
    }
    if arguments.judging.strict {
        with.push("--strict".to_owned());
    }
    with
}

/// Told before anything is run, not once for each case at the end.
fn not_a_folder(folder: &Path) -> Option<(&Path, std::io::Error)> {
    std::fs::create_dir_all(folder).err().map(|error| (folder, error))
}

/// A fault that cannot be switched on would pass in silence.
fn fault_problem(arguments: &Run, selected: &Selected) -> Option<String> {
    let nodes = || selected.cases.iter().flat_map(|chosen| &chosen.scenario.nodes);
    arguments.fault.iter().find_map(|(name, _)| {
        let mut named = nodes().filter(|node| node.name == *name).peekable();
        if named.peek().is_none() {
            return Some(format!("`--fault {name}=...`: no selected case has a node `{name}`"));
        }
        let has_faults = |node: &Node| node.kind.as_relay().is_some_and(Relay::has_faults);
        named.any(|node| !has_faults(node)).then(|| {
            format!(
                "`--fault {name}=...`: `{name}` is not a relay `model` in every selected case; see `--filter`"
            )
        })
    })
}
