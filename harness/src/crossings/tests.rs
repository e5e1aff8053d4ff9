//! Pairing of kept evidence (`tests/judged`), where no verdict shows it.

use std::path::PathBuf;
use std::sync::Arc;

use super::{CrossingWitness, Crossings};
use crate::evidence::Evidence;
use crate::evidence::file::StoredEvidence;
use crate::plan::{Plan, Seed};

fn kept(name: &str) -> (Plan, Evidence) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/judged");
    let source = crate::scenario::read(&folder.join(format!("{name}.yaml"))).unwrap();
    let scenario = crate::scenario::parse(&source).unwrap().remove(0);
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let stored = StoredEvidence::read(&text).unwrap();
    let plan = Plan::build(Arc::new(scenario), folder, Seed(stored.seed));
    let evidence = stored.evidence(&plan).unwrap();
    (plan, evidence)
}

#[test]
fn without_a_tap_a_crossing_is_witnessed_by_a_span_or_not_at_all() {
    let (plan, mut evidence) = kept("no-tap");
    let node = |name: &str| plan.scenario.nodes.iter().position(|node| node.name == name).unwrap();
    let (shop, billing) = (node("shop"), node("billing"));
    let witness = |evidence: &Evidence| {
        let all = Crossings::pair(&plan, evidence);
        all.iter().map(|crossing| (crossing.hop().id.clone(), crossing.witness())).collect::<Vec<_>>()
    };
    let bill = |by| ("bill".to_owned(), by);
    assert!(witness(&evidence).contains(&("order".to_owned(), Some(CrossingWitness::Tap))));
    assert!(witness(&evidence).contains(&bill(Some(CrossingWitness::ReceiverSpan))));
    evidence.spans.retain(|span| span.node.0 != billing);
    assert!(witness(&evidence).contains(&bill(Some(CrossingWitness::CallSpan))));
    // A CLIENT span for something else, such as a database, witnesses nothing.
    for span in &mut evidence.spans {
        span.attributes.retain(|(name, _)| name == "server.address");
    }
    assert!(witness(&evidence).contains(&bill(None)));
    evidence.spans.retain(|span| span.node.0 != shop);
    assert!(witness(&evidence).contains(&bill(None)));
}
