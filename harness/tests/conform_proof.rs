//! Each requirement of the reference suite is proved able to fail: a table names a defect for it, in a small service of
//! this test. The service without defects passes everything, so the defect alone is what is found.

#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

#[path = "conform/foreign/mod.rs"]
mod foreign;
#[path = "conform/propagation/mod.rs"]
mod propagation;
#[path = "conform/service.rs"]
mod service;
#[path = "conform/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::time::Duration;

use foreign::{Flaw, ForeignPropagation, Style};
use propagation::{Defect, Propagation};
use service::Service;
use unbroken::conform::suite::Configuration;
use unbroken::conform::{
    self, ConformanceVerdict, Options, RequirementSelection, Results, SelectedRequirement, Target,
};
use unbroken::scenario::Role;

/// Returns the requirements of this configuration that a service at an address can be tried on.
fn selected(only: &str, configuration: &Configuration) -> Vec<SelectedRequirement> {
    let only = if only.is_empty() { Vec::new() } else { vec![only.to_owned()] };
    let all = RequirementSelection { suites: vec!["all".to_owned()], only, level: 2 }
        .of(&conform::suites())
        .unwrap();
    let mut fitting = all;
    fitting.retain(|wanted| {
        let requirement = &wanted.requirement;
        requirement.role == Role::Participant
            && requirement.configuration == *configuration
            && requirement.needs.is_empty()
    });
    fitting
}

fn tried(defect: Option<Defect>, only: &str) -> Results {
    tried_on(Propagation::new(defect), only, Configuration::default())
}

fn tried_foreign(style: Style, flaw: Option<Flaw>, only: &str) -> Results {
    tried_on(ForeignPropagation::new(style, flaw), only, style.configuration())
}

fn tried_on(carrier: impl service::Carrier, only: &str, configuration: Configuration) -> Results {
    let service = Service::start(carrier);
    let mut target = Target::new(Some(service.address().parse().unwrap()), Vec::new()).unwrap();
    target.configuration = configuration.clone();
    let options = Options {
        jobs: 4,
        seed: 7,
        timeout: Duration::from_secs(20),
        listen: ([127, 0, 0, 1], 0).into(),
        host: None,
        level: 2,
        is_strict: true,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let wanted = selected(only, &configuration);
    runtime.block_on(conform::run(&target, &wanted, &options, std::future::pending())).unwrap()
}

#[test]
fn the_service_without_defects_passes_everything() {
    assert_passes(&tried(None, ""));
    for style in Style::ALL {
        assert_passes(&tried_foreign(*style, None, ""));
    }
}

fn assert_passes(results: &Results) {
    let odd: Vec<String> = results
        .requirements
        .iter()
        .flat_map(|one| one.vectors.iter().map(move |vector| (one, vector)))
        .filter(|(_, vector)| vector.verdict != ConformanceVerdict::Pass)
        .map(|(one, vector)| format!("{}/{}: {:?}", one.requirement.id, vector.name, vector.mismatch))
        .collect();
    assert!(odd.is_empty(), "{odd:#?}");
}

#[test]
fn every_requirement_fails_with_its_defect() {
    let mut unproven = Vec::new();
    for (id, defect) in table::TABLE {
        let results = tried(Some(*defect), id);
        let verdict = results.requirements[0].verdict();
        if !matches!(verdict, ConformanceVerdict::Fail | ConformanceVerdict::Deviates) {
            unproven.push(format!("{id} does not find {defect:?}: {}", verdict.word()));
        }
    }
    for (id, style, flaw) in foreign::TABLE {
        let verdict = tried_foreign(*style, Some(*flaw), id).requirements[0].verdict();
        if !matches!(verdict, ConformanceVerdict::Fail | ConformanceVerdict::Deviates) {
            unproven.push(format!("{id} does not find {flaw:?}: {}", verdict.word()));
        }
    }
    assert!(unproven.is_empty(), "{unproven:#?}");
}

#[test]
fn every_requirement_is_tried_in_a_configuration_of_the_table() {
    let all = RequirementSelection { suites: vec!["all".to_owned()], only: Vec::new(), level: 3 };
    let known: Vec<Configuration> =
        Style::ALL.iter().map(|style| style.configuration()).chain([Configuration::default()]).collect();
    for wanted in all.of(&conform::suites()).unwrap() {
        let requirement = &wanted.requirement;
        assert!(known.contains(&requirement.configuration), "{} is in no table", requirement.id);
    }
}

#[test]
fn no_requirement_is_without_a_defect() {
    let foreign = foreign::TABLE.iter().map(|(id, ..)| *id);
    let proved: BTreeSet<&str> = table::TABLE.iter().map(|(id, _)| *id).chain(foreign).collect();
    let mut wanted = selected("", &Configuration::default());
    for style in Style::ALL {
        wanted.extend(selected("", &style.configuration()));
    }
    let missing: Vec<&str> =
        wanted.iter().map(|one| one.requirement.id.as_str()).filter(|id| !proved.contains(id)).collect();
    assert!(missing.is_empty(), "requirements that nothing shows to be able to fail: {missing:?}");
    let known: BTreeSet<&str> = wanted.iter().map(|one| one.requirement.id.as_str()).collect();
    let unknown: Vec<&&str> = proved.iter().filter(|id| !known.contains(**id)).collect();
    assert!(unknown.is_empty(), "defects of requirements that do not exist: {unknown:?}");
}

#[test]
fn a_service_that_never_continues_passes_next_to_nothing() {
    let results = tried(Some(Defect::NeverContinues), "");
    let passed: Vec<&str> = results
        .requirements
        .iter()
        .filter(|one| one.verdict() == ConformanceVerdict::Pass)
        .map(|one| one.requirement.id.as_str())
        .collect();
    // What holds of new traces alone, and where a new trace is an outcome that is left open.
    assert_eq!(passed, ["TP-34", "TP-35", "TP-37", "TF-07", "ID-10"]);
}
