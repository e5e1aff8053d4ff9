//! `unbroken conform`: the reference suite against one target.

use std::path::Path;

use crate::cli::interrupt::interrupted;
use crate::cli::{exit, print};
use crate::conform::transport::UnknownTransport;
use crate::conform::{
    self, ConformanceVerdict, RequirementSelection, Results, SelectedRequirement, Suite, Target,
    TransportKind, TransportRoute,
};
use crate::report::conformance::{diff, explain, terminal};
use crate::run::fresh_seed;
use crate::testing::brokers::stand_ins;

mod arguments;
mod baseline_file;
mod progress_display;
mod report_file;
mod target;

pub use arguments::ConformArguments;
use progress_display::ProgressDisplay;

pub fn conform(arguments: &ConformArguments) -> u8 {
    if let [old, new] = arguments.diff.as_slice() {
        return compare(old, new);
    }
    let suites = conform::suites();
    if arguments.list {
        return list(arguments, &suites);
    }
    let target = match target::of(arguments) {
        Ok(target) => Target { ready_within: arguments.ready_within, ..target },
        Err(error) => return error.print(),
    };
    let wanted = match selection(arguments, target.is_forwarder(), &suites) {
        Ok(wanted) => wanted,
        Err(status) => return status,
    };
    if let Some(error) = arguments.report.iter().find_map(|report| report.check().err()) {
        print::error(&error);
        return exit::INCONCLUSIVE;
    }
    let routes = match routes(&arguments.transport) {
        Ok(routes) => routes,
        Err(error) => return usage(&format!("`--transport`: {error}")),
    };
    let baseline = match baseline_file::of(arguments, &suites) {
        Ok(baseline) => baseline,
        Err(status) => return status,
    };
    match run(arguments, &target, &wanted, routes) {
        Ok(mut results) => {
            baseline.apply(&mut results);
            results.shard = arguments.shard.map(|shard| shard.to_string());
            let is_written = baseline_file::write(arguments, &baseline, &results);
            report(arguments, &results, is_written)
        }
        Err(status) => status,
    }
}

fn list(arguments: &ConformArguments, suites: &[Suite]) -> u8 {
    match selection(arguments, false, suites) {
        Ok(wanted) => {
            let lines =
                wanted.iter().map(|one| (one.suite.as_str(), one.requirement.as_ref(), one.vectors.len()));
            print::out(&explain::list(lines));
            exit::PASS
        }
        Err(status) => status,
    }
}

/// The suite that a forwarder is tried on if the command line names none.
const OF_FORWARDERS: &str = "forwarder";

fn selection(
    arguments: &ConformArguments,
    is_forwarder: bool,
    suites: &[Suite],
) -> Result<Vec<SelectedRequirement>, u8> {
    let is_open = arguments.suite.is_empty() && arguments.only.is_empty();
    let chosen = RequirementSelection {
        suites: if is_forwarder && is_open {
            vec![OF_FORWARDERS.to_owned()]
        } else {
            arguments.suite.clone()
        },
        only: arguments.only.clone(),
        level: arguments.level,
    };
    let wanted = chosen.of(suites).map_err(|error| usage(&error.to_string()))?;
    if wanted.is_empty() {
        print::problem("error: no requirement was selected; `unbroken conform --list` shows all");
        return Err(exit::NOTHING_SELECTED);
    }
    Ok(of_shard(arguments, wanted))
}

/// Returns the requirements of the shard; one with more vectors counts as longer.
fn of_shard(arguments: &ConformArguments, wanted: Vec<SelectedRequirement>) -> Vec<SelectedRequirement> {
    let Some(shard) = arguments.shard else { return wanted };
    let names: Vec<String> =
        wanted.iter().map(|one| format!("{} {}", one.suite, one.requirement.id)).collect();
    let lengths = names.iter().cloned().zip(wanted.iter().map(|one| one.vectors.len() as u64)).collect();
    let titles: Vec<&str> = names.iter().map(String::as_str).collect();
    let has = shard.has(&titles, &lengths);
    wanted.into_iter().zip(has).filter(|(_, has)| *has).map(|(one, _)| one).collect()
}

/// Returns the routes among the transports of the command line.
fn routes(words: &[String]) -> Result<Vec<TransportRoute>, UnknownTransport> {
    let mut transports = Vec::new();
    for word in words {
        match word.as_str() {
            "all" => transports.extend_from_slice(TransportKind::ALL),
            word => transports.push(word.parse()?),
        }
    }
    Ok(TransportRoute::among(&transports))
}

fn run(
    arguments: &ConformArguments,
    target: &Target,
    wanted: &[SelectedRequirement],
    routes: Vec<TransportRoute>,
) -> Result<Results, u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        print::problem("error: cannot start the threads of this process");
        print::error(&error);
        exit::INCONCLUSIVE
    })?;
    let options = conform::Options {
        jobs: arguments.jobs.get(),
        seed: arguments.seed.unwrap_or_else(fresh_seed),
        timeout: arguments.timeout,
        listen: arguments.listen,
        host: arguments.callback_host.clone(),
        level: arguments.level,
        is_strict: arguments.strict,
        is_wire_only: arguments.wire_only,
        routes,
        brokers: stand_ins(),
    };
    let display = ProgressDisplay::new();
    let on_progress = |progress| display.take(&progress);
    let results = runtime.block_on(conform::run(target, wanted, &options, interrupted(), &on_progress));
    runtime.shutdown_background();
    display.finish();
    results.map_err(|error| {
        print::error(&error);
        error.lines().iter().for_each(|line| print::problem(&format!("  | {line}")));
        exit::INCONCLUSIVE
    })
}

/// Prints and writes the reports and returns the exit status.
fn report(arguments: &ConformArguments, results: &Results, mut is_written: bool) -> u8 {
    if !arguments.report.iter().any(report_file::ConformanceReportFile::is_on_standard_output) {
        print::out(&terminal::render(results, print::palette(), arguments.verbose));
    }
    for file in &arguments.report {
        if let Err(error) = file.write(results) {
            print::error(&error);
            is_written = false;
        }
    }
    match results.verdict() {
        ConformanceVerdict::Fail => exit::FAILED,
        _ if arguments.strict_baseline && !results.fixed.is_empty() => exit::FAILED,
        ConformanceVerdict::Pass | ConformanceVerdict::Deviates if is_written => exit::PASS,
        ConformanceVerdict::Pass
        | ConformanceVerdict::Deviates
        | ConformanceVerdict::Inconclusive
        | ConformanceVerdict::Unsupported => exit::INCONCLUSIVE,
    }
}

fn read(path: &Path) -> Result<String, u8> {
    std::fs::read_to_string(path)
        .map_err(|error| usage(&format!("cannot read `{}`: {error}", path.display())))
}

/// Prints the changes between two reports. Fails if a vector is worse.
fn compare(old: &Path, new: &Path) -> u8 {
    let (old, new) = match (read(old), read(new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(status), _) | (_, Err(status)) => return status,
    };
    match diff::diff(&old, &new) {
        Ok(diff) => {
            print::out(&diff.render());
            if diff.worse.is_empty() { exit::PASS } else { exit::FAILED }
        }
        Err(error) => usage(&error.to_string()),
    }
}

fn usage(problem: &str) -> u8 {
    print::problem(&format!("error: {problem}"));
    exit::USAGE
}
