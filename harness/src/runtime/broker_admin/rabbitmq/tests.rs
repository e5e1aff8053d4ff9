//! Declarations at the stand-in, which compares them as the real broker does.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, BasicRejectOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Consumer};
use stand_in_brokers::amqp::{Argument, Config, RabbitBroker};

use super::*;
use crate::scenario::{BrokerKind, NodeIx};

const SOON: Duration = Duration::from_secs(20);

/// A stand-in and what is declared at it.
struct Fixture {
    broker: RabbitBroker,
    plan: BrokerPlan,
}

impl Fixture {
    /// `orders` bound to the exchange `shop`, its dead letters in `dead`, which waits in `dead.delay` before.
    async fn new() -> Fixture {
        let broker = RabbitBroker::start(Config::on("127.0.0.1:0".parse().unwrap())).await.unwrap();
        let queue = |name: &str, moves_to: Option<&str>, expires| Queue {
            name: name.to_owned(),
            expires,
            moves_to: moves_to.map(str::to_owned),
        };
        let millis = Some(Duration::from_millis(20));
        let plan = BrokerPlan {
            node: NodeIx(1),
            kind: BrokerKind::RabbitMq,
            topics: Vec::new(),
            exchanges: vec![AmqpExchange { name: "shop".to_owned(), kind: ExchangeKind::Topic }],
            queues: vec![
                queue("orders", Some("dead.delay"), None),
                queue("dead.delay", Some("dead"), millis),
                queue("dead", None, None),
            ],
            bindings: vec![Binding {
                exchange: "shop".to_owned(),
                routing_key: "order.#".to_owned(),
                queue: "orders".to_owned(),
            }],
        };
        Fixture { broker, plan }
    }

    fn url(&self) -> String {
        format!("amqp://guest:guest@{}/%2f", self.broker.address())
    }

    async fn declare(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        tokio::time::timeout(SOON, declare(&self.url(), &self.plan)).await.unwrap()
    }
}

async fn consume(channel: &Channel, queue: &str) -> Consumer {
    let options = BasicConsumeOptions::default();
    channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await.unwrap()
}

#[tokio::test]
async fn a_message_is_routed_to_its_queue_and_dead_lettered_when_it_is_rejected() {
    let declared = Fixture::new().await;
    declared.declare().await.unwrap();
    let connected = Connection::connect(&declared.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connected.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let properties = BasicProperties::default();
    let sent = channel.basic_publish("shop".into(), "order.new".into(), options, b"x", properties).await;
    assert_eq!(sent.unwrap().await.unwrap().take_message(), None);
    let mut orders = consume(&channel, "orders").await;
    let mut dead = consume(&channel, "dead").await;
    let order = tokio::time::timeout(SOON, orders.next()).await.unwrap().unwrap().unwrap();
    order.reject(BasicRejectOptions { requeue: false }).await.unwrap();
    let last = tokio::time::timeout(SOON, dead.next()).await.unwrap().unwrap().unwrap();
    let headers = last.properties.headers().as_ref().unwrap();
    let first = headers.inner().get("x-first-death-queue");
    assert_eq!(first, Some(&AMQPValue::LongString("orders".into())));
}

#[tokio::test]
async fn declaring_twice_succeeds() {
    let declared = Fixture::new().await;
    declared.declare().await.unwrap();
    declared.declare().await.unwrap();
}

#[tokio::test]
async fn an_existing_queue_with_other_settings_is_used_as_it_is() {
    let declared = Fixture::new().await;
    let theirs: [(&str, Argument); 1] = [("x-max-length", 7.into())];
    declared.broker.declare_queue("dead", &theirs).unwrap();
    declared.declare().await.unwrap();
}

#[tokio::test]
async fn an_existing_queue_without_the_dead_letter_queue_is_named_with_the_difference() {
    let declared = Fixture::new().await;
    declared.broker.declare_queue("orders", &[]).unwrap();
    let why = declared.declare().await.unwrap_err().to_string();
    assert!(why.starts_with("cannot declare queue `orders`: 406 PRECONDITION_FAILED"), "{why}");
    assert!(why.contains("x-dead-letter-exchange") && why.ends_with("or use another name"), "{why}");
}

#[tokio::test]
async fn an_exchange_of_another_kind_is_named() {
    let mut declared = Fixture::new().await;
    declared.declare().await.unwrap();
    declared.plan.exchanges[0].kind = ExchangeKind::Fanout;
    let why = declared.declare().await.unwrap_err().to_string();
    assert!(why.starts_with("cannot declare exchange `shop`: 406 PRECONDITION_FAILED"), "{why}");
}

#[tokio::test]
async fn a_binding_or_name_that_the_broker_rejects_is_named() {
    let mut declared = Fixture::new().await;
    declared.plan.exchanges.clear();
    let why = declared.declare().await.unwrap_err().to_string();
    assert!(why.starts_with("cannot bind queue `orders` to exchange `shop` by `order.#`: 404"), "{why}");
    declared.plan.queues[0].name = "n".repeat(256);
    let why = declared.declare().await.unwrap_err().to_string();
    assert!(why.contains("cannot declare") && why.contains("255"), "{why}");
}

#[tokio::test]
async fn a_stopped_broker_is_an_error() {
    let declared = Fixture::new().await;
    let url = declared.url();
    declared.broker.stop().await;
    let failed = tokio::time::timeout(SOON, declare(&url, &declared.plan)).await.unwrap().unwrap_err();
    assert!(failed.source().is_some(), "{failed}");
}
