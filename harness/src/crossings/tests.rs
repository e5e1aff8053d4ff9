//! Pairing of kept evidence (`tests/judged`), where no verdict shows it.

use super::kept_evidence::kept;
use super::{CrossingWitness, Crossings};
use crate::evidence::{Evidence, IdBytes, SpanKind};
use crate::scenario::NodeIx;

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

#[test]
fn a_receive_stands_for_a_message_whose_work_has_no_span_whatever_else_the_node_serves() {
    let (plan, mut evidence) = kept("kafka-receive-continues-and-work-has-no-link");
    let billing = plan.scenario.nodes.iter().position(|node| node.name == "billing").unwrap();
    evidence.spans.retain(|span| span.name != "orders process");
    let mut health = evidence.spans.iter().find(|span| span.kind == SpanKind::Server).unwrap().clone();
    (health.node, health.trace_id, health.span_id) = (NodeIx(billing), [7; 16].into(), [7; 8].into());
    (health.parent_id, health.marks) = (IdBytes::default(), Vec::new());
    evidence.spans.push(health);
    let all = Crossings::pair(&plan, &evidence);
    let received = all.iter().filter(|crossing| crossing.hop().id == "publish");
    let names: Vec<_> = received.map(|crossing| crossing.receiver_span().map(|span| &span.name)).collect();
    assert!(names.iter().all(|name| name.is_some_and(|name| name == "orders receive")), "{names:?}");
}
