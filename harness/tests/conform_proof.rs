//! Each requirement of the reference suite is proved able to fail: a table names a defect for it, in a small service of
//! this test. The service without defects passes everything, so the defect alone is what is found.

#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

#[path = "conform/foreign/mod.rs"]
mod foreign;
#[path = "conform/propagation/mod.rs"]
mod propagation;
#[path = "conform/relay_table.rs"]
mod relay_table;
#[path = "conform/service.rs"]
mod service;
#[path = "conform/table.rs"]
mod table;
#[path = "conform/untried.rs"]
mod untried;

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
    for wanted in &mut fitting {
        wanted.vectors.retain(|vector| {
            let needs_a_relay = !vector.needs.is_empty() || vector.propagation.is_some();
            vector.configuration == *configuration && vector.telemetry.is_empty() && !needs_a_relay
        });
    }
    fitting.retain(|wanted| {
        let requirement = &wanted.requirement;
        requirement.role == Role::Participant
            && requirement.needs.is_empty()
            && requirement.over.is_empty()
            && !wanted.vectors.is_empty()
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
        is_wire_only: false,
        routes: vec![conform::TransportRoute::HTTP],
        brokers: None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let wanted = selected(only, &configuration);
    runtime.block_on(conform::run(&target, &wanted, &options, std::future::pending(), &|_| {})).unwrap()
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
fn no_requirement_is_without_a_defect() {
    let foreign = foreign::TABLE.iter().map(|(id, ..)| *id);
    let relay = relay_table::RELAY_TABLE.iter().map(|(id, _)| *id);
    let proved: BTreeSet<&str> = table::TABLE.iter().map(|(id, _)| *id).chain(foreign).chain(relay).collect();
    let all = RequirementSelection { suites: vec!["all".to_owned()], only: Vec::new(), level: 3 };
    let wanted = all.of(&conform::suites()).unwrap();
    let known: BTreeSet<&str> = wanted.iter().map(|one| one.requirement.id.as_str()).collect();
    let missing: Vec<&&str> = known.iter().filter(|id| !proved.contains(**id)).collect();
    assert!(missing.is_empty(), "requirements that nothing shows to be able to fail: {missing:?}");
    let unknown: Vec<&&str> = proved.iter().filter(|id| !known.contains(**id)).collect();
    assert!(unknown.is_empty(), "defects of requirements that do not exist: {unknown:?}");
}

#[test]
fn faults_that_name_a_requirement_are_found_by_it() {
    for fault in relay_model::faults::Fault::ALL {
        let Some(ids) = fault.shows().strip_prefix("requirement ") else { continue };
        for id in ids.split(", ") {
            let row = (id, fault.name());
            assert!(relay_table::RELAY_TABLE.contains(&row), "{row:?} is missing in relay_table.rs");
        }
    }
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
    assert_eq!(passed, ["TP-34", "TP-37", "ID-10"]);
}

/// Returns the page that accounts for every requirement of the catalogue.
fn catalogue() -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    for suite in conform::suites() {
        for requirement in &suite.requirements {
            let strength = requirement.strength.word();
            let (count, says) = (requirement.vectors.len(), &requirement.says);
            let cell = format!("`{}` | {count} | {strength} | {says}", suite.name);
            rows.push((requirement.id.clone(), cell));
        }
    }
    let tried = rows.len();
    let vectors: usize =
        conform::suites().iter().flat_map(|suite| &suite.requirements).map(|one| one.vectors.len()).sum();
    rows.extend(
        untried::UNTRIED.iter().map(|(id, why)| ((*id).to_owned(), format!(" | | | not tried: {why}"))),
    );
    rows.extend(untried::IN_SCENARIOS.iter().map(|(id, path, shows)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        ((*id).to_owned(), format!("scenario | | | [{name}](../../{path}): {shows}"))
    }));
    rows.sort_by_key(|(id, _)| {
        let (family, number) = id.split_once('-').unwrap();
        (family.to_owned(), number.parse::<u32>().unwrap())
    });
    let mut page = format!(
        "# The requirements of the reference suite\n\nGenerated from the suites in this folder by \
         `UPDATE_EXPECT=1 cargo test --test conform_proof`. {tried} requirements are tried, with {vectors} vectors; \
         {} more are judged by a scenario; {} are not tried, each for the reason in its row.\n\n\
         | id | suite | vectors | strength | requirement |\n\
         |---|---|---:|---|---|\n",
        untried::IN_SCENARIOS.len(),
        untried::UNTRIED.len()
    );
    for (id, cell) in rows {
        page += &format!("| {id} | {} |\n", cell.trim_start());
    }
    page
}

#[test]
fn every_requirement_of_the_catalogue_is_accounted_for() {
    let tried: BTreeSet<String> =
        conform::suites().iter().flat_map(|suite| &suite.requirements).map(|one| one.id.clone()).collect();
    let twice: Vec<&str> =
        untried::UNTRIED.iter().map(|(id, _)| *id).filter(|id| tried.contains(*id)).collect();
    assert!(twice.is_empty(), "tried, and listed as not tried: {twice:?}");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (id, path, _) in untried::IN_SCENARIOS {
        assert!(root.join(path).is_file(), "{id}: there is no scenario `{path}`");
        let listed = tried.contains(*id) || untried::UNTRIED.iter().any(|(other, _)| other == id);
        assert!(!listed, "{id} stands twice");
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/conformance/CATALOGUE.md");
    let page = catalogue();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "scenarios/conformance/CATALOGUE.md is stale: run with UPDATE_EXPECT=1");
}
