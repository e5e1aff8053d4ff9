//! Problems of a broker: it goes away during a run, nobody reads, nothing is routed, a message is refused, a stand-in
//! lacks a feature. None of them fails the service under test, and none hangs. A broker that changes the headers of a
//! message is named as the side that broke the context.

#![cfg(all(
    feature = "kafka",
    feature = "rabbitmq",
    feature = "sqs",
    feature = "brokers",
    feature = "relays"
))]
#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

use std::any::Any;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stand_in_brokers::{kafka, sqs};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use unbroken::breaks::{Class, Side};
use unbroken::plan::{Plan, Seed};
use unbroken::run::{CaseOptions, CaseRun, case};
use unbroken::runtime::{
    BoxFuture, BrokerStarter, InProcessService, NodeAddresses, RunningBroker, RunningService,
};
use unbroken::scenario::{BrokerKind, parse};
use unbroken::source::Source;
use unbroken::verdict::{CaseEnd, CaseVerdict, Verdict};

/// Far more than any of these may take; what hangs is a fault.
const NO_HANG: Duration = Duration::from_secs(60);

fn options() -> CaseOptions {
    let mut options = CaseOptions::default();
    options.runtime.relay = vec![OsString::from(env!("CARGO_BIN_EXE_unbroken"))];
    options.runtime.brokers = unbroken::testing::brokers::stand_ins();
    options
}

async fn run(yaml: &str, options: CaseOptions) -> CaseRun {
    let source = Source::new("brokers.yaml", yaml);
    let wrong = |wrong: Vec<_>| panic!("{}", unbroken::diagnostic::render(&source, &wrong, false));
    let scenario = parse(&source).unwrap_or_else(wrong).into_iter().next().unwrap();
    let plan = Arc::new(Plan::build(Arc::new(scenario), PathBuf::from("."), Seed(5)));
    tokio::time::timeout(NO_HANG, case(plan, &options)).await.expect("nothing hangs")
}

async fn judged(yaml: &str, options: CaseOptions) -> CaseVerdict {
    match run(yaml, options).await.end {
        CaseEnd::Judged(verdict) => *verdict,
        CaseEnd::CouldNotRun(error) => panic!("{error:#?}"),
    }
}

/// Everything that a verdict says besides findings.
fn said(verdict: &CaseVerdict) -> String {
    format!("{:#?} {:#?}", verdict.gaps, verdict.findings)
}

#[track_caller]
fn is_inconclusive(verdict: &CaseVerdict, texts: &[&str]) {
    let said = said(verdict);
    assert_eq!(verdict.verdict, Verdict::Inconclusive, "{said}");
    for text in texts {
        assert!(said.contains(text), "{text:?} is not in {said}");
    }
}

/// A service that ends the brokers when it is called, and then answers.
fn gate(held: Arc<Mutex<Vec<Box<dyn Any + Send + Sync>>>>) -> InProcessService {
    let start = move |_| {
        let held = held.clone();
        Box::pin(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
            let address = listener.local_addr().map_err(|error| error.to_string())?;
            tokio::spawn(async move {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut asked = vec![0; 64 * 1024];
                let _ = connection.read(&mut asked).await.unwrap();
                held.lock().unwrap().clear();
                connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                // Kept open: the relay keeps its connections, too.
                let _ = connection.read(&mut asked).await;
            });
            Ok(RunningService { listening: NodeAddresses { http: Some(address), grpc: None }, flush: None })
        }) as BoxFuture<RunningService>
    };
    InProcessService { node: "gate".to_owned(), start: Arc::new(start) }
}

/// Brokers that end when what is held of them is dropped.
fn ending(held: Arc<Mutex<Vec<Box<dyn Any + Send + Sync>>>>) -> BrokerStarter {
    let stand_ins = unbroken::testing::brokers::stand_ins().unwrap();
    BrokerStarter(Arc::new(move |kind, address| {
        let (started, held) = ((stand_ins.0)(kind, address), held.clone());
        Box::pin(async move {
            let mut started = started.await?;
            let broker = std::mem::replace(&mut started.held, Box::new(()));
            held.lock().unwrap().push(broker);
            Ok(started)
        })
    }))
}

async fn goes_away(broker: &str, hop: &str) {
    let held = Arc::default();
    let mut options = options();
    options.runtime.in_process = vec![gate(Arc::clone(&held))];
    options.runtime.brokers = Some(ending(held));
    let yaml = format!(
        r#"
scenario: goes-away
nodes:
  shop: {{ relay: model }}
  gate: {{ in-process: true, telemetry: none }}
  billing: {{ relay: model }}
  broker: {{ {broker}: {{}} }}
hops:
  order: {{ http: {{ from: client, to: shop, method: POST, path: /orders }} }}
  warn: {{ http: {{ from: shop, to: gate, method: POST, path: /warnings }} }}
  publish: {{ {broker}: {{ from: shop, to: billing, via: broker, {hop} }} }}
drive:
  - {{ send: order }}
timeout: 2s
"#
    );
    let verdict = judged(&yaml, options).await;
    is_inconclusive(&verdict, &["`broker`"]);
    let publish = verdict.hops.iter().find(|hop| hop.id == "publish").expect("it is declared");
    assert_eq!(publish.verdict, Verdict::Inconclusive);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kafka_broker_that_goes_away_is_no_fail() {
    goes_away("kafka", "topic: orders").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rabbitmq_broker_that_goes_away_is_no_fail() {
    goes_away("rabbitmq", "queue: orders").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sqs_endpoint_that_goes_away_is_no_fail() {
    goes_away("sqs", "queue: orders").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_never_joins_is_named() {
    for (broker, hop, member) in [
        ("kafka", "topic: orders", "bootstrap"),
        ("rabbitmq", "queue: orders", "amqp"),
        ("sqs", "queue: orders", "endpoint"),
    ] {
        let yaml = format!(
            r#"
scenario: never-joins
nodes:
  shop: {{ relay: model }}
  billing: {{ command: ["sh", "-c", "echo ready for ${{broker.{member}}}; exec sleep 1000"], ready: {{ output: ready }} }}
  broker: {{ {broker}: {{}} }}
hops:
  order: {{ http: {{ from: client, to: shop, method: POST, path: /orders }} }}
  publish: {{ {broker}: {{ from: shop, to: billing, via: broker, {hop} }} }}
drive:
  - {{ send: order, sampled: [true] }}
timeout: 1s
"#
        );
        let verdict = judged(&yaml, options()).await;
        let read = "`billing` did not read it from `orders` by the deadline";
        is_inconclusive(&verdict, &["the broker accepted the message", read]);
        assert!(verdict.findings.is_empty(), "{:#?}", verdict.findings);
    }
}

/// Returns a stand-in whose topics only clients create.
fn without_topics(address: SocketAddr, broker: impl Any + Send + Sync) -> RunningBroker {
    RunningBroker {
        address,
        refusals: Arc::new(Vec::new),
        positions: None,
        create_topic: None,
        held: Box::new(broker),
    }
}

/// A broker that takes nothing.
fn full() -> BrokerStarter {
    BrokerStarter(Arc::new(|kind, listen| {
        Box::pin(async move {
            match kind {
                BrokerKind::Kafka => {
                    let config = kafka::Config { listen, max_log_bytes: 1, ..kafka::Config::default() };
                    let broker =
                        kafka::KafkaBroker::start(config).await.map_err(|error| error.to_string())?;
                    Ok(without_topics(broker.address(), broker))
                }
                _ => {
                    let config = sqs::Config { listen, max_bytes: 1, ..sqs::Config::default() };
                    let broker = sqs::SqsBroker::start(config).await.map_err(|error| error.to_string())?;
                    Ok(without_topics(broker.address(), broker))
                }
            }
        })
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_refused_names_the_broker_s_reason() {
    for (broker, hop, reason) in
        [("kafka", "topic: orders", "olicy violation"), ("sqs", "queue: orders", "OverLimit")]
    {
        let mut options = options();
        options.runtime.brokers = Some(full());
        let yaml = format!(
            r#"
scenario: refused
nodes:
  billing: {{ stub: {{}} }}
  broker: {{ {broker}: {{}} }}
hops:
  publish: {{ {broker}: {{ from: client, to: billing, via: broker, {hop} }} }}
drive:
  - {{ send: publish, body: "an order" }}
timeout: 2s
"#
        );
        let verdict = judged(&yaml, options).await;
        is_inconclusive(&verdict, &["publish", reason]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_broker_takes_is_said_before_anything_is_sent() {
    let yaml = r#"
scenario: refused
nodes:
  billing: { stub: {} }
  broker: { sqs: {} }
hops:
  publish: { sqs: { from: client, to: billing, via: broker, queue: orders } }
drive:
  - { send: publish, body: "a\x01b" }
"#;
    let CaseEnd::CouldNotRun(error) = run(yaml, options()).await.end else { panic!("it could be run") };
    assert!(error.message.contains("SQS rejects control characters"), "{error:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_broker_is_an_error_with_the_next_step() {
    let yaml = r#"
scenario: not-there
nodes:
  billing: { stub: {} }
  mail: { rabbitmq: { address: "amqp://guest:guest@127.0.0.1:1/%2f" } }
hops:
  publish: { rabbitmq: { from: client, to: billing, via: mail, queue: orders } }
drive:
  - { send: publish }
"#;
    let CaseEnd::CouldNotRun(error) = run(yaml, options()).await.end else { panic!("it could be run") };
    assert!(error.message.contains("`mail`") && error.message.contains("127.0.0.1:1"), "{error:#?}");
    assert!(!error.message.contains("guest:guest"), "no password is shown: {error:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stand_in_cannot_do_is_never_a_fault_of_the_service() {
    let stand_ins = unbroken::testing::brokers::stand_ins().unwrap();
    let mut options = options();
    options.runtime.brokers = Some(BrokerStarter(Arc::new(move |kind, address| {
        let started = (stand_ins.0)(kind, address);
        Box::pin(async move {
            let mut started = started.await?;
            started.refusals = Arc::new(|| vec!["DescribeQuorum (2 times)".to_owned()]);
            Ok(started)
        })
    })));
    let yaml = r#"
scenario: cannot
nodes:
  billing: { stub: {} }
  broker: { kafka: {} }
hops:
  publish: { kafka: { from: client, to: billing, via: broker, topic: orders } }
drive:
  - { send: publish }
"#;
    let verdict = judged(yaml, options).await;
    is_inconclusive(&verdict, &["DescribeQuorum (2 times)", "run against the real broker", "`broker`"]);
}

/// A stand-in whose answers have other bytes in place of some, as many of them.
fn changing(from: &'static [u8], to: &'static [u8]) -> BrokerStarter {
    assert_eq!(from.len(), to.len(), "lengths on the wire stay right");
    let stand_ins = unbroken::testing::brokers::stand_ins().unwrap();
    BrokerStarter(Arc::new(move |kind, address| {
        let started = (stand_ins.0)(kind, address);
        Box::pin(async move {
            let mut started = started.await?;
            let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
            let broker = std::mem::replace(&mut started.address, listener.local_addr().unwrap());
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect(broker).await.unwrap();
                    tokio::spawn(between(client, server, from, to));
                }
            });
            Ok(started)
        })
    }))
}

async fn between(client: TcpStream, server: TcpStream, from: &[u8], to: &[u8]) {
    let ((mut asks, mut hears), (mut answers, mut takes)) = (client.into_split(), server.into_split());
    let there = async { tokio::io::copy(&mut asks, &mut takes).await.map(drop) };
    let back = async {
        let mut bytes = vec![0; 256 * 1024];
        loop {
            // A delivery of these few bytes comes in one piece.
            let length = answers.read(&mut bytes).await?;
            if length == 0 {
                return std::io::Result::Ok(());
            }
            let at: Vec<usize> = bytes[..length]
                .windows(from.len())
                .enumerate()
                .filter(|(_, seen)| *seen == from)
                .map(|(at, _)| at)
                .collect();
            at.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to));
            hears.write_all(&bytes[..length]).await?;
        }
    };
    // Either end may hang up.
    let _ = tokio::try_join!(there, back);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_changes_a_message_is_the_side_that_broke_it() {
    for (broker, from, to, class) in [
        ("rabbitmq", &b"traceparent"[..], &b"traceabsent"[..], Class::Stripped),
        ("sqs", b"traceparent", b"traceabsent", Class::Stripped),
        ("rabbitmq", b"acme=1", b"acme=2", Class::Altered),
        ("sqs", b"acme=1", b"acme=2", Class::Altered),
    ] {
        let mut options = options();
        options.runtime.brokers = Some(changing(from, to));
        let yaml = format!(
            r#"
scenario: changed
nodes:
  shop: {{ relay: model }}
  billing: {{ relay: model }}
  broker: {{ {broker}: {{}} }}
hops:
  order: {{ http: {{ from: client, to: shop, method: POST, path: /orders }} }}
  publish: {{ {broker}: {{ from: shop, to: billing, via: broker, queue: orders }} }}
drive:
  - {{ send: order, headers: {{ tracestate: "acme=1", baggage: "tenant=blue" }} }}
"#
        );
        let verdict = judged(&yaml, options).await;
        let found: Vec<_> = verdict
            .findings
            .iter()
            .map(|finding| (finding.class, finding.side, finding.node.as_deref(), finding.hops.join(" ")))
            .collect();
        let expected = (class, Side::Intermediary, Some("broker"), "publish".to_owned());
        assert_eq!(found, [expected], "{broker}: {}", said(&verdict));
    }
}
