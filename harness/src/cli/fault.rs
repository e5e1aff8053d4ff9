//! `--fault`: the cases that have the relay, and the faults that had no effect.

use std::collections::BTreeSet;

use super::option_error::RunOptionError;
use super::print;
use crate::report::{Case, Outcome, phrase};
use crate::run::SelectedCase;
use crate::scenario::{Relay, Scenario};
use crate::verdict::Verdict;

/// Names shown of many cases.
const SHOWN: usize = 10;

/// Removes the cases without the relay of a fault and prints their names. Without any case left, no case can run.
pub fn keep_cases_with_relays(
    faults: &[(String, String)],
    cases: &mut Vec<SelectedCase>,
) -> Result<(), RunOptionError> {
    for (node, fault) in faults {
        if !cases.iter().any(|case| case.scenario.nodes.iter().any(|known| known.name == *node)) {
            return Err(RunOptionError::NoNodeForFault { node: node.clone(), known: model_relays(cases) });
        }
        check_name(node, fault)?;
        if !cases.iter().any(|case| has_model_relay(&case.scenario, node)) {
            return Err(RunOptionError::NoRelayForFault { node: node.clone() });
        }
    }
    let unfit: Vec<SelectedCase> = cases
        .extract_if(.., |case| faults.iter().any(|(node, _)| !has_model_relay(&case.scenario, node)))
        .collect();
    if cases.is_empty() {
        return Err(RunOptionError::NoCaseForFaults);
    }
    if !unfit.is_empty() {
        let titles: Vec<String> = unfit.iter().map(|case| case.scenario.title()).collect();
        let count = phrase::count(unfit.len(), "case");
        print::problem(&format!(
            "skipped {count} without the relay `model` that {} needs: {}",
            options(faults),
            phrase::some_of(&titles, SHOWN)
        ));
    }
    Ok(())
}

#[cfg(feature = "relays")]
fn check_name(node: &str, fault: &str) -> Result<(), RunOptionError> {
    match relay_model::faults::Faults::read(fault) {
        Ok(_) => Ok(()),
        Err(error) => Err(RunOptionError::UnknownFault { node: node.to_owned(), error }),
    }
}

/// Leaves it to the relay, which is another program, to refuse a name.
#[cfg(not(feature = "relays"))]
fn check_name(_node: &str, _fault: &str) -> Result<(), RunOptionError> {
    Ok(())
}

/// Returns the names of the relays in which faults can be switched on.
fn model_relays(cases: &[SelectedCase]) -> String {
    let nodes = cases.iter().flat_map(|case| &case.scenario.nodes);
    let relays = nodes.filter(|node| node.kind.as_relay().is_some_and(Relay::has_faults));
    let names: BTreeSet<&str> = relays.map(|node| node.name.as_str()).collect();
    if names.is_empty() {
        return "in none of them".to_owned();
    }
    phrase::list(&Vec::from_iter(names.into_iter().map(str::to_owned)))
}

/// Returns a warning when cases passed although faults were enabled.
pub fn without_effect(faults: &[(String, String)], outcome: &Outcome) -> Option<String> {
    if faults.is_empty() {
        return None;
    }
    let passed = outcome.cases.iter().filter(|case| passed_without_finding(case));
    let mut titles: Vec<String> = passed.map(|case| case.title.clone()).collect();
    titles.dedup();
    if titles.is_empty() {
        return None;
    }
    Some(format!(
        "{} had no effect in {}: no hop there uses the part that it breaks: {}",
        options(faults),
        phrase::count(titles.len(), "case"),
        phrase::some_of(&titles, SHOWN)
    ))
}

/// Returns true for a case without any finding: an accepted finding does not fail the case, but shows that the fault
/// had an effect.
fn passed_without_finding(case: &Case) -> bool {
    case.verdict() == Verdict::Pass && case.judged().is_some_and(|judged| judged.findings.is_empty())
}

fn has_model_relay(scenario: &Scenario, node: &str) -> bool {
    let mut nodes = scenario.nodes.iter().filter(|known| known.name == node);
    nodes.any(|known| known.kind.as_relay().is_some_and(Relay::has_faults))
}

/// Returns `` `--fault shop=inject-nothing` ``.
fn options(faults: &[(String, String)]) -> String {
    let options: Vec<String> = faults.iter().map(|(node, fault)| format!("--fault {node}={fault}")).collect();
    phrase::list(&options)
}
