//! `unbroken conform`: the reference suite against one target.

use crate::cli::interrupt::interrupted;
use crate::cli::{exit, print};
use crate::conform::{self, Results, Selection, Suite, Target, Verdict, Wanted};
use crate::report::conformance::{diff, explain, terminal};
use crate::run::fresh_seed;

mod arguments;
mod report_file;

pub use arguments::ConformArguments;

/// The prefix of a relay that comes along.
const RELAY: &str = "relay:";

pub fn conform(arguments: &ConformArguments) -> u8 {
    if let [old, new] = arguments.diff.as_slice() {
        return compare(old, new);
    }
    let suites = conform::suites();
    let wanted = match selection(arguments, &suites) {
        Ok(wanted) => wanted,
        Err(status) => return status,
    };
    if arguments.list {
        let lines =
            wanted.iter().map(|one| (one.suite.as_str(), one.requirement.as_ref(), one.vectors.len()));
        print::out(&explain::list(lines));
        return exit::PASS;
    }
    let target = match target(arguments) {
        Ok(target) => target,
        Err(problem) => return usage(&problem),
    };
    if let Some(error) = arguments.report.iter().find_map(|report| report.check().err()) {
        print::error(&error);
        return exit::INCONCLUSIVE;
    }
    match run(arguments, &target, &wanted) {
        Ok(results) => tell(arguments, &results),
        Err(status) => status,
    }
}

fn selection(arguments: &ConformArguments, suites: &[Suite]) -> Result<Vec<Wanted>, u8> {
    let chosen =
        Selection { suites: arguments.suite.clone(), only: arguments.only.clone(), level: arguments.level };
    let wanted = chosen.of(suites).map_err(|problem| usage(&problem))?;
    if wanted.is_empty() {
        print::problem("error: no requirement was selected; `unbroken conform --list` shows all");
        return Err(exit::NOTHING_SELECTED);
    }
    Ok(wanted)
}

fn target(arguments: &ConformArguments) -> Result<Target, String> {
    let named = arguments.target.as_deref();
    if let Some(relay) = named.and_then(|name| name.strip_prefix(RELAY)) {
        if !conform::target::RELAYS.contains(&relay) {
            return Err(format!("there is no relay `{relay}`: `relay:model`, `relay:rust`"));
        }
        if !arguments.fault.is_empty() && relay != "model" {
            return Err(format!("`--fault`: `relay:{relay}` has no faults to switch on"));
        }
        if !arguments.command.is_empty() {
            return Err(format!("`relay:{relay}` and a command are two targets: leave one out"));
        }
        return Ok(Target::relay(relay, arguments.fault.clone()));
    }
    if !arguments.fault.is_empty() {
        return Err("`--fault` switches faults on in `relay:model` only".to_owned());
    }
    let address = match named {
        Some(text) => Some(text.parse().map_err(|why| format!("the target `{text}`: {why}"))?),
        None => None,
    };
    Target::new(address, arguments.command.clone())
        .ok_or_else(|| "no target: give an address, `relay:model`, or a command behind `--`".to_owned())
}

fn run(arguments: &ConformArguments, target: &Target, wanted: &[Wanted]) -> Result<Results, u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        print::problem("error: the threads of this process could not be started");
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
    };
    let results = runtime.block_on(conform::run(target, wanted, &options, interrupted()));
    runtime.shutdown_background();
    results.map_err(|error| {
        print::error(&error);
        if let conform::engine::RunError::Target(error) = &error {
            error.lines().iter().for_each(|line| print::problem(&format!("  | {line}")));
        }
        exit::INCONCLUSIVE
    })
}

fn tell(arguments: &ConformArguments, results: &Results) -> u8 {
    if !arguments.report.iter().any(report_file::ReportFile::is_on_standard_output) {
        print::out(&terminal::render(results, print::palette(), arguments.verbose));
    }
    let mut is_written = true;
    for report in &arguments.report {
        if let Err(error) = report.write(results) {
            print::error(&error);
            is_written = false;
        }
    }
    match results.verdict() {
        Verdict::Fail => exit::FAILED,
        Verdict::Pass | Verdict::Deviates if is_written => exit::PASS,
        Verdict::Pass | Verdict::Deviates | Verdict::Inconclusive | Verdict::Unsupported => {
            exit::INCONCLUSIVE
        }
    }
}

/// Prints the changes between two reports; a vector that is worse fails.
fn compare(old: &std::path::Path, new: &std::path::Path) -> u8 {
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path)
            .map_err(|error| usage(&format!("cannot read `{}`: {error}", path.display())))
    };
    let (old, new) = match (read(old), read(new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(status), _) | (_, Err(status)) => return status,
    };
    match diff::diff(&old, &new) {
        Ok(diff) => {
            print::out(&diff.render());
            if diff.worse.is_empty() { exit::PASS } else { exit::FAILED }
        }
        Err(problem) => usage(&problem),
    }
}

fn usage(problem: &str) -> u8 {
    print::problem(&format!("error: {problem}"));
    exit::USAGE
}
