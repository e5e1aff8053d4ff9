//! `unbroken run`: scenarios in, verdicts out.

use std::sync::{Mutex, PoisonError};

use super::arguments::Run;
use super::bar::Bar;
use super::interrupt::interrupted;
use super::selection::{Selected, select};
use super::{baseline_file, exit, print, tell};
use crate::progress::Progress;
use crate::report::Outcome;
use crate::run::{CaseOptions, JudgeSettings, SuiteOptions, fresh_seed, suite};
use crate::runtime::RuntimeOptions;
use crate::scenario::NodeKind;

pub fn run(arguments: &Run) -> u8 {
    let selected = match select(&arguments.selection) {
        Ok(selected) => selected,
        Err(status) => return status,
    };
    if let Some(node) = unknown_fault_node(arguments, &selected) {
        print::problem(&format!("error: `--fault {node}=...`: no selected case has a relay node `{node}`"));
        return exit::USAGE;
    }
    let judge = match baseline_file::settings(&arguments.judging) {
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
    let bar = Bar::new();
    let outcome = Mutex::new(Outcome::default());
    let on_progress = |progress: Progress| {
        bar.take(&progress);
        outcome.lock().unwrap_or_else(PoisonError::into_inner).take(&progress);
    };
    let end =
        runtime.block_on(suite(&selected.cases, &options(arguments, judge), interrupted(), on_progress));
    runtime.shutdown_background();
    let outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (path, error) in &end.not_kept {
        print::problem(&format!("error: the evidence could not be kept in `{}`: {error}", path.display()));
    }
    let written = baseline_file::write(&arguments.judging, &outcome) && end.not_kept.is_empty();
    tell::tell(&outcome, &arguments.report, arguments.verbose, written)
}

fn options(arguments: &Run, judge: JudgeSettings) -> SuiteOptions {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = RuntimeOptions {
        faults: arguments.fault.clone(),
        keep_raw: arguments.keep_raw,
        ..RuntimeOptions::default()
    };
    SuiteOptions {
        case: CaseOptions { runtime, judge },
        jobs: arguments.jobs.map_or(cores, usize::from),
        repeats: arguments.repeat.get(),
        seed: arguments.seed.unwrap_or_else(fresh_seed),
        fail_fast: arguments.fail_fast,
        timeout: arguments.timeout,
        keep_evidence: arguments.keep_evidence.clone(),
    }
}

fn unknown_fault_node<'a>(arguments: &'a Run, selected: &Selected) -> Option<&'a str> {
    let is_relay = |name: &str| {
        let nodes = selected.cases.iter().flat_map(|chosen| &chosen.scenario.nodes);
        nodes.into_iter().any(|node| node.name == name && matches!(node.kind, NodeKind::Relay(_)))
    };
    arguments.fault.iter().map(|(node, _)| node.as_str()).find(|node| !is_relay(node))
}
