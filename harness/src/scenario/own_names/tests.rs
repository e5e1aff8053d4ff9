//! The names that become a case's own, and what they become.

use super::*;
use crate::scenario::parse;
use crate::source::Source;

fn read(nodes: &str, hops: &str) -> Scenario {
    let text = format!(
        "scenario: a-story\nnodes:\n  shop: {{ relay: model }}\n  desk: {{ stub: {{}} }}\n{nodes}\nhops:\n  \
         order: {{ http: {{ from: client, to: shop }} }}\n  look: {{ http: {{ from: shop, to: desk }} }}\n{hops}\n\
         drive: [{{ send: order }}]\n"
    );
    let source = Source::new("story.yaml", text.as_str());
    let wrong = |wrong: Vec<_>| panic!("{}", crate::diagnostic::render(&source, &wrong, false));
    parse(&source).unwrap_or_else(wrong).remove(0)
}

/// For each hop through a broker: topic and group, or exchange, routing key and queue.
fn names(scenario: &Scenario) -> Vec<String> {
    let shown = |hop: &Hop| match &hop.transport {
        Transport::Http(_) | Transport::Grpc(_) => None,
        Transport::Kafka(kafka) => Some(format!("{} {}", kafka.topic, kafka.group)),
        Transport::Sqs(sqs) => Some(sqs.queue.clone()),
        Transport::RabbitMq(rabbit) => {
            let exchange = rabbit.exchange.as_ref().map(|exchange| exchange.name.as_str());
            Some(format!("{} {} {}", exchange.unwrap_or("-"), rabbit.routing_key, rabbit.queue))
        }
    };
    scenario.hops.iter().filter_map(shown).collect()
}

fn kept(names: &OwnNames) -> Vec<(&str, &str)> {
    let broker = |kept: &KeptName| names.scenario.nodes[kept.broker.0].name.as_str();
    names.kept.iter().map(|kept| (broker(kept), kept.name.as_str())).collect()
}

#[test]
fn all_that_only_relays_and_stubs_use_is_renamed() {
    let scenario = read(
        "  broker: { kafka: {} }\n  mail: { rabbitmq: {} }\n  outbox: { sqs: {} }",
        "  a: { kafka: { from: shop, to: desk, via: broker, topic: orders } }
  b: { rabbitmq: { from: shop, to: desk, via: mail, queue: letters, delay: 20ms } }
  c: { rabbitmq: { from: shop, to: desk, via: mail, queue: cards, exchange: post, exchange-type: topic } }
  d: { sqs: { from: shop, to: desk, via: outbox, queue: kept } }",
    );
    let own = scenario.with_own_names("x1");
    let renamed = ["orders-x1 desk-x1", "- letters-x1 letters-x1", "post-x1 cards cards-x1", "kept-x1"];
    assert_eq!(names(&own.scenario), renamed);
    assert_eq!(kept(&own), []);
    let Transport::RabbitMq(delayed) = &own.scenario.hops[3].transport else {
        panic!("`b` is over RabbitMQ")
    };
    assert_eq!(delayed.published_to(), ("", "letters-x1.delay".to_owned()));
    assert_eq!(own.scenario.source_in_file(&own.scenario.hops[3].transport), Some("letters"));
    assert_eq!(names(&scenario), ["orders desk", "- letters letters", "post cards cards", "kept"]);
    assert_eq!(scenario.source_in_file(&scenario.hops[3].transport), Some("letters"));
    assert_eq!(names(&scenario.named(own.scenario.own_names.clone())), renamed);
}

#[test]
fn what_a_service_of_the_users_uses_on_one_hop_stays_on_all() {
    let services = [
        "image: \"billing:1\", ready: { output: up }, env: { B: \"${broker.bootstrap}\", M: \"${mail.amqp}\", \
         S: \"${outbox.endpoint}\" }",
        "command: [billing], ready: { output: up }, env: { B: \"${broker.bootstrap}\", M: \"${mail.amqp}\", \
         S: \"${outbox.endpoint}\" }",
        "in-process: true",
    ];
    for service in services {
        let scenario = read(
            &format!(
                "  billing: {{ {service} }}\n  far: {{ relay: model }}\n  broker: {{ kafka: {{}} }}\n  \
                 other: {{ kafka: {{}} }}\n  mail: {{ rabbitmq: {{}} }}\n  outbox: {{ sqs: {{}} }}"
            ),
            "  a: { kafka: { from: shop, to: desk, via: broker, topic: orders } }
  b: { kafka: { from: shop, to: billing, via: broker, topic: orders } }
  call: { http: { from: shop, to: far } }
  c: { kafka: { from: far, to: desk, via: other, topic: orders } }
  d: { kafka: { from: billing, to: desk, via: broker, topic: billed, group: bills }, within: b }
  e: { rabbitmq: { from: billing, to: desk, via: mail, queue: cards, exchange: post }, within: b }
  f: { rabbitmq: { from: billing, to: desk, via: mail, queue: letters }, within: b }
  g: { rabbitmq: { from: shop, to: billing, via: mail, queue: bills, exchange: notes } }
  h: { sqs: { from: shop, to: billing, via: outbox, queue: kept } }
  i: { sqs: { from: shop, to: desk, via: outbox, queue: own } }",
        );
        let own = scenario.with_own_names("x1");
        assert_eq!(
            names(&own.scenario),
            [
                "orders desk-x1",
                "orders billing",
                "orders-x1 desk-x1",
                "billed bills-x1",
                "post cards cards-x1",
                "- letters letters",
                "notes bills bills",
                "kept",
                "own-x1",
            ],
            "{service}"
        );
        assert_eq!(
            kept(&own),
            [
                ("broker", "billed"),
                ("broker", "billing"),
                ("broker", "orders"),
                ("mail", "bills"),
                ("mail", "letters"),
                ("mail", "notes"),
                ("mail", "post"),
                ("outbox", "kept"),
            ],
            "{service}"
        );
    }
}

#[test]
fn what_a_users_service_gives_up_goes_to_a_queue_whose_name_stays() {
    let scenario = read(
        "  mailer: { in-process: true }\n  mail: { rabbitmq: {} }",
        "  notify: { rabbitmq: { from: shop, to: mailer, via: mail, queue: letters, exchange: post } }
  park: { rabbitmq: { from: mailer, to: desk, via: mail, queue: parked }, dead-letter-of: notify }",
    );
    let own = scenario.with_own_names("x1");
    assert_eq!(names(&own.scenario), ["post letters letters", "- parked parked"]);
    assert_eq!(kept(&own), [("mail", "letters"), ("mail", "parked"), ("mail", "post")]);
}

#[test]
fn at_a_broker_of_somebody_elses_every_name_stays_and_none_is_listed() {
    let scenario = read(
        "  billing: { in-process: true }\n  broker: { kafka: { address: \"127.0.0.1:9092\" } }",
        "  a: { kafka: { from: shop, to: desk, via: broker, topic: orders } }
  b: { kafka: { from: shop, to: billing, via: broker, topic: bills } }",
    );
    let own = scenario.with_own_names("x1");
    assert_eq!(names(&own.scenario), ["orders desk", "bills billing"]);
    assert_eq!(own.kept, []);
    assert_eq!(own.scenario.own_names, []);
}

#[test]
fn a_name_that_is_too_long_is_cut_and_its_suffix_never() {
    let long = "a".repeat(300);
    for (kind, most) in [(BrokerKind::Kafka, 249), (BrokerKind::RabbitMq, 249), (BrokerKind::Sqs, 80)] {
        let fits = &long[..most - 3];
        assert_eq!(suffixed(fits, kind, 4, "x1"), format!("{fits}-x1"));
        let cut = suffixed(&long[..most - 2], kind, 4, "x1");
        assert_eq!(cut, format!("{}-4-x1", &long[..most - 5]));
        assert_eq!(cut.len(), most);
    }
    assert_eq!(suffixed("orders.fifo", BrokerKind::Sqs, 4, "x1"), "orders-x1.fifo");
    let fifo = format!("{}.fifo", &long[..75]);
    assert_eq!(suffixed(&fifo, BrokerKind::Sqs, 4, "x1"), format!("{}-4-x1.fifo", &long[..70]));
    assert_eq!(suffixed("orders.fifo", BrokerKind::RabbitMq, 4, "x1"), "orders.fifo-x1");
    // Characters of several bytes are not cut in two.
    let cut = suffixed(&"ü".repeat(125), BrokerKind::RabbitMq, 4, "x1");
    assert_eq!(cut, format!("{}-4-x1", "ü".repeat(122)));
}

#[test]
fn two_long_names_stay_two() {
    let (one, two) = ("a".repeat(78) + "-1", "a".repeat(78) + "-2");
    let scenario = read(
        "  outbox: { sqs: {} }",
        &format!(
            "  a: {{ sqs: {{ from: shop, to: desk, via: outbox, queue: {one} }} }}\n  \
             b: {{ sqs: {{ from: shop, to: desk, via: outbox, queue: {two} }} }}"
        ),
    );
    let own = names(&scenario.with_own_names("0123abcd").scenario);
    assert_ne!(own[0], own[1]);
    assert!(own.iter().all(|name| name.len() == 80 && name.ends_with("-0123abcd")), "{own:?}");
}
