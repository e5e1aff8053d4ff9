//! Brokers of a case as its nodes use them: real programs that print their environment.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use stand_in_brokers::kafka::KafkaBroker;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::error_chain;
use crate::evidence::{CaptureEnd, MessageDirection, Recorder, Settlement};
use crate::plan::{Plan, Seed};
use crate::runtime::running::RunningCase;
use crate::runtime::start;
use crate::runtime::{BrokerStarter, RuntimeError, RuntimeOptions};
use crate::scenario::{BrokerKind, NodeIx};
use crate::source::Source;
use crate::testing::brokers::stand_ins;

const SOON: Duration = Duration::from_secs(30);
const SAYS_ALL: &str = r#"["sh", "-c", "env; echo ready; exec sleep 60"], ready: { output: ready }"#;

fn plan(yaml: &str) -> Arc<Plan> {
    let scenario =
        crate::scenario::parse(&Source::new("case.yaml", yaml)).expect("it is a scenario").remove(0);
    Arc::new(Plan::build(Arc::new(scenario), PathBuf::from("/"), Seed(1)))
}

fn options() -> RuntimeOptions {
    RuntimeOptions { brokers: stand_ins(), ..RuntimeOptions::default() }
}

async fn start(plan: &Arc<Plan>, options: &RuntimeOptions) -> Result<RunningCase, RuntimeError> {
    let recorder = Recorder::new(100, false);
    timeout(SOON, start::start(plan.clone(), options, recorder)).await.expect("starting has a deadline")
}

fn value<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

/// Shop sends to stock over a broker of each kind.
fn over_all() -> Arc<Plan> {
    let env = r#"{ PORT: "${self.port}", LOG: "${log.bootstrap}", MAIL: "<${mail.amqp}>" }"#;
    plan(&format!(
        r#"
scenario: over-all
nodes:
  shop: {{ command: {SAYS_ALL}, env: {env} }}
  stock: {{ stub: {{}} }}
  log: {{ kafka: {{}} }}
  mail: {{ rabbitmq: {{}} }}
hops:
  order: {{ http: {{ from: client, to: shop }} }}
  record: {{ kafka: {{ from: shop, to: stock, via: log, topic: orders, partitions: 3 }} }}
  job: {{ rabbitmq: {{ from: shop, to: stock, via: mail, queue: jobs }} }}
drive:
  - {{ send: order }}
"#
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_its_brokers_by_templates_and_by_nothing_else() {
    let plan = over_all();
    let running = start(&plan, &options()).await.expect("it starts");
    let lines = running.lines(NodeIx(1));
    let log = running.brokers.of(NodeIx(3)).expect("it was started").at.to_string();
    assert_eq!(value(&lines, "LOG"), Some(log.as_str()));
    let tap = running.addresses().hop(crate::scenario::HopIx(2)).expect("a tap stands there");
    assert_eq!(value(&lines, "MAIL"), Some(format!("<amqp://guest:guest@{tap}/%2f>").as_str()));
    assert_eq!((value(&lines, "KAFKA_BOOTSTRAP_SERVERS"), value(&lines, "AMQP_URL")), (None, None));
    assert_eq!(running.addresses().broker(crate::scenario::HopIx(1)), Some(log.as_str()));
    let at: std::net::SocketAddr = log.parse().unwrap();
    timeout(SOON, running.stop()).await.expect("it ends");
    assert!(TcpStream::connect(at).await.is_ok(), "brokers outlive the nodes");
    drop(running);
    let gone = async {
        while TcpStream::connect(at).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, gone).await.expect("no broker is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_gets_brokers_and_subscriptions_as_the_contract_defines() {
    let plan = plan(
        r#"
scenario: variables
nodes:
  shop: { relay: model, env: { AMQP_URL: mine } }
  ledger: { relay: model }
  log: { kafka: {} }
  mail: { rabbitmq: {} }
hops:
  order: { kafka: { from: client, to: shop, via: log, topic: "new_orders", group: "the.shop" }, relation: link }
  job: { rabbitmq: { from: shop, to: ledger, via: mail, queue: "jobs.new", batch: 5 }, relation: link }
drive:
  - { send: order }
"#,
    );
    let says = r#"env; echo 'relay ready {"http": "127.0.0.1:1"}'; exec sleep 60"#;
    let relay = ["sh", "-c", says].map(std::ffi::OsString::from).to_vec();
    let running = start(&plan, &RuntimeOptions { relay, ..options() }).await.expect("it starts");
    let shop = running.lines(NodeIx(1));
    assert_eq!(value(&shop, "RELAY_CONSUME"), Some("kafka://new_orders?group=the.shop"));
    assert_eq!(value(&shop, "RELAY_CONSUMER_RELATION"), Some("link"));
    let log = running.addresses().broker(crate::scenario::HopIx(0));
    assert_eq!((value(&shop, "KAFKA_BOOTSTRAP_SERVERS"), value(&shop, "AMQP_URL")), (log, Some("mine")));
    let ledger = running.lines(NodeIx(2));
    assert_eq!(value(&ledger, "RELAY_CONSUME"), Some("amqp:///jobs.new?batch=5"));
    let (own, of_shop) = (value(&ledger, "AMQP_URL"), running.addresses().broker(crate::scenario::HopIx(1)));
    assert!(own.is_some() && own != of_shop, "each has a tap of its own: {own:?}, {of_shop:?}");
    assert_eq!(value(&ledger, "KAFKA_BOOTSTRAP_SERVERS"), None);
    assert_eq!(value(&ledger, "AWS_ENDPOINT_URL_SQS"), None);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_reads_every_record_and_the_tap_sees_its_commit() {
    let plan = plan(
        r#"
scenario: read
nodes:
  stock: { stub: {} }
  log: { kafka: {} }
hops:
  order: { kafka: { from: client, to: stock, via: log, topic: orders } }
drive:
  - { send: order }
"#,
    );
    let recorder = Recorder::new(100, false);
    let running = start::start(plan.clone(), &options(), recorder.clone()).await.expect("it starts");
    let driver = crate::driver::Driver::new(plan, running.addresses().clone(), recorder.clone()).unwrap();
    let answers = driver.drive_all(|_| {}).await;
    assert!(answers.iter().all(|exchange| exchange.answer.is_success()), "{answers:?}");
    running.caught_up(Instant::now() + SOON).await;
    let mut changes = recorder.watch();
    let done = async {
        while !recorder.look(|captures| {
            let done = CaptureEnd::Settled(Settlement::Done);
            captures.iter().any(|capture| capture.end == done)
        }) {
            changes.changed().await.unwrap();
        }
    };
    timeout(SOON, done).await.expect("it is committed");
    let ways = recorder
        .look(|captures| captures.iter().map(|c| c.message.as_ref().unwrap().direction).collect::<Vec<_>>());
    assert_eq!(ways, [MessageDirection::Published, MessageDirection::Delivered]);
    assert_eq!(recorder.look(|captures| captures[0].values("traceparent").count()), 1);
    running.stop().await;
    assert_eq!(recorder.freeze().1, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_without_brokers_names_the_feature_and_the_alternative() {
    let plan = over_all();
    let error = start(&plan, &RuntimeOptions::default()).await.expect_err("this build has no brokers");
    assert_eq!(
        error.to_string(),
        "broker `log`: this build has no stand-in for Kafka: build with the feature `brokers`, or give the `address:` of a running \
         broker"
    );
}

fn at(address: &str, partitions: u16) -> Arc<Plan> {
    plan(&format!(
        r#"
scenario: at
nodes:
  stock: {{ stub: {{}} }}
  log: {{ kafka: {{ address: "{address}" }} }}
hops:
  order: {{ kafka: {{ from: client, to: stock, via: log, topic: orders, partitions: {partitions} }} }}
drive:
  - {{ send: order }}
"#
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_broker_is_used_and_left_as_it_is() {
    let broker = KafkaBroker::start(Default::default()).await.unwrap();
    let plan = at(&broker.address().to_string(), 3);
    let running = start(&plan, &RuntimeOptions::default()).await.expect("it starts");
    let address = broker.address().to_string();
    assert_eq!(running.addresses().broker(crate::scenario::HopIx(0)), Some(address.as_str()));
    running.stop().await;
    drop(running);
    assert!(TcpStream::connect(broker.address()).await.is_ok());
    let again = start(&plan, &RuntimeOptions::default()).await.expect("its topic is there already");
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_fails_in_the_middle_is_a_gap_and_does_not_delay_the_end() {
    let broker = KafkaBroker::start(Default::default()).await.unwrap();
    let plan = at(&broker.address().to_string(), 1);
    let recorder = Recorder::new(100, false);
    let running = start::start(plan, &RuntimeOptions::default(), recorder.clone()).await.expect("it starts");
    broker.stop().await;
    let asked = Instant::now();
    running.caught_up(asked + SOON).await;
    running.stop().await;
    drop(running);
    assert!(asked.elapsed() < SOON / 2, "{:?}", asked.elapsed());
    let gaps = recorder.freeze().1;
    assert!(gaps.iter().any(|gap| gap.what.contains("the topic `orders` at 127.0.0.1:")), "{gaps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_unreachable_or_rejects_is_reported_with_the_next_step() {
    let broker = KafkaBroker::start(Default::default()).await.unwrap();
    broker.create_topic("orders", 1).unwrap();
    let address = broker.address().to_string();
    let error = start(&at(&address, 3), &RuntimeOptions::default()).await.expect_err("it is too narrow");
    let message = error_chain::one_line(&error);
    assert!(
        message.starts_with("broker `log`: cannot declare what the hops name at Kafka 127.0.0.1:"),
        "{message}"
    );
    assert!(
        message.contains(": the topic `orders` exists with 1 partitions, and the hops need 3"),
        "{message}"
    );
    broker.stop().await;
    let error = start(&at(&address, 1), &RuntimeOptions::default()).await.expect_err("it was stopped");
    let message = error_chain::one_line(&error);
    let expected =
        format!("broker `log`: cannot connect to Kafka at {address}: start it, or correct `address:`");
    assert!(message.starts_with(&expected), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsupported_request_to_a_stand_in_is_a_gap_at_its_node() {
    let BrokerStarter(honest) = stand_ins().expect("they are built in");
    let asked = move |kind: BrokerKind, listen| -> crate::runtime::BoxFuture<crate::runtime::RunningBroker> {
        let started = honest(kind, listen);
        Box::pin(async move {
            let mut started = started.await?;
            if kind == BrokerKind::Kafka {
                started.refusals =
                    Arc::new(|| vec!["DescribeAcls".to_owned(), "compaction (2 times)".to_owned()]);
            }
            Ok(started)
        })
    };
    let brokers = Some(BrokerStarter(Arc::new(asked)));
    let plan = over_all();
    let running = start(&plan, &RuntimeOptions { brokers, ..options() }).await.expect("it starts");
    running.stop().await;
    let gaps: Vec<_> = running.broker_gaps().into_iter().map(|gap| (gap.place, gap.what)).collect();
    let what = "the stand-in does not support these requests: DescribeAcls, compaction (2 times); run against the real \
                broker";
    assert_eq!(gaps, [(crate::evidence::GapPlace::Node(NodeIx(3)), what.to_owned())]);
}
