//! A plan does not depend on whether a service is a command or an image.

use super::*;
use crate::scenario::parse;
use crate::source::Source;

fn planned(ledger: &str) -> Plan {
    let text = format!(
        r#"
scenario: a-story
nodes:
  shop: {{ relay: model }}
  ledger: {{ {ledger}, ready: {{ output: up }}, port: 9000, marker: {{ header: x-request-id }},
            env: {{ AUDIT: "${{audit.url}}", BROKER: "${{mail.amqp}}" }} }}
  audit: {{ stub: {{}} }}
  mail: {{ rabbitmq: {{}} }}
hops:
  order: {{ http: {{ from: client, to: shop }} }}
  record: {{ grpc: {{ from: shop, to: ledger }} }}
  book: {{ http: {{ from: shop, to: ledger }} }}
  note: {{ http: {{ from: ledger, to: audit }}, within: book }}
  post: {{ rabbitmq: {{ from: shop, to: ledger, via: mail, queue: letters }} }}
drive: [{{ send: order }}]
"#
    );
    let mut cases = parse(&Source::new("story.yaml", text)).expect("the story is good");
    Plan::build(Arc::new(cases.remove(0)), PathBuf::new(), Seed(7))
}

#[test]
fn an_image_gets_the_taps_and_subscriptions_of_a_command() {
    let (image, command) = (planned("image: \"ledger:1\""), planned("command: [ledger]"));
    assert!(image.hop_taps.iter().all(Option::is_some));
    assert_eq!(image.hop_taps, command.hop_taps);
    assert_eq!(format!("{:?}", image.taps), format!("{:?}", command.taps));
    assert_eq!(image.arrival_taps, command.arrival_taps);
    assert_eq!(image.listens, command.listens);
    assert_eq!(image.subscriptions, command.subscriptions);
    assert_eq!(image.flush_order, command.flush_order);
    assert_eq!(image.listens[2], ListenProtocols { http: true, grpc: true });
    assert!(image.flush_order.iter().flatten().any(|node| *node == NodeIx(2)));
}
