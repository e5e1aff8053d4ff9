//! `unbroken nightly`: a run, and its differences from the last complete night.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::arguments::{NightlyArguments, RunArguments};
use super::nights::Nights;
use super::{baseline_file, comparison, exit, gateway_table, print, run};
use crate::history::{Comparison, RunRecord};
use crate::report::json;
use crate::run::selection;
use crate::verdict::baseline::{AcceptedFinding, Baseline};

pub fn nightly(arguments: &NightlyArguments) -> u8 {
    let nights = match Nights::open(&arguments.state) {
        Ok(nights) => nights,
        Err(error) => {
            print::error(&error);
            return exit::INCONCLUSIVE;
        }
    };
    let last = match nights.last() {
        Ok(last) => last,
        Err(error) => {
            print::error(&error);
            return exit::INCONCLUSIVE;
        }
    };
    match &arguments.accept {
        Some(fingerprint) => accept(arguments, last.as_deref(), fingerprint),
        None => run_and_compare(arguments, &nights, last),
    }
}

fn run_and_compare(arguments: &NightlyArguments, nights: &Nights, last: Option<PathBuf>) -> u8 {
    // A night that cannot be compared with is reported at once, not after the run.
    let before = match last.as_deref().map(comparison::read).transpose() {
        Ok(before) => before,
        Err(error) => {
            print::error(&error);
            print::problem("move that file away to start again; nothing was run or removed");
            return exit::INCONCLUSIVE;
        }
    };
    let Night { text, record: after, titles, status } = match tonight(arguments) {
        Ok(night) => night,
        Err(status) => return status,
    };
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S%.6fZ").to_string();
    if let Err(error) = nights.add(&now, &text, after.is_partial, arguments.keep_nights) {
        print::error(&error);
        return exit::INCONCLUSIVE;
    }
    let Some(mut before) = before else {
        print::out(&gateway_table::table(&after, &Comparison::default()));
        print::out("the first night: nothing to compare with\n");
        return exit::INCONCLUSIVE;
    };
    if arguments.run.sharding.shard.is_some() {
        // The cases of other shards are those of other machines.
        before.cases.retain(|title, _| titles.contains(title));
    }
    let mut compared = Comparison::of(&before, &after);
    let can_run = arguments.from.is_none() || !arguments.run.selection.paths.is_empty();
    if compared.is_alarming() && !after.is_partial && can_run {
        confirm(&arguments.run, &arguments.state, &after, &mut compared);
    }
    let table = gateway_table::table(&after, &compared);
    let table = if table.is_empty() { table } else { format!("{table}\n") };
    let words = comparison::words(&compared);
    print::out(&format!("\ncompared with the last complete night:\n\n{table}{words}"));
    if after.is_partial || status == exit::INTERNAL {
        return exit::INCONCLUSIVE;
    }
    if compared.is_alarming() { exit::FAILED } else { exit::PASS }
}

/// The run of this night.
struct Night {
    text: String,
    record: RunRecord,
    /// The titles of the cases that were selected.
    titles: BTreeSet<String>,
    /// The exit status of the run.
    status: u8,
}

/// Runs the cases, or reads the report that is given in place of a run. Returns the exit status after it has printed
/// the problem.
fn tonight(arguments: &NightlyArguments) -> Result<Night, u8> {
    if let Some(path) = &arguments.from {
        let (text, record) = comparison::read_text(path).map_err(|error| {
            print::error(&error);
            exit::USAGE
        })?;
        let titles = record.cases.keys().cloned().collect();
        return Ok(Night { text, record, titles, status: exit::PASS });
    }
    let run = run::finished(&arguments.run, std::slice::from_ref(&arguments.state))?;
    let status = run::report(&arguments.run, &run);
    let text = json::render(&run.outcome);
    let record = RunRecord::read(&text).map_err(|error| {
        print::error(&error);
        exit::INTERNAL
    })?;
    Ok(Night { text, record, titles: run.titles, status })
}

/// Runs the cases with something new or worse once more with the same seed.
fn confirm(arguments: &RunArguments, state: &Path, after: &RunRecord, compared: &mut Comparison) {
    let alarming = compared.differences.iter().filter(|one| one.kind.is_alarming());
    let titles: BTreeSet<String> = alarming.map(|one| one.title.clone()).collect();
    print::out(&format!("\nonce more, {} with something new or worse:\n\n", titles.len()));
    let mut again = arguments.clone();
    again.selection.filter = titles.into_iter().collect();
    again.seed = after.seed.parse().ok();
    (again.sharding.shard, again.sharding.durations) = (None, None);
    (again.report, again.keep_evidence, again.judging.write_baseline) = (Vec::new(), None, None);
    let Ok(run) = run::finished(&again, &[state.to_owned()]) else { return };
    let _ = run::report(&again, &run);
    if let Ok(record) = RunRecord::read(&json::render(&run.outcome)) {
        compared.confirm(&record);
    }
}

/// Adds a finding of the last night to the baseline of the folder.
fn accept(arguments: &NightlyArguments, last: Option<&Path>, fingerprint: &str) -> u8 {
    let Some(last) = last else {
        print::problem("error: no night is kept yet: run `unbroken nightly` first");
        return exit::USAGE;
    };
    let record = match comparison::read(last) {
        Ok(record) => record,
        Err(error) => {
            print::error(&error);
            return exit::INCONCLUSIVE;
        }
    };
    let found = record.cases.values().find_map(|case| {
        let (id, finding) = case.findings.iter().find(|(_, finding)| finding.fingerprint == fingerprint)?;
        Some(AcceptedFinding {
            scenario: case.scenario.clone(),
            case: case.case.clone(),
            hop: id.hop.clone(),
            class: id.class.clone(),
            side: id.side.clone(),
            fields: Some(finding.fields.iter().cloned().collect()),
            count: Some(finding.hit),
            until: arguments.until.clone(),
            reason: arguments.reason.clone().unwrap_or_default(),
        })
    });
    let Some(entry) = found else {
        let last = last.display();
        print::problem(&format!(
            "error: the last night `{last}` has no finding with the fingerprint `{fingerprint}`"
        ));
        return exit::USAGE;
    };
    let path = arguments.state.join(selection::BASELINE);
    let mut baseline = if path.exists() {
        match baseline_file::read(&path) {
            Ok(baseline) => baseline,
            Err(error) => {
                print::error(&error);
                return exit::USAGE;
            }
        }
    } else {
        Baseline::default()
    };
    print::out(&format!("accepted: {} at {} of {}\n", entry.class, entry.hop, entry.scenario));
    baseline.replace(entry);
    match std::fs::write(&path, baseline.write()) {
        Ok(()) => exit::PASS,
        Err(source) => {
            print::error(&baseline_file::FindingsError::Write { path, source });
            exit::INCONCLUSIVE
        }
    }
}
