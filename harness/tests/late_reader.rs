//! Ordinary consumers of Kafka that read late, or not everything: nothing is sent before a group has a position, and a
//! record that a group passes over is no fault of what it forwards.

#![cfg(all(feature = "kafka", feature = "brokers", feature = "http"))]
#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::{ClientConfig, Message, Offset};
use unbroken::plan::{Plan, Seed};
use unbroken::run::{CaseOptions, case};
use unbroken::runtime::{InProcessService, NodeAddresses, RunningService, ServiceEnvironment};
use unbroken::scenario::parse;
use unbroken::source::Source;
use unbroken::verdict::{CaseEnd, CaseVerdict, Verdict};

/// The time that the broker may take.
const SOON: Duration = Duration::from_secs(20);

const STORY: &str = r#"
scenario: late-reader
nodes:
  billing: { in-process: true, telemetry: none }
  desk: { stub: {} }
  broker: { kafka: {} }
hops:
  order: { kafka: { from: client, to: billing, via: broker, topic: orders, partitions: 3 } }
  note: { http: { from: billing, to: desk, method: POST, path: /notes } }
drive:
  - { send: order, times: 6, body: "an order" }
expect: [hops.crossed]
"#;

/// The behaviour of the consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// From the end of its topic, and it calls for each record.
    FromTheEnd,
    /// It commits without a call.
    Silent,
    /// It goes from the first record to the third.
    Seeking,
    /// It never subscribes.
    Absent,
}

/// Runs the story with a consumer.
async fn run(reading: Reading, story: &str) -> CaseVerdict {
    let source = Source::new("late.yaml", story);
    let cases = parse(&source)
        .unwrap_or_else(|wrong| panic!("{}", unbroken::diagnostic::render(&source, &wrong, false)));
    let plan =
        Arc::new(Plan::build(Arc::new(cases.into_iter().next().unwrap()), PathBuf::from("."), Seed(5)));
    let mut options = CaseOptions::default();
    options.runtime.brokers = unbroken::testing::brokers::stand_ins();
    let over = Arc::new(AtomicBool::new(false));
    let thread: Arc<std::sync::Mutex<Option<JoinHandle<()>>>> = Arc::default();
    let (ends, reads) = (over.clone(), thread.clone());
    options.runtime.in_process = vec![InProcessService {
        node: "billing".to_owned(),
        start: Arc::new(move |given| {
            let over = ends.clone();
            *reads.lock().unwrap() = Some(std::thread::spawn(move || read(&given, reading, &over)));
            Box::pin(async { Ok(RunningService { listening: NodeAddresses::default(), flush: None }) })
        }),
    }];
    let run = case(plan, &options).await;
    over.store(true, Ordering::SeqCst);
    let thread = thread.lock().unwrap().take().unwrap();
    thread.join().unwrap();
    match run.end {
        CaseEnd::Judged(verdict) => *verdict,
        CaseEnd::CouldNotRun(error) => panic!("{error:#?}"),
    }
}

fn read(given: &ServiceEnvironment, reading: Reading, over: &AtomicBool) {
    if reading == Reading::Absent {
        return;
    }
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &given.brokers[0].1).set("group.id", "billing");
    config.set("auto.offset.reset", "latest").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&["orders"]).unwrap();
    while !over.load(Ordering::SeqCst) {
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) else { continue };
        if reading != Reading::Silent {
            call(&given.http[0].1, &message);
        }
        consumer.commit_message(&message, CommitMode::Sync).unwrap();
        if reading == Reading::Seeking && message.offset() == 0 {
            while consumer.fetch_watermarks("orders", 0, SOON).unwrap().1 < 3 {
                std::thread::yield_now();
            }
            consumer.seek("orders", 0, Offset::Offset(2), SOON).unwrap();
        }
    }
}

/// Posts a note with the context of the message.
fn call(url: &str, message: &BorrowedMessage<'_>) {
    let host = url.trim_start_matches("http://");
    let context = message.headers().unwrap().iter().find(|header| header.key == "traceparent").unwrap();
    let context = String::from_utf8_lossy(context.value.unwrap());
    let mut connection = TcpStream::connect(host).unwrap();
    let request = format!(
        "POST /notes HTTP/1.1\r\nhost: {host}\r\ntraceparent: {context}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).unwrap();
    connection.read_to_end(&mut Vec::new()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_starts_at_the_end_of_its_topic_misses_nothing() {
    for _ in 0..20 {
        let verdict = run(Reading::FromTheEnd, STORY).await;
        assert_eq!(verdict.verdict, Verdict::Pass, "{:#?} {:#?}", verdict.findings, verdict.gaps);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_reads_and_does_not_call_is_found() {
    let verdict = run(Reading::Silent, STORY).await;
    assert_eq!(verdict.verdict, Verdict::Fail, "{:#?} {:#?}", verdict.findings, verdict.gaps);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_its_consumer_sought_past_is_named_and_no_call_is_missed_for_it() {
    let story = STORY.replace("partitions: 3", "partitions: 1").replace("times: 6", "times: 3");
    let verdict = run(Reading::Seeking, &story).await;
    let gaps: Vec<&str> = verdict.gaps.iter().map(|gap| &*gap.what).collect();
    assert_eq!(verdict.verdict, Verdict::Inconclusive, "{:#?} {gaps:#?}", verdict.findings);
    assert!(verdict.findings.iter().all(|finding| finding.inconclusive), "{:#?}", verdict.findings);
    let named = "`billing` did not process the record at offset 1 of partition 0 of `orders`";
    assert!(gaps.iter().any(|gap| gap.contains(named)), "{gaps:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_never_reads_is_named_and_is_no_finding() {
    let story = STORY.replace("partitions: 3", "partitions: 1").replace("drive:", "timeout: 1s\ndrive:");
    let verdict = run(Reading::Absent, &story).await;
    let gaps: Vec<&str> = verdict.gaps.iter().map(|gap| &*gap.what).collect();
    assert_eq!(verdict.verdict, Verdict::Inconclusive, "{:#?} {gaps:#?}", verdict.findings);
    assert!(verdict.findings.iter().all(|finding| finding.inconclusive), "{:#?}", verdict.findings);
    let named = "the consumer group `billing` had no position in partition 0 of `orders`";
    assert!(gaps.iter().any(|gap| gap.contains(named)), "{gaps:#?}");
}
