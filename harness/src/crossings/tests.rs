//! Pairing of kept evidence (`tests/judged`), where no verdict shows it.

use super::kept_evidence::kept;
use super::{CrossingWitness, Crossings};
use crate::evidence::Evidence;

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
