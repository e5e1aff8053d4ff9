//! Names of a case's own at brokers change nothing but the names: the shipped stories pass with them, faults are named
//! the same, evidence can be judged again, and cases can share a broker.

#![cfg(all(
    feature = "kafka",
    feature = "rabbitmq",
    feature = "sqs",
    feature = "brokers",
    feature = "relays"
))]
#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;
use unbroken::evidence::Evidence;
use unbroken::evidence::file::{self, StoredEvidence};
use unbroken::plan::{Plan, Seed};
use unbroken::run::judge::judge;
use unbroken::run::selection::cases;
use unbroken::run::{CaseOptions, JudgeSettings, case};
use unbroken::runtime::{BrokerStarter, RunningBroker};
use unbroken::scenario::{BrokerKind, NodeKind, Scenario, parse};
use unbroken::source::Source;
use unbroken::verdict::{CaseEnd, CaseVerdict, Verdict};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn options() -> CaseOptions {
    let mut options = CaseOptions::default();
    options.runtime.relay = vec![OsString::from(env!("CARGO_BIN_EXE_unbroken"))];
    options.runtime.brokers = unbroken::testing::brokers::stand_ins();
    options
}

/// The first case of every scenario in a folder that goes through a broker.
fn with_brokers(folder: &Path) -> Vec<Arc<Scenario>> {
    let files = unbroken::run::selection::files(folder).unwrap();
    let first = files.iter().map(|file| cases(file).unwrap().remove(0).scenario);
    first
        .filter(|scenario| scenario.nodes.iter().any(|node| matches!(node.kind, NodeKind::Broker(_))))
        .collect()
}

async fn run(scenario: Scenario, options: &CaseOptions) -> (Arc<Plan>, CaseVerdict, Evidence) {
    let plan = Arc::new(Plan::build(Arc::new(scenario), PathBuf::from("."), Seed(11)));
    let ran = case(plan.clone(), options).await;
    match ran.end {
        CaseEnd::Judged(verdict) => (plan, *verdict, ran.evidence.unwrap()),
        CaseEnd::CouldNotRun(error) => panic!("{error:#?}"),
    }
}

/// Everything of a verdict that has no ids in it.
fn said(verdict: &CaseVerdict) -> String {
    let findings = verdict.findings.iter();
    let findings: Vec<_> = findings
        .map(|finding| (finding.class.word(), finding.side.word(), &finding.hops, finding.hit, finding.of))
        .collect();
    let hops: Vec<_> =
        verdict.hops.iter().map(|hop| (&hop.id, &hop.operation, hop.verdict.word(), hop.crossings)).collect();
    format!(
        "{} {findings:#?} {hops:#?} {:#?} {:#?}",
        verdict.verdict.word(),
        verdict.gaps,
        verdict.undeclared
    )
}

/// Topics and queues that something was seen to go through.
fn destinations(evidence: &Evidence) -> Vec<&str> {
    let messages = evidence.captures.iter().filter_map(|capture| capture.message.as_ref());
    messages.map(|message| message.destination.as_str()).filter(|name| !name.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_scenarios_pass_with_names_of_their_own() {
    let scenarios = with_brokers(&root().join("../scenarios"));
    assert!(scenarios.len() >= 10, "{} scenarios go through a broker", scenarios.len());
    for scenario in scenarios {
        let own = scenario.with_own_names("7f3a");
        assert_eq!(own.kept, [], "{}", scenario.title());
        let (_, verdict, evidence) = run(own.scenario, &options()).await;
        assert_eq!(verdict.verdict, Verdict::Pass, "{}: {}", scenario.title(), said(&verdict));
        let seen = destinations(&evidence);
        assert!(!seen.is_empty(), "{}: no message was seen", scenario.title());
        assert!(seen.iter().all(|name| name.ends_with("-7f3a") || name.ends_with("-7f3a.delay")), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_named_as_with_the_names_of_the_file() {
    let scenarios = with_brokers(&root().join("tests/stories"));
    let faults: Vec<_> = scenarios.iter().filter(|scenario| scenario.name.contains("fault")).collect();
    assert!(faults.len() >= 8, "{} stories with a fault go through a broker", faults.len());
    for scenario in faults {
        let (_, plain, _) = run(Scenario::clone(scenario), &options()).await;
        let (_, own, _) = run(scenario.with_own_names("7f3a").scenario, &options()).await;
        assert_ne!(plain.findings, [], "{}", scenario.title());
        assert_eq!(said(&own), said(&plain), "{}", scenario.title());
    }
}

fn story(text: &str) -> Scenario {
    let source = Source::new("story.yaml", text);
    let wrong = |wrong: Vec<_>| panic!("{}", unbroken::diagnostic::render(&source, &wrong, false));
    parse(&source).unwrap_or_else(wrong).remove(0)
}

const FIVE: &str = include_str!("../../scenarios/23-five-transports.yaml");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_of_a_case_with_own_names_is_judged_again_with_the_file_alone() {
    let scenario = story(FIVE);
    let (plan, verdict, evidence) = run(scenario.with_own_names("7f3a").scenario, &options()).await;
    let text = file::write(&plan, &evidence);
    let kept = StoredEvidence::read(&text).unwrap();
    let judged = |scenario: Scenario| {
        let plan = Plan::build(Arc::new(scenario), PathBuf::from("."), Seed(kept.seed));
        judge(&plan, &kept.evidence(&plan).unwrap(), &JudgeSettings::default())
    };
    assert_eq!(said(&judged(kept.scenario(&scenario).unwrap())), said(&verdict));
    assert_eq!(verdict.verdict, Verdict::Pass);
    // The names of the file are none that anything went through.
    assert_ne!(judged(scenario).verdict, Verdict::Pass);
}

/// Returns one broker of each kind, shared by all callers.
fn shared() -> BrokerStarter {
    let stand_ins = unbroken::testing::brokers::stand_ins().unwrap();
    let started: Arc<Mutex<HashMap<BrokerKind, RunningBroker>>> = Arc::default();
    BrokerStarter(Arc::new(move |kind, listen| {
        let (start, started) = (stand_ins.clone(), started.clone());
        Box::pin(async move {
            let mut started = started.lock().await;
            let broker = match started.entry(kind) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => free.insert((start.0)(kind, listen).await?),
            };
            let refusals = broker.refusals.clone();
            Ok(RunningBroker {
                address: broker.address,
                refusals,
                positions: None,
                create_topic: None,
                held: Box::new(()),
            })
        })
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_with_names_of_their_own_share_a_broker_and_see_nothing_of_each_other() {
    let scenario = story(FIVE);
    let mut options = options();
    options.runtime.brokers = Some(shared());
    let own = |suffix: &str| run(scenario.with_own_names(suffix).scenario, &options);
    let ((_, first, _), (_, second, _)) = tokio::join!(own("one"), own("two"));
    assert_eq!(first.verdict, Verdict::Pass, "{}", said(&first));
    assert_eq!(second.verdict, Verdict::Pass, "{}", said(&second));
}
