//! Files that are mounted with their templates.

use super::*;
use crate::scenario::BrokerPart;
use crate::scenario::parse;
use crate::source::Source;

const STORY: &str = r#"
scenario: a-story
nodes:
  shop: { image: "shop:1", port: 8080, mounts: [{ from: shop.yaml, to: /etc/shop.yaml, templates: true }] }
  mailer: { image: "mailer:1", ready: { output: reading }, env: { BROKERS: "${broker.bootstrap}" } }
  ledger: { stub: {} }
  bank: { stub: {} }
  broker: { kafka: {} }
  other: { rabbitmq: {} }
hops:
  order: { http: { from: client, to: shop } }
  record: { grpc: { from: shop, to: ledger } }
  pay: { http: { from: shop, to: bank } }
  publish: { kafka: { from: shop, to: mailer, via: broker, topic: orders } }
  post: { rabbitmq: { from: client, to: bank, via: other, queue: letters } }
drive: [{ send: order }, { send: post }]
"#;

fn read(text: &str, by: &str) -> Result<Template, MountedFileError> {
    let scenarios = parse(&Source::new("story.yaml", STORY)).expect("the story is good");
    let of = scenarios[0].nodes.iter().position(|node| node.name == by).expect("a node of the story");
    Template::read(text, &scenarios[0], NodeIx(of))
}

fn error(text: &str, by: &str) -> String {
    read(text, by).expect_err("something is wrong with it").to_string()
}

#[test]
fn a_mounted_file_takes_every_template_that_env_takes() {
    let text = "port: ${self.port}\nbank: ${bank.url}/v1\nledger: ${ledger.grpc}\nbrokers: [${broker.bootstrap}, ${broker.host}:${broker.port}]\n\
                otlp: ${otlp.endpoint}\nkey: ${env.BANK_KEY}\nhere: ${scenario.dir}\n";
    let text_part = |text: &str| TemplatePart::Text(text.to_owned());
    let parts = vec![
        text_part("port: "),
        TemplatePart::SelfPort,
        text_part("\nbank: "),
        TemplatePart::Url(NodeIx(4)),
        text_part("/v1\nledger: "),
        TemplatePart::Grpc(NodeIx(3)),
        text_part("\nbrokers: ["),
        TemplatePart::Broker(NodeIx(5), BrokerPart::Address),
        text_part(", "),
        TemplatePart::Broker(NodeIx(5), BrokerPart::Host),
        text_part(":"),
        TemplatePart::Broker(NodeIx(5), BrokerPart::Port),
        text_part("]\notlp: "),
        TemplatePart::OtlpEndpoint,
        text_part("\nkey: "),
        TemplatePart::Env("BANK_KEY".to_owned()),
        text_part("\nhere: "),
        TemplatePart::ScenarioDir,
        text_part("\n"),
    ];
    assert_eq!(read(text, "shop"), Ok(Template { parts }));
}

#[test]
fn text_without_templates_is_unchanged() {
    for (text, read_as) in [
        ("", None),
        ("$", Some("$")),
        ("$HOME {{ x }} $ {y} }", Some("$HOME {{ x }} $ {y} }")),
        ("a $${HOME:-/} b\n$$${x}", Some("a ${HOME:-/} b\n$${x}")),
        ("größer ❤", Some("größer ❤")),
    ] {
        let parts = read_as.into_iter().map(|text| TemplatePart::Text(text.to_owned())).collect();
        assert_eq!(read(text, "shop"), Ok(Template { parts }), "{text}");
    }
}

#[test]
fn an_unknown_template_is_reported_with_its_line_and_the_escape() {
    let said = error("a: 1\r\nb: ${bank.url}\n  c: ${HOME:-/root}\n", "shop");
    assert!(said.starts_with("line 3: unknown template `${HOME:-/root}` (templates here: "), "{said}");
    assert!(said.ends_with("): write `$${` for a literal `${`"), "{said}");
    let said = error("${bank.ulr}", "shop");
    assert!(said.starts_with("line 1: unknown template `${bank.ulr}` (did you mean `bank.url`?)"), "{said}");
    let said = error("\n\n${bank.url", "shop");
    assert_eq!(said, "line 3: a template starts with `${` and has no `}`: write `$${` for a literal `${`");
    let said = error("x ${\nbank.url}", "shop");
    assert!(said.starts_with("line 1: unknown template `${}`"), "{said}");
    for name in ["mark", "client.url", "broker.url", "bank.bootstrap", "broker.amqp", "env.A B", ""] {
        assert!(error(&format!("${{{name}}}"), "shop").contains("unknown template"), "{name}");
    }
}

#[test]
fn an_address_needs_the_hop_whose_tap_it_is() {
    for (text, by, needs) in [
        ("${ledger.url}", "shop", "needs an http hop from `shop` to `ledger`"),
        ("${bank.grpc}", "shop", "needs a grpc hop from `shop` to `bank`"),
        ("${bank.url}", "mailer", "needs an http hop from `mailer` to `bank`"),
        ("${other.amqp}", "shop", "needs a hop from or to `shop` with `via: other`"),
        ("${self.port}", "mailer", "needs a `port` at `mailer`"),
    ] {
        assert_eq!(error(text, by), format!("line 1: the template `{text}` {needs}"));
    }
    assert!(read("${broker.bootstrap}", "mailer").is_ok());
}
