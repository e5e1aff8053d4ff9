//! Ten thousand records of fifty interleaved traces over eight partitions, read by a service of two consumers, the
//! second of which joins in the middle: none is lost, doubled or swapped in the judgement.
//!
//! The service is an ordinary one: real clients, spans that say which record they are for, and no marks.

#![cfg(all(feature = "kafka", feature = "brokers", feature = "relays", feature = "http"))]
#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::{ClientConfig, ClientContext, Message};
use serde_json::{Value, json};
use unbroken::crossings::{Crossings, Nature};
use unbroken::plan::{Plan, Seed};
use unbroken::run::{CaseOptions, case};
use unbroken::runtime::{InProcessService, NodeAddresses, RunningService, ServiceEnvironment};
use unbroken::scenario::{HopIx, parse};
use unbroken::source::Source;
use unbroken::verdict::{CaseEnd, Verdict};

const TRACES: usize = 50;
const EACH: usize = 200;
/// The number of records that the first consumer has processed when the second one joins.
const JOINS_AFTER: usize = 500;

fn scenario() -> String {
    format!(
        r#"
scenario: rebalance
nodes:
  shop: {{ relay: model }}
  billing: {{ in-process: true }}
  broker: {{ kafka: {{}} }}
hops:
  order: {{ http: {{ from: client, to: shop, method: POST, path: /orders }} }}
  publish:
    kafka: {{ from: shop, to: billing, via: broker, topic: orders, partitions: 8 }}
    times: {EACH}
drive:
  - {{ send: order, times: {TRACES}, concurrency: 8, headers: {{ tracestate: "acme=1", baggage: "tenant=blue" }} }}
timeout: 60s
"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_records_over_a_rebalance_are_each_judged_once() {
    let source = Source::new("rebalance.yaml", scenario());
    let cases = parse(&source)
        .unwrap_or_else(|wrong| panic!("{}", unbroken::diagnostic::render(&source, &wrong, false)));
    let plan =
        Arc::new(Plan::build(Arc::new(cases.into_iter().next().unwrap()), PathBuf::from("."), Seed(5)));
    let service = Arc::new(Service::default());
    let mut options = CaseOptions::default();
    options.runtime.relay = vec![OsString::from(env!("CARGO_BIN_EXE_unbroken"))];
    options.runtime.brokers = unbroken::testing::brokers::stand_ins();
    let starts = service.clone();
    options.runtime.in_process = vec![InProcessService {
        node: "billing".to_owned(),
        start: Arc::new(move |given| {
            let service = starts.clone();
            Box::pin(async move { Ok(Service::start(&service, given)) })
        }),
    }];

    let run = case(plan.clone(), &options).await;

    let CaseEnd::Judged(verdict) = run.end else { panic!("{:#?}", run.end) };
    assert!(
        verdict.findings.is_empty() && verdict.gaps.is_empty(),
        "{:#?} {:#?}",
        verdict.findings,
        verdict.gaps
    );
    assert_eq!(verdict.verdict, Verdict::Pass, "{verdict:#?}");
    let consumed: Vec<usize> = service.processed.iter().map(|count| count.load(Ordering::SeqCst)).collect();
    assert!(consumed.iter().all(|count| *count > 0), "both consumers had their part: {consumed:?}");
    let evidence = run.evidence.unwrap();
    let all = Crossings::pair(&plan, &evidence);
    let publish = plan.scenario.hops.iter().position(|hop| hop.id == "publish").unwrap();
    let sent = all.of_hop(HopIx(publish)).filter(|crossing| crossing.nature() == Nature::Sent);
    let spans: Vec<_> = sent.map(|crossing| crossing.receiver_span_ix()).collect();
    assert_eq!(spans.len(), TRACES * EACH);
    let different: BTreeSet<_> = spans.iter().flatten().collect();
    assert_eq!(different.len(), TRACES * EACH, "each has a span of its own");
}

/// A service of up to two consumers in one group.
#[derive(Default)]
struct Service {
    processed: [AtomicUsize; 2],
    stop: AtomicBool,
    span_ids: AtomicU64,
    spans: Mutex<Vec<Value>>,
    consumers: Mutex<Vec<JoinHandle<()>>>,
}

impl Service {
    fn start(service: &Arc<Service>, given: ServiceEnvironment) -> RunningService {
        let (_, bootstrap) = given.brokers.first().expect("the scenario has a broker").clone();
        consume(service, 0, bootstrap);
        let flushed = service.clone();
        let flush = move || {
            let (service, endpoint) = (flushed.clone(), given.otlp_endpoint.clone());
            Box::pin(async move { service.flush(endpoint).await }) as unbroken::runtime::BoxFuture<()>
        };
        RunningService { listening: NodeAddresses::default(), flush: Some(Arc::new(flush)) }
    }

    async fn flush(&self, endpoint: String) -> Result<(), unbroken::runtime::BoxError> {
        self.stop.store(true, Ordering::SeqCst);
        let consumers: Vec<JoinHandle<()>> = self.consumers.lock().unwrap().drain(..).collect();
        let ended = tokio::task::spawn_blocking(|| consumers.into_iter().for_each(|one| one.join().unwrap()));
        ended.await?;
        let spans: Vec<Value> = self.spans.lock().unwrap().drain(..).collect();
        let client = reqwest::Client::new();
        for some in spans.chunks(1_000) {
            let name = json!([{ "key": "service.name", "value": { "stringValue": "billing" } }]);
            let body = json!({ "resourceSpans": [{
                "resource": { "attributes": name },
                "scopeSpans": [{ "spans": some }],
            }] });
            let sent =
                client.post(format!("{endpoint}/v1/traces")).header("content-type", "application/json");
            let answer = sent.body(body.to_string()).send().await?;
            assert!(answer.status().is_success(), "{}", answer.status());
        }
        Ok(())
    }

    /// One record: a span below what it carries.
    fn process(&self, record: &BorrowedMessage<'_>) {
        let headers = record.headers().expect("every record carries a context");
        let traceparent = headers.iter().find(|header| header.key == "traceparent").unwrap().value.unwrap();
        let parts: Vec<&str> = std::str::from_utf8(traceparent).unwrap().split('-').collect();
        let id = self.span_ids.fetch_add(1, Ordering::SeqCst) + 1;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let text = |key: &str, value: String| json!({ "key": key, "value": { "stringValue": value } });
        let offset =
            json!({ "key": "messaging.kafka.offset", "value": { "intValue": record.offset().to_string() } });
        self.spans.lock().unwrap().push(json!({
            "traceId": parts[1],
            "spanId": format!("{id:016x}"),
            "parentSpanId": parts[2],
            "traceState": "acme=1",
            "flags": 0x301,
            "name": "process orders",
            "kind": 5,
            "startTimeUnixNano": now.to_string(),
            "endTimeUnixNano": (now + 1_000).to_string(),
            "attributes": [
                text("messaging.system", "kafka".to_owned()),
                text("messaging.destination.name", record.topic().to_owned()),
                text("messaging.destination.partition.id", record.partition().to_string()),
                text("messaging.operation.type", "process".to_owned()),
                offset,
            ],
        }));
    }
}

/// Commits the processed records before partitions move to another consumer.
struct CommitFirst;

impl ClientContext for CommitFirst {}

impl ConsumerContext for CommitFirst {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        // Nothing was processed yet at the first assignment; a commit of nothing is refused, and that is right.
        let _ = consumer.commit_consumer_state(CommitMode::Sync);
    }
}

/// A consumer on a thread of its own, until the service is flushed.
fn consume(service: &Arc<Service>, number: usize, bootstrap: String) {
    let own = service.clone();
    let thread = std::thread::spawn(move || {
        let consumer: BaseConsumer<CommitFirst> = ClientConfig::new()
            .set("bootstrap.servers", &bootstrap)
            .set("group.id", "billing")
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "50")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "100")
            .create_with_context(CommitFirst)
            .unwrap();
        consumer.subscribe(&["orders"]).unwrap();
        while !own.stop.load(Ordering::SeqCst) {
            let Some(Ok(record)) = consumer.poll(Duration::from_millis(20)) else { continue };
            own.process(&record);
            let processed = own.processed[number].fetch_add(1, Ordering::SeqCst) + 1;
            if number == 0 && processed == JOINS_AFTER {
                consume(&own, 1, bootstrap.clone());
            }
        }
    });
    service.consumers.lock().unwrap().push(thread);
}
