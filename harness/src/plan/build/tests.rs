//! Plans of small stories: a command and an image are planned alike, and callers are stopped before those they call.

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

/// Returns the flush order of services with these hops, each `from to`, by their names.
fn flush_order_of(hops: &[&str]) -> Vec<String> {
    let mut nodes = std::collections::BTreeSet::new();
    let mut text = String::new();
    for (number, hop) in hops.iter().enumerate() {
        let (from, to) = hop.split_once(' ').expect("two names");
        nodes.extend([from, to]);
        let cause = hops.iter().position(|cause| cause.ends_with(&format!(" {from}")));
        let within = cause.map(|cause| format!(", within: hop-{cause}")).unwrap_or_default();
        let path = format!("path: /{number}");
        text.push_str(&format!("  hop-{number}: {{ http: {{ from: {from}, to: {to}, {path} }}{within} }}\n"));
    }
    nodes.remove("client");
    let names: Vec<String> = nodes.iter().map(|name| format!("  {name}: {{ in-process: true }}\n")).collect();
    let text = format!("scenario: s\nnodes:\n{}hops:\n{text}drive: [{{ send: hop-0 }}]\n", names.concat());
    let source = Source::new("story.yaml", text.as_str());
    let mut cases = parse(&source)
        .unwrap_or_else(|wrong| panic!("{}", crate::diagnostic::render(&source, &wrong, false)));
    let plan = Plan::build(Arc::new(cases.remove(0)), PathBuf::new(), Seed(7));
    let name = |node: &NodeIx| plan.scenario.node(*node).name.as_str();
    plan.flush_order.iter().map(|level| level.iter().map(name).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn callers_are_flushed_before_those_they_call_and_circles_together() {
    let table: &[(&[&str], &[&str])] = &[
        (&["client a", "a b", "b c"], &["a", "b", "c"]),
        // The short way to `c` does not matter: `b` may still call it.
        (&["client a", "a c", "a b", "b c"], &["a", "b", "c"]),
        // A callback, and a circle of three behind one more caller.
        (&["client a", "a b", "b a"], &["a b"]),
        (&["client x", "x a", "a b", "b c", "c a", "c d"], &["x", "a b c", "d"]),
        // A call to itself is a circle of one.
        (&["client a", "a a", "a b"], &["a", "b"]),
    ];
    for (hops, order) in table {
        assert_eq!(flush_order_of(hops), *order, "{hops:?}");
    }
}
