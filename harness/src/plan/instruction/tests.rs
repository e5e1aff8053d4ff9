//! Instructions over brokers, each from a scenario as an author writes it.

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::plan::fan_out::{fan_out, is_instructed};
use crate::plan::{Plan, Seed};
use crate::scenario;
use crate::source::Source;

/// A scenario of relays and stubs with a broker of each kind.
fn plan(nodes: &str, hops: &str, drive: &str) -> Plan {
    let text = format!(
        "scenario: a-story\nnodes:\n{nodes}hops:\n{hops}drive:\n  - {{ send: {drive} }}\nexpect: [hops.crossed]\n"
    );
    let cases = scenario::parse(&Source::new("a.yaml", text)).expect("the scenario is a good one");
    Plan::build(Arc::new(cases.into_iter().next().unwrap()), PathBuf::new(), Seed(7))
}

/// Returns the instruction of the first stimulus, without the run's number.
fn said(plan: &Plan) -> String {
    let stimulus = plan.stimulus(StimulusIx(0));
    let instruction = render(plan, stimulus.call, stimulus.ix, &|_| Some("here:1".to_owned()));
    instruction.to_string().replace(&format!("ub{:08x}", plan.run), "ub")
}

fn hop(plan: &Plan, name: &str) -> HopIx {
    HopIx(plan.scenario.hops.iter().position(|hop| hop.id == name).expect("the hop is there"))
}

const ORDER: &str = "  order: { http: { from: client, to: shop } }\n";

#[test]
fn a_fan_out_is_one_call_of_its_first_hop() {
    let plan = plan(
        "  shop: { relay: model }\n  billing: { relay: model }\n  stock: { stub: {} }\n  bank: { stub: {} }\n  broker: { kafka: {} }\n",
        &format!(
            "{ORDER}  publish: {{ kafka: {{ from: shop, to: billing, via: broker, topic: all, key: k/1 }} }}
  noted: {{ kafka: {{ from: shop, to: stock, via: broker, topic: all, key: k/1 }} }}
  pay: {{ http: {{ from: billing, to: bank, path: /pay }} }}\n"
        ),
        "order",
    );
    let publish = "[{\"arguments\":[{\"url\":\"mark:ub-0-1\"},\
                   {\"arguments\":[{\"url\":\"mark:ub-0-2\"}],\"url\":\"http://here:1/pay\"}],\
                   \"url\":\"kafka://all?key=k%2F1\"}]";
    assert_eq!(said(&plan), publish.replacen('[', "[{\"url\":\"mark:ub-0-0\"},", 1));
    let (publish, noted) = (hop(&plan, "publish"), hop(&plan, "noted"));
    assert_eq!(fan_out(&plan.scenario, noted), [publish, noted]);
    assert_eq!(plan.calls[1].hop, publish);
    assert_eq!(plan.calls.len(), 3);
}

#[test]
fn a_relay_reads_what_is_sent_to_a_stub_of_the_same_topic() {
    let plan = plan(
        "  shop: { relay: model }\n  stock: { stub: {} }\n  mail: { rabbitmq: {} }\n",
        "  noted: { rabbitmq: { from: client, to: stock, via: mail, queue: stock, exchange: all, exchange-type: fanout } }
  order: { rabbitmq: { from: client, to: shop, via: mail, queue: shop, exchange: all, exchange-type: fanout } }\n",
        "noted",
    );
    assert!(is_instructed(&plan.scenario, hop(&plan, "noted")));
    assert_eq!(said(&plan), r#"[{"url":"mark:ub-0-0"}]"#);
}

#[test]
fn each_message_of_a_batch_has_a_mark_of_its_own_and_so_has_all_below() {
    let plan = plan(
        "  shop: { relay: model }\n  billing: { relay: model }\n  bank: { stub: {} }\n  outbox: { sqs: {} }\n",
        &format!(
            "{ORDER}  put: {{ sqs: {{ from: shop, to: billing, via: outbox, queue: letters, batch: 2 }}, relation: link, times: 3 }}
  pay: {{ http: {{ from: billing, to: bank, path: \"/pay/{{id}}\" }} }}\n"
        ),
        "order",
    );
    let sent = |items, (put, pay), url| {
        format!(
            "{{\"arguments\":[{{\"url\":\"mark:ub-0-{put}{items}\"}},{{\"arguments\":[{{\"url\":\"mark:ub-0-{pay}{items}\"}}],\
             \"url\":\"http://here:1/pay/ub-0-{pay}{items}\"}}],\"url\":\"{url}\"}}"
        )
    };
    let (two, one) = (sent("-{i}", (1, 2), "sqs://letters?batch=2"), sent("", (3, 4), "sqs://letters"));
    assert_eq!(said(&plan), format!("[{{\"url\":\"mark:ub-0-0\"}},{two},{one}]"));
    assert_eq!(plan.calls.iter().map(|call| call.items).collect::<Vec<_>>(), [1, 2, 1, 1, 1]);
}

#[test]
fn what_is_given_up_is_moved_and_called_by_nobody() {
    let plan = plan(
        "  shop: { relay: model }\n  billing: { relay: model }\n  parking: { relay: model }\n  mail: { rabbitmq: {} }\n",
        &format!(
            "{ORDER}  post: {{ rabbitmq: {{ from: shop, to: billing, via: mail, queue: a b, delay: 5ms }}, steps: [{{ fail: reject }}] }}
  parked: {{ rabbitmq: {{ from: billing, to: parking, via: mail, queue: parked }}, dead-letter-of: post }}\n"
        ),
        "order",
    );
    let post = r#"{"arguments":[{"url":"mark:ub-0-1"},{"url":"fail:reject"}],"url":"amqp:///a%20b.delay"}"#;
    assert_eq!(said(&plan), format!("[{{\"url\":\"mark:ub-0-0\"}},{post}]"));
    assert_eq!(plan.calls.len(), 2);
    assert_eq!(fan_out(&plan.scenario, hop(&plan, "parked")), [hop(&plan, "parked")]);
}

#[test]
fn a_relay_behind_a_dead_letter_queue_follows_the_message_and_others_do_not() {
    let plan = plan(
        "  shop: { relay: model }\n  billing: { in-process: true }\n  parking: { relay: model }\n  desk: { stub: {} }\n  outbox: { sqs: {} }\n",
        "  put: { sqs: { from: client, to: billing, via: outbox, queue: letters } }
  ask: { http: { from: billing, to: shop } }
  parked: { sqs: { from: billing, to: parking, via: outbox, queue: parked }, dead-letter-of: put }
  tell: { http: { from: parking, to: desk } }\n",
        "put",
    );
    let tell = r#"{"arguments":[{"url":"mark:ub-0-2"}],"url":"http://here:1/"}"#;
    assert_eq!(said(&plan), format!("[{{\"url\":\"mark:ub-0-0\"}},{tell}]"));
    assert_eq!(plan.calls[1].hop, hop(&plan, "ask"));
}
