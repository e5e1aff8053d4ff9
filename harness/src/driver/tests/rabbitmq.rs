//! Messages as RabbitMQ stores them, and the errors for messages that it rejects.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lapin::message::Delivery;
use lapin::options::{BasicGetOptions, ExchangeDeclareOptions};
use lapin::types::{AMQPValue, LongString};
use lapin::{Connection, ConnectionProperties, ExchangeKind};
use stand_in_brokers::amqp::{Argument, Config, RabbitBroker};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::fixture::Case;
use crate::driver::{Driver, DriverError};
use crate::evidence::{Answer, CaptureEnd, Recorder, Settlement};
use crate::plan::{StimulusIx, TapIx, TapPlan, TapProtocol};
use crate::scenario::{self, BrokerKind, NodeIx, RabbitMqHop, TemplatePart, Transport};
use crate::tap::{Tap, TapConfig};

const SOON: Duration = Duration::from_secs(20);
const FIRST: StimulusIx = StimulusIx(0);

/// To the queue `orders`, or to an exchange by the key `new`.
fn case(exchange: Option<&str>) -> Case {
    let kind = scenario::ExchangeKind::Topic;
    let exchange = exchange.map(|name| scenario::AmqpExchange { name: name.to_owned(), kind });
    let routing_key = exchange.as_ref().map_or_else(String::new, |_| "new".to_owned());
    let queue = "orders".to_owned();
    let hop = RabbitMqHop { via: NodeIx(2), exchange, routing_key, queue, delay: None, batch: None };
    Case::message(BrokerKind::RabbitMq, Transport::RabbitMq(hop))
}

async fn broker() -> RabbitBroker {
    RabbitBroker::start(Config::on("127.0.0.1:0".parse().unwrap())).await.unwrap()
}

async fn with_queue() -> RabbitBroker {
    let broker = broker().await;
    broker.declare_queue("orders", &[]).unwrap();
    broker
}

fn url(address: SocketAddr) -> String {
    format!("amqp://guest:guest@{address}/%2f")
}

fn driver(case: &Case, address: SocketAddr) -> Driver {
    case.driver_through(address, url(address)).unwrap()
}

async fn sent(case: &Case, address: SocketAddr) -> Answer {
    timeout(SOON, driver(case, address).send(FIRST)).await.unwrap().answer
}

fn failed(answer: Answer) -> String {
    let Answer::Failed(why) = answer else { panic!("{answer:?}") };
    why
}

async fn first_message(broker: &RabbitBroker) -> Delivery {
    let connected = Connection::connect(&url(broker.address()), ConnectionProperties::default()).await;
    let channel = connected.unwrap().create_channel().await.unwrap();
    let got = channel.basic_get("orders".into(), BasicGetOptions { no_ack: true }).await.unwrap();
    got.expect("a message is there").delivery
}

#[tokio::test]
async fn a_message_has_its_headers_as_long_strings_and_the_body_with_its_type() {
    let broker = with_queue().await;
    let case = case(None).header("TraceState", "acme=1").header("odd", "\u{e9}\n").body(r#"{"order": 1}"#);
    assert_eq!(sent(&case, broker.address()).await, Answer::Accepted);
    let message = first_message(&broker).await;
    let traceparent = case.plan().stimuli[0].sent.traceparent.clone().unwrap();
    let headers = message.properties.headers().as_ref().unwrap().inner();
    let text = |name: &str| match headers.get(name) {
        Some(AMQPValue::LongString(text)) => text.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(headers.len(), 3);
    assert_eq!(text("traceparent"), LongString::from(traceparent));
    assert_eq!((text("TraceState"), text("odd")), ("acme=1".into(), "\u{e9}\n".into()));
    assert_eq!(message.data, br#"{"order": 1}"#);
    assert_eq!(message.properties.content_type().as_ref().unwrap().as_str(), "application/json");
}

#[tokio::test]
async fn a_relay_receives_its_instruction_in_the_body() {
    let broker = with_queue().await;
    assert_eq!(sent(&case(None).relay(), broker.address()).await, Answer::Accepted);
    let steps = String::from_utf8(first_message(&broker).await.data).unwrap();
    assert!(steps.starts_with(r#"[{"url":"mark:ub"#), "{steps}");
}

#[tokio::test]
async fn many_messages_at_once_go_over_one_connection_that_is_kept() {
    let broker = with_queue().await;
    let recorder = Recorder::new(1000, true);
    let plan = TapPlan::between(NodeIx::CLIENT, NodeIx(2), TapProtocol::Amqp);
    let config = TapConfig::new(TapIx(0), plan, 0, broker.address());
    let tap = Tap::start(config, recorder.clone()).await.unwrap();
    let mut case = case(None);
    (case.drive.times, case.drive.concurrency) = (100, 10);
    let driver = driver(&case, tap.address());
    let exchanges = timeout(SOON, driver.drive_all(|_| {})).await.unwrap();
    assert_eq!(exchanges.len(), 100);
    assert!(exchanges.iter().all(|exchange| exchange.answer == Answer::Accepted), "{exchanges:?}");
    let (captures, gaps) = recorder.freeze();
    assert_eq!((captures.len(), gaps.len()), (100, 0));
    assert!(captures.iter().all(|capture| (capture.connection, capture.stream) == (0, 1)));
    assert!(captures.iter().all(|capture| capture.end == CaptureEnd::Settled(Settlement::Accepted)));
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_named() {
    let broker = broker().await;
    let why = failed(sent(&case(None), broker.address()).await);
    let expected = format!(
        "`broker` at {} rejected the message: there is no queue `orders` (312 NO_ROUTE); name the queue that the \
         consumer reads",
        broker.address()
    );
    assert_eq!(why, expected);
}

#[tokio::test]
async fn an_exchange_without_a_queue_is_named_with_the_key_and_what_to_do() {
    let broker = with_queue().await;
    let connected = Connection::connect(&url(broker.address()), ConnectionProperties::default()).await;
    let channel = connected.unwrap().create_channel().await.unwrap();
    let (kind, options) = (ExchangeKind::Topic, ExchangeDeclareOptions::default());
    channel.exchange_declare("shop".into(), kind, options, Default::default()).await.unwrap();
    let why = failed(sent(&case(Some("shop")), broker.address()).await);
    assert!(
        why.contains("no queue is bound to exchange `shop` with routing key `new` (312 NO_ROUTE)"),
        "{why}"
    );
    assert!(why.contains("bind the queue of the consumer"), "{why}");
}

#[tokio::test]
async fn a_missing_exchange_is_reported_with_the_error_of_the_broker_each_time() {
    let broker = with_queue().await;
    let mut case = case(Some("none"));
    case.drive.times = 3;
    let driver = driver(&case, broker.address());
    let exchanges = timeout(SOON, driver.drive_all(|_| {})).await.unwrap();
    for exchange in exchanges {
        let why = failed(exchange.answer);
        assert!(why.ends_with("404 NOT_FOUND - no exchange 'none' in vhost '/'"), "{why}");
    }
}

#[tokio::test]
async fn a_full_queue_is_a_refusal() {
    let broker = broker().await;
    let full: [(&str, Argument); 2] = [("x-max-length", 0.into()), ("x-overflow", "reject-publish".into())];
    broker.declare_queue("orders", &full).unwrap();
    let why = failed(sent(&case(None), broker.address()).await);
    assert!(why.contains("basic.nack"), "{why}");
}

#[tokio::test]
async fn a_broker_that_is_gone_is_no_answer_and_hangs_nothing() {
    let broker = with_queue().await;
    let mut case = case(None);
    case.drive.times = 2;
    let driver = driver(&case, broker.address());
    assert_eq!(driver.send(FIRST).await.answer, Answer::Accepted);
    let address = broker.address();
    broker.stop().await;
    let why = failed(timeout(SOON, driver.send(StimulusIx(1))).await.unwrap().answer);
    assert!(why.contains(&format!("`broker` at {address}")), "{why}");
    let dropping = Instant::now();
    drop(driver);
    assert!(dropping.elapsed() < Duration::from_millis(250), "{:?}", dropping.elapsed());
    let why = failed(sent(&case, address).await);
    assert!(why.starts_with(&format!("cannot connect to `broker` at {address}: ")), "{why}");
}

#[tokio::test]
async fn a_broker_that_says_nothing_is_waited_for_until_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut case = case(None);
    case.drive.within = Some(Duration::from_millis(200));
    assert_eq!(sent(&case, silent.local_addr().unwrap()).await, Answer::TimedOut);
}

#[tokio::test]
async fn a_rejected_login_is_reported_without_the_password() {
    let broker = with_queue().await;
    let case = case(None);
    let url = format!("amqp://guest:secret@{}/%2f", broker.address());
    let driver = case.driver_through(broker.address(), url).unwrap();
    let why = failed(timeout(SOON, driver.send(FIRST)).await.unwrap().answer);
    assert!(why.contains("ACCESS_REFUSED") && !why.contains("secret"), "{why}");
}

#[test]
fn what_no_message_can_have_is_refused_beforehand() {
    let address = "127.0.0.1:1".parse().unwrap();
    let refused = |case: Case| -> DriverError { case.driver(address).unwrap_err() };
    let of = |case: Case| refused(case).to_string();
    let long = "n".repeat(256);
    assert!(of(case(None).header(&long, "x")).ends_with("the name of an AMQP header has at most 255 bytes"));
    let twice = of(case(None).header("baggage", "a=1").header("baggage", "b=2"));
    assert!(twice.starts_with("header `baggage` cannot be sent over `order`: "), "{twice}");
    let large = TemplatePart::Text("v".repeat(128 * 1024));
    assert!(of(case(None).header_of("large", large)).contains("exceed the frame of RabbitMQ"));
    let exchange = refused(case(Some(&long)));
    assert!(matches!(exchange, DriverError::TooLong { what: "exchange", .. }), "{exchange}");
    assert!(case(None).header(&long[1..], "x").driver(address).is_ok());
}
